import type { Duration, Size } from 'aws-cdk-lib';
import type { ISecurityGroup, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IRepository } from 'aws-cdk-lib/aws-ecr';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { BucketFolder } from './job-role.ts';

export interface SpotTrainingProps {
  /**
   * Jobs are called `<name>-<execution>-<attempt>`, and it is the dimension of the metrics: up to 18 small letters, digits and hyphens.
   * @default made from the construct's path
   */
  readonly trainingName?: string;
  readonly image: JobImage;
  /** In place of the image's own. @default the image's */
  readonly entrypoint?: readonly string[];
  /** What the entry point is given. @default the image's */
  readonly arguments?: readonly string[];

  /** `ml.p4d.24xlarge`. */
  readonly instanceType: string;
  /** More than one trains distributed. @default 1 */
  readonly instanceCount?: number;
  /** Of each instance. Types with disks of their own use those, and take no more than those hold. @default 30 GiB */
  readonly volumeSize?: Size;
  /** Encrypts the disks. Types with disks of their own encrypt them in hardware and take no key. @default a key that AWS manages */
  readonly volumeKey?: IKey;

  /** @default true */
  readonly spot?: boolean;
  /** How long a job may train, interruptions left out. Up to 28 days. */
  readonly maxRun: Duration;
  /** How long a spot job may take with all waiting for capacity: no less than `maxRun`. @default twice `maxRun` */
  readonly maxWait?: Duration;
  /** How long the run may take with all its attempts: then the job is stopped. @default twice `maxWait`, or `maxRun` without spot */
  readonly deadline?: Duration;
  /** Jobs for one run: another starts where capacity was lacking, with the checkpoints of those before. @default 10 */
  readonly maxAttempts?: number;
  /** Keeps instances for the next job. Not with spot. Up to an hour. @default none are kept */
  readonly keepAlive?: Duration;

  /** Data by the name of its channel: `/opt/ml/input/data/<name>`. @default none */
  readonly channels?: Readonly<Record<string, TrainingChannel>>;
  /** Where models go, in a folder for each run. */
  readonly output: BucketFolder;
  /** Encrypts models. @default the bucket's own key */
  readonly outputKey?: IKey;
  /**
   * `gzip`: `model.tar.gz`. `none`: the files themselves, which a gate's job, the smoke test and a model repository read.
   * @default 'none' with a gate, else 'gzip'
   */
  readonly compression?: 'gzip' | 'none';
  /** Demanded with spot, but for SageMaker's own algorithms that write none. */
  readonly checkpoints?: CheckpointFolder;
  /** The image is an algorithm of SageMaker's own that writes no checkpoints: it may train on spot without, waiting an hour at most. @default false */
  readonly builtInAlgorithm?: boolean;

  /** An execution's input can overwrite them: `{"hyperParameters": {"epochs": "3"}}`. @default none */
  readonly hyperParameters?: Readonly<Record<string, string>>;
  /** No place for secrets: anybody who may describe the job reads it. @default none */
  readonly environment?: Readonly<Record<string, string>>;
  /** What SageMaker reads from the log into CloudWatch: a pattern with one group by the metric's name. @default none */
  readonly metricDefinitions?: Readonly<Record<string, string>>;

  /** @default outside of any */
  readonly vpc?: IVpc;
  /** @default the private subnets */
  readonly subnets?: SubnetSelection;
  /** @default one of its own */
  readonly securityGroups?: readonly ISecurityGroup[];
  /** The container reaches nothing but its channels and folders. @default true */
  readonly networkIsolation?: boolean;
  /** Encrypts what instances tell each other, which slows them. @default with more than one instance */
  readonly encryptBetweenInstances?: boolean;

  /** Dollars of one on-demand instance for an hour, for the metrics of cost. @default cost is told in seconds and as a share */
  readonly pricePerHour?: number;
  /** What decides of the model. @default nothing: a model that was trained has passed */
  readonly gate?: QualityGate;
  /** Started with the output of this one when the gate passed. @default none */
  readonly onPassed?: Pick<IStateMachine, 'stateMachineArn' | 'grantStartExecution'>;
  /** Of the state machine's log, and of the topic where there is no other. @default a key of its own, kept when the stack goes */
  readonly encryptionKey?: IKey;
  /** Told of every end. Where it is encrypted, its key has to let `endRole` use it. @default an encrypted one of its own, over TLS only */
  readonly topic?: NoticeTopic;
}

/** What is asked of a topic, which `Topic` and `ITopic` both are. */
export type NoticeTopic = Pick<ITopic, 'topicArn' | 'addSubscription'>;

/** An image of ECR. Those of AWS are in its own accounts: `Repository.fromRepositoryArn`. */
export interface JobImage {
  readonly repository: Pick<IRepository, 'grantPull' | 'repositoryUriForTagOrDigest'>;
  /** `sha256:...` is a digest. */
  readonly tagOrDigest: string;
}

export interface TrainingChannel extends BucketFolder {
  /** `FastFile` streams what is read, `File` copies everything first. @default 'File' */
  readonly inputMode?: 'File' | 'FastFile' | 'Pipe';
  /** `text/csv`. @default none */
  readonly contentType?: string;
  /** Each instance gets a share of the files in place of all. @default false */
  readonly sharded?: boolean;
}

export interface CheckpointFolder extends BucketFolder {
  /** Whatever the container writes there is copied to S3, and is there again when the job goes on. @default '/opt/ml/checkpoints' */
  readonly localPath?: string;
}

/** The report that decides: Sluice's `report.json`. */
export type QualityGate = GateJob | GateReport;

/** A job that runs `sluice gate` on the model, apart from the code that trained it. */
export interface GateJob {
  /** Of `cli/Dockerfile`, as root, since SageMaker's folders are root's. */
  readonly image: JobImage;
  /** `sluice.yaml` and the data it names. Its `model.path` is `model/<file>`. */
  readonly policy: BucketFolder;
  /** @default 'sluice.yaml' */
  readonly policyFile?: string;
  /** @default 'ml.m5.xlarge' */
  readonly instanceType?: string;
  /** @default 30 GiB */
  readonly volumeSize?: Size;
  /** @default 1 hour */
  readonly maxRun?: Duration;
}

/** A report that the training itself wrote beside its model. It is as true as that code. */
export interface GateReport {
  /** Below `/opt/ml/model`: `report.json`. */
  readonly report: string;
}
