import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { describe, expect, test } from 'vitest';
import { retentionConformance, ruleFindings, rulesConformance } from '../constructs/aws/conformance.ts';
import { servingMetrics } from '../core/telemetry/index.ts';
import { exampleExemptions } from './fixtures/example-exemptions.ts';
import { goldenTemplates } from './fixtures/golden-templates.ts';
import { infra, synthesizedApp, templatesOf } from './fixtures/synthesized-app.ts';
import { readConfig } from './index.ts';

const folder = join(infra, 'examples');
const golden = join(folder, 'golden');
const files = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .toSorted();
const configs = files.map((file) => readConfig(join(folder, file)));
const templates: Readonly<Record<string, Template>> = Object.assign({}, ...configs.map(templatesOf));

function template(name: string): Template {
  const found = templates[name];
  if (found === undefined) throw new Error(`no example has a stack ${name}`);
  return found;
}

describe('the examples', () => {
  test('have the stacks that their files name', () => {
    expect(Object.keys(templates)).toEqual([
      'churn-nightly-storage',
      'churn-nightly-pipeline-access',
      'churn-nightly-batch',
      'fraud-live-storage',
      'fraud-live-pipeline-access',
      'fraud-live-training',
      'fraud-live-serving',
      'fraud-live-cluster',
      'shop-live-storage',
      'shop-live-pipeline-access',
      'shop-live-serving',
      'shop-live-monitoring',
    ]);
  });

  goldenTemplates(golden, templates);

  test.each(files)(
    '%s asks nothing of an account or the network while it is synthesized, and warns of nothing',
    (file) => {
      const { app } = synthesizedApp(readConfig(join(folder, file)));
      const assembly = app.synth();
      expect(assembly.manifest.missing ?? []).toEqual([]);
      expect(assembly.stacks.flatMap(({ messages }) => messages.map(({ entry }) => entry.data))).toEqual([]);
    },
  );

  test.each(files)('%s is found by the README', (file) => {
    expect(readFileSync(join(infra, 'README.md'), 'utf8')).toContain(`examples/${file}`);
  });
});

describe.each(Object.entries(templates))('%s', (_name, made) => {
  retentionConformance(made);

  test('allows no action by a pattern', () => {
    const statements = Object.values(made.findResources('AWS::IAM::Policy')).flatMap(
      (policy): readonly { readonly Action: string | readonly string[] }[] =>
        policy['Properties'].PolicyDocument.Statement,
    );
    expect(statements.flatMap(({ Action }) => Action).filter((action) => action.includes('*'))).toEqual([]);
  });
});

describe('the rules of AWS Solutions in the examples', () => {
  rulesConformance(
    configs.flatMap((config) => ruleFindings((outdir) => synthesizedApp(config, outdir).app)),
    exampleExemptions,
  );
});

