/**
 * q-values: for each p-value the smallest false-discovery rate at which it would be called a discovery. Keeps the order of the
 * input. Source: Y. Benjamini, Y. Hochberg, J. R. Statist. Soc. B 57 (1995).
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  if (pValues.some((p) => !(p >= 0 && p <= 1))) throw new RangeError('a p-value must be in [0, 1]');
  const ascending = pValues
    .map((_, index) => index)
    .sort((left, right) => (pValues[left] ?? 0) - (pValues[right] ?? 0));
  const q = new Array<number>(pValues.length).fill(1);
  let smallest = 1;
  for (let rank = ascending.length; rank >= 1; rank--) {
    const index = ascending[rank - 1] ?? 0;
    smallest = Math.min(smallest, ((pValues[index] ?? 1) * ascending.length) / rank);
    q[index] = smallest;
  }
  return q;
}
