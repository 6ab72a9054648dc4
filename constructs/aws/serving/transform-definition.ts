import { query, type StateMachineDefinition, type Template } from '../training/state.ts';
import type { BatchTransformProps } from './batch-transform.ts';
import { placeUri } from './stored-place.ts';

export interface TransformPlace {
  readonly jobName: string;
  readonly modelName: string;
  readonly volumeKeyArn: string | undefined;
  readonly outputKeyArn: string | undefined;
  readonly partition: string;
}

/** Seconds before it is begun again the first time; doubled each time. */
const firstPause = 120;

/** Seconds beyond the deadline for stopping the job. */
const margin = 600;

/** Seconds before the next attempt. */
const pause = `${firstPause} * $power(2, $attempt)`;

/** A pause at whose end the deadline is over helps nobody: why the job failed is worth more then. */
const fits = `$millis() + 1000 * ${pause} < $until`;

/**
 * What another attempt may mend: no instances, too many asked for at once, SageMaker's own faults. A job that was made tells by its reason alone,
 * since the rest of what is said of it has the names of files and models. One that was not is refused by an error of this API, or, where the API has
 * none of that name (throttling), by `AmazonSageMakerException`. A quota of 0 is none that time mends.
 * Names of reasons: https://docs.aws.amazon.com/sagemaker/latest/dg/pipelines-retry-policy.html
 */
const mendable = `(
  $failure.Error = 'States.TaskFailed'
    ? $contains($failure.Cause, /"FailureReason" *: *"(CapacityError|InternalServerError)/)
    : $contains($failure.Error & $failure.Cause, /ResourceLimitExceeded|Throttling|Rate exceeded|ServiceUnavailable|InternalFailure/)
      and $not($contains($failure.Cause, /is 0 Instances/))
)`;

/**
 * The whole run, in the order it is read. Every attempt has a name of its own: a job that found no instances has used its name up, and another one of
 * that name would be refused.
 */
export function transformDefinition(props: BatchTransformProps, place: TransformPlace): StateMachineDefinition {
  const { partition, jobName } = place;
  const deadline = props.timeout?.toSeconds() ?? 86_400;
  const retries = props.capacityRetries ?? 5;
  const failed = { failure: query('$states.errorOutput') };
  return {
    Comment: 'A batch transform of SageMaker: begun again without capacity, stopped at its deadline.',
    QueryLanguage: 'JSONata',
    StartAt: 'Begin',
    TimeoutSeconds: deadline + margin,
    States: {
      Begin: {
        Type: 'Pass',
        Assign: {
          attempt: 0,
          folder: query("$exists($states.input.folder) ? $states.input.folder & '/' : ''"),
          until: query(`$toMillis($states.context.Execution.StartTime) + ${deadline * 1000}`),
        },
        Next: 'Name',
      },
      Name: {
        Type: 'Pass',
        Assign: { job: query(`'${jobName}-' & $uuid()`) },
        Next: 'Transform',
      },
      Transform: {
        Type: 'Task',
        Resource: `arn:${partition}:states:::sagemaker:createTransformJob.sync`,
        Arguments: transformRequest(props, place),
        TimeoutSeconds: query('$max([1, $floor(($until - $millis()) / 1000)])'),
        Catch: [
          { ErrorEquals: ['States.Timeout'], Assign: failed, Next: 'Stop' },
          { ErrorEquals: ['States.ALL'], Assign: failed, Next: 'Why' },
        ],
        Next: 'Done',
      },
      Why: {
        Type: 'Choice',
        Choices: [{ Condition: query(`$attempt < ${retries} and ${mendable} and ${fits}`), Next: 'Pause' }],
        Default: 'Failed',
      },
      Pause: {
        Type: 'Wait',
        Seconds: query(pause),
        Assign: { attempt: query('$attempt + 1') },
        Next: 'Name',
      },
      Stop: {
        Type: 'Task',
        Comment: 'Step Functions gives a job up at its deadline, and does not stop it.',
        Resource: `arn:${partition}:states:::aws-sdk:sagemaker:stopTransformJob`,
        Arguments: { TransformJobName: query('$job') },
        Retry: [{ ErrorEquals: ['States.TaskFailed'], IntervalSeconds: 5, MaxAttempts: 4, BackoffRate: 2 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Assign: failed, Next: 'NotStopped' }],
        Next: 'Late',
      },
      Late: {
        Type: 'Fail',
        Error: 'Deadline',
        Cause: query(`'The job ' & $job & ' was stopped at its deadline, ${deadline} s after the start'`),
      },
      NotStopped: {
        Type: 'Fail',
        Error: 'Deadline',
        Cause: query(
          `'The job ' & $job & ' is past its deadline, ${deadline} s after the start, and may go on, since it could not be stopped: ' & $failure.Cause`,
        ),
      },
      Failed: {
        Type: 'Fail',
        // Names that begin with "States." are the language's own: no state may fail by one.
        Error: query("$contains($failure.Error, /^States[.]/) ? 'Transform.Failed' : $failure.Error"),
        Cause: query("$failure.Error & ': ' & $failure.Cause"),
      },
      Done: {
        Type: 'Succeed',
        Output: {
          job: query('$job'),
          output: query(`'${placeUri(props.output)}/' & $folder`),
          attempts: query('$attempt + 1'),
        },
      },
    },
  };
}

const splits = { line: 'Line', none: 'None', 'record-io': 'RecordIO', 'tf-record': 'TFRecord' } as const;

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTransformJob.html */
function transformRequest(props: BatchTransformProps, place: TransformPlace): Template {
  const { input, output, contentType = 'text/csv', accept = contentType, split = 'line', strategy } = props;
  const { join, environment, maxConcurrent, requestTimeout, requestRetries } = props;
  const multiRecord = strategy === undefined ? split !== 'none' : strategy === 'multi-record';
  const folder = (uri: string): string => query(`'${uri}/' & $folder`);
  return {
    TransformJobName: query('$job'),
    ModelName: place.modelName,
    BatchStrategy: multiRecord ? 'MultiRecord' : 'SingleRecord',
    MaxPayloadInMB: props.maxPayloadMb ?? 6,
    ...(maxConcurrent === undefined ? {} : { MaxConcurrentTransforms: maxConcurrent }),
    ModelClientConfig: {
      InvocationsTimeoutInSeconds: requestTimeout?.toSeconds() ?? 600,
      InvocationsMaxRetries: requestRetries ?? 3,
    },
    ...(environment === undefined ? {} : { Environment: { ...environment } }),
    TransformInput: {
      DataSource: { S3DataSource: { S3DataType: 'S3Prefix', S3Uri: folder(placeUri(input)) } },
      ContentType: contentType,
      CompressionType: props.compressed === true ? 'Gzip' : 'None',
      SplitType: splits[split],
    },
    TransformOutput: {
      S3OutputPath: folder(placeUri(output)),
      Accept: accept,
      AssembleWith: split === 'line' ? 'Line' : 'None',
      ...(place.outputKeyArn === undefined ? {} : { KmsKeyId: place.outputKeyArn }),
    },
    TransformResources: {
      InstanceType: props.instanceType,
      InstanceCount: props.instanceCount ?? 1,
      ...(place.volumeKeyArn === undefined ? {} : { VolumeKmsKeyId: place.volumeKeyArn }),
    },
    ...(join === undefined
      ? {}
      : {
          DataProcessing: {
            InputFilter: join.inputFilter ?? '$',
            OutputFilter: join.outputFilter ?? '$',
            JoinSource: join.withInput === false ? 'None' : 'Input',
          },
        }),
  };
}
