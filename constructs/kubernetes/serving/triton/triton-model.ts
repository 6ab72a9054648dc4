import type { ModelFile } from '../../pod/model-file.ts';

/** Triton's element types, without its `TYPE_`. */
export const tritonTypes = [
  'BOOL',
  'UINT8',
  'UINT16',
  'UINT32',
  'UINT64',
  'INT8',
  'INT16',
  'INT32',
  'INT64',
  'FP16',
  'FP32',
  'FP64',
  'STRING',
  'BF16',
] as const;
export type TritonType = (typeof tritonTypes)[number];

export interface TritonTensor {
  readonly name: string;
  readonly type: TritonType;
  /** Sizes without the batch's; -1 is any. */
  readonly dims: readonly number[];
  /** The shape the model itself has, where it is another: `[]` for one number a row, which `dims` cannot say. */
  readonly reshape?: readonly number[];
  /** Only inputs: a request may leave it out. */
  readonly optional?: boolean;
}

/** One version of a model. */
export interface TritonVersion {
  readonly version: number;
  readonly file: ModelFile;
}

/** What each backend is called, and the file it looks for. */
export const backends = {
  onnxruntime: { platform: 'onnxruntime_onnx', file: 'model.onnx' },
  tensorrt: { platform: 'tensorrt_plan', file: 'model.plan' },
  pytorch: { platform: 'pytorch_libtorch', file: 'model.pt' },
  python: { platform: undefined, file: 'model.py' },
  openvino: { platform: undefined, file: 'model.xml' },
  fil: { platform: undefined, file: 'xgboost.json' },
} as const;
export type TritonBackend = keyof typeof backends;

/** What happens with a request that waited too long, or that there is no room for. */
export interface QueuePolicy {
  /** @default 0: no limit */
  readonly maxQueueSize?: number;
  /** @default 0: no timeout */
  readonly timeoutMicroseconds?: number;
  /** @default 'REJECT' */
  readonly timeoutAction?: 'REJECT' | 'DELAY';
}

export interface DynamicBatching {
  /** Batches of these sizes do not wait for more. */
  readonly preferredBatchSizes?: readonly number[];
  /** @default 0 */
  readonly maxQueueDelayMicroseconds?: number;
  readonly queuePolicy?: QueuePolicy;
}

export interface InstanceGroup {
  readonly count: number;
  readonly kind: 'GPU' | 'CPU' | 'AUTO' | 'MODEL';
  /** Numbers of GPUs, from 0. @default all */
  readonly gpus?: readonly number[];
}

/** A request the model answers before it is ready, with zeros or random values. */
export interface WarmUp {
  readonly name: string;
  /** @default 1 */
  readonly batchSize?: number;
  readonly data: 'zero' | 'random';
}

interface TritonModelFacts {
  readonly name: string;
  /** Rows in one request at most; 0: the model has no batch dimension. */
  readonly maxBatchSize: number;
  readonly inputs: readonly TritonTensor[];
  readonly outputs: readonly TritonTensor[];
  readonly responseCache?: boolean;
}

/** A model that a backend runs. */
export interface TritonBackendModel extends TritonModelFacts {
  readonly backend: TritonBackend;
  readonly versions: readonly [TritonVersion, ...TritonVersion[]];
  /**
   * Which of the versions are served.
   * @default all of them
   */
  readonly versionPolicy?: { readonly latest: number } | 'all' | { readonly specific: readonly number[] };
  readonly dynamicBatching?: DynamicBatching;
  /** Requests of one sequence go to one instance. Instead of `dynamicBatching`. */
  readonly sequenceBatching?: { readonly maxSequenceIdleMicroseconds: number };
  /** @default Triton's: one for each GPU, else one on the CPU */
  readonly instanceGroups?: readonly InstanceGroup[];
  readonly warmUp?: readonly WarmUp[];
  /** ONNX Runtime runs what it can with TensorRT, built when the model is loaded: slow starts, fast answers. */
  readonly tensorrtAccelerator?: { readonly precision?: 'FP32' | 'FP16'; readonly maxWorkspaceBytes?: number };
  /** The backend's own. */
  readonly parameters?: Readonly<Record<string, string>>;
  readonly ensemble?: never;
}

/** One model of an ensemble: which tensor of the ensemble is which of the model's. */
export interface EnsembleStep {
  readonly model: string;
  /** @default -1: the newest */
  readonly version?: number;
  /** The model's input to the ensemble's tensor. */
  readonly inputs: Readonly<Record<string, string>>;
  /** The model's output to the ensemble's tensor. */
  readonly outputs: Readonly<Record<string, string>>;
}

/** Several models as one: tensors flow from step to step inside of Triton. */
export interface TritonEnsemble extends TritonModelFacts {
  readonly ensemble: readonly [EnsembleStep, ...EnsembleStep[]];
}

export type TritonModel = TritonBackendModel | TritonEnsemble;
