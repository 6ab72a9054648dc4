import type { Ratio } from '../averaged.ts';
import { meanOf } from '../mean.ts';
import type { MultiLabelMetric, RowWeights } from '../metric.ts';
import type { MultiLabelSample } from '../sample.ts';
import { rowTerms } from './multi-label-mean.ts';

/**
 * precision, recall, F1 and Jaccard of several labels a row with scikit-learn's averages: over labels (`macro`, the default, or `weighted` by the
 * rows they are true of), over all decisions (`micro`), or of each row over rows (`samples`). A ratio over nothing counts as 0.
 */
export function multiLabelAveraged(name: string, ratio: Ratio): MultiLabelMetric {
  const share = (counts: Parameters<Ratio>[0]) => {
    const { numerator, denominator } = ratio(counts);
    return denominator === 0 ? 0 : numerator / denominator;
  };
  return {
    name,
    task: 'multilabel',
    better: 'higher',
    needs: 'labels',
    range: [0, 1],
    unit: 'share',
    interval: 'bootstrap',
    on(sample, options) {
      const average = options?.average ?? 'macro';
      if (options?.ofClass === undefined && average === 'samples') {
        return meanOf(rowTerms(sample, (of, from) => share(countsOfRow(of, from))));
      }
      if (options?.ofClass === undefined && average === 'binary') return () => Number.NaN;
      return (weights) => {
        const { hits, actual, predicted } = talliesOfLabels(sample, weights);
        const of = (label: number) => ({
          hits: hits[label] ?? 0,
          actual: actual[label] ?? 0,
          predicted: predicted[label] ?? 0,
        });
        if (options?.ofClass !== undefined) return share(of(options.ofClass));
        if (average === 'micro') return share({ hits: sum(hits), actual: sum(actual), predicted: sum(predicted) });
        let total = 0;
        let all = 0;
        for (let label = 0; label < hits.length; label++) {
          const weight = average === 'weighted' ? (actual[label] ?? 0) : 1;
          total += weight * share(of(label));
          all += weight;
        }
        // No label is true of any row: scikit-learn's zero_division.
        return all === 0 ? 0 : total / all;
      };
    },
  };
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}

function countsOfRow({ labels, actual, predicted }: MultiLabelSample, from: number) {
  const counts = { hits: 0, actual: 0, predicted: 0 };
  for (let at = from; at < from + labels.length; at++) {
    const [is, says] = [actual[at] ?? 0, predicted[at] ?? 0];
    counts.hits += is * says;
    counts.actual += is;
    counts.predicted += says;
  }
  return counts;
}

function talliesOfLabels({ rows, labels, actual, predicted }: MultiLabelSample, weights: RowWeights | undefined) {
  const width = labels.length;
  const tallies = {
    hits: new Float64Array(width),
    actual: new Float64Array(width),
    predicted: new Float64Array(width),
  };
  for (let row = 0; row < rows; row++) {
    const weight = weights === undefined ? 1 : (weights[row] ?? 0);
    if (weight === 0) continue;
    for (let label = 0; label < width; label++) {
      const is = weight * (actual[row * width + label] ?? 0);
      const says = predicted[row * width + label] ?? 0;
      tallies.actual[label] = (tallies.actual[label] ?? 0) + is;
      tallies.predicted[label] = (tallies.predicted[label] ?? 0) + weight * says;
      tallies.hits[label] = (tallies.hits[label] ?? 0) + is * says;
    }
  }
  return tallies;
}
