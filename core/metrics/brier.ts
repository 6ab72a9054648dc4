import { influenceOnMean, meanOf } from './mean.ts';
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
  on: (sample) => meanOf(squaresOf(sample)),
  influence: (sample) => influenceOnMean(squaresOf(sample)),
};

function squaresOf(sample: LabelSample): Float64Array {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  const squares = new Float64Array(sample.actual.length);
  const positive = sample.positive ?? 1;
  for (let row = 0; row < squares.length; row++) {
    const actual = sample.actual[row] ?? 0;
    if (width === 2) {
      squares[row] = ((probabilities[row * width + positive] ?? Number.NaN) - (actual === positive ? 1 : 0)) ** 2;
      continue;
    }
    let sum = 0;
    for (let index = 0; index < width; index++) {
      sum += ((probabilities[row * width + index] ?? Number.NaN) - (index === actual ? 1 : 0)) ** 2;
    }
    squares[row] = sum;
  }
  return squares;
}
