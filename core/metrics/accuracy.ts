import type { LabelMetric } from './metric.ts';
import { pairedHits, talliesOf } from './tallies.ts';

/** The share of rows whose class is predicted right. */
export const accuracy: LabelMetric = {
  name: 'accuracy',
  task: 'classification',
  better: 'higher',
  needs: 'labels',
  range: [0, 1],
  unit: 'share',
  interval: 'wilson',
  on: (sample) => (weights) => {
    const { hits, total } = talliesOf(sample, weights);
    return hits.reduce((sum, count) => sum + count, 0) / total;
  },
  proportion(sample) {
    const { hits, total } = talliesOf(sample);
    return { successes: hits.reduce((sum, count) => sum + count, 0), trials: total };
  },
  paired: (candidate, baseline) => pairedHits(candidate, baseline),
};
