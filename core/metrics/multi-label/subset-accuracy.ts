import { hitShare } from '../hit-share.ts';
import type { MultiLabelMetric } from '../metric.ts';
import type { MultiLabelSample } from '../sample.ts';
import { rowTerms } from './multi-label-mean.ts';

/** The share of rows of which every label is predicted right: scikit-learn's `accuracy_score` of several labels. */
export const subsetAccuracy: MultiLabelMetric = {
  name: 'accuracy',
  task: 'multilabel',
  better: 'higher',
  needs: 'labels',
  range: [0, 1],
  unit: 'share',
  interval: 'wilson',
  ...hitShare(rightRows),
};

function rightRows(sample: MultiLabelSample): Float64Array {
  return rowTerms(sample, ({ labels, actual, predicted }, from) => {
    for (let at = from; at < from + labels.length; at++) if (actual[at] !== predicted[at]) return 0;
    return 1;
  });
}
