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

/** The weighted mean of one term a row; of each row once without holding the terms. NaN over no rows. */
export function meanOfTerms(rows: number, term: (row: number) => number): Measure {
  let weighed: Measure | undefined;
  return (weights) => {
    if (weights !== undefined) {
      weighed ??= meanOf(termsOf(rows, term));
      return weighed(weights);
    }
    let sum = 0;
    for (let row = 0; row < rows; row++) sum += term(row);
    return sum / rows;
  };
}

/** The influence of each row on the mean of its terms, or on a function of the mean with this slope there. */
export function influenceOnMeanOfTerms(
  rows: number,
  term: (row: number) => number,
  slopeAt: (mean: number) => number = () => 1,
): Float64Array {
  const terms = termsOf(rows, term);
  const mean = meanOf(terms)();
  const slope = slopeAt(mean);
  for (let row = 0; row < rows; row++) terms[row] = slope * ((terms[row] ?? Number.NaN) - mean);
  return terms;
}

function termsOf(rows: number, term: (row: number) => number): Float64Array {
  const terms = new Float64Array(rows);
  for (let row = 0; row < rows; row++) terms[row] = term(row);
  return terms;
}
