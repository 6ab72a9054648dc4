import type { LabelMetric } from './metric.ts';
import { rankedClasses, ranking } from './probabilities.ts';

/**
 * The area under the precision-recall curve as the step sum Σ (R_n − R_{n−1}) P_n, without interpolation. Several classes: each against
 * the rest, macro average. NaN when a class has no rows (scikit-learn warns and gives 0; no judgement should rest on that).
 */
export const averagePrecision: LabelMetric = {
  name: 'average_precision',
  task: 'classification',
  better: 'higher',
  needs: 'probabilities',
  range: [0, 1],
  unit: 'none',
  interval: 'bootstrap',
  on(sample) {
    const rankings = rankedClasses(sample).map((index) => ranking(sample, index));
    return (weights) => {
      let sum = 0;
      for (const { positives, negatives, weigh } of rankings) {
        weigh(weights);
        let found = 0;
        let seen = 0;
        let area = 0;
        for (let step = 0; step < positives.length; step++) {
          const more = positives[step] ?? 0;
          found += more;
          seen += more + (negatives[step] ?? 0);
          if (more > 0) area += (more * found) / seen;
        }
        sum += area / found;
      }
      return sum / rankings.length;
    };
  },
};
