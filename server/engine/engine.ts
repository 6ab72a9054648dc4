import type { Feeds, Outputs, TensorSpec } from '../../core/onnx/index.ts';

/** One version of one model. `error` says why it is unavailable, printable. */
export interface ServedVersion {
  readonly model: string;
  readonly version: string;
  readonly state: 'loading' | 'ready' | 'draining' | 'unavailable';
  readonly error?: string;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** SHA-256 of the model file and MD5, hex: what release checks hold against the manifest. */
  readonly sha256: string;
  readonly md5: string;
  /** Seconds from the scan until it was warm. Undefined until then, as the next two. */
  readonly loadSeconds?: number;
  /** Requests are joined: its trial found that rows together give what they give alone. */
  readonly batches?: boolean;
  /** Threads of its own; 0: it runs on the main one. */
  readonly threads?: number;
}

/** What happened to one request, for metrics and the access log. Times in seconds. */
export interface Timing {
  readonly queueSeconds: number;
  readonly inferenceSeconds: number;
  /** Rows that ran together with this request's, its own included. */
  readonly batchRows: number;
  readonly cache: 'hit' | 'miss' | 'off';
}

/**
 * The answer of one request. Exactly one of `outputs` and `error` is given. Values of outputs may be views of a larger buffer, shared with
 * other answers: heed `byteOffset`, do not change them, and copy what is to be kept for long.
 */
export type Done = (error: InferenceError | undefined, outputs: Outputs | undefined, timing: Timing) => void;

/**
 * Why a request was not answered. `kind` decides the status: `unknown-model` 404, `not-ready` 503, `invalid-input` 400, `queue-full` 429,
 * `timeout` 504, `model-failed` 500, `draining` 503.
 */
export interface InferenceError {
  readonly kind:
    | 'unknown-model'
    | 'not-ready'
    | 'invalid-input'
    | 'queue-full'
    | 'timeout'
    | 'model-failed'
    | 'draining';
  /** Safe to send to the caller: no path of this machine, printable. */
  readonly message: string;
}

/** The models a server runs: loading, batching, queueing, caching; no protocol. */
export interface Engine {
  /** Every model of the repository with its versions, by name and then version. */
  versions(): readonly ServedVersion[];
  /** The named version, or, without one, the highest that is ready. */
  find(model: string, version?: string): ServedVersion | undefined;
  /** Every model asked for is ready (warmed up) and the engine is not draining. */
  readonly ready: boolean;
  /**
   * Runs one request. A callback and not a promise: at tens of thousands of requests a second the difference shows. `outputs` picks
   * outputs, all by default. Always calls `done` exactly once, after it returned; never synchronously throws. `feeds` are not to be
   * changed until then.
   */
  infer(
    request: {
      readonly model: string;
      readonly version?: string;
      readonly feeds: Feeds;
      readonly outputs?: readonly string[];
      /** Milliseconds; the engine's own limit counts if it is shorter. */
      readonly timeoutMs?: number;
    },
    done: Done,
  ): void;
  /** Loads a model (all its wanted versions) anew or for the first time; the old ones serve until the new are warm. */
  load(model: string): Promise<void>;
  unload(model: string): Promise<void>;
  /** Takes no more requests, finishes those taken, closes. */
  drain(): Promise<void>;
  /** What is going on now, for gauges. */
  gauges(): readonly {
    readonly model: string;
    readonly version: string;
    readonly inFlight: number;
    readonly queued: number;
  }[];
}

/** How a model is served; the defaults stand in `server/engine/settings.ts`. */
export interface ServingSettings {
  /** Rows in one batch at most; 1 turns batching off. @default 32 */
  readonly maxBatchSize: number;
  /** Microseconds a request may wait for company. 0: what arrived in one turn of the event loop runs together. @default 0 */
  readonly maxQueueDelayUs: number;
  /** Requests waiting at most; the next gets `queue-full`. @default 1024 */
  readonly maxQueueSize: number;
  /** @default 30000 */
  readonly timeoutMs: number;
  /** Entries of the prediction cache; 0: no cache. @default 0 */
  readonly cacheSize: number;
  /** @default 60 */
  readonly cacheTtlSeconds: number;
  /** `auto`: on the main thread when a warm run is short, else on worker threads. A number: that many workers. @default 'auto' */
  readonly workers: number | 'auto';
  /** Runs before the model is ready. @default 3 */
  readonly warmUpRuns: number;
}
