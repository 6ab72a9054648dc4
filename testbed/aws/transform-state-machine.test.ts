/**
 * The state machine of a batch transform through all of its branches, by the interpreter that runs a training's (state-machine.test.ts). What of
 * `createTransformJob.sync` is ours: state_machine.py.
 */
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { beforeAll, describe, expect, test } from 'vitest';
import { BatchTransform, type BatchTransformProps, InferenceContainer, ModelData } from '../../constructs/aws/index.ts';
import { definitionIn, type Execution, executions, type Job, type Scenario } from './state-machine.ts';
import { appTemplates, galleryTemplates } from './templates.ts';

const timeout = Duration.hours(2);

function definition(props: Partial<BatchTransformProps> = {}): string {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const bucket = Bucket.fromBucketName(stack, 'Bucket', 'capacity-plans');
  new BatchTransform(stack, 'Scoring', {
    container: new InferenceContainer({
      image: `123456789012.dkr.ecr.eu-west-1.amazonaws.com/models/churn@sha256:${'0123456789abcdef'.repeat(4)}`,
      model: ModelData.archive(bucket, 'churn/7/model.tar.gz'),
    }),
    jobName: 'scoring',
    input: { bucket, prefix: 'customers' },
    output: { bucket, prefix: 'scores' },
    instanceType: 'ml.m5.xlarge',
    join: { inputFilter: '$[1:]' },
    timeout,
    ...props,
  });
  return definitionIn(Template.fromStack(stack).toJSON() as { readonly Resources: Readonly<Record<string, unknown>> });
}

const plain = definition();
const everything = definition({
  split: 'none',
  contentType: 'application/json',
  maxConcurrent: 2,
  environment: { THREADS: '4' },
});
const impatient = definition({ capacityRetries: 1 });

const going = { TransformJobStatus: 'InProgress' };
const done: Job = { looks: [going, going, { TransformJobStatus: 'Completed' }] };
const failed = (FailureReason: string): Job => ({ looks: [going, { TransformJobStatus: 'Failed', FailureReason }] });
const noCapacity = failed('CapacityError: Unable to provision requested ML compute capacity. Please retry.');
const refused = (code: string, message: string): Job => ({ refused: { code, message } });
const limit = (quota: number): Job =>
  refused('ResourceLimitExceeded', `The account-level service limit 'ml.m5.xlarge' is ${quota} Instances`);
const throttled = { code: 'ThrottlingException', message: 'Rate exceeded' };

const scenarios = {
  scores: { definition: plain, transform: [done] },
  'scores-a-folder': { definition: everything, transform: [done], input: { folder: '2026-11-22' } },
  'no-capacity-at-first': {
    definition: plain,
    transform: [noCapacity, failed('InternalServerError: We encountered an internal error.'), done],
  },
  'limit-for-now': { definition: plain, transform: [limit(4), done] },
  throttled: { definition: plain, transform: [refused(throttled.code, throttled.message), done] },
  'limit-of-zero': { definition: plain, transform: [limit(0)] },
  'never-capacity': { definition: plain, transform: [noCapacity] },
  'no-capacity-twice': { definition: impatient, transform: [noCapacity] },
  breaks: { definition: plain, transform: [failed('AlgorithmError: See job logs for more information')] },
  'refused-for-good': { definition: plain, transform: [refused('ValidationException', 'Could not find model "x".')] },
  'stopped-by-hand': { definition: plain, transform: [{ looks: [going, { TransformJobStatus: 'Stopped' }] }] },
  'deadline-over': { definition: plain, transform: [{ looks: [going] }] },
  'deadline-over-later': { definition: plain, transform: [noCapacity, { looks: [going] }] },
  'stopping-is-throttled': {
    definition: plain,
    transform: [{ looks: [going] }],
    stopRefused: [throttled, throttled],
  },
  'cannot-be-stopped': {
    definition: plain,
    transform: [{ looks: [going] }],
    stopRefused: Array<typeof throttled>(9).fill({ code: 'AccessDeniedException', message: 'not authorized' }),
  },
} as const satisfies Readonly<Record<string, Scenario>>;

type Name = keyof typeof scenarios;
let ran: Readonly<Record<Name, Execution>>;
beforeAll(async () => {
  ran = await executions<Name>(scenarios);
}, 600_000);

const asked = (name: Name, action: string): readonly Readonly<Record<string, unknown>>[] =>
  ran[name].requests.filter((request) => request.action === action).map(({ parameters }) => parameters);

