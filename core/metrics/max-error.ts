import { termsOf } from './errors.ts';
import type { ValueMetric } from './metric.ts';

/**
 * The largest absolute error. Of these rows, exactly: no resampling of them can say how large an error of a row not seen would be, so it
 * carries no interval.
 */
export const maxError: ValueMetric = {
  name: 'max_error',
  task: 'regression',
  better: 'lower',
  needs: 'values',
  range: [0, Number.POSITIVE_INFINITY],
  unit: 'target',
  interval: 'exact',
  on(sample) {
    const errors = termsOf(sample, (actual, predicted) => Math.abs(actual - predicted));
    return (weights) => {
      let largest = Number.NaN;
      for (let row = 0; row < errors.length; row++) {
        const error = errors[row] ?? Number.NaN;
        if (weights !== undefined && weights[row] === 0) continue;
        if (Number.isNaN(error)) return Number.NaN;
        if (!(error <= largest)) largest = error;
      }
      return largest;
    };
  },
};
