/**
 * The state machine of a training through all of its branches, by an interpreter of the Amazon States Language that others wrote (moto's), and
 * cfn-lint's schema of the language.
 */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Duration, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Repository } from 'aws-cdk-lib/aws-ecr';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { StateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import { beforeAll, describe, expect, test } from 'vitest';
import { record } from '../../cli/recorded-streams.ts';
import { SpotTraining, type SpotTrainingProps } from '../../constructs/aws/index.ts';
import { trainingMetrics } from '../../core/telemetry/index.ts';
import { cfnLint } from './cfn-lint.ts';
import { definitionIn, type Execution, executions, type Job, type Look, type Scenario } from './state-machine.ts';

function definition(change: (stack: Stack) => Partial<SpotTrainingProps>): string {
  const stack = new Stack(new App({ analyticsReporting: false }), 'Stack');
  const bucket = Bucket.fromBucketName(stack, 'Bucket', 'acme');
  const repository = Repository.fromRepositoryArn(
    stack,
    'Image',
    'arn:aws:ecr:eu-west-1:111122223333:repository/churn',
  );
  const image = { repository, tagOrDigest: '1.4.0' };
  new SpotTraining(stack, 'Training', {
    trainingName: 'churn',
    image,
    instanceType: 'ml.p4d.24xlarge',
    instanceCount: 4,
    maxRun: Duration.seconds(3600),
    maxWait: Duration.seconds(7200),
    pricePerHour: 37.688,
    channels: { train: { bucket, prefix: 'train' } },
    output: { bucket, prefix: 'models' },
    checkpoints: { bucket, prefix: 'checkpoints' },
    hyperParameters: { epochs: '40', loss: 'focal' },
    gate: { image, policy: { bucket, prefix: 'gate' } },
    ...change(stack),
  });
  return definitionIn(Template.fromStack(stack).toJSON() as { readonly Resources: Readonly<Record<string, unknown>> });
}

const gated = definition(() => ({}));
/** Five minutes, of which each look takes half a one. */
const hurried = definition(() => ({
  maxRun: Duration.seconds(60),
  maxWait: Duration.seconds(120),
  deadline: Duration.seconds(300),
}));
const selfJudged = definition((stack) => ({
  gate: { report: 'report.json' },
  onPassed: StateMachine.fromStateMachineArn(
    stack,
    'Follower',
    'arn:aws:states:eu-west-1:123456789012:stateMachine:follower',
  ),
}));

const reports = join(import.meta.dirname, '..', '..', 'core', 'report', 'golden');
const report = (name: string): string => readFileSync(join(reports, `${name}.json`), 'utf8');
/** Where the gate's first job writes it, of the execution `name`. */
const judged = (name: string, text: string): Pick<Scenario, 'objects'> => ({
  objects: [{ Bucket: 'acme', Key: `models/${name}/churn-${name}-gate-1/report.json`, Body: text }],
});

const going: Look = { TrainingJobStatus: 'InProgress', SecondaryStatus: 'Training' };
const transition = (Status: string): Look => ({ Status, StartTime: '2026-11-22T00:00:00Z' });
const trained: Look = {
  TrainingJobStatus: 'Completed',
  SecondaryStatus: 'Completed',
  TrainingTimeInSeconds: 3000,
  BillableTimeInSeconds: 900,
  ModelArtifacts: { S3ModelArtifacts: 's3://acme/models/run/job/output/model/' },
};
const done: Job = { looks: [going, trained] };
const failed = (reason: string): Job => ({
  looks: [{ TrainingJobStatus: 'Failed', SecondaryStatus: 'Failed', FailureReason: reason }],
});
const noCapacity = failed(
  'CapacityError: Unable to provision requested ML compute capacity. Please retry using a different ML instance type.',
);
const limit = (message: string): Job => ({ refused: { code: 'ResourceLimitExceeded', message } });
const stopped = (secondary: string): Look => ({
  TrainingJobStatus: 'Stopped',
  SecondaryStatus: secondary,
  TrainingTimeInSeconds: 1000,
  BillableTimeInSeconds: 500,
});

const oddName = 'Nightly_2026-11-22_of-a-name-that-is-longer-than-jobs-may-be';
const scenarios = {
  passes: { definition: gated, training: [done], ...judged('passes', report('passed')) },
  interrupted: {
    definition: gated,
    ...judged('interrupted', report('passed')),
    training: [
      {
        looks: [
          { ...going, SecondaryStatus: 'Interrupted' },
          {
            ...trained,
            SecondaryStatusTransitions: ['Training', 'Interrupted', 'Training', 'Interrupted', 'Training'].map(
              transition,
            ),
          },
        ],
      },
    ],
  },
  'taken-away': {
    definition: gated,
    ...judged('taken-away', report('passed')),
    training: [
      {
        looks: [going, { ...stopped('MaxWaitTimeExceeded'), SecondaryStatusTransitions: [transition('Interrupted')] }],
      },
      done,
    ],
  },
  'no-capacity-at-first': {
    definition: gated,
    ...judged('no-capacity-at-first', report('passed')),
    training: [noCapacity, noCapacity, failed('InternalServerError: We encountered an internal error.'), done],
  },
  'limit-for-now': {
    definition: gated,
    ...judged('limit-for-now', report('passed')),
    training: [
      limit("The account-level service limit 'ml.p4d.24xlarge for spot training job usage' is 4 Instances"),
      done,
    ],
  },
  'limit-of-zero': {
    definition: gated,
    training: [limit("The account-level service limit 'ml.p4d.24xlarge for spot training job usage' is 0 Instances")],
  },
  'never-capacity': { definition: hurried, training: [noCapacity] },
  'answer-lost': {
    definition: gated,
    ...judged('answer-lost', report('passed')),
    training: [{ ...done, answerLost: true }],
  },
  breaks: { definition: gated, training: [failed('AlgorithmError: ExecuteUserScriptError: exit code 1')] },
  'too-long': { definition: gated, training: [{ looks: [going, stopped('MaxRuntimeExceeded')] }] },
  'stopped-by-hand': { definition: gated, training: [{ looks: [going, stopped('Stopped')] }] },
  'deadline-over': { definition: hurried, training: [{ looks: [going] }], stopped: stopped('Stopped') },
  'gate-fails': { definition: gated, training: [done], ...judged('gate-fails', report('failed')) },
  'gate-cannot-judge': { definition: gated, training: [done], ...judged('gate-cannot-judge', report('error')) },
  'report-missing': { definition: gated, training: [done] },
  'report-is-none': { definition: gated, training: [done], ...judged('report-is-none', '{"verdict": "passed"}') },
  'report-is-large': {
    definition: gated,
    training: [done],
    ...judged('report-is-large', `${report('passed')}${' '.repeat(2 ** 20)}`),
  },
  'report-is-empty': { definition: gated, training: [done], ...judged('report-is-empty', '') },
  'gate-breaks': {
    definition: gated,
    training: [done],
    gate: [
      { looks: [{ ProcessingJobStatus: 'Failed', FailureReason: 'AlgorithmError: , exit code: 1', ExitMessage: 'x' }] },
    ],
  },
  'gate-refused': { definition: gated, training: [done], gate: [limit("'ml.m5.xlarge for processing job usage'")] },
  'gate-without-capacity': {
    definition: gated,
    training: [done],
    gate: [
      {
        looks: [
          { ProcessingJobStatus: 'InProgress' },
          { ProcessingJobStatus: 'Failed', FailureReason: 'CapacityError: none' },
        ],
      },
      {},
    ],
    objects: [
      {
        Bucket: 'acme',
        Key: 'models/gate-without-capacity/churn-gate-without-capacity-gate-2/report.json',
        Body: report('passed'),
      },
    ],
  },
  'judged-by-itself': {
    definition: selfJudged,
    training: [done],
    objects: [{ Bucket: 'acme', Key: 'models/run/job/output/model/report.json', Body: report('passed') }],
  },
  'failed-by-itself': {
    definition: selfJudged,
    training: [done],
    objects: [{ Bucket: 'acme', Key: 'models/run/job/output/model/report.json', Body: report('failed') }],
  },
  resumed: {
    definition: selfJudged,
    execution: oddName,
    training: [done],
    input: { run: 'deadline-over', hyperParameters: { epochs: '5' } },
    objects: [{ Bucket: 'acme', Key: 'models/run/job/output/model/report.json', Body: report('passed') }],
  },
} as const satisfies Readonly<Record<string, Scenario>>;

type Name = keyof typeof scenarios;
let ran: Readonly<Record<Name, Execution>>;
beforeAll(async () => {
  const withBuckets = Object.fromEntries(
    Object.entries(scenarios).map(([name, scenario]) => [name, { ...scenario, buckets: ['acme'] }]),
  ) as unknown as Readonly<Record<Name, Scenario>>;
  ran = await executions(withBuckets);
}, 600_000);

const asked = (name: Name, action: string): readonly Readonly<Record<string, unknown>>[] =>
  ran[name].requests.filter((request) => request.action === action).map(({ parameters }) => parameters);
const told = (name: Name): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(ran[name].metrics).map(([metric, { sum }]) => [metric, sum]));

