import { type CloudWatchMetric, trainingMetrics } from '../../../core/telemetry/index.ts';
import { gateStates } from './gate-states.ts';
import { type Assignment, query, type State, type StateMachineDefinition, type Template } from './state.ts';

/** What the state machine of a training is made of. Texts may hold tokens. */
export interface TrainingPlan {
  readonly name: string;
  readonly partition: string;
  /** The request of CreateTrainingJob but for what each run and attempt has of its own. */
  readonly request: Readonly<Record<string, Template>>;
  readonly hyperParameters: Readonly<Record<string, string>>;
  /** `s3://bucket/prefix`: each run has a folder in it. */
  readonly output: S3Folder;
  readonly checkpoints: (S3Folder & { readonly localPath: string }) | undefined;
  /** Of the output, or `undefined` for the key of the bucket. */
  readonly outputKeyId: string | undefined;
  readonly compression: 'GZIP' | 'NONE';
  /** Seconds from the start of the execution until the job is stopped. */
  readonly deadline: number;
  readonly maxAttempts: number;
  readonly instanceCount: number;
  /** Dollars of one on-demand instance. */
  readonly pricePerHour: number | undefined;
  readonly gate: GatePlan | undefined;
  /** ARN of the state machine that follows. */
  readonly onPassed: string | undefined;
}

export interface S3Folder {
  readonly bucket: string;
  /** With a slash at its end, or empty. */
  readonly prefix: string;
}

export type GatePlan =
  /** A file below the model's folder. */
  | { readonly report: string }
  | {
      /** The request of CreateProcessingJob but for what each run has of its own. */
      readonly request: Readonly<Record<string, Template>>;
      readonly policyFolder: S3Folder;
      readonly outputKeyId: string | undefined;
      /** Seconds. */
      readonly maxRun: number;
    };

/** Bounds of the pause before another attempt, in seconds: doubled each time, and half of it by chance. */
const pause = { first: 60, longest: 900 } as const;

/** An execution's history holds 25,000 events: looking so often at most leaves room for everything else. */
const mostLooks = 2000;

/** Seconds that a gate, its retries and the rest get beyond the deadline of the training. */
const margin = 3600;

/**
 * The whole run, from the job to the verdict, in the order it is read. Jobs are started and looked at by SageMaker's own API and not by
 * Step Functions' `.sync`: that one knows only the parameters it was built with, tells a spot job that ran out of time from one that
 * broke by a text in an error, and leaves a job running that its timeout gave up on.
 */
export function trainingDefinition(plan: TrainingPlan): StateMachineDefinition {
  return {
    Comment: `Trains ${plan.name} on spot capacity and asks the gate`,
    QueryLanguage: 'JSONata',
    StartAt: 'Begin',
    TimeoutSeconds: plan.deadline + margin + (plan.gate !== undefined && 'maxRun' in plan.gate ? plan.gate.maxRun : 0),
    States: { ...jobStates(plan), ...endStates(plan), ...gateStates(plan) },
  };
}

/** SageMaker takes 63 characters of a few kinds; execution names have up to 80 of more. */
const slug = (name: string): string => `
  $contains(${name}, /^[a-z0-9](-*[a-z0-9])*$/) and $length(${name}) <= 36
    ? ${name}
    : $substring($replace($lowercase(${name}), /[^a-z0-9]+/, '-'), 0, 27) & '-' & $substring($hash(${name}, 'SHA-256'), 0, 8)`;

/** Of an attempt that has not been looked at yet. */
const unknown: Assignment = {
  status: 'InProgress',
  secondary: '',
  reason: '',
  model: '',
  attemptTraining: 0,
  attemptBillable: 0,
  attemptInterruptions: 0,
};

/** What the attempt took is put to what those before it took. */
const counted: Assignment = {
  training: query('$training + $attemptTraining'),
  billable: query('$billable + $attemptBillable'),
  interruptions: query('$interruptions + $attemptInterruptions'),
};

const running = "$status in ['InProgress', 'Stopping']";
const late = '$millis() >= $deadline';
/** Seconds before the next attempt, at most. */
const longestPause = `$min([${pause.longest}, ${pause.first} * $power(2, $attempt - 1)])`;
/**
 * What another attempt may mend: no capacity, spot capacity that was taken away for longer than the longest wait, SageMaker's own faults.
 * Names of reasons: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html. A quota of 0 is none that time mends.
 */
