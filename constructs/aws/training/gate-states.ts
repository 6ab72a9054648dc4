import { query, type State } from './state.ts';
import { failure, type GatePlan, type TrainingPlan } from './training-definition.ts';

/** Where the gate's job finds and leaves its files. https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_ProcessingS3Input.html */
export const gatePaths = {
  policy: '/opt/ml/processing/gate',
  /** Below the policy's folder, since a policy may name only files below its own. */
  model: '/opt/ml/processing/gate/model',
  report: '/opt/ml/processing/report',
} as const;

/**
 * The first bytes of a report hold all that is needed, whatever its size: an execution can hold 256 KiB, and `report.json` has no bound.
 */
const headBytes = 16_384;

/**
 * `report.json` as `core/report` writes it: its keys have one order, and before the verdict stand only a number, the tool, and the name of what is
 * judged, which may be any text. Anything else is unreadable, and so is no pass. (In a class, no bracket follows a backslash: JSONata would not see
 * where the expression ends.)
 */
export const verdictPattern =
  '^\\s*\\{\\s*"schema":\\s*\\d+,\\s*"tool":\\s*\\{[^{}]*\\},\\s*"name":\\s*"(?:[^\\\\"]|\\\\.)*",\\s*"verdict":\\s*"(passed|failed|error)"';
const headlinePattern = `${verdictPattern},\\s*"headline":\\s*("(?:[^\\\\"]|\\\\.)*")`;

/** The quality gate: its job, if it has one, and what its report decides. Nothing but the verdict `passed` passes. */
export function gateStates(plan: TrainingPlan): Record<string, State> {
  const { gate } = plan;
  if (gate === undefined) return {};
  return { ...('request' in gate ? gateJobStates(plan, gate) : {}), ...reportStates(plan, gate) };
}

const gateName = ({ name }: TrainingPlan): string => `'${name}-' & $job & '-gate-' & $gateAttempt`;

/** Of the report, in the bucket of the output. */
function reportKey(plan: TrainingPlan, gate: GatePlan): string {
  const { bucket, prefix } = plan.output;
  if ('request' in gate) return `'${prefix}' & $run & '/' & ${gateName(plan)} & '/report.json'`;
  return `$replace($substringAfter($model, '${bucket}/'), /\\/$/, '') & '/${gate.report}'`;
}

function gateJobStates(plan: TrainingPlan, gate: Extract<GatePlan, { request: unknown }>): Record<string, State> {
  const { partition, output } = plan;
  const sageMaker = (action: string): string => `arn:${partition}:states:::aws-sdk:sagemaker:${action}`;
  const input = (name: string, uri: string, localPath: string) => ({
    InputName: name,
    S3Input: { S3Uri: uri, LocalPath: localPath, S3DataType: 'S3Prefix', S3InputMode: 'File' },
  });
  const { bucket, prefix } = gate.policyFolder;
  return {
    'Start Gate': {
      Type: 'Pass',
      Assign: { gateAttempt: 1, gateStatus: 'InProgress', gateReason: '' },
      Next: 'Start Gate Job',
    },
    'Start Gate Job': {
      Type: 'Task',
      Resource: sageMaker('createProcessingJob'),
      Arguments: {
        ProcessingJobName: query(gateName(plan)),
        ...gate.request,
        ProcessingInputs: [
          input('gate', `s3://${bucket}/${prefix}`, gatePaths.policy),
          input('model', query('$model'), gatePaths.model),
        ],
        ProcessingOutputConfig: {
          Outputs: [
            {
              OutputName: 'report',
              S3Output: {
                S3Uri: query(`'s3://${output.bucket}/${output.prefix}' & $run & '/' & ${gateName(plan)}`),
                LocalPath: gatePaths.report,
                S3UploadMode: 'EndOfJob',
              },
            },
          ],
          ...(gate.outputKeyId === undefined ? {} : { KmsKeyId: gate.outputKeyId }),
        },
      },
      Retry: [
        {
          ErrorEquals: ['SageMaker.ResourceLimitExceededException', 'SageMaker.SageMakerException'],
          IntervalSeconds: 30,
          MaxAttempts: 4,
          BackoffRate: 2,
          JitterStrategy: 'FULL',
        },
      ],
      Catch: [
        { ErrorEquals: ['SageMaker.ResourceInUseException'], Next: 'Wait For Gate' },
        {
          ErrorEquals: ['States.ALL'],
          Assign: { cause: query("$states.errorOutput.Error & ': ' & $states.errorOutput.Cause") },
          Next: 'Gate Broken',
        },
      ],
      Next: 'Wait For Gate',
    },
    'Wait For Gate': { Type: 'Wait', Seconds: Math.max(15, Math.ceil(gate.maxRun / 200)), Next: 'Look At Gate' },
    'Look At Gate': {
      Type: 'Task',
      Resource: sageMaker('describeProcessingJob'),
      Arguments: { ProcessingJobName: query(gateName(plan)) },
      Assign: {
        gateStatus: query('$states.result.ProcessingJobStatus'),
        gateReason: query(`
          $join([$states.result.FailureReason, $states.result.ExitMessage], ' ')
        `),
      },
      Retry: [
        {
          ErrorEquals: ['States.TaskFailed'],
          IntervalSeconds: 5,
          MaxAttempts: 4,
          BackoffRate: 2,
          JitterStrategy: 'FULL',
        },
      ],
      Next: 'Judge Gate',
    },
    'Judge Gate': {
      Type: 'Choice',
      Choices: [
        { Condition: query("$gateStatus = 'Completed'"), Next: 'Read Report' },
        { Condition: query("$gateStatus in ['InProgress', 'Stopping']"), Next: 'Wait For Gate' },
        {
          Condition: query('$gateAttempt < 3 and $contains($gateReason, /^(CapacityError|InternalServerError)/)'),
          Next: 'Back Off Gate',
        },
      ],
      Default: 'Gate Broken',
      Assign: { cause: query("'The gate job ended as ' & $gateStatus & '. ' & $gateReason") },
    },
    'Back Off Gate': {
      Type: 'Wait',
      Seconds: query('$floor(60 * $gateAttempt * (0.5 + $random() / 2))'),
      Assign: { gateAttempt: query('$gateAttempt + 1') },
      Next: 'Start Gate Job',
    },
    'Gate Broken': failure('Gate.Broken'),
  };
}

