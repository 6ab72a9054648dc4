import { App, Duration, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { SnsTopic } from 'aws-cdk-lib/aws-events-targets';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { ScheduleExpression } from 'aws-cdk-lib/aws-scheduler';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { describe, expect, test } from 'vitest';
import { ConstructError } from '../../problem/index.ts';
import { gallery } from '../fixtures/gallery/index.ts';
import { templateOf } from '../fixtures/synthesized.ts';
import type { StateMachineDefinition } from '../training/state.ts';
import { BatchTransform, type BatchTransformProps } from './batch-transform.ts';
import { InferenceContainer } from './inference-container.ts';
import { ModelData } from './model-data.ts';
import { transformDefinition } from './transform-definition.ts';

const image = `123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/churn@sha256:${'0123456789abcdef'.repeat(4)}`;

interface Scene {
  readonly stack: Stack;
  readonly props: BatchTransformProps;
}

function scene(more: Partial<BatchTransformProps> = {}): Scene {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const bucket = new Bucket(stack, 'Data', { bucketName: 'acme-data' }) as IBucket;
  return {
    stack,
    props: {
      container: new InferenceContainer({ image, model: ModelData.archive(bucket, 'churn/7/model.tar.gz') }),
      input: { bucket, prefix: 'customers' },
      output: { bucket, prefix: 'scores' },
      instanceType: 'ml.m5.xlarge',
      ...more,
    },
  };
}

function problemsOf(more: (scene: Scene) => Partial<BatchTransformProps>): readonly string[] {
  const of = scene();
  try {
    new BatchTransform(of.stack, 'Scoring', { ...of.props, ...more(of) });
  } catch (error) {
    if (error instanceof ConstructError) return error.problems.map(({ code }) => code);
    throw error;
  }
  return [];
}

const place = {
  jobName: 'scoring',
  modelName: 'model-1',
  volumeKeyArn: 'volume-key',
  outputKeyArn: 'output-key',
  partition: 'aws',
};

const definitionOf = (more: Partial<BatchTransformProps> = {}): StateMachineDefinition =>
  transformDefinition(scene(more).props, place);

/** Where a state may lead. */
function nextOf(state: StateMachineDefinition['States'][string]): readonly string[] {
  if (state === undefined) return [];
  const next = 'Next' in state ? [state.Next] : [];
  if (state.Type === 'Choice') return [...state.Choices.map(({ Next }) => Next), state.Default];
  return state.Type === 'Task' ? [...next, ...(state.Catch ?? []).map(({ Next }) => Next)] : next;
}

describe('the run of a batch transform', () => {
  test('leads from every state to another that is there, and reaches all', () => {
    const { StartAt, States } = definitionOf();
    const reached = new Set<string>();
    const visit = (name: string): void => {
      if (reached.has(name)) return;
      reached.add(name);
      for (const next of nextOf(States[name] as StateMachineDefinition['States'][string])) visit(next);
    };
    visit(StartAt);
    expect([...reached].toSorted()).toEqual(Object.keys(States).toSorted());
  });

  test('asks SageMaker for what the props say, with a name that no other attempt has', () => {
    const { States } = definitionOf({
      instanceCount: 3,
      maxConcurrent: 4,
      requestTimeout: Duration.minutes(1),
      requestRetries: 1,
      join: { inputFilter: '$[1:]' },
    });
    expect(States['Name']).toMatchObject({ Assign: { job: "{% 'scoring-' & $uuid() %}" }, Next: 'Transform' });
    expect(States['Transform']).toMatchObject({
      Resource: 'arn:aws:states:::sagemaker:createTransformJob.sync',
      Arguments: {
        TransformJobName: '{% $job %}',
        ModelName: 'model-1',
        BatchStrategy: 'MultiRecord',
        MaxConcurrentTransforms: 4,
        MaxPayloadInMB: 6,
        ModelClientConfig: { InvocationsTimeoutInSeconds: 60, InvocationsMaxRetries: 1 },
        TransformInput: { ContentType: 'text/csv', SplitType: 'Line', CompressionType: 'None' },
        TransformOutput: { Accept: 'text/csv', AssembleWith: 'Line', KmsKeyId: 'output-key' },
        TransformResources: { InstanceType: 'ml.m5.xlarge', InstanceCount: 3, VolumeKmsKeyId: 'volume-key' },
        DataProcessing: { InputFilter: '$[1:]', OutputFilter: '$', JoinSource: 'Input' },
      },
    });
  });

  test('takes whole files one by one where they are not split', () => {
    expect(definitionOf({ split: 'none', contentType: 'application/json' }).States['Transform']).toMatchObject({
      Arguments: {
        BatchStrategy: 'SingleRecord',
        TransformInput: { SplitType: 'None', ContentType: 'application/json' },
        TransformOutput: { AssembleWith: 'None' },
      },
    });
  });

  test('begins again without capacity, later each time, and fails for anything else', () => {
    const { States } = definitionOf({ capacityRetries: 3 });
    const why = States['Why'];
    expect(why).toMatchObject({ Default: 'Failed', Choices: [{ Next: 'Pause' }] });
    const condition = why?.Type === 'Choice' ? (why.Choices[0]?.Condition ?? '') : '';
    expect(condition).toContain('$attempt < 3');
    expect(condition).toContain('/"FailureReason" *: *"(CapacityError|InternalServerError)/');
    expect(condition).toContain('$millis() + 1000 * 120 * $power(2, $attempt) < $until');
    expect(States['Pause']).toMatchObject({
      Seconds: '{% 120 * $power(2, $attempt) %}',
      Assign: { attempt: '{% $attempt + 1 %}' },
      Next: 'Name',
    });
  });

  test('stops its job at the deadline, counted from the start of the execution, and fails', () => {
    const { States, TimeoutSeconds } = definitionOf({ timeout: Duration.hours(2) });
    expect(States['Begin']).toMatchObject({
      Assign: { until: '{% $toMillis($states.context.Execution.StartTime) + 7200000 %}' },
    });
    expect(States['Transform']).toMatchObject({
      TimeoutSeconds: '{% $max([1, $floor(($until - $millis()) / 1000)]) %}',
      Catch: [
        { ErrorEquals: ['States.Timeout'], Next: 'Stop' },
        { ErrorEquals: ['States.ALL'], Next: 'Why' },
      ],
    });
    expect(States['Stop']).toMatchObject({
      Resource: 'arn:aws:states:::aws-sdk:sagemaker:stopTransformJob',
      Arguments: { TransformJobName: '{% $job %}' },
      Next: 'Late',
    });
    expect(States['Late']).toMatchObject({ Type: 'Fail', Error: 'Deadline' });
    expect(TimeoutSeconds).toBeGreaterThan(7200);
  });
});

describe('a batch transform', () => {
  test('lets its state machine run its own jobs, and neither pass a role nor touch others', () => {
    const template = templateOf(gallery['batch-transform'] as (stack: Stack) => void);
    template.hasResourceProperties('AWS::IAM::Policy', {
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: [
              'sagemaker:AddTags',
              'sagemaker:CreateTransformJob',
              'sagemaker:DescribeTransformJob',
              'sagemaker:StopTransformJob',
            ],
            Resource: { 'Fn::Join': ['', Match.arrayWith([':transform-job/churn-scoring-*'])] },
          }),
        ]),
      },
    });
    const text = JSON.stringify(template.toJSON());
    expect(text).not.toMatch(/iam:PassRole|FullAccess|ManagedPolicyArns/);
  });

  test('starts by itself where it has a schedule, for the folder that it names', () => {
    const of = scene();
    const expression = ScheduleExpression.rate(Duration.days(1));
    new BatchTransform(of.stack, 'Scoring', { ...of.props, schedule: { expression, folder: 'today' } });
    Template.fromStack(of.stack).hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 day)',
      Target: Match.objectLike({
        Input: '{"folder":"today"}',
        RetryPolicy: { MaximumEventAgeInSeconds: 3600, MaximumRetryAttempts: 3 },
      }),
    });
  });

  test('tells its end to a topic and to whatever listens', () => {
    const of = scene();
    const topic = new Topic(of.stack, 'Told');
    const transform = new BatchTransform(of.stack, 'Scoring', { ...of.props, topic });
    transform.onFailed('Failed', new SnsTopic(new Topic(of.stack, 'Pager')));
    const template = Template.fromStack(of.stack);
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.objectLike({
        detail: Match.objectLike({ status: ['SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] }),
      }),
    });
    template.hasResourceProperties('AWS::Events::Rule', {
      EventPattern: Match.objectLike({ detail: Match.objectLike({ status: ['FAILED', 'TIMED_OUT', 'ABORTED'] }) }),
    });
    expect(transform.metricFailed()).toMatchObject({ namespace: 'AWS/States', metricName: 'ExecutionsFailed' });
    expect(transform.metricSucceeded().metricName).toBe('ExecutionsSucceeded');
    expect(transform.metricTime().metricName).toBe('ExecutionTime');
  });

  test('encrypts answers by the key that is given, and asks for none of disks that take none', () => {
    const of = scene();
    const encryptionKey = new Key(of.stack, 'Own');
    new BatchTransform(of.stack, 'Scoring', { ...of.props, instanceType: 'ml.g5.xlarge', encryptionKey });
    const machine = JSON.stringify(Template.fromStack(of.stack).findResources('AWS::StepFunctions::StateMachine'));
    expect(machine).toContain('KmsKeyId');
    expect(machine).not.toContain('VolumeKmsKeyId');
  });

  const cases: Readonly<Record<string, readonly [(scene: Scene) => Partial<BatchTransformProps>, string]>> = {
    'an instance for hosting only': [() => ({ instanceType: 'ml.r5.large' }), 'instance-not-for-use'],
    'a model as files': [
      ({ props }) => ({
        container: new InferenceContainer({ image, model: ModelData.files(props.input.bucket, 'churn/7/') }),
      }),
      'archive-only',
    ],
    'too many instances': [() => ({ instanceCount: 101 }), 'bad-transform'],
    'four retries of a request': [() => ({ requestRetries: 4 }), 'bad-transform'],
    'a request of two hours': [() => ({ requestTimeout: Duration.hours(2) }), 'bad-transform'],
    'a run of a month': [() => ({ timeout: Duration.days(30) }), 'bad-transform'],
    'more at once than a container takes': [() => ({ maxConcurrent: 50, maxPayloadMb: 6 }), 'bad-payload'],
    'requests of lines without a bound': [() => ({ maxPayloadMb: 0 }), 'bad-payload'],
    'many records of whole files': [() => ({ split: 'none', strategy: 'multi-record' }), 'bad-strategy'],
    'a join of images': [() => ({ contentType: 'image/png', split: 'none', join: {} }), 'bad-join'],
    'a filter that is none': [() => ({ join: { inputFilter: 'features' } }), 'bad-join'],
    'a long name': [() => ({ jobName: 'a-name-that-leaves-no-room-at-all' }), 'bad-job-name'],
    'a folder with a pattern': [({ props }) => ({ input: { ...props.input, prefix: '*' } }), 'bad-prefix'],
  };

  test.each(Object.entries(cases))('refuses %s', (_name, [more, code]) => {
    expect(problemsOf(more)).toEqual([code]);
  });
});
