import { App, Duration, Size, Stack, Token } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Port, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { ArnPrincipal } from 'aws-cdk-lib/aws-iam';
import { type CfnKey, Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { trainingMetrics } from '../../../core/telemetry/index.ts';
import { ConstructError } from '../../problem/index.ts';
import { ModelBucket } from '../storage/model-bucket.ts';
import { SpotTraining } from './spot-training.ts';
import type { CheckpointFolder, SpotTrainingProps } from './spot-training-props.ts';
import type { StateMachineDefinition, TaskState } from './state.ts';

function made(change: Partial<SpotTrainingProps> = {}) {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const bucket = Bucket.fromBucketName(stack, 'Bucket', 'acme');
  const image = {
    repository: Repository.fromRepositoryArn(stack, 'Image', 'arn:aws:ecr:eu-west-1:111122223333:repository/churn'),
    tagOrDigest: '1.4.0',
  };
  const training = new SpotTraining(stack, 'Training', {
    trainingName: 'churn',
    image,
    instanceType: 'ml.p4d.24xlarge',
    maxRun: Duration.hours(1),
    output: { bucket, prefix: 'models' },
    checkpoints: { bucket, prefix: 'checkpoints' },
    ...change,
  });
  return { stack, training, bucket, image };
}

/** The definition as Step Functions gets it, tokens by their names. */
function definitionOf(stack: Stack): StateMachineDefinition {
  const [machine] = Object.values(Template.fromStack(stack).findResources('AWS::StepFunctions::StateMachine'));
  const text: unknown = machine?.['Properties'].DefinitionString;
  const joined = typeof text === 'string' ? text : joinOf(text);
  return JSON.parse(joined) as StateMachineDefinition;
}

function joinOf(value: unknown): string {
  const [, parts] = (value as { readonly 'Fn::Join': readonly [string, readonly unknown[]] })['Fn::Join'];
  return parts.map((part) => (typeof part === 'string' ? part : nameOf(part))).join('');
}

function nameOf(part: unknown): string {
  const [named] = Object.values(part as Readonly<Record<string, unknown>>);
  return String(Array.isArray(named) ? named.join('.') : named);
}

function task(stack: Stack, name: string): TaskState {
  const state = definitionOf(stack).States[name];
  if (state?.Type !== 'Task') throw new Error(`${name} is no task`);
  return state;
}

const request = (change: Partial<SpotTrainingProps> = {}) => task(made(change).stack, 'Start Job').Arguments;

function problems(change: Partial<SpotTrainingProps>): readonly string[] {
  try {
    made(change);
    return [];
  } catch (error) {
    if (!(error instanceof ConstructError)) throw error;
    return error.problems.map(({ code }) => code);
  }
}

describe('the job', () => {
  test('trains on spot with checkpoints in a folder of the run, which every attempt shares', () => {
    expect(
      request({ instanceCount: 4, maxRun: Duration.seconds(3600), maxWait: Duration.seconds(7200) }),
    ).toMatchObject({
      TrainingJobName: "{% 'churn-' & $job & '-' & $attempt %}",
      EnableManagedSpotTraining: true,
      ResourceConfig: { InstanceType: 'ml.p4d.24xlarge', InstanceCount: 4 },
      StoppingCondition: { MaxRuntimeInSeconds: 3600, MaxWaitTimeInSeconds: 7200 },
      CheckpointConfig: { S3Uri: "{% 's3://acme/checkpoints/' & $run %}", LocalPath: '/opt/ml/checkpoints' },
      OutputDataConfig: { S3OutputPath: "{% 's3://acme/models/' & $run %}", CompressionType: 'GZIP' },
      EnableNetworkIsolation: true,
      EnableInterContainerTrafficEncryption: true,
      ProfilerConfig: { DisableProfiler: true },
    });
  });

  test('of one instance encrypts no traffic with itself', () => {
    expect(request()).toMatchObject({ EnableInterContainerTrafficEncryption: false });
    expect(request({ encryptBetweenInstances: true })).toMatchObject({ EnableInterContainerTrafficEncryption: true });
  });

  test('waits for twice as long as it may train, where nothing else is said', () => {
    expect(request()).toMatchObject({ StoppingCondition: { MaxWaitTimeInSeconds: 7200 } });
    expect(definitionOf(made().stack).States['Begin']).toMatchObject({
      Assign: { deadline: expect.stringContaining('+ 14400000') },
    });
  });

  test('without spot knows no waiting, and keeps its instances warm', () => {
    const asked = request({ spot: false, keepAlive: Duration.minutes(30) });
    expect(asked).toMatchObject({
      EnableManagedSpotTraining: false,
      ResourceConfig: { KeepAlivePeriodInSeconds: 1800 },
    });
    expect(JSON.stringify(asked)).not.toContain('MaxWaitTime');
  });

  test('takes hyperparameters from its props and from the input of the execution', () => {
    const { stack } = made({ hyperParameters: { epochs: '3' } });
    expect(definitionOf(stack).States['Begin']).toMatchObject({ Assign: { defaults: { epochs: '3' } } });
    expect(task(stack, 'Start Job').Arguments).toMatchObject({ HyperParameters: '{% $merge([$defaults, $asked]) %}' });
  });

  test('is given an instance type that is only known when the stack is deployed', () => {
    const instanceType = Token.asString({ Ref: 'Type' });
    expect(request({ instanceType })).toMatchObject({ ResourceConfig: { InstanceType: 'Type' } });
  });
});

describe('the state machine', () => {
  test('is watched: every event logged without its data, traced', () => {
    Template.fromStack(made().stack).hasResourceProperties('AWS::StepFunctions::StateMachine', {
      LoggingConfiguration: { Level: 'ALL', IncludeExecutionData: false },
      TracingConfiguration: { Enabled: true },
    });
  });

  test('names only states that it has, and reaches each', () => {
    for (const change of [{}, { gate: { report: 'report.json' } }] as const) {
      const { StartAt, States } = definitionOf(made(change).stack);
      const named = [StartAt, ...JSON.stringify(States).matchAll(/"(?:Next|Default)":"([^"]+)"/g)].map((match) =>
        typeof match === 'string' ? match : match[1],
      );
      expect(new Set(named)).toEqual(new Set(Object.keys(States)));
    }
  });

  test('looks at a job of many days seldom enough for the history of an execution', () => {
    const { stack } = made({ maxRun: Duration.days(20), deadline: Duration.days(80) });
    const { States, TimeoutSeconds } = definitionOf(stack);
    const [, look = ''] = /\$min\(\[(\d+),/.exec(JSON.stringify(States['Wait For Job'])) ?? [];
    // Each look is nine events: two of the wait, five of the task, two of the choice.
    expect((TimeoutSeconds / Number(look)) * 9).toBeLessThan(25_000);
  });

  test('passes a model that has no gate, and starts what follows only when passed', () => {
    const { States } = definitionOf(made().stack);
    expect(States['Judge Run']).toMatchObject({
      Choices: expect.arrayContaining([expect.objectContaining({ Next: 'Passed' })]),
    });
    expect(Object.keys(States)).not.toContain('Start What Follows');
  });
});

describe('the log of the state machine', () => {
  const logs = 'AWS::Logs::LogGroup';

  test('is encrypted by a key that CloudWatch Logs may use for it alone', () => {
    const template = Template.fromStack(made().stack);
    const [[keyId, key] = []] = Object.entries(template.findResources('AWS::KMS::Key'));
    template.resourceCountIs('AWS::KMS::Key', 1);
    template.hasResourceProperties(logs, { KmsKeyId: { 'Fn::GetAtt': [keyId, 'Arn'] } });
    const [log] = Object.values(template.findResources(logs));
    const [, forLogs] = key?.['Properties'].KeyPolicy.Statement ?? [];
    expect(JSON.stringify(forLogs.Condition)).toContain(`:log-group:${log?.['Properties'].LogGroupName}"`);
    expect(forLogs.Action).toContain('kms:GenerateDataKeyWithoutPlaintext');
  });

  test('is encrypted by the key that is given, and so is the topic', () => {
    const { stack, bucket, image } = made();
    const encryptionKey = new Key(stack, 'Mine');
    new SpotTraining(stack, 'Other', {
      trainingName: 'other',
      image,
      instanceType: 'ml.p4d.24xlarge',
      maxRun: Duration.hours(1),
      spot: false,
      output: { bucket, prefix: 'models' },
      encryptionKey,
    });
    const template = Template.fromStack(stack);
    const mine = { 'Fn::GetAtt': [stack.getLogicalId(encryptionKey.node.defaultChild as CfnKey), 'Arn'] };
    template.hasResourceProperties(logs, { KmsKeyId: mine });
    template.hasResourceProperties('AWS::SNS::Topic', { DisplayName: 'Training other', KmsMasterKeyId: mine });
    template.resourceCountIs('AWS::KMS::Key', 2);
  });
});

describe('ends', () => {
  test('are told to an encrypted topic that speaks TLS only', () => {
    const template = Template.fromStack(made().stack);
    template.hasResourceProperties('AWS::SNS::Topic', { KmsMasterKeyId: Match.anyValue() });
    template.hasResourceProperties('AWS::SNS::TopicPolicy', {
      PolicyDocument: {
        Statement: [Match.objectLike({ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } })],
      },
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: { source: ['aws.states'], detail: { status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] } },
      Targets: [{ Id: 'Topic', RoleArn: Match.anyValue() }],
    });
  });

  test('are told to a topic of somebody else', () => {
    const other = new Stack(new App({ analyticsReporting: false }), 'Other');
    const topic = Topic.fromTopicArn(other, 'Topic', 'arn:aws:sns:eu-west-1:111122223333:ops');
    const template = Template.fromStack(made({ topic }).stack);
    template.resourceCountIs('AWS::SNS::Topic', 0);
    template.hasResourceProperties('AWS::Events::Rule', { Targets: [Match.objectLike({ Arn: topic.topicArn })] });
  });
});

