import { accuracy } from './accuracy.ts';
import { averagePrecision } from './average-precision.ts';
import { balancedAccuracy } from './balanced-accuracy.ts';
import { brier } from './brier.ts';
import { calibrationSlope } from './calibration-slope.ts';
import { cohenKappa } from './cohen-kappa.ts';
import { ece } from './ece.ts';
import { f1 } from './f1.ts';
import { jaccard } from './jaccard.ts';
import { logLoss } from './log-loss.ts';
import { mae } from './mae.ts';
import { mape } from './mape.ts';
import { matthewsCorrcoef } from './matthews-corrcoef.ts';
import { maxError } from './max-error.ts';
import { medianAbsoluteError } from './median-absolute-error.ts';
import type { LabelMetric, MultiLabelMetric, RankingMetric, ValueMetric } from './metric.ts';
import { mse } from './mse.ts';
import { multiLabelMetrics, multiLabelOnlyMetrics } from './multi-label/multi-label-metrics.ts';
import { precision } from './precision.ts';
import { r2 } from './r2.ts';
import { rankingMetrics } from './ranking/ranking-metrics.ts';
import { recall } from './recall.ts';
import { rmse } from './rmse.ts';
import { rocAuc } from './roc-auc.ts';
import type { Sample } from './sample.ts';
import { topKAccuracy } from './top-k-accuracy.ts';

export const labelMetrics = {
  accuracy,
  balanced_accuracy: balancedAccuracy,
  precision,
  recall,
  f1,
  jaccard,
  roc_auc: rocAuc,
  average_precision: averagePrecision,
  log_loss: logLoss,
  brier,
  ece,
  calibration_slope: calibrationSlope,
  matthews_corrcoef: matthewsCorrcoef,
  cohen_kappa: cohenKappa,
  top_k_accuracy: topKAccuracy,
} as const satisfies Record<string, LabelMetric>;

export const valueMetrics = {
  mae,
  mse,
  rmse,
  mape,
  median_absolute_error: medianAbsoluteError,
  max_error: maxError,
  r2,
} as const satisfies Record<string, ValueMetric>;

/** Every metric by the name that a policy calls it. */
export const metrics = { ...labelMetrics, ...valueMetrics, ...multiLabelOnlyMetrics, ...rankingMetrics } as const;

export type MetricName = keyof typeof metrics;

/** What the name means for a task: of several labels a row, accuracy, precision, recall, F1 and Jaccard are other ones. */
export function metricOf(
  name: MetricName,
  task: Sample['task'],
): LabelMetric | ValueMetric | MultiLabelMetric | RankingMetric {
  const ofLabels: Partial<Record<MetricName, MultiLabelMetric>> = multiLabelMetrics;
  return (task === 'multilabel' ? ofLabels[name] : undefined) ?? metrics[name];
}