describe('a run', () => {
  test('that trains and passes the gate tells where its model is, what it cost and what it saved', () => {
    expect(ran.passes).toMatchObject({
      status: 'SUCCEEDED',
      output: {
        run: 'passes',
        job: 'churn-passes-1',
        model: 's3://acme/models/run/job/output/model/',
        attempts: 1,
        trainingSeconds: 3000,
        billableSeconds: 900,
        savingsPercent: 70,
        dollars: 37.69,
        report: 's3://acme/models/passes/churn-passes-gate-1/report.json',
      },
    });
    const { trained, billed, cost, saved, savings, attempts, interruptions, ended } = trainingMetrics;
    const metrics = told('passes');
    expect(metrics).toMatchObject({
      [trained.name]: 12_000,
      [billed.name]: 3600,
      [savings.name]: 70,
      [attempts.name]: 1,
      [interruptions.name]: 0,
      [ended.name]: 1,
    });
    expect(metrics[cost.name]).toBeCloseTo(37.688, 6);
    expect(metrics[saved.name]).toBeCloseTo(87.938_667, 5);
    expect(ran.passes.metrics[cost.name]).toMatchObject({
      namespace: cost.namespace,
      dimensions: { Training: 'churn' },
    });
  });

  test('whose spot capacity was taken away and came back counts how often', () => {
    expect(ran.interrupted).toMatchObject({ status: 'SUCCEEDED', output: { attempts: 1, interruptions: 2 } });
  });

  test('whose capacity did not come back goes on in another job from the same checkpoints, and both are counted', () => {
    expect(ran['taken-away']).toMatchObject({
      status: 'SUCCEEDED',
      output: { attempts: 2, interruptions: 1, trainingSeconds: 4000, billableSeconds: 1400, savingsPercent: 65 },
    });
    const jobs = asked('taken-away', 'CreateTrainingJob');
    expect(jobs.map(({ TrainingJobName }) => TrainingJobName)).toEqual(['churn-taken-away-1', 'churn-taken-away-2']);
    expect(jobs.map(({ CheckpointConfig }) => CheckpointConfig)).toEqual(
      Array(2).fill({ S3Uri: 's3://acme/checkpoints/taken-away', LocalPath: '/opt/ml/checkpoints' }),
    );
  });

  test.each(['no-capacity-at-first', 'limit-for-now'] as const)(
    'is tried again after a pause that grows: %s',
    (name) => {
      const { status, output, path } = ran[name];
      expect(status).toBe('SUCCEEDED');
      const pauses = path.filter((state) => state === 'Back Off').length;
      expect(output?.['attempts']).toBe(pauses + 1);
      expect(pauses).toBe(scenarios[name].training.length - 1);
    },
  );

  test('pauses no less than half of what it may', () => {
    const { path, waits } = ran['no-capacity-at-first'];
    const waiting = path.filter((state) => /^(Wait|Back Off)/.test(state));
    const pauses = waits.filter((_, index) => waiting[index] === 'Back Off');
    expect(pauses).toHaveLength(3);
    for (const [index, seconds] of pauses.entries()) {
      expect(seconds).toBeGreaterThanOrEqual(30 * 2 ** index);
      expect(seconds).toBeLessThanOrEqual(60 * 2 ** index);
    }
  });

  test('whose job was made but whose answer was lost goes on with that job', () => {
    expect(ran['answer-lost']).toMatchObject({
      status: 'SUCCEEDED',
      output: { job: 'churn-answer-lost-1', attempts: 1 },
    });
  });

  test('can go on from the checkpoints of an earlier one, with other hyperparameters and a name of any form', () => {
    expect(ran.resumed.status).toBe('SUCCEEDED');
    const [job = {}] = asked('resumed', 'CreateTrainingJob');
    expect(job).toMatchObject({
      CheckpointConfig: { S3Uri: 's3://acme/checkpoints/deadline-over' },
      HyperParameters: { epochs: '5', loss: 'focal' },
    });
    expect(job['TrainingJobName']).toMatch(/^churn-nightly-2026-11-22-of-a-nam-[0-9a-f]{8}-1$/);
  });

  test('that its own report passes starts what follows with its output', () => {
    expect(ran['judged-by-itself'].followers).toEqual([
      expect.objectContaining({ model: 's3://acme/models/run/job/output/model/', training: 'churn' }),
    ]);
    expect(ran['failed-by-itself'].followers).toEqual([]);
    expect(asked('judged-by-itself', 'CreateProcessingJob')).toEqual([]);
  });

  test('is judged by a gate that reaches nothing but the policy and the model', () => {
    expect(asked('passes', 'CreateProcessingJob')).toEqual([
      expect.objectContaining({
        ProcessingJobName: 'churn-passes-gate-1',
        NetworkConfig: { EnableNetworkIsolation: true },
        ProcessingInputs: [
          expect.objectContaining({ S3Input: expect.objectContaining({ S3Uri: 's3://acme/gate/' }) }),
          expect.objectContaining({
            S3Input: expect.objectContaining({ S3Uri: 's3://acme/models/run/job/output/model/' }),
          }),
        ],
      }),
    ]);
  });

  test('passes by a report of any size, of which it reads the head', () => {
    expect(ran['report-is-large'].status).toBe('SUCCEEDED');
    expect(asked('report-is-large', 'GetObject')).toEqual([expect.objectContaining({ Range: 'bytes=0-16383' })]);
  });

  test('finds capacity for the gate, too', () => {
    expect(ran['gate-without-capacity'].status).toBe('SUCCEEDED');
    expect(asked('gate-without-capacity', 'CreateProcessingJob')).toHaveLength(2);
  });
});

