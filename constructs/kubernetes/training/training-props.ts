import type { Duration } from 'cdk8s';
import type { Labels } from '../labels.ts';
import type { EnvVar, Toleration } from '../pod/pod-spec.ts';
import type { RunAs } from '../pod/security.ts';
import type { Memory } from '../quantity.ts';
import type { ContainerSize } from '../serving/container-resources.ts';
import type { ModelIdentity } from '../serving/serving-props.ts';
import type { Checkpoints } from './checkpoints.ts';
import type { CompletionHook } from './completion-hook.ts';

/** Props of every training. */
export interface TrainingProps extends ContainerSize {
  /** PyTorch and the program: tag and, best, digest. */
  readonly image: string;
  /**
   * Take an image without a version.
   * @default false
   */
  readonly allowMutableImage?: boolean;
  /** What is trained. */
  readonly model: ModelIdentity;
  /**
   * Name of the job: a new one for each run, since a job that has begun cannot be changed.
   * @default the construct's id
   */
  readonly name?: string;
  /** `['torchrun', 'train.py']`: torchrun reads nodes, processes and rendezvous from the variables that are set (`PET_*`). @default the image's own */
  readonly command?: readonly string[];
  readonly args?: readonly string[];
  /** Besides `CHECKPOINT_DIR`, `MODEL_NAME`, `MODEL_VERSION` and what torchrun reads. */
  readonly env?: readonly EnvVar[];
  /**
   * Processes in each pod.
   * @default one for each GPU; without GPUs one
   */
  readonly processesPerPod?: number;
  /**
   * Size of `/dev/shm`, which data loaders and NCCL fill; it counts against the memory limit.
   * @default a quarter of the memory, at most 2Gi for each process
   */
  readonly sharedMemory?: Memory;
  /**
   * Of `/tmp`, beside which the image's file system is read-only.
   * @default 10Gi
   */
  readonly scratch?: Memory;
  /** Where the state is kept between pods. Required on spot nodes. */
  readonly checkpoints?: Checkpoints;
  /**
   * Run on spot nodes, which go within two minutes' notice: true for Karpenter's (`karpenter.sh/capacity-type: spot`), or the labels of yours.
   * @default false
   */
  readonly spot?: boolean | Labels;
  /** The Kueue LocalQueue of the namespace that the job waits in, all of its pods together. @default none: it starts at once */
  readonly queue?: string;
  /**
   * Hold the job until somebody starts it. Kueue does for jobs in its queues and starts only what is held.
   * @default true with queue, else false
   */
  readonly suspend?: boolean;
  /** After which the job is ended as failed, whatever it does. @default none */
  readonly deadline?: Duration;
  /**
   * From SIGTERM to SIGKILL: time to write a last checkpoint. On spot nodes at most 120 seconds.
   * @default 90 seconds
   */
  readonly terminationGrace?: Duration;
  /** @default none */
  readonly onCompletion?: CompletionHook;
  /** false: whoever reaches the pods, such as a scraper, is the platform's business. @default only pods of the training reach each other */
  readonly networkPolicy?: false;
  /** Of the ServiceAccount: `{ 'eks.amazonaws.com/role-arn': ... }`, to read data and write models. */
  readonly serviceAccountAnnotations?: Labels;
  /** Whom the program runs as, both above 0. @default 1000, 1000 */
  readonly runAs?: RunAs;
  /** Besides those that every object has. */
  readonly labels?: Labels;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly Toleration[];
  readonly imagePullSecrets?: readonly string[];
}
