import { meanOf } from '../mean.ts';
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
  on: (sample) => meanOf(rightRows(sample)),
  proportion(sample) {
    const right = rightRows(sample);
    return { successes: right.reduce((sum, hit) => sum + hit, 0), trials: right.length };
  },
  paired(candidate, baseline) {
    const [one, other] = [rightRows(candidate), rightRows(baseline)];
    let [won, lost] = [0, 0];
    for (let row = 0; row < one.length; row++) {
      const by = (one[row] ?? 0) - (other[row] ?? 0);
      if (by > 0) won++;
      else if (by < 0) lost++;
    }
    return { won, lost, rows: one.length };
  },
};

function rightRows(sample: MultiLabelSample): Float64Array {
  return rowTerms(sample, ({ labels, actual, predicted }, from) => {
    for (let at = from; at < from + labels.length; at++) if (actual[at] !== predicted[at]) return 0;
    return 1;
  });
}
