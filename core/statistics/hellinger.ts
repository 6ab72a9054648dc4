import { sharesOf, sumOverBins } from './floored-shares.ts';

/**
 * Hellinger distance of counts by bin, from 0 (equal) to 1 (nothing in common).
 * Source: E. Hellinger, J. reine angew. Math. 136 (1909); in the form of Evidently's.
 */
export function hellingerDistance(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const squares = sumOverBins(
    sharesOf(reference),
    sharesOf(current),
    (q, p) => (Math.sqrt(p) - Math.sqrt(q)) * (Math.sqrt(p) - Math.sqrt(q)),
  );
  return Math.sqrt(squares / 2);
}
