import { rowMean } from './multi-label-mean.ts';

/** The share of labels that are predicted wrong, over all rows and labels. scikit-learn's `hamming_loss`. */
export const hammingLoss = rowMean(
  { name: 'hamming_loss', better: 'lower', needs: 'labels', range: [0, 1], unit: 'share' },
  ({ labels, actual, predicted }, from) => {
    let wrong = 0;
    for (let at = from; at < from + labels.length; at++) if (actual[at] !== predicted[at]) wrong++;
    return wrong / labels.length;
  },
);
