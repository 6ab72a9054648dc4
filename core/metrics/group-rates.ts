import { accuracy } from './accuracy.ts';
import { termsOf } from './errors.ts';
import { f1 } from './f1.ts';
import { mae } from './mae.ts';
import { meanOf } from './mean.ts';
import type { Measure, MetricOptions, RowWeights } from './metric.ts';
import { precision } from './precision.ts';
import { recall } from './recall.ts';
import { rmse } from './rmse.ts';
import type { LabelSample, Sample, ValueSample } from './sample.ts';

/**
 * What is measured in each group. Fairlearn's names.
 * - `selection_rate`: share of rows predicted positive. `true_positive_rate`, `false_positive_rate`: of the rows that are (not).
 * - `mean_residual`: mean of actual − predicted: above 0, the group is underestimated.
 */
export type RateName =
  | 'selection_rate'
  | 'true_positive_rate'
  | 'false_positive_rate'
  | 'accuracy'
  | 'precision'
  | 'recall'
  | 'f1'
  | 'mae'
  | 'rmse'
  | 'mean_prediction'
  | 'mean_residual';

type RateOf<Rows extends Sample> = (sample: Rows, options?: MetricOptions) => Measure;

const labelRates = {
  selection_rate: shareOfPositive(() => true),
  true_positive_rate: shareOfPositive((actual, positive) => actual === positive),
  false_positive_rate: shareOfPositive((actual, positive) => actual !== positive),
  accuracy: accuracy.on,
  precision: precision.on,
  recall: recall.on,
  f1: f1.on,
} as const satisfies Partial<Record<RateName, RateOf<LabelSample>>>;

const valueRates = {
  mae: mae.on,
  rmse: rmse.on,
  mean_prediction: (sample) => meanOf(sample.predicted),
  mean_residual: (sample) => meanOf(termsOf(sample, (actual, predicted) => actual - predicted)),
} as const satisfies Partial<Record<RateName, RateOf<ValueSample>>>;

/** The rate of a sample. NaN where it is not defined: no row to take the share of. */
export function rateOf(rate: RateName, sample: Sample, options?: MetricOptions): Measure {
  if (sample.task === 'classification' && rate in labelRates) {
    return labelRates[rate as keyof typeof labelRates](sample, options);
  }
  if (sample.task === 'regression' && rate in valueRates) return valueRates[rate as keyof typeof valueRates](sample);
  throw new RangeError(`${rate} is no rate of a ${sample.task} model`);
}

/** Of the rows whose actual class is asked for, the share predicted positive. */
function shareOfPositive(counts: (actual: number, positive: number) => boolean): RateOf<LabelSample> {
  return (sample) => (weights?: RowWeights) => {
    const positive = sample.positive ?? sample.classes.length - 1;
    let selected = 0;
    let total = 0;
    for (let row = 0; row < sample.actual.length; row++) {
      if (!counts(sample.actual[row] ?? 0, positive)) continue;
      const weight = weights === undefined ? 1 : (weights[row] ?? 0);
      total += weight;
      if (sample.predicted[row] === positive) selected += weight;
    }
    return selected / total;
  };
}