describe('a run', () => {
  test('that scores tells where its answers are', () => {
    const [{ TransformJobName } = {}] = asked('scores', 'CreateTransformJob');
    expect(TransformJobName).toMatch(/^scoring-[0-9a-f-]{36}$/);
    expect(ran.scores).toMatchObject({
      status: 'SUCCEEDED',
      output: { job: TransformJobName, output: 's3://capacity-plans/scores/', attempts: 1 },
    });
    expect(asked('scores', 'StopTransformJob')).toEqual([]);
  });

  test('scores the folder that its execution names', () => {
    expect(ran['scores-a-folder'].output).toMatchObject({ output: 's3://capacity-plans/scores/2026-11-22/' });
    expect(asked('scores-a-folder', 'CreateTransformJob')).toEqual([
      expect.objectContaining({
        TransformInput: expect.objectContaining({
          DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: 's3://capacity-plans/customers/2026-11-22/' } },
        }),
        TransformOutput: expect.objectContaining({ S3OutputPath: 's3://capacity-plans/scores/2026-11-22/' }),
        Environment: { THREADS: '4' },
      }),
    ]);
  });

  test.each(['no-capacity-at-first', 'limit-for-now', 'throttled'] as const)(
    'is begun again under another name, after a pause that grows: %s',
    (name) => {
      const attempts = scenarios[name].transform.length;
      expect(ran[name]).toMatchObject({ status: 'SUCCEEDED', output: { attempts } });
      expect(ran[name].waits).toEqual([120, 240].slice(0, attempts - 1));
      const names = asked(name, 'CreateTransformJob').map(({ TransformJobName }) => TransformJobName);
      expect(new Set(names).size).toBe(attempts);
    },
  );
});

describe('a run that does not come to its end', () => {
  test.each([
    ['never-capacity', 'Transform.Failed', /^States.TaskFailed: .*"FailureReason": "CapacityError/],
    ['no-capacity-twice', 'Transform.Failed', /^States.TaskFailed: .*"FailureReason": "CapacityError/],
    ['limit-of-zero', 'SageMaker.ResourceLimitExceededException', /is 0 Instances/],
    ['refused-for-good', 'SageMaker.AmazonSageMakerException', /Could not find model/],
    ['breaks', 'Transform.Failed', /^States.TaskFailed: .*AlgorithmError/],
    ['stopped-by-hand', 'Transform.Failed', /^States.TaskFailed: .*"TransformJobStatus": "Stopped"/],
    ['deadline-over', 'Deadline', /^The job scoring-\S+ was stopped at its deadline, 7200 s after the start$/],
    ['deadline-over-later', 'Deadline', /was stopped at its deadline/],
    ['stopping-is-throttled', 'Deadline', /was stopped at its deadline/],
    ['cannot-be-stopped', 'Deadline', /may go on, since it could not be stopped: not authorized/],
  ] as const)('%s says %s and why', (name, error, cause) => {
    expect([ran[name].status, ran[name].error, ran[name].cause]).toEqual([
      'FAILED',
      error,
      expect.stringMatching(cause),
    ]);
  });

  test('since it fails for what time does not mend tries nothing again, though the bucket is called after capacity', () => {
    for (const name of ['breaks', 'limit-of-zero', 'refused-for-good', 'stopped-by-hand'] as const) {
      expect(ran[name].path).not.toContain('Pause');
    }
  });

  test('is begun again as often as it may be, and never pauses beyond its deadline', () => {
    expect(asked('no-capacity-twice', 'CreateTransformJob')).toHaveLength(2);
    // Two hours have room for 2 + 4 + 8 + 16 + 32 minutes and six attempts of one, by default all that there are.
    expect(asked('never-capacity', 'CreateTransformJob')).toHaveLength(6);
    for (const { waits } of Object.values(ran)) {
      expect(waits.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThan(timeout.toSeconds());
    }
  });

  test.each(['deadline-over', 'deadline-over-later', 'stopping-is-throttled'] as const)(
    'because its deadline is over stops the job that is on: %s',
    (name) => {
      const last = asked(name, 'CreateTransformJob').at(-1);
      expect(asked(name, 'StopTransformJob').at(-1)).toEqual({ TransformJobName: last?.['TransformJobName'] });
    },
  );

  test('is stopped by more than one word where the first is refused', () => {
    expect(ran['stopping-is-throttled'].waits).toEqual([5, 10]);
    expect(asked('stopping-is-throttled', 'StopTransformJob')).toHaveLength(3);
  });

  test('counts its deadline from the start of the execution, whatever it waited for', () => {
    const stopAt = (name: Name): number => ran[name].stoppedAfter ?? Number.NaN;
    for (const name of ['deadline-over', 'deadline-over-later'] as const) {
      expect(stopAt(name)).toBeGreaterThan(timeout.toSeconds() - 50);
      expect(stopAt(name)).toBeLessThan(timeout.toSeconds() + 65);
    }
  });
});

describe('the definition', () => {
  test('is entered in every state by some run', () => {
    const states = [plain, everything, impatient].flatMap((text) =>
      Object.keys((JSON.parse(text) as { States: object }).States),
    );
    const entered = new Set(Object.values(ran).flatMap(({ path }) => path));
    expect([...new Set(states)].filter((state) => !entered.has(state))).toEqual([]);
  });

  test("asks for nothing that AWS's own models do not take", () => {
    expect(Object.values(ran).flatMap(({ invalid }) => invalid)).toEqual([]);
  });

  test('is, with that of a training, every one that the constructs and the app have', () => {
    const begins = [...galleryTemplates(), ...appTemplates()].flatMap(({ from, template }) =>
      Object.values(template.Resources)
        .filter(({ Type }) => Type === 'AWS::StepFunctions::StateMachine')
        .map(
          ({ Properties }) => [from, /"Comment\\*":\\*"([\w ]+)/.exec(JSON.stringify(Properties))?.[1] ?? ''] as const,
        ),
    );
    expect(begins.length).toBeGreaterThan(3);
    expect(begins.filter(([, comment]) => !/^(?:Trains |A batch transform of SageMaker)/.test(comment))).toEqual([]);
  });
});
