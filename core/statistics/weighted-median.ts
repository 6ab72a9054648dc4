import { ascendingOrder } from './ascending-order.ts';

/**
 * The median of values that each count `weights[i]` times (whole numbers); the mean of the middle two for an even count, as
 * NumPy's. Looks at the values once, so that many weightings are cheap. NaN when nothing counts.
 */
export function weightedMedian(values: ArrayLike<number>): (weights?: ArrayLike<number>) => number {
  const order = ascendingOrder(values);
  return (weights) => {
    let total = weights === undefined ? values.length : 0;
    if (weights !== undefined) for (let index = 0; index < values.length; index++) total += weights[index] ?? 0;
    if (total === 0) return Number.NaN;
    let seen = 0;
    let lower = Number.NaN;
    for (const index of order) {
      seen += weights === undefined ? 1 : (weights[index] ?? 0);
      const value = values[index] ?? Number.NaN;
      if (Number.isNaN(lower) && seen * 2 >= total) {
        lower = value;
        if (seen * 2 > total) return value;
      } else if (seen * 2 > total) {
        return (lower + value) / 2;
      }
    }
    return lower;
  };
}
