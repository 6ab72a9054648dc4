import type { Metric, MetricOptions, Sample } from '../../core/metrics/index.ts';
import type { Interval, PairedCounts } from '../../core/statistics/index.ts';

/** The rows that both models were run on. */
export interface Pair<Rows extends Sample = Sample> {
  readonly candidate: Rows;
  readonly baseline?: Rows;
  /** They are one model, so that no row whatever could tell them apart. */
  readonly sameModel?: boolean;
}

/** A metric with its uncertainty, of the candidate and of its change against the baseline on the same rows. */
export interface MetricIntervals {
  readonly candidate: Interval;
  readonly baseline?: number;
  /** `candidate − baseline`. */
  readonly difference?: Interval;
  /** The same as a share of the baseline's value; absent when that is 0. */
  readonly relative?: Interval;
  /** Where the metric is a share of rows: those that only one of the models has right. */
  readonly pairs?: PairedCounts;
}

export interface ToMeasure<Rows extends Sample> {
  readonly metric: Metric<Rows>;
  readonly options: MetricOptions;
}

/** A metric with its values on the rows as they are. */
export interface MeasuredMetric<Rows extends Sample> extends ToMeasure<Rows> {
  readonly value: number;
  readonly ofBaseline: number | undefined;
  /** Where the value itself is a share of rows. */
  readonly wilson: Interval | undefined;
}

/** Whether a model gives what a metric needs. */
export function gives<Rows extends Sample>(sample: Rows | undefined, { needs }: Metric<Rows>): sample is Rows {
  if (sample === undefined) return false;
  return needs !== 'probabilities' || (sample.task === 'classification' && sample.probabilities !== undefined);
}

export function joined(
  candidate: Interval,
  baseline: number | undefined,
  difference: Interval | undefined,
  relative: Interval | undefined,
): MetricIntervals {
  return {
    candidate,
    ...(baseline === undefined ? {} : { baseline }),
    ...(difference === undefined ? {} : { difference }),
    ...(relative === undefined || baseline === 0 ? {} : { relative }),
  };
}