describe('a run that does not pass', () => {
  test.each([
    ['deadline-over', 'Training.DeadlineOver', /deadline of 300 seconds is over; the job was stopped.*checkpoints/],
    ['never-capacity', 'Training.NoCapacity', /no lasting capacity.*CapacityError/],
    ['too-long', 'Training.RanTooLong', /longer than it may/],
    ['stopped-by-hand', 'Training.Stopped', /stopped from outside/],
    ['limit-of-zero', 'Training.NotStarted', /ResourceLimitExceeded.*is 0 Instances/],
    ['breaks', 'Training.Failed', /^AlgorithmError/],
    ['gate-fails', 'Gate.Failed', /See s3:.*gate-1\/report.json$/],
    ['gate-cannot-judge', 'Gate.Error', /See s3:/],
    ['gate-breaks', 'Gate.Broken', /ended as Failed.*exit code: 1/],
    ['gate-refused', 'Gate.Broken', /ResourceLimitExceeded/],
    ['report-missing', 'Gate.ReportMissing', /no report at s3:\/\/acme\/models\/report-missing/],
    ['report-is-none', 'Gate.ReportUnreadable', /no report of Sluice/],
    ['report-is-empty', 'Gate.ReportUnreadable', /./],
    ['failed-by-itself', 'Gate.Failed', /model\/report.json$/],
  ] as const)('%s says %s and why', (name, error, cause) => {
    expect([ran[name].status, ran[name].error]).toEqual(['FAILED', error]);
    expect(ran[name].cause).toMatch(cause);
  });

  test('says what the gate said', () => {
    const { headline } = JSON.parse(report('failed')) as { readonly headline: string };
    expect(ran['gate-fails'].cause).toContain(headline);
  });

  test('because its deadline is over stops its job once, and tells what it cost until then', () => {
    expect(asked('deadline-over', 'StopTrainingJob')).toEqual([{ TrainingJobName: 'churn-deadline-over-1' }]);
    const { path, waits } = ran['deadline-over'];
    const before = waits.slice(0, path.filter((state) => state === 'Wait For Job').length - 2);
    expect(before.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThanOrEqual(301);
    expect(told('deadline-over')).toMatchObject({
      [trainingMetrics.billed.name]: 2000,
      [trainingMetrics.failed.name]: 1,
    });
  });

  test('tries nothing again that time does not mend', () => {
    for (const name of ['breaks', 'limit-of-zero', 'too-long', 'stopped-by-hand'] as const)
      expect(ran[name].path).not.toContain('Back Off');
  });

  test('ends before its deadline where no other attempt would fit', () => {
    expect(ran['never-capacity'].waits.reduce((sum, seconds) => sum + seconds, 0)).toBeLessThan(300);
  });
});

describe("the gate's job", () => {
  test('judges a model that is laid out as SageMaker lays it out, from another folder, and completes though it fails', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-gate-'));
    try {
      const example = join(import.meta.dirname, '..', '..', 'examples', 'breast-cancer');
      cpSync(join(example, 'data'), join(folder, 'gate', 'data'), { recursive: true });
      // What trained has written it: the policy's folder has the rest.
      cpSync(join(example, 'models'), join(folder, 'gate', 'model'), { recursive: true });
      const policy = readFileSync(join(example, 'sluice-worse.yaml'), 'utf8').replaceAll('models/', 'model/');
      writeFileSync(join(folder, 'gate', 'sluice.yaml'), policy);
      const [{ AppSpecification: app } = {}] = asked('passes', 'CreateProcessingJob');
      const { ContainerArguments: args } = app as { readonly ContainerArguments: readonly string[] };
      const { exitCode } = await record(
        '/',
        args.map((one) => one.replace('/opt/ml/processing', folder)),
      );
      expect(exitCode).toBe(0);
      const text = readFileSync(join(folder, 'report', 'report.json'), 'utf8');
      const { again } = await executions({
        again: { definition: gated, buckets: ['acme'], training: [done], ...judged('again', text) },
      });
      expect([again.status, again.error]).toEqual(['FAILED', 'Gate.Failed']);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe('the definition', () => {
  test('is entered in every state by some run', () => {
    const states = [gated, hurried, selfJudged].flatMap((text) =>
      Object.keys((JSON.parse(text) as { States: object }).States),
    );
    const entered = new Set(Object.values(ran).flatMap(({ path }) => path));
    expect([...new Set(states)].filter((state) => !entered.has(state))).toEqual([]);
  });

  test("asks for nothing that AWS's own models do not take", () => {
    expect(Object.values(ran).flatMap(({ invalid }) => invalid)).toEqual([]);
  });

  test("keeps to cfn-lint's schema of the language, which finds a field that is none", async () => {
    const folder = mkdtempSync(join(tmpdir(), 'sluice-states-'));
    try {
      const file = (from: string, text: string) => {
        const template = {
          Resources: {
            Machine: {
              Type: 'AWS::StepFunctions::StateMachine',
              Properties: { RoleArn: 'arn:aws:iam::123456789012:role/any', DefinitionString: text },
            },
          },
        };
        const path = join(folder, `${from}.json`);
        writeFileSync(path, JSON.stringify(template));
        return { from, path, template };
      };
      const findings = await cfnLint([
        ...[gated, hurried, selfJudged].map((text, index) => file(`own-${index}`, text)),
        file('broken', gated.replace('"Catch":[', '"Catsh":[')),
      ]);
      expect(findings.filter(({ rule }) => /E3601/.test(rule)).map(({ from }) => from)).toEqual(['broken']);
      expect(findings.filter(({ from }) => from.startsWith('own'))).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
