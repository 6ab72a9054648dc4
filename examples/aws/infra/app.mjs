// What `cdk` runs (cdk.json): the stacks of sluice-infra.yaml, and below them whatever the file has no word for.
import { App } from 'aws-cdk-lib';
import { addEnvironments, readConfig, tellMistakes } from 'sluice/infra';

const app = new App();
tellMistakes(() => {
  const environments = addEnvironments(app, readConfig('sluice-infra.yaml'));

  // An escape hatch: constructs of Sluice and of the CDK are properties, and a construct's `node.defaultChild` is the resource of CloudFormation.
  environments.staging?.training?.training.stateMachine.node.defaultChild.addPropertyOverride(
    'TracingConfiguration.Enabled',
    false,
  );
});
