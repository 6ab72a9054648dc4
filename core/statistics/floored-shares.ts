/**
 * The least share a bin is taken to have where a logarithm is taken of it: an empty one would make every divergence infinite. Evidently's
 * 0.0001, and that of the drift recorded by `core/telemetry`.
 */
export const leastShare = 0.0001;

/**
 * Each count as a share of all, but at least `leastShare`. The shares are not made to sum to one again, as nobody's PSI does.
 * Throws a `RangeError` when there is nothing to take a share of.
 */
export function flooredShares(counts: ArrayLike<number>): Float64Array {
  return sharesOf(counts).map((share) => Math.max(leastShare, share));
}

/** Each count as a share of all. Throws a `RangeError` when there is nothing to take a share of, or a count is none. */
export function sharesOf(counts: ArrayLike<number>): Float64Array {
  let total = 0;
  for (let bin = 0; bin < counts.length; bin++) {
    const count = counts[bin] ?? Number.NaN;
    if (!(count >= 0 && Number.isFinite(count))) throw new RangeError(`${count} is no count`);
    total += count;
  }
  if (total === 0) throw new RangeError('there are no counts to take shares of');
  return Float64Array.from(counts, (count) => count / total);
}

/** The sum of a term over the bins of two distributions. Throws a `RangeError` when they have different bins. */
export function sumOverBins(
  reference: Float64Array,
  current: Float64Array,
  term: (reference: number, current: number) => number,
): number {
  if (reference.length !== current.length) {
    throw new RangeError(`${reference.length} bins of the reference cannot be held against ${current.length}`);
  }
  let sum = 0;
  for (let bin = 0; bin < reference.length; bin++) sum += term(reference[bin] ?? 0, current[bin] ?? 0);
  return sum;
}
