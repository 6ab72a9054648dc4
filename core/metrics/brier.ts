import { meanOf } from './mean.ts';
import type { LabelMetric } from './metric.ts';
import { probabilitiesOf, scoresOf } from './probabilities.ts';

/**
 * The mean squared error of the probabilities. Two classes: of the positive class's, in [0, 1]. More: summed over the classes, in
 * [0, 2], which is scikit-learn 1.9's `scale_by_half="auto"`.
 */
export const brier: LabelMetric = {
  name: 'brier',
  task: 'classification',
  better: 'lower',
  needs: 'probabilities',
  range: [0, 2],
  unit: 'none',
  interval: 'bootstrap',
  on(sample) {
    const width = sample.classes.length;
    if (width === 2) {
      const positive = sample.positive ?? 1;
      return meanOf(
        scoresOf(sample, positive).map((score, row) => (score - (sample.actual[row] === positive ? 1 : 0)) ** 2),
      );
    }
    const probabilities = probabilitiesOf(sample);
    return meanOf(
      Float64Array.from(sample.actual, (actual, row) => {
        let sum = 0;
        for (let index = 0; index < width; index++) {
          sum += ((probabilities[row * width + index] ?? Number.NaN) - (index === actual ? 1 : 0)) ** 2;
        }
        return sum;
      }),
    );
  },
};