describe('rights', () => {
  test('to start are given to who is to start', () => {
    const { stack, training } = made();
    training.grantStart(new ArnPrincipal('arn:aws:iam::111122223333:role/release'));
    const { stack: other, training: started } = made();
    started.grantStart(started.role);
    Template.fromStack(other).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: { Statement: Match.arrayWith([Match.objectLike({ Action: 'states:StartExecution' })]) },
    });
    Template.fromStack(stack).resourceCountIs('AWS::StepFunctions::StateMachine', 1);
  });

  test('to the key of a bucket of models come with the bucket', () => {
    const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
    const models = new ModelBucket(stack, 'Models');
    new SpotTraining(stack, 'Training', {
      image: {
        repository: Repository.fromRepositoryName(stack, 'Image', 'churn'),
        tagOrDigest: `sha256:${'a'.repeat(64)}`,
      },
      instanceType: 'ml.g5.xlarge',
      maxRun: Duration.hours(1),
      output: { bucket: models.bucket, prefix: 'models' },
      checkpoints: { bucket: models.bucket, prefix: 'checkpoints' },
    });
    Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({ Action: ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt'] }),
        ]),
      },
    });
  });

  test('of the state machine are for jobs of its name alone', () => {
    const template = JSON.stringify(Template.fromStack(made().stack).toJSON());
    expect(template).toContain(':training-job/churn-*');
    expect(template).not.toContain('sagemaker:*');
    expect(template).not.toContain('processing-job');
  });

  test('of instances in a VPC are for its subnets; they hear each other and who is let in', () => {
    const { stack } = made();
    const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
      vpcId: 'vpc-1',
      availabilityZones: ['eu-west-1a'],
      privateSubnetIds: ['subnet-1'],
    });
    const image = Repository.fromRepositoryName(stack, 'Other', 'churn');
    const bucket = Bucket.fromBucketName(stack, 'Data', 'acme');
    const training = new SpotTraining(stack, 'InVpc', {
      image: { repository: image, tagOrDigest: '1' },
      instanceType: 'ml.g5.xlarge',
      maxRun: Duration.hours(1),
      output: { bucket },
      checkpoints: { bucket, prefix: 'checkpoints' },
      vpc,
    });
    training.connections.allowFromAnyIpv4(Port.tcp(443));
    const template = Template.fromStack(stack);
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: Match.arrayWith([Match.objectLike({ FromPort: 443 })]),
    });
    template.hasResourceProperties('AWS::EC2::SecurityGroupIngress', { IpProtocol: '-1' });
    expect(JSON.stringify(template.toJSON())).toContain(':subnet/subnet-1');
  });
});

