import { influenceOnMeanOfTerms, meanOfTerms } from './mean.ts';
import type { LabelMetric } from './metric.ts';
import { probabilitiesOf } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

/**
 * The mean of −log(probability given to the row's own class), natural logarithm. As scikit-learn for double precision: probabilities are
 * clipped to [ε, 1 − ε] with ε = 2⁻⁵², and are not rescaled to sum to 1.
 */
export const logLoss: LabelMetric = {
  name: 'log_loss',
  task: 'classification',
  better: 'lower',
  needs: 'probabilities',
  range: [0, Number.POSITIVE_INFINITY],
  unit: 'none',
  interval: 'bootstrap',
  on: (sample) => meanOfTerms(sample.actual.length, lossOf(sample)),
  influence: (sample) => influenceOnMeanOfTerms(sample.actual.length, lossOf(sample)),
};

function lossOf(sample: LabelSample): (row: number) => number {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  return (row) => {
    const probability = probabilities[row * width + (sample.actual[row] ?? 0)] ?? Number.NaN;
    return -Math.log(Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, probability)));
  };
}
