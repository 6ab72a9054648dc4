import type { Measure } from './metric.ts';

/** The weighted mean of one term a row; NaN over no rows. */
export function meanOf(terms: Float64Array): Measure {
  return (weights) => {
    let sum = 0;
    if (weights === undefined) {
      for (let row = 0; row < terms.length; row++) sum += terms[row] ?? 0;
      return sum / terms.length;
    }
    let total = 0;
    for (let row = 0; row < terms.length; row++) {
      const weight = weights[row] ?? 0;
      sum += weight * (terms[row] ?? 0);
      total += weight;
    }
    return sum / total;
  };
}

/** The influence of each row on the mean of the terms, or on a function of the mean with this slope there. */
export function influenceOnMean(terms: Float64Array, slope = 1): Float64Array {
  const mean = meanOf(terms)();
  return terms.map((term) => slope * (term - mean));
}
