import type { Duration } from 'cdk8s';
import type { Labels } from '../labels.ts';
import type { NetworkPeer, NetworkPolicyBody } from '../native.ts';
import type { DrainProps } from '../pod/drain.ts';
import type { GpuProps } from '../pod/gpu.ts';
import type { EnvVar, Toleration } from '../pod/pod-spec.ts';
import type { Cpu, Memory } from '../quantity.ts';

/** Which release of which model is served: what metrics, the canary and the dashboards tell apart. */
export interface ModelIdentity {
  readonly name: string;
  readonly version: string;
}

/** How much of one kind a container is promised and may take. */
export interface Amount<Quantity> {
  readonly request: Quantity;
  readonly limit: Quantity;
}

/** How many pods: always so many, or as many as an autoscaler says within bounds. */
export type Replicas = number | { readonly min: number; readonly max: number };

/** How long a pod may take until it is ready. */
export interface StartupProps {
  /**
   * The server loads and warms up its model.
   * @default 2 minutes
   */
  readonly load?: Duration;
  /**
   * The model is fetched and verified.
   * @default 5 minutes, or none if nothing is fetched
   */
  readonly fetch?: Duration;
  /**
   * A node is found (or made) and the image pulled.
   * @default 5 minutes; with a GPU 15 minutes
   */
  readonly schedule?: Duration;
  /**
   * After which a rollout counts as failed.
   * @default all of these and a minute; at least 10 minutes, which is Kubernetes' own default
   */
  readonly progressDeadline?: Duration;
}

/** Props of every server, also of one that is no model's. */
export interface WorkloadProps {
  /** Tag and, best, digest: `registry/server:1.2.3@sha256:...`. */
  readonly image: string;
  /**
   * Take an image without a version.
   * @default false
   */
  readonly allowMutableImage?: boolean;
  /**
   * Name of the Deployment, the Service and the rest.
   * @default the construct's id
   */
  readonly name?: string;
  /**
   * With bounds instead of a number, add a `ModelAutoscaler` or `KedaAutoscaler`.
   * @default 2
   */
  readonly replicas?: Replicas;
  readonly cpu: Cpu | Amount<Cpu>;
  readonly memory: Memory | Amount<Memory>;
  readonly gpu?: GpuProps;
  /**
   * Size of `/dev/shm`, which counts against the memory limit.
   * @default with a GPU 1Gi for each, at most a quarter of the limit; else the 64 MiB of the container runtime
   */
  readonly sharedMemory?: Memory;
  readonly startup?: StartupProps;
  readonly drain?: DrainProps;
  /**
   * Answers a caller waits for at most, as the 95th percentile; props that cannot hold it are refused.
   * @default none
   */
  readonly latencyBudget?: Duration;
  /**
   * How many pods an update may add and take away meanwhile. Without a spare GPU: `{ maxSurge: 0, maxUnavailable: 1 }`.
   * @default { maxSurge: 1, maxUnavailable: 0 }
   */
  readonly update?: { readonly maxSurge: number; readonly maxUnavailable: number };
  /**
   * How many pods may be gone while nodes are drained.
   * @default { maxUnavailable: 1 } where there may be more than one replica, else none
   */
  readonly disruption?: { readonly maxUnavailable: number } | { readonly minAvailable: number };
  /**
   * Who may send requests.
   * @default every pod of the namespace
   */
  readonly clients?: readonly NetworkPeer[];
  /**
   * Who may read metrics.
   * @default every pod of the namespace `monitoring`
   */
  readonly scrapers?: readonly NetworkPeer[];
  /** What the server may reach besides what it needs to fetch its model. */
  readonly egress?: NetworkPolicyBody['spec']['egress'];
  /**
   * Whether to make a NetworkPolicy.
   * @default true
   */
  readonly networkPolicy?: boolean;
  /** Of the ServiceAccount: `{ 'eks.amazonaws.com/role-arn': ... }`. */
  readonly serviceAccountAnnotations?: Labels;
  readonly env?: readonly EnvVar[];
  /** `app.kubernetes.io/part-of`. @default the model's name; without a model none */
  readonly partOf?: string;
  /** Besides those that every object has. */
  readonly labels?: Labels;
  readonly podAnnotations?: Labels;
  readonly nodeSelector?: Labels;
  readonly tolerations?: readonly Toleration[];
  readonly priorityClassName?: string;
  readonly imagePullSecrets?: readonly string[];
}

/** Props of every model server. */
export interface ServingProps extends WorkloadProps {
  readonly model: ModelIdentity;
}
