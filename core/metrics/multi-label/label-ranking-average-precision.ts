import { rowMean } from './multi-label-mean.ts';

/**
 * For each label that is true of a row: of the labels scored at least as high, the share that is true; the mean over the row's true labels, then
 * over rows. A row of which all labels are true, or none, counts as 1. scikit-learn's `label_ranking_average_precision_score`.
 */
export const labelRankingAveragePrecision = rowMean(
  { name: 'label_ranking_average_precision', better: 'higher', needs: 'values', range: [0, 1], unit: 'none' },
  ({ labels, actual, scores }, from) => {
    const end = from + labels.length;
    let [sum, relevant] = [0, 0];
    for (let at = from; at < end; at++) {
      if (actual[at] !== 1) continue;
      relevant++;
      let [above, right] = [0, 0];
      for (let other = from; other < end; other++) {
        if (!((scores[other] ?? Number.NaN) >= (scores[at] ?? Number.NaN))) continue;
        above++;
        right += actual[other] ?? 0;
      }
      sum += right / above;
    }
    return relevant === 0 || relevant === labels.length ? 1 : sum / relevant;
  },
);