function reportStates(plan: TrainingPlan, gate: GatePlan): Record<string, State> {
  const { bucket } = plan.output;
  const key = reportKey(plan, gate);
  const address = `'s3://${bucket}/' & ${key}`;
  const told = (cause: string) => query(`${cause} & ' See ' & $report`);
  return {
    'Read Report': {
      Type: 'Task',
      Resource: `arn:${plan.partition}:states:::aws-sdk:s3:getObject`,
      Arguments: { Bucket: bucket, Key: query(key), Range: `bytes=0-${headBytes - 1}` },
      Assign: {
        report: query(address),
        verdict: query(`(
          $found := $match($states.result.Body, /${verdictPattern}/);
          $exists($found) ? $found[0].groups[0] : 'unreadable'
        )`),
        headline: query(`(
          $found := $match($states.result.Body, /${headlinePattern}/);
          $exists($found) ? $parse($found[0].groups[1]) : ''
        )`),
      },
      Retry: [
        { ErrorEquals: ['S3.NoSuchKeyException'], MaxAttempts: 0 },
        {
          ErrorEquals: ['States.TaskFailed'],
          IntervalSeconds: 5,
          MaxAttempts: 3,
          BackoffRate: 2,
          JitterStrategy: 'FULL',
        },
      ],
      Catch: [
        {
          ErrorEquals: ['S3.NoSuchKeyException'],
          Assign: { cause: query(`'There is no report at ' & ${address}`) },
          Next: 'Report Missing',
        },
        {
          ErrorEquals: ['States.ALL'],
          Assign: {
            cause: query(
              `'The report could not be read at ' & ${address} & ': ' & $states.errorOutput.Error & ' ' & $states.errorOutput.Cause`,
            ),
          },
          Next: 'Report Unreadable',
        },
      ],
      Next: 'Judge Report',
    },
    'Judge Report': {
      Type: 'Choice',
      Comment: 'Nothing but passed passes.',
      Choices: [
        {
          Condition: query("$verdict = 'passed'"),
          Next: plan.onPassed === undefined ? 'Passed' : 'Start What Follows',
        },
        { Condition: query("$verdict = 'failed'"), Assign: { cause: told('$headline') }, Next: 'Gate Failed' },
        { Condition: query("$verdict = 'error'"), Assign: { cause: told('$headline') }, Next: 'Gate Could Not Judge' },
      ],
      Default: 'Report Unreadable',
      Assign: { cause: told("'It is no report of Sluice: its first bytes hold no verdict.'") },
    },
    'Gate Failed': failure('Gate.Failed'),
    'Gate Could Not Judge': failure('Gate.Error'),
    'Report Missing': failure('Gate.ReportMissing'),
    'Report Unreadable': failure('Gate.ReportUnreadable'),
  };
}
