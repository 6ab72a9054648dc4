import type { VersionMeter } from './version-meter.ts';

interface Duration {
  readonly count: number;
  readonly ns: number;
}

/** One entry of `model_stats`, in the form of Triton's statistics extension. Times in nanoseconds. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly last_inference: number;
  /** Rows answered. */
  readonly inference_count: number;
  /** Batches run. */
  readonly execution_count: number;
  readonly inference_stats: Readonly<
    Record<
      'success' | 'fail' | 'queue' | 'compute_input' | 'compute_infer' | 'compute_output' | 'cache_hit' | 'cache_miss',
      Duration
    >
  >;
  readonly batch_stats: readonly never[];
}

/**
 * https://github.com/triton-inference-server/server/blob/main/docs/protocol/extension_statistics.md. Copying tensors in and out is not
 * measured apart (it is part of `compute_infer`), and batches are not told apart by size here: `/metrics` has their histogram.
 */
export function modelStatistics(meter: VersionMeter): ModelStatistics {
  const { latency, queue, inference, statuses } = meter;
  const failures = Object.entries(statuses).reduce((sum, [status, count]) => (status === 'ok' ? sum : sum + count), 0);
  return {
    name: meter.model,
    version: meter.version,
    last_inference: meter.lastInference,
    inference_count: meter.rows,
    execution_count: Math.round(meter.executions),
    inference_stats: {
      success: duration(latency.count, latency.sum),
      fail: duration(failures, meter.failedSeconds),
      queue: duration(queue.count, queue.sum),
      compute_input: duration(inference.count, 0),
      compute_infer: duration(inference.count, inference.sum),
      compute_output: duration(inference.count, 0),
      cache_hit: duration(meter.cacheHits, meter.cacheHitSeconds),
      cache_miss: duration(meter.cacheMisses, 0),
    },
    batch_stats: [],
  };
}

function duration(count: number, seconds: number): Duration {
  return { count, ns: Math.round(seconds * 1e9) };
}
