import type { LabelMetric } from './metric.ts';
import { talliesOf } from './tallies.ts';

/**
 * Matthews' correlation of actual and predicted class, for any number of classes (Gorodkin's R_K); 0 when one side is constant.
 * Source: J. Gorodkin, Comput. Biol. Chem. 28 (2004).
 */
export const matthewsCorrcoef: LabelMetric = {
  name: 'matthews_corrcoef',
  task: 'classification',
  better: 'higher',
  needs: 'labels',
  range: [-1, 1],
  unit: 'none',
  interval: 'bootstrap',
  on: (sample) => (weights) => {
    const { hits, actual, predicted, total } = talliesOf(sample, weights);
    let right = 0;
    let crossed = 0;
    let predictedSquares = 0;
    let actualSquares = 0;
    for (const [index, count] of hits.entries()) {
      const is = actual[index] ?? 0;
      const says = predicted[index] ?? 0;
      right += count;
      crossed += is * says;
      predictedSquares += says * says;
      actualSquares += is * is;
    }
    const spread = (total * total - predictedSquares) * (total * total - actualSquares);
    if (total === 0) return Number.NaN;
    return spread <= 0 ? 0 : (right * total - crossed) / Math.sqrt(spread);
  },
};
