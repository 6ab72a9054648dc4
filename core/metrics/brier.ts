import { influenceOnMeanOfTerms, meanOfTerms } from './mean.ts';
import type { LabelMetric } from './metric.ts';
import { probabilitiesOf } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

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
  on: (sample) => meanOfTerms(sample.actual.length, squareOf(sample)),
  influence: (sample) => influenceOnMeanOfTerms(sample.actual.length, squareOf(sample)),
};

function squareOf(sample: LabelSample): (row: number) => number {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  const positive = sample.positive ?? 1;
  return (row) => {
    const own = sample.actual[row] ?? 0;
    if (width === 2) return ((probabilities[row * 2 + positive] ?? Number.NaN) - (own === positive ? 1 : 0)) ** 2;
    let sum = 0;
    for (let index = 0; index < width; index++) {
      sum += ((probabilities[row * width + index] ?? Number.NaN) - (index === own ? 1 : 0)) ** 2;
    }
    return sum;
  };
}
