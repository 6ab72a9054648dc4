/**
 * What recording rules write, in Prometheus' way of naming them, `level:metric:operations`
 * (https://prometheus.io/docs/practices/rules/). The window is the last part of the name.
 */
const recorded = {
  requests: ['model:requests', 'rate'],
  requestErrors: ['model:request_errors', 'rate'],
  requestsTimed: ['model:requests_timed', 'rate'],
  requestsSlow: ['model:requests_slow', 'rate'],
  errorRatio: ['model:request_errors', 'ratio_rate'],
  slowRatio: ['model:requests_slow', 'ratio_rate'],
  /** Values of numeric outputs by bucket, cumulative as in a histogram (`le`). */
  predictionBuckets: ['model:prediction_values', 'rate'],
  /** Share of an output's values in one bin (`bin`: the upper bound, or the class); the bins of an output sum up to 1. */
  predictionShare: ['model:prediction_bins', 'share_rate'],
  /** Population stability index of an output's shares against those of the reference. */
  predictionPsi: ['model:prediction_bins', 'psi_rate'],
  /** Kullback-Leibler divergence of an output's shares from those of the reference, in nats. */
  predictionKl: ['model:prediction_bins', 'kl_rate'],
} as const;

export type RecordedName = keyof typeof recorded;

/**
 * The name of a recorded series.
 * @param window a duration of Prometheus: `5m`
 */
export function recordedSeries(name: RecordedName, window: string): string {
  const [metric, operation] = recorded[name];
  return `${metric}:${operation}${window}`;
}
