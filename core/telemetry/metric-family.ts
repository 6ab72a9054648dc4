/** Label names with their values. Names that differ from those of Prometheus 2 (dots, any Unicode) come from quoted names. */
export type Labels = Readonly<Record<string, string>>;

/** One observation that stands for many: which request was slow. Only OpenMetrics has them. */
export interface Exemplar {
  readonly labels: Labels;
  readonly value: number;
  /** Milliseconds since the epoch. */
  readonly timestamp?: number;
}

/** One line with a number. */
export interface Sample {
  /** As written: a histogram's with `_bucket`, `_sum`, `_count`. */
  readonly name: string;
  readonly labels: Labels;
  /** NaN, Infinity and -Infinity are values like others. */
  readonly value: number;
  /** Milliseconds since the epoch, whatever the format counts in. Servers seldom give one. */
  readonly timestamp?: number;
  readonly exemplar?: Exemplar;
  /** Counts from 1. */
  readonly line: number;
}

export const metricTypes = [
  'counter',
  'gauge',
  'histogram',
  'summary',
  'untyped',
  'unknown',
  'info',
  'stateset',
  'gaugehistogram',
] as const;
export type MetricType = (typeof metricTypes)[number];

/** What one `# TYPE` speaks of, with its samples; a sample nobody announced is an `untyped` family of its own name. */
export interface MetricFamily {
  /** As in its `# TYPE` line: a counter's is without `_total` in OpenMetrics and with it, commonly, in the older format. */
  readonly name: string;
  readonly type: MetricType;
  readonly help?: string;
  readonly unit?: string;
  readonly samples: readonly Sample[];
}
