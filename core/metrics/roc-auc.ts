import { delong } from '../statistics/index.ts';
import type { LabelMetric } from './metric.ts';
import { isClass, rankedClasses, ranking, scoresOf } from './probabilities.ts';

/**
 * The area under the ROC curve: the chance that a row of the class scores above a row that is not, ties counting half. Several classes:
 * each against the rest, macro average (scikit-learn's `multi_class="ovr"`). NaN when a class has no rows.
 */
export const rocAuc: LabelMetric = {
  name: 'roc_auc',
  task: 'classification',
  better: 'higher',
  needs: 'probabilities',
  range: [0, 1],
  unit: 'none',
  interval: 'delong',
  on(sample) {
    const rankings = rankedClasses(sample).map((index) => ranking(sample, index));
    return (weights) => {
      let sum = 0;
      for (const { positives, negatives, weigh } of rankings) {
        weigh(weights);
        let wins = 0;
        let above = 0;
        let others = 0;
        for (let step = 0; step < positives.length; step++) {
          const more = positives[step] ?? 0;
          wins += (negatives[step] ?? 0) * (above + more / 2);
          above += more;
          others += negatives[step] ?? 0;
        }
        sum += wins / (above * others);
      }
      return sum / rankings.length;
    };
  },
  curve(sample) {
    const curves = rankedClasses(sample).map((index) => delong(isClass(sample, index), scoresOf(sample, index)));
    // Each row has a part in every class's area: the mean of its influences is its influence on the macro average.
    const influence = new Float64Array(sample.actual.length);
    for (const curve of curves) {
      for (let row = 0; row < influence.length; row++) {
        influence[row] = (influence[row] ?? 0) + (curve.influence[row] ?? 0) / curves.length;
      }
    }
    return {
      area: curves.reduce((sum, { area }) => sum + area, 0) / curves.length,
      influence,
      rarer: Math.min(...curves.map(({ rarer }) => rarer)),
    };
  },
};
