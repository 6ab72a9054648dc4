import { App } from 'aws-cdk-lib';
import { addEnvironments, readConfig, tellMistakes } from './index.ts';

// What `cdk` runs (cdk.json). Another file: `npx cdk synth -c config=other.yaml`.
const app = new App();
tellMistakes(() => {
  addEnvironments(app, readConfig(String(app.node.tryGetContext('config') ?? 'sluice-infra.yaml')));
});
