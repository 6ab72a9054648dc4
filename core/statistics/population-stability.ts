import { flooredShares, sumOverBins } from './floored-shares.ts';

/**
 * Population stability index of counts by bin: the sum of (p - q) ln(p / q), with shares of at least 0.0001. Symmetric, 0 when the shares
 * are equal. By convention: below 0.1 little, above 0.2 (some say 0.25) much.
 * Source: N. Siddiqi, "Credit Risk Scorecards" (2006); with the same floor as Evidently's.
 */
export function populationStabilityIndex(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  return sumOverBins(flooredShares(reference), flooredShares(current), (q, p) => (p - q) * Math.log(p / q));
}
