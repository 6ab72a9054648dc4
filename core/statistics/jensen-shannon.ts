import { sharesOf, sumOverBins } from './floored-shares.ts';

/**
 * Jensen-Shannon distance of counts by bin: the root of the divergence in nats, from 0 to the root of ln 2 (0.8326). SciPy's
 * `jensenshannon` and Evidently's; TFDV's number of this name is the divergence in bits.
 * Source: D. Endres, J. Schindelin, "A new metric for probability distributions", IEEE Trans. Inf. Theory 49 (2003).
 */
export function jensenShannonDistance(reference: ArrayLike<number>, current: ArrayLike<number>): number {
  const divergence = sumOverBins(sharesOf(reference), sharesOf(current), (q, p) => {
    const mean = (p + q) / 2;
    return (relative(p, mean) + relative(q, mean)) / 2;
  });
  // Rounding can leave equal shares a hair below 0.
  return Math.sqrt(Math.max(0, divergence));
}

function relative(share: number, mean: number): number {
  return share === 0 ? 0 : share * Math.log(share / mean);
}