const mendable = `(
  ($status = 'Failed' and $contains($reason, /^(CapacityError|InternalServerError)/))
  or ($status = 'Stopped' and $secondary in ['MaxWaitTimeExceeded', 'Interrupted'])
  or ($status = 'Refused' and $contains($reason, /ResourceLimitExceeded|CapacityError|Throttling|Rate exceeded|ServiceUnavailable|InternalFailure/)
      and $not($contains($reason, /is 0 Instances/)))
)`;

function jobStates(plan: TrainingPlan): Record<string, State> {
  const { name, partition, checkpoints, output } = plan;
  const sageMaker = (action: string): string => `arn:${partition}:states:::aws-sdk:sagemaker:${action}`;
  const jobName = query(`'${name}-' & $job & '-' & $attempt`);
  const look = Math.max(30, Math.ceil(plan.deadline / mostLooks));
  const brief = [
    { ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 5, MaxAttempts: 4, BackoffRate: 2, JitterStrategy: 'FULL' },
  ] as const;
  return {
    Begin: {
      Type: 'Pass',
      Comment:
        'Jobs are named by the execution. Checkpoints belong to the run: its own, or an earlier one named by {"run": ...}.',
      Assign: {
        job: query(slug('$states.context.Execution.Name')),
        run: query(
          `$exists($states.input.run) ? (${slug('$states.input.run')}) : (${slug('$states.context.Execution.Name')})`,
        ),
        deadline: query(`$toMillis($states.context.Execution.StartTime) + ${plan.deadline * 1000}`),
        defaults: plan.hyperParameters,
        asked: query('$exists($states.input.hyperParameters) ? $states.input.hyperParameters : {}'),
        attempt: 1,
        overdue: false,
        training: 0,
        billable: 0,
        interruptions: 0,
        cause: '',
        ...unknown,
      },
      Next: 'Start Job',
    },
    'Start Job': {
      Type: 'Task',
      Resource: sageMaker('createTrainingJob'),
      Arguments: {
        TrainingJobName: jobName,
        ...plan.request,
        HyperParameters: query('$merge([$defaults, $asked])'),
        OutputDataConfig: {
          S3OutputPath: query(`'s3://${output.bucket}/${output.prefix}' & $run`),
          CompressionType: plan.compression,
          ...(plan.outputKeyId === undefined ? {} : { KmsKeyId: plan.outputKeyId }),
        },
        ...(checkpoints === undefined
          ? {}
          : {
              CheckpointConfig: {
                S3Uri: query(`'s3://${checkpoints.bucket}/${checkpoints.prefix}' & $run`),
                LocalPath: checkpoints.localPath,
              },
            }),
      },
      Assign: unknown,
      Retry: [
        {
          ErrorEquals: ['SageMaker.SageMakerException'],
          IntervalSeconds: 5,
          MaxAttempts: 2,
          BackoffRate: 2,
          JitterStrategy: 'FULL',
        },
      ],
      Catch: [
        // An answer was lost: the job is there.
        { ErrorEquals: ['SageMaker.ResourceInUseException'], Assign: unknown, Next: 'Wait For Job' },
        {
          ErrorEquals: ['States.ALL'],
          Assign: {
            ...unknown,
            status: 'Refused',
            reason: query("$states.errorOutput.Error & ': ' & $states.errorOutput.Cause"),
          },
          Next: 'Judge Job',
        },
      ],
      Next: 'Wait For Job',
    },
    'Wait For Job': {
      Type: 'Wait',
      // Never past the deadline; and a job that was stopped ends within minutes.
      Seconds: query(`$overdue ? 30 : $max([1, $min([${look}, $ceil(($deadline - $millis()) / 1000)])])`),
      Next: 'Look At Job',
    },
    'Look At Job': {
      Type: 'Task',
      Resource: sageMaker('describeTrainingJob'),
      Arguments: { TrainingJobName: jobName },
      Assign: {
        status: query('$states.result.TrainingJobStatus'),
        secondary: query("$exists($states.result.SecondaryStatus) ? $states.result.SecondaryStatus : ''"),
        reason: query("$exists($states.result.FailureReason) ? $states.result.FailureReason : ''"),
        model: query(
          "$exists($states.result.ModelArtifacts.S3ModelArtifacts) ? $states.result.ModelArtifacts.S3ModelArtifacts : ''",
        ),
        attemptTraining: query(
          '$exists($states.result.TrainingTimeInSeconds) ? $states.result.TrainingTimeInSeconds : 0',
        ),
        attemptBillable: query(
          '$exists($states.result.BillableTimeInSeconds) ? $states.result.BillableTimeInSeconds : 0',
        ),
        attemptInterruptions: query("$count($states.result.SecondaryStatusTransitions[Status = 'Interrupted'])"),
      },
      Retry: brief,
      // Nobody knows how it is: it is looked at again, until the deadline.
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Judge Job' }],
      Next: 'Judge Job',
    },
    'Judge Job': {
      Type: 'Choice',
      Choices: [
        { Condition: query("$status = 'Completed'"), Next: 'Add Up' },
        { Condition: query(`${running} and ($overdue or $not(${late}))`), Next: 'Wait For Job' },
        { Condition: query(running), Next: 'Stop Job' },
        {
          Condition: query('$overdue'),
          Assign: { cause: `The deadline of ${plan.deadline} seconds is over; the job was stopped.${resumable(plan)}` },
          Next: 'Add Up',
        },
        {
          Condition: query(
            `${mendable} and $attempt < ${plan.maxAttempts} and $millis() + 1000 * ${longestPause} < $deadline`,
          ),
          Next: 'Back Off',
        },
        {
          Condition: query(mendable),
          Assign: {
            status: 'NoCapacity',
            cause: query(
              `$attempt & ' attempts found no lasting capacity before the deadline. ' & $reason & '${resumable(plan)}'`,
            ),
          },
          Next: 'Add Up',
        },
        {
          Condition: query("$secondary = 'MaxRuntimeExceeded'"),
          Assign: { status: 'TooLong', cause: `It ran longer than it may.${resumable(plan)}` },
          Next: 'Add Up',
        },
        {
          Condition: query("$status = 'Stopped'"),
          Assign: { cause: `The job was stopped from outside.${resumable(plan)}` },
          Next: 'Add Up',
        },
      ],
      Default: 'Add Up',
    },
    'Stop Job': {
      Type: 'Task',
      Comment:
        'The deadline is over. SageMaker asks the container to end and gives it 120 seconds to write a checkpoint.',
      Resource: sageMaker('stopTrainingJob'),
      Arguments: { TrainingJobName: jobName },
      Assign: { overdue: true },
      Retry: brief,
      // It may have ended by itself.
      Catch: [{ ErrorEquals: ['States.ALL'], Assign: { overdue: true }, Next: 'Wait For Job' }],
      Next: 'Wait For Job',
    },
    'Back Off': {
      Type: 'Wait',
      Comment:
        'Longer each time, and half of it by chance, so that trainings that failed together do not come back together.',
      Seconds: query(`$floor(${longestPause} * (0.5 + $random() / 2))`),
      Assign: { ...counted, attempt: query('$attempt + 1') },
      Next: 'Start Job',
    },
  };
}

