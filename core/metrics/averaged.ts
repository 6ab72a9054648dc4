import type { Average, LabelMetric, MetricOptions } from './metric.ts';
import type { LabelSample } from './sample.ts';
import { pairedHits, type Tallies, talliesOf } from './tallies.ts';

/** `numerator / denominator` of one class, or of all together (`micro`). */
export type Ratio = (counts: { readonly hits: number; readonly actual: number; readonly predicted: number }) => {
  readonly numerator: number;
  readonly denominator: number;
};

export interface RatioOptions {
  /** The ratio of one class is a share of rows. */
  readonly isProportion?: boolean;
  /** Which rows it is a share of does not depend on the predictions, so two models share them. */
  readonly sharesRows?: boolean;
  /** Over single labels, the average `micro` is the accuracy. */
  readonly microIsAccuracy?: boolean;
}

/** Binary for two classes, macro otherwise: what the policy promises when it gives no `average`. */
function averageOf(sample: LabelSample, options: MetricOptions | undefined): Average {
  if (options?.ofClass !== undefined) return 'binary';
  return options?.average ?? (sample.classes.length === 2 ? 'binary' : 'macro');
}

/**
 * precision, recall, F1 and Jaccard with scikit-learn's averages and `zero_division=0`: a ratio over nothing counts as 0. `binary` looks at the
 * positive class (the last one when the sample names none).
 */
export function averaged(
  head: Pick<LabelMetric, 'name'>,
  ratio: Ratio,
  { isProportion = false, sharesRows = false, microIsAccuracy = true }: RatioOptions = {},
): LabelMetric {
  const partsOf = (sample: LabelSample, tallies: Tallies, average: Average, options: MetricOptions | undefined) => {
    const { hits, actual, predicted, total } = tallies;
    if (average === 'micro') {
      const right = hits.reduce((sum, count) => sum + count, 0);
      return [{ ...ratio({ hits: right, actual: total, predicted: total }), rows: total }];
    }
    const chosen = average === 'binary' ? [positiveOf(sample, options)] : sample.classes.map((_, index) => index);
    const parts = [];
    for (const index of chosen) {
      const counts = { hits: hits[index] ?? 0, actual: actual[index] ?? 0, predicted: predicted[index] ?? 0 };
      // A class that neither the rows nor the predictions know is no label of these rows.
      if (average !== 'binary' && counts.actual === 0 && counts.predicted === 0) continue;
      parts.push({ ...ratio(counts), rows: counts.actual });
    }
    return parts;
  };
  return {
    ...head,
    task: 'classification',
    better: 'higher',
    needs: 'labels',
    range: [0, 1],
    unit: 'share',
    interval: isProportion ? 'wilson' : 'bootstrap',
    on(sample, options) {
      const average = averageOf(sample, options);
      if (!isOneClass(sample, options) && (average === 'binary' || average === 'samples')) return () => Number.NaN;
      return (weights) => {
        const parts = partsOf(sample, talliesOf(sample, weights), average, options);
        let sum = 0;
        let total = 0;
        for (const { numerator, denominator, rows } of parts) {
          const weight = average === 'weighted' ? rows : 1;
          sum += denominator === 0 ? 0 : (weight * numerator) / denominator;
          total += weight;
        }
        return sum / total;
      };
    },
    proportion(sample, options) {
      const average = averageOf(sample, options);
      const known = average === 'micro' ? microIsAccuracy : isProportion && isOneClass(sample, options);
      if (!known) return undefined;
      const [part] = partsOf(sample, talliesOf(sample), average, options);
      if (part === undefined || part.denominator === 0) return undefined;
      return average === 'micro'
        ? { successes: talliesOf(sample).hits.reduce((sum, count) => sum + count, 0), trials: sample.actual.length }
        : { successes: part.numerator, trials: part.denominator };
    },
    paired(candidate, baseline, options) {
      const average = averageOf(candidate, options);
      if (average === 'micro') return microIsAccuracy ? pairedHits(candidate, baseline) : undefined;
      if (!sharesRows || !isOneClass(candidate, options)) return undefined;
      const pairs = pairedHits(candidate, baseline, positiveOf(candidate, options));
      return pairs.rows === 0 ? undefined : pairs;
    },
  };
}

/** Whether the metric is that of one class against the rest. */
function isOneClass(sample: LabelSample, options: MetricOptions | undefined): boolean {
  if (options?.ofClass !== undefined) return true;
  return averageOf(sample, options) === 'binary' && sample.classes.length <= 2;
}

function positiveOf(sample: LabelSample, options: MetricOptions | undefined): number {
  return options?.ofClass ?? sample.positive ?? sample.classes.length - 1;
}
