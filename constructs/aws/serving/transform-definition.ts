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
        Comment: 'No instances, or too many asked for at once: both pass. Whatever else does not.',
        Choices: [
          {
            Condition: query(
              `$attempt < ${retries} and ($contains($string($failure.Cause), 'CapacityError') or $contains($string($failure.Cause), 'capacity')
                or $failure.Error in ['SageMaker.ResourceLimitExceededException', 'SageMaker.ThrottlingException'])`,
            ),
            Next: 'Pause',
          },
        ],
        Default: 'Failed',
      },
      Pause: {
        Type: 'Wait',
        Seconds: query(`${firstPause} * $power(2, $attempt)`),
        Assign: { attempt: query('$attempt + 1') },
        Next: 'InTime',
      },
      InTime: {
        Type: 'Choice',
        Choices: [{ Condition: query('$millis() < $until'), Next: 'Name' }],
        Default: 'Failed',
      },
      Stop: {
        Type: 'Task',
        Comment: 'Step Functions gives a job up at its deadline, and does not stop it.',
        Resource: `arn:${partition}:states:::aws-sdk:sagemaker:stopTransformJob`,
        Arguments: { TransformJobName: query('$job') },
        Retry: [{ ErrorEquals: ['SageMaker.ThrottlingException'], IntervalSeconds: 5, MaxAttempts: 5, BackoffRate: 2 }],
        Catch: [{ ErrorEquals: ['States.ALL'], Next: 'Late' }],
        Next: 'Late',
      },
      Late: {
        Type: 'Fail',
        Error: 'Deadline',
        Cause: query(`'The job ' & $job & ' was stopped at its deadline, ${deadline} s after the start'`),
      },
      Failed: { Type: 'Fail', Error: query('$failure.Error'), Cause: query('$failure.Cause') },
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
