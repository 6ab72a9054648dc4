import { rowMean } from './multi-label-mean.ts';

/**
 * Of the pairs of a label that is true of a row and one that is not, the share in which the false one scores at least as high; a row of which
 * all labels are true, or none, counts as 0. scikit-learn's `label_ranking_loss`.
 */
export const labelRankingLoss = rowMean(
  { name: 'label_ranking_loss', better: 'lower', needs: 'values', range: [0, 1], unit: 'share' },
  ({ labels, actual, scores }, from) => {
    const end = from + labels.length;
    let [wrong, relevant] = [0, 0];
    for (let at = from; at < end; at++) {
      if (actual[at] !== 1) continue;
      relevant++;
      for (let other = from; other < end; other++) {
        if (actual[other] === 0 && (scores[other] ?? Number.NaN) >= (scores[at] ?? Number.NaN)) wrong++;
      }
    }
    const pairs = relevant * (labels.length - relevant);
    return pairs === 0 ? 0 : wrong / pairs;
  },
);
