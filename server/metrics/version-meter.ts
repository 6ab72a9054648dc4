import type { Outputs } from '../../core/onnx/index.ts';
import { type PredictionStatus, predictionStatuses, servingMetrics } from '../../core/telemetry/index.ts';
import type { Timing } from '../engine/engine.ts';
import { HistogramCounts } from './histogram-counts.ts';
import { PredictionDistribution } from './prediction-distribution.ts';

/** Everything counted about one version of one model, as plain numbers. */
export class VersionMeter {
  readonly model: string;
  readonly version: string;
  readonly latency = new HistogramCounts(servingMetrics.latency.buckets);
  readonly queue = new HistogramCounts(servingMetrics.queue.buckets);
  readonly inference = new HistogramCounts(servingMetrics.inference.buckets);
  readonly batchRows = new HistogramCounts(servingMetrics.batchRows.buckets);
  readonly predictions = new PredictionDistribution();
  readonly statuses: Record<PredictionStatus, number> = Object.fromEntries(
    predictionStatuses.map((status) => [status, 0]),
  ) as Record<PredictionStatus, number>;
  cacheHits = 0;
  cacheMisses = 0;
  /** Rows answered. */
  rows = 0;
  /** Batches run; a request adds its share of one, so a sum of many is whole. */
  executions = 0;
  /** Seconds of requests that failed. */
  failedSeconds = 0;
  /** Seconds of requests the cache answered. */
  cacheHitSeconds = 0;
  /** Milliseconds since the epoch; 0: never. */
  lastInference = 0;

  constructor(model: string, version: string) {
    this.model = model;
    this.version = version;
  }

  answered(seconds: number, timing: Timing, outputs: Outputs, now: number): void {
    this.statuses.ok += 1;
    this.latency.observe(seconds);
    const rows = rowsOf(outputs);
    this.rows += rows;
    this.lastInference = now;
    if (timing.cache === 'hit') {
      this.cacheHits += 1;
      this.cacheHitSeconds += seconds;
    } else {
      if (timing.cache === 'miss') this.cacheMisses += 1;
      this.queue.observe(timing.queueSeconds);
      this.inference.observe(timing.inferenceSeconds);
      this.batchRows.observe(timing.batchRows);
      this.executions += timing.batchRows > 0 ? Math.min(1, rows / timing.batchRows) : 1;
    }
    this.predictions.record(outputs);
  }

  failed(status: Exclude<PredictionStatus, 'ok'>, seconds: number): void {
    this.statuses[status] += 1;
    this.failedSeconds += seconds;
  }
}

/** The first dimension of the first output; an output without dimensions is one row. */
function rowsOf(outputs: Outputs): number {
  for (const name in outputs) return outputs[name]?.dims[0] ?? 1;
  return 1;
}
