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
}

/** Binary for two classes, macro otherwise: what the policy promises when it gives no `average`. */
export function averageOf(sample: LabelSample, options: MetricOptions | undefined): Average {
  return options?.average ?? (sample.classes.length === 2 ? 'binary' : 'macro');
}

/**
 * precision, recall and F1 with scikit-learn's averages and `zero_division=0`: a ratio over nothing counts as 0. `binary` looks at the
 * positive class (the last one when the sample names none).
 */
export function averaged(
  head: Pick<LabelMetric, 'name'>,
  ratio: Ratio,
  { isProportion = false, sharesRows = false }: RatioOptions = {},
): LabelMetric {
  const partsOf = (sample: LabelSample, tallies: Tallies, average: Average) => {
    const { hits, actual, predicted, total } = tallies;
    if (average === 'micro') {
      const right = hits.reduce((sum, count) => sum + count, 0);
      return [{ ...ratio({ hits: right, actual: total, predicted: total }), rows: total }];
    }
    const chosen = average === 'binary' ? [positiveOf(sample)] : sample.classes.map((_, index) => index);
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
      if (average === 'binary' && sample.classes.length > 2) return () => Number.NaN;
      return (weights) => {
        const parts = partsOf(sample, talliesOf(sample, weights), average);
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
      if (average !== 'micro' && !(isProportion && average === 'binary' && sample.classes.length <= 2))
        return undefined;
      const [part] = partsOf(sample, talliesOf(sample), average);
      if (part === undefined || part.denominator === 0) return undefined;
      return average === 'micro'
        ? // Micro-averaged over single labels, all three are the accuracy.
          { successes: talliesOf(sample).hits.reduce((sum, count) => sum + count, 0), trials: sample.actual.length }
        : { successes: part.numerator, trials: part.denominator };
    },
    paired(candidate, baseline, options) {
      const average = averageOf(candidate, options);
      if (average === 'micro') return pairedHits(candidate, baseline);
      if (!sharesRows || average !== 'binary' || candidate.classes.length > 2) return undefined;
      const pairs = pairedHits(candidate, baseline, positiveOf(candidate));
      return pairs.rows === 0 ? undefined : pairs;
    },
  };
}

function positiveOf(sample: LabelSample): number {
  return sample.positive ?? sample.classes.length - 1;
}
