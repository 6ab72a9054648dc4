import { termsOf } from './errors.ts';
import { meanOf } from './mean.ts';
import type { ValueMetric } from './metric.ts';

/**
 * The share of the target's variance that the predictions explain; negative when they are worse than the mean. A constant target: 1 when
 * every prediction is exact, else 0 (scikit-learn's `force_finite`). NaN for fewer than two rows.
 */
export const r2: ValueMetric = {
  name: 'r2',
  task: 'regression',
  better: 'higher',
  needs: 'values',
  range: [Number.NEGATIVE_INFINITY, 1],
  unit: 'none',
  interval: 'bootstrap',
  on(sample) {
    const mean = meanOf(sample.actual);
    const errors = termsOf(sample, (actual, predicted) => (actual - predicted) ** 2);
    return (weights) => {
      if (sample.actual.length < 2) return Number.NaN;
      // Around the mean of these very rows: a sum of squares less a square of the sum would lose the digits.
      const centre = mean(weights);
      let unexplained = 0;
      let total = 0;
      // Whether the target is constant is asked of the values, not of `total`: the mean of many 0.1 is not quite 0.1.
      let lowest = Number.POSITIVE_INFINITY;
      let highest = Number.NEGATIVE_INFINITY;
      for (let row = 0; row < errors.length; row++) {
        const weight = weights === undefined ? 1 : (weights[row] ?? 0);
        if (weight === 0) continue;
        const actual = sample.actual[row] ?? Number.NaN;
        lowest = Math.min(lowest, actual);
        highest = Math.max(highest, actual);
        unexplained += weight * (errors[row] ?? Number.NaN);
        total += weight * (actual - centre) ** 2;
      }
      if (Number.isNaN(unexplained) || Number.isNaN(total)) return Number.NaN;
      if (lowest >= highest) return unexplained === 0 ? 1 : 0;
      return 1 - unexplained / total;
    };
  },
  influence(sample) {
    const errors = termsOf(sample, (actual, predicted) => (actual - predicted) ** 2);
    const centre = meanOf(sample.actual)();
    const squares = sample.actual.map((actual) => (actual - centre) ** 2);
    const unexplained = meanOf(errors)();
    const total = meanOf(squares)();
    return errors.map((error, row) => ((squares[row] ?? 0) * unexplained) / total ** 2 - error / total);
  },
};
