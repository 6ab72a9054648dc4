import type { LabelMetric } from './metric.ts';
import { talliesOf } from './tallies.ts';

/** The mean of the classes' recalls; classes that no row is of are left out, as in scikit-learn. */
export const balancedAccuracy: LabelMetric = {
  name: 'balanced_accuracy',
  task: 'classification',
  better: 'higher',
  needs: 'labels',
  range: [0, 1],
  unit: 'share',
  interval: 'bootstrap',
  on: (sample) => (weights) => {
    const { hits, actual } = talliesOf(sample, weights);
    let sum = 0;
    let classes = 0;
    for (const [index, rows] of actual.entries()) {
      if (rows === 0) continue;
      sum += (hits[index] ?? 0) / rows;
      classes++;
    }
    return sum / classes;
  },
};
