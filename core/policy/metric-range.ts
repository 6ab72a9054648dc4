/** The values a metric can take at all; both ends can be reached. */
export interface MetricRange {
  readonly lowest: number;
  readonly highest: number;
}

const share: MetricRange = { lowest: 0, highest: 1 };
const loss: MetricRange = { lowest: 0, highest: Number.POSITIVE_INFINITY };

// scikit-learn's and Fairlearn's definitions. Differences of regression errors and means have no upper end of their own.
const ranges: Readonly<Record<string, MetricRange>> = {
  accuracy: share,
  balanced_accuracy: share,
  precision: share,
  recall: share,
  f1: share,
  roc_auc: share,
  average_precision: share,
  log_loss: loss,
  brier: share,
  ece: share,
  calibration_slope: { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY },
  matthews_corrcoef: { lowest: -1, highest: 1 },
  cohen_kappa: { lowest: -1, highest: 1 },
  mae: loss,
  mse: loss,
  rmse: loss,
  mape: loss,
  median_absolute_error: loss,
  max_error: loss,
  hamming_loss: share,
  label_ranking_average_precision: share,
  coverage_error: loss,
  label_ranking_loss: share,
  r2: { lowest: Number.NEGATIVE_INFINITY, highest: 1 },
  mae_difference: loss,
  rmse_difference: loss,
  mean_prediction_difference: loss,
  mean_residual_difference: loss,
};

/** The range of a metric or fairness metric by name; every other fairness difference or ratio lies from 0 to 1. */
export function rangeOf(metric: string): MetricRange {
  return ranges[metric] ?? share;
}

const smaller = new Set([
  'log_loss',
  'brier',
  'ece',
  'mae',
  'mse',
  'rmse',
  'mape',
  'median_absolute_error',
  'max_error',
  'hamming_loss',
  'coverage_error',
  'label_ranking_loss',
]);

/** Whether a small value of the metric is the good one. */
export function smallerIsBetter(metric: string): boolean {
  return smaller.has(metric) || metric.endsWith('_difference');
}