describe('ways to serve', () => {
  const serving = template('shop-live-serving');
  const alarms = (endpoint: string) =>
    Object.values(serving.findResources('AWS::CloudWatch::Alarm')).filter(({ Properties: { AlarmName: name } }) =>
      String(name).startsWith(endpoint),
    );

  test('a shadow gets a share of the requests, as the ratio of two weights', () => {
    serving.hasResourceProperties('AWS::SageMaker::EndpointConfig', {
      ProductionVariants: [Match.objectLike({ VariantName: 'AllTraffic', InitialVariantWeight: 1 })],
      ShadowProductionVariants: [Match.objectLike({ VariantName: 'Shadow', InitialVariantWeight: 0.1 })],
    });
  });

  test('what is measured of the model takes a deployment back', () => {
    const quality = alarms('churn').find(({ Properties: { AlarmName: name } }) => name === 'churn-QualityLow');
    expect(quality?.['Properties']).toMatchObject({
      Namespace: 'Sluice/Models',
      MetricName: servingMetrics.accuracy.name,
      Dimensions: [{ Name: 'model_name', Value: 'churn' }],
      Threshold: 0.85,
      ComparisonOperator: 'LessThanThreshold',
    });
    const [endpoint] = Object.values(
      serving.findResources('AWS::SageMaker::Endpoint', { Properties: { EndpointName: 'churn' } }),
    );
    const watched: unknown = endpoint?.['Properties'].DeploymentConfig.AutoRollbackConfiguration.Alarms;
    expect(JSON.stringify(watched)).toContain('QualityLow');
    template('shop-live-pipeline-access').hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'cloudwatch:PutMetricData',
            Condition: { StringEquals: { 'cloudwatch:namespace': 'Sluice/Models' } },
          }),
        ]),
      },
    });
  });

  test('variants share the requests by their weights, and a deployment keeps what was moved', () => {
    serving.hasResourceProperties('AWS::SageMaker::EndpointConfig', {
      ProductionVariants: [
        Match.objectLike({ VariantName: 'blue', InitialVariantWeight: 9 }),
        Match.objectLike({ VariantName: 'green', InitialVariantWeight: 1 }),
      ],
    });
    serving.hasResourceProperties('AWS::SageMaker::Endpoint', {
      EndpointName: 'ranker',
      RetainAllVariantProperties: true,
      ExcludeRetainedVariantProperties: Match.absent(),
    });
  });

  test('an asynchronous endpoint goes down to no instances, and the release role may ask it', () => {
    serving.hasResourceProperties('AWS::SageMaker::EndpointConfig', {
      AsyncInferenceConfig: {
        OutputConfig: { S3OutputPath: 's3://acme-scans/answers', S3FailurePath: 's3://acme-scans/failures' },
        ClientConfig: { MaxConcurrentInvocationsPerInstance: 4 },
      },
    });
    serving.hasResourceProperties('AWS::ApplicationAutoScaling::ScalableTarget', {
      ResourceId: 'endpoint/scans/variant/AllTraffic',
      MinCapacity: 0,
    });
    template('shop-live-pipeline-access').hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([Match.objectLike({ Action: Match.arrayWith(['sagemaker:InvokeEndpointAsync']) })]),
      },
    });
  });

  test('a serverless endpoint has memory and no instances', () => {
    serving.hasResourceProperties('AWS::SageMaker::EndpointConfig', {
      ProductionVariants: [
        {
          VariantName: 'AllTraffic',
          InstanceType: Match.absent(),
          ServerlessConfig: { MemorySizeInMB: 4096, MaxConcurrency: 20, ProvisionedConcurrency: 2 },
        },
      ],
    });
  });

  test('alarms and dashboards know how many GPUs and processors an instance has, and none of a serverless one', () => {
    const watching = JSON.stringify(template('shop-live-monitoring').toJSON());
    // An ml.g5.xlarge has one GPU and four processors: SageMaker tells up to 100 % and 400 %.
    expect(watching).toMatch(/"gpu\d? \/ 100"/);
    expect(watching).toMatch(/"processor\d? \/ 400"/);
    expect(watching).not.toContain('ml.g5');
  });
});

describe('a network that is there', () => {
  const subnets = ['subnet-0a1b2c3d4e5f60718', 'subnet-1a1b2c3d4e5f60718'];

  test('is where instances of endpoints, of training and of the cluster stand, and no other is made', () => {
    template('fraud-live-serving').hasResourceProperties('AWS::SageMaker::Model', {
      VpcConfig: Match.objectLike({ Subnets: subnets }),
    });
    template('fraud-live-cluster').hasResourceProperties('AWS::EKS::Cluster', {
      ResourcesVpcConfig: Match.objectLike({ SubnetIds: subnets }),
    });
    const [machine] = Object.values(template('fraud-live-training').findResources('AWS::StepFunctions::StateMachine'));
    expect(JSON.stringify(machine?.['Properties'].DefinitionString)).toContain(subnets[1]);
    for (const made of Object.values(templates)) {
      made.resourceCountIs('AWS::EC2::VPC', 0);
      made.resourceCountIs('AWS::EC2::Subnet', 0);
    }
  });

  test('lets nothing in to an endpoint by itself', () => {
    template('fraud-live-serving').hasResourceProperties('AWS::EC2::SecurityGroup', {
      VpcId: 'vpc-0a1b2c3d4e5f60718',
      SecurityGroupIngress: Match.absent(),
    });
  });
});

describe('a batch', () => {
  const batch = template('churn-nightly-batch');

  test('runs by its schedule, and when the release role starts it', () => {
    batch.resourceCountIs('AWS::Scheduler::Schedule', 1);
    batch.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'cron(0 3 * * ? *)',
      ScheduleExpressionTimezone: 'Europe/Berlin',
    });
    batch.hasResourceProperties('AWS::StepFunctions::StateMachine', {
      StateMachineName: 'churn-nightly-batch-ranking',
    });
    template('churn-nightly-pipeline-access').hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'states:StartExecution',
            Resource: Match.arrayWith([
              'arn:aws:states:us-east-1:111122223333:stateMachine:churn-nightly-batch-ranking',
            ]),
          }),
        ]),
      },
    });
  });

  test('of a Triton image takes a file as one request', () => {
    const machines = Object.values(batch.findResources('AWS::StepFunctions::StateMachine'));
    const [scoring = '', ranking = ''] = machines.map((machine) => JSON.stringify(machine['Properties']));
    expect(ranking).toContain(String.raw`\"SplitType\":\"None\"`);
    expect(ranking).toContain(String.raw`\"ContentType\":\"application/json\"`);
    expect(scoring).toContain(String.raw`\"SplitType\":\"Line\"`);
  });
});
