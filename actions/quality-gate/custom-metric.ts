import { rowMean, type ValueSample } from '../../core/metrics/index.ts';
import type { CustomMetric } from '../../core/policy/index.ts';
import type { MetricIntervals, Pair } from './measured-metric.ts';
import type { GatedMetric } from './metric-gate.ts';
import { type Certainty, metricIntervals } from './metric-interval.ts';

/** One of the policy's own metrics, measured. */
export interface CustomMeasurement {
  readonly metric: GatedMetric;
  readonly bound: CustomMetric;
  /** The expression's value of each row as `predicted`. */
  readonly candidate: ValueSample;
  readonly measured: MetricIntervals;
}

/** Measures the mean of what an expression gave, with the interval that every mean over rows has. */
export function measureCustom(
  { id, better }: GatedMetric,
  pair: Pair<ValueSample>,
  certainty: Certainty,
): MetricIntervals | undefined {
  return metricIntervals([{ metric: rowMean(id, better), options: {} }], pair, certainty).get(id);
}