describe('metrics', () => {
  test('are the ones that the state machine writes, by the name of the training', () => {
    const { stack, training } = made({ pricePerHour: 37.688 });
    const written = JSON.stringify(task(stack, 'Tell Cost').Arguments);
    for (const { name } of Object.values(trainingMetrics)) expect(written).toContain(`'${name}'`);
    for (const metric of [
      training.metricSavings(),
      training.metricCost(),
      training.metricSaved(),
      training.metricBillableTime(),
      training.metricInterruptions(),
    ]) {
      expect(metric.namespace).toBe(trainingMetrics.trained.namespace);
      expect(metric.dimensions).toEqual({ Training: 'churn' });
      expect(written).toContain(`'${metric.metricName}'`);
    }
    expect(training.metricFailed().namespace).toBe('AWS/States');
  });

  test('have no dollars without a price', () => {
    const written = JSON.stringify(task(made().stack, 'Tell Cost').Arguments);
    expect(written).not.toContain(trainingMetrics.cost.name);
    expect(written).toContain(trainingMetrics.savings.name);
  });
});

describe('props that contradict each other', () => {
  test('are all told at once, by the path of the construct', () => {
    const found = problems({
      instanceType: 'ml.p4d.24xlrge',
      instanceCount: 0,
      maxWait: Duration.minutes(30),
      keepAlive: Duration.minutes(5),
      trainingName: 'Churn_1',
      hyperParameters: { loss: 'x'.repeat(2501) },
      pricePerHour: -1,
      gate: { report: '../report.json' },
      compression: 'gzip',
      channels: { 'a b': { bucket: made().bucket } },
    });
    expect(found).toEqual([
      'bad-training-name',
      'bad-channel',
      expect.stringMatching(/instance/),
      'bad-count',
      'bad-price',
      'time-too-short',
      'warm-pool-with-spot',
      'bad-text',
      'gate-needs-files',
      'bad-path',
    ]);
    expect(() => made({ instanceCount: 0 })).toThrow(/SpotTraining "Stack\/Training"/);
  });

  /** As JavaScript may give it. */
  const none = undefined as unknown as CheckpointFolder;
  test.each([
    ['no checkpoints with spot', { checkpoints: none }, 'no-checkpoints'],
    ['a wait shorter than the run', { maxWait: Duration.minutes(59) }, 'time-too-short'],
    ['a deadline before the wait is over', { deadline: Duration.minutes(30) }, 'time-too-short'],
    ['a run of 29 days', { maxRun: Duration.days(29) }, 'bad-max-run'],
    ['a wait without spot', { spot: false, maxWait: Duration.hours(3) }, 'wait-without-spot'],
    ['warm instances for more than an hour', { spot: false, keepAlive: Duration.hours(2) }, 'bad-keep-alive'],
    ['more disk than the instance has', { volumeSize: Size.tebibytes(100) }, 'volume-too-large'],
    ['a hundred attempts', { maxAttempts: 100 }, 'bad-count'],
    ['half an instance', { instanceCount: 0.5 }, 'bad-count'],
    ['an instance that only serves', { instanceType: 'ml.inf1.xlarge' }, 'instance-not-for-use'],
    ['a variable that no shell takes', { environment: { 'A-B': '1' } }, 'bad-text'],
    ['a text that is an expression', { hyperParameters: { a: '{% $x %}' } }, 'bad-text'],
    [
      'too many hyperparameters',
      { hyperParameters: Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`p${index}`, '1'])) },
      'too-many-texts',
    ],
    ['an absolute report', { gate: { report: '/report.json' } }, 'bad-path'],
  ] as const)('%s', (_title, change, code) => {
    expect(problems(change)).toContain(code);
  });

  test('a key for disks that encrypt themselves', () => {
    const other = new Stack(new App({ analyticsReporting: false }), 'Other');
    expect(problems({ volumeKey: new Key(other, 'Key') })).toEqual(['volume-key-unused']);
  });

  test("an algorithm of SageMaker's own waits an hour at most without checkpoints", () => {
    const change = { checkpoints: none, builtInAlgorithm: true };
    expect(problems(change)).toEqual(['wait-without-checkpoints']);
    expect(problems({ ...change, maxRun: Duration.minutes(30), maxWait: Duration.hours(1) })).toEqual([]);
  });

  test('a local path of checkpoints that is none', () => {
    const { bucket } = made();
    expect(problems({ checkpoints: { bucket, prefix: 'c', localPath: 'checkpoints' } })).toEqual([
      'bad-checkpoint-path',
    ]);
  });
});
