import { Size, Token } from 'aws-cdk-lib';
import { gatePaths } from './gate-states.ts';
import { type BucketFolder, type JobNetwork, prefixOf } from './job-role.ts';
import type { GateJob, JobImage, SpotTrainingProps } from './spot-training-props.ts';
import type { Template } from './state.ts';
import type { GatePlan, S3Folder, TrainingPlan } from './training-definition.ts';

/** What of a training is known only once its construct is there. */
export interface TrainingResources {
  readonly name: string;
  readonly partition: string;
  readonly roleArn: string;
  readonly gateRoleArn: string | undefined;
  readonly network: JobNetwork | undefined;
}

const usualDisk = Size.gibibytes(30);

/** The props with their defaults, as the requests of SageMaker's API. */
export function trainingPlan(props: SpotTrainingProps, resources: TrainingResources): TrainingPlan {
  const { spot = true, maxRun, gate, checkpoints, output, outputKey } = props;
  const longest = spot ? waitOf(props) : maxRun.toSeconds();
  const outputKeyId = (outputKey ?? output.bucket.encryptionKey)?.keyArn;
  return {
    name: resources.name,
    partition: resources.partition,
    request: trainingRequest(props, resources),
    hyperParameters: props.hyperParameters ?? {},
    output: folderOf(output),
    checkpoints:
      checkpoints === undefined
        ? undefined
        : { ...folderOf(checkpoints), localPath: checkpoints.localPath ?? '/opt/ml/checkpoints' },
    outputKeyId,
    compression: (props.compression ?? (gate === undefined ? 'gzip' : 'none')) === 'gzip' ? 'GZIP' : 'NONE',
    deadline: props.deadline?.toSeconds() ?? 2 * longest,
    maxAttempts: props.maxAttempts ?? 10,
    instanceCount: props.instanceCount ?? 1,
    pricePerHour: props.pricePerHour,
    gate: gate === undefined ? undefined : gatePlan(gate, outputKeyId, resources),
    onPassed: props.onPassed?.stateMachineArn,
  };
}

const waitOf = ({ maxWait, maxRun }: SpotTrainingProps): number => maxWait?.toSeconds() ?? 2 * maxRun.toSeconds();

const folderOf = (folder: BucketFolder): S3Folder => ({ bucket: folder.bucket.bucketName, prefix: prefixOf(folder) });

const imageOf = ({ repository, tagOrDigest }: JobImage): string => repository.repositoryUriForTagOrDigest(tagOrDigest);

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateTrainingJob.html */
function trainingRequest(
  props: SpotTrainingProps,
  { roleArn, network }: TrainingResources,
): Readonly<Record<string, Template>> {
  const {
    spot = true,
    channels = {},
    instanceCount = 1,
    environment,
    metricDefinitions = {},
    keepAlive,
    volumeKey,
  } = props;
  const encrypted = props.encryptBetweenInstances ?? (Token.isUnresolved(instanceCount) || instanceCount > 1);
  const definitions = Object.entries(metricDefinitions).map(([Name, Regex]) => ({ Name, Regex }));
  return {
    AlgorithmSpecification: {
      TrainingImage: imageOf(props.image),
      TrainingInputMode: 'File',
      ...(props.entrypoint === undefined ? {} : { ContainerEntrypoint: props.entrypoint }),
      ...(props.arguments === undefined ? {} : { ContainerArguments: props.arguments }),
      ...(definitions.length === 0 ? {} : { MetricDefinitions: definitions }),
    },
    RoleArn: roleArn,
    ...(Object.keys(channels).length === 0
      ? {}
      : {
          InputDataConfig: Object.entries(channels).map(([name, channel]) => {
            const { bucket, prefix } = folderOf(channel);
            return {
              ChannelName: name,
              InputMode: channel.inputMode ?? 'File',
              ...(channel.contentType === undefined ? {} : { ContentType: channel.contentType }),
              DataSource: {
                S3DataSource: {
                  S3DataType: 'S3Prefix',
                  S3Uri: `s3://${bucket}/${prefix}`,
                  S3DataDistributionType: channel.sharded === true ? 'ShardedByS3Key' : 'FullyReplicated',
                },
              },
            };
          }),
        }),
    ResourceConfig: {
      InstanceType: props.instanceType,
      InstanceCount: instanceCount,
      VolumeSizeInGB: (props.volumeSize ?? usualDisk).toGibibytes(),
      ...(volumeKey === undefined ? {} : { VolumeKmsKeyId: volumeKey.keyArn }),
      ...(keepAlive === undefined ? {} : { KeepAlivePeriodInSeconds: keepAlive.toSeconds() }),
    },
    StoppingCondition: {
      MaxRuntimeInSeconds: props.maxRun.toSeconds(),
      ...(spot ? { MaxWaitTimeInSeconds: waitOf(props) } : {}),
    },
    EnableManagedSpotTraining: spot,
    EnableNetworkIsolation: props.networkIsolation ?? true,
    EnableInterContainerTrafficEncryption: encrypted,
    // Debugger itself is off where it is not configured.
    ProfilerConfig: { DisableProfiler: true },
    ...(environment === undefined || Object.keys(environment).length === 0 ? {} : { Environment: environment }),
    ...(network === undefined ? {} : { VpcConfig: vpcOf(network) }),
  };
}

/** https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateProcessingJob.html */
function gatePlan(
  gate: NonNullable<SpotTrainingProps['gate']>,
  outputKeyId: string | undefined,
  { gateRoleArn, network }: TrainingResources,
): GatePlan {
  if (!isJob(gate)) return { report: gate.report };
  const maxRun = gate.maxRun?.toSeconds() ?? 3600;
  const policyFile = gate.policyFile ?? 'sluice.yaml';
  return {
    policyFolder: folderOf(gate.policy),
    outputKeyId,
    maxRun,
    request: {
      AppSpecification: {
        ImageUri: imageOf(gate.image),
        ContainerArguments: [
          'gate',
          '--policy',
          `${gatePaths.policy}/${policyFile}`,
          '--report',
          gatePaths.report,
          // What failed is an answer: the report is uploaded only by a job that completes.
          '--exit-zero',
        ],
      },
      ...(gateRoleArn === undefined ? {} : { RoleArn: gateRoleArn }),
      ProcessingResources: {
        ClusterConfig: {
          InstanceCount: 1,
          InstanceType: gate.instanceType ?? 'ml.m5.xlarge',
          VolumeSizeInGB: (gate.volumeSize ?? usualDisk).toGibibytes(),
        },
      },
      NetworkConfig: {
        EnableNetworkIsolation: true,
        ...(network === undefined ? {} : { VpcConfig: vpcOf(network) }),
      },
      StoppingCondition: { MaxRuntimeInSeconds: maxRun },
    },
  };
}

function isJob(gate: NonNullable<SpotTrainingProps['gate']>): gate is GateJob {
  return 'image' in gate;
}

function vpcOf({ vpc, subnets, securityGroupIds }: JobNetwork): Readonly<Record<string, Template>> {
  return { SecurityGroupIds: [...securityGroupIds], Subnets: vpc.selectSubnets(subnets).subnetIds };
}