function resumable({ checkpoints }: TrainingPlan): string {
  return checkpoints === undefined
    ? ''
    : ' What it wrote as checkpoints is kept: start an execution with {"run": ...} of this run to go on from there.';
}

/** What a run cost, told to CloudWatch whatever became of it, and the ends but those of the gate. */
function endStates(plan: TrainingPlan): Record<string, State> {
  const { partition, instanceCount, pricePerHour, onPassed } = plan;
  const passed = onPassed === undefined ? 'Passed' : 'Start What Follows';
  const gate = plan.gate === undefined ? passed : 'request' in plan.gate ? 'Start Gate' : 'Read Report';
  const { trained, billed, cost, saved, savings, attempts, interruptions, ended, failed } = trainingMetrics;
  const datum = ({ name, unit }: CloudWatchMetric, value: string): string =>
    `{'MetricName': '${name}', 'Unit': '${unit}', 'Value': ${value}, 'Dimensions': $dimensions}`;
  const dollars = (seconds: string): string => `${seconds} * ${instanceCount} / 3600 * ${pricePerHour}`;
  const priced =
    pricePerHour === undefined
      ? []
      : [datum(cost, dollars('$billable')), datum(saved, dollars('($training - $billable)'))];
  return {
    'Add Up': { Type: 'Pass', Assign: counted, Next: 'Tell Cost' },
    'Tell Cost': {
      Type: 'Task',
      Resource: `arn:${partition}:states:::aws-sdk:cloudwatch:putMetricData`,
      Arguments: {
        Namespace: trained.namespace,
        MetricData: query(`(
          $dimensions := [{'Name': '${trained.dimensions[0]}', 'Value': '${plan.name}'}];
          $append([
            ${[
              datum(attempts, '$attempt'),
              datum(interruptions, '$interruptions'),
              datum(trained, `$training * ${instanceCount}`),
              datum(billed, `$billable * ${instanceCount}`),
              ...priced,
            ].join(', ')},
            $status = 'Completed' ? ${datum(ended, '1')} : ${datum(failed, '1')}
          ], $training > 0 ? [${datum(savings, '100 * (1 - $billable / $training)')}] : [])
        )`),
      },
      Retry: [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 5, MaxAttempts: 3, JitterStrategy: 'FULL' }],
      // A number that was not written is no reason to lose a model.
      Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Judge Run' }],
      Next: 'Judge Run',
    },
    'Judge Run': {
      Type: 'Choice',
      Choices: [
        { Condition: query("$status = 'Completed'"), Next: gate },
        { Condition: query('$overdue'), Next: 'Deadline Over' },
        { Condition: query("$status = 'NoCapacity'"), Next: 'No Capacity' },
        { Condition: query("$status = 'TooLong'"), Next: 'Ran Too Long' },
        { Condition: query("$status = 'Stopped'"), Next: 'Stopped' },
        { Condition: query("$status = 'Refused'"), Next: 'Not Started' },
      ],
      Default: 'Training Failed',
    },
    'Deadline Over': failure('Training.DeadlineOver'),
    'No Capacity': failure('Training.NoCapacity'),
    'Ran Too Long': failure('Training.RanTooLong'),
    Stopped: failure('Training.Stopped'),
    'Not Started': failure('Training.NotStarted', reason),
    'Training Failed': failure('Training.Failed', reason),
    ...(onPassed === undefined
      ? {}
      : {
          'Start What Follows': {
            Type: 'Task',
            Resource: `arn:${partition}:states:::states:startExecution`,
            Arguments: {
              StateMachineArn: onPassed,
              Input: {
                ...result(plan),
                AWS_STEP_FUNCTIONS_STARTED_BY_EXECUTION_ID: query('$states.context.Execution.Id'),
              },
            },
            Retry: [
              {
                ErrorEquals: ['States.TaskFailed'],
                IntervalSeconds: 5,
                MaxAttempts: 3,
                BackoffRate: 2,
                JitterStrategy: 'FULL',
              },
            ],
            Next: 'Passed',
          },
        }),
    Passed: { Type: 'Succeed', Output: result(plan) },
  };
}

/** A way to end that says why. */
export function failure(error: string, cause = '$cause'): State {
  return { Type: 'Fail', Error: error, Cause: query(cause) };
}

const reason = "$reason = '' ? 'SageMaker told no reason.' : $reason";

/** The output of an execution that passed. */
function result({ gate, pricePerHour, instanceCount, name }: TrainingPlan): Readonly<Record<string, Template>> {
  return {
    training: name,
    run: query('$run'),
    job: query(`'${name}-' & $job & '-' & $attempt`),
    model: query('$model'),
    attempts: query('$attempt'),
    interruptions: query('$interruptions'),
    trainingSeconds: query('$training'),
    billableSeconds: query('$billable'),
    savingsPercent: query('$training > 0 ? $round(100 * (1 - $billable / $training), 1) : 0'),
    ...(pricePerHour === undefined
      ? {}
      : { dollars: query(`$round($billable * ${instanceCount} / 3600 * ${pricePerHour}, 2)`) }),
    ...(gate === undefined ? {} : { report: query('$report') }),
  };
}
