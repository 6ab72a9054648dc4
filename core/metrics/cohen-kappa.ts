import type { KappaWeights, LabelMetric, RowWeights } from './metric.ts';
import type { LabelSample } from './sample.ts';
import { type Tallies, talliesOf } from './tallies.ts';

/**
 * How far prediction and truth agree beyond what their margins would by chance: 1 − observed over expected disagreement. `weights` says how
 * much a disagreement counts by how many classes of the sorted list lie between: not at all, in proportion (`linear`), squared
 * (`quadratic`). NaN where everything is of one class, and predicted so. scikit-learn's `cohen_kappa_score`.
 * Source: J. Cohen, Educ. Psychol. Meas. 20 (1960); Psychol. Bull. 70 (1968) for the weights.
 */
export const cohenKappa: LabelMetric = {
  name: 'cohen_kappa',
  task: 'classification',
  better: 'higher',
  needs: 'labels',
  range: [-1, 1],
  unit: 'none',
  interval: 'bootstrap',
  on: (sample, options) => (weights) => {
    const tallies = talliesOf(sample, weights);
    return 1 - observed(sample, weights, options?.weights) / (expected(tallies, options?.weights) / tallies.total);
  },
};

function observed(sample: LabelSample, weights: RowWeights | undefined, kind: KappaWeights | undefined): number {
  let sum = 0;
  for (let row = 0; row < sample.actual.length; row++) {
    const apart = Math.abs((sample.actual[row] ?? 0) - (sample.predicted[row] ?? 0));
    const counts = kind === 'quadratic' ? apart * apart : kind === 'linear' ? apart : Math.min(1, apart);
    sum += counts * (weights === undefined ? 1 : (weights[row] ?? 0));
  }
  return sum;
}

/** The same over all pairs of an actual and a predicted class, without the pairs: of many classes those would be too many. */
function expected({ actual, predicted, total }: Tallies, kind: KappaWeights | undefined): number {
  const sum = (term: (index: number) => number) => actual.reduce((all, _, index) => all + term(index), 0);
  const is = (index: number) => actual[index] ?? 0;
  const says = (index: number) => predicted[index] ?? 0;
  if (kind === undefined) return total * total - sum((index) => is(index) * says(index));
  if (kind === 'quadratic') {
    const squares = sum((index) => index * index * (is(index) + says(index)));
    return squares * total - 2 * sum((index) => index * is(index)) * sum((index) => index * says(index));
  }
  // |i − j| counts the borders between i and j: for each border, the pairs on either side of it.
  let [isBelow, saysBelow, apart] = [0, 0, 0];
  for (let border = 0; border < actual.length; border++) {
    isBelow += is(border);
    saysBelow += says(border);
    apart += isBelow * (total - saysBelow) + (total - isBelow) * saysBelow;
  }
  return apart;
}
