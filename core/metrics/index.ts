/**
 * Metrics of models by scikit-learn's definitions (names without `_score`), and comparisons of groups by Fairlearn's.
 * @module
 */
export {
  type CurvePoints,
  calibrationCurve,
  confusionMatrix,
  positionsOf,
  precisionRecallCurve,
  rocCurve,
} from './curves.ts';
export {
  type Disparity,
  type DisparityName,
  disparities,
  disparityOf,
  type RatesByGroup,
  ratesByGroup,
} from './disparity.ts';
export type { RateName } from './group-rates.ts';
export type {
  Average,
  Condensed,
  LabelMetric,
  Measure,
  Metric,
  MetricOptions,
  MultiLabelMetric,
  RankingMetric,
  RowWeights,
  ValueMetric,
} from './metric.ts';
export { labelMetrics, type MetricName, metricOf, metrics, valueMetrics } from './metrics.ts';
export { multiLabelMetrics } from './multi-label/multi-label-metrics.ts';
export { rankingMetrics } from './ranking/ranking-metrics.ts';
export { rowMean } from './row-mean.ts';
export {
  type LabelSample,
  type MultiLabelSample,
  pick,
  type RankingSample,
  rowsOf,
  type Sample,
  type ValueSample,
} from './sample.ts';
