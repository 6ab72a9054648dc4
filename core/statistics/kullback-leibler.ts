import { flooredShares, sumOverBins } from './floored-shares.ts';

/**
 * Kullback-Leibler divergence of the current counts from the reference's, in nats: the sum of p ln(p / q), with shares of at least 0.0001
 * (which can make it slightly negative).
 * Source: S. Kullback, R. Leibler, Ann. Math. Statist. 22 (1951).
 */
export function kullbackLeiblerDivergence(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  return sumOverBins(flooredShares(reference), flooredShares(current), (q, p) => p * Math.log(p / q));
}
