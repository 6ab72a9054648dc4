/** The `probability`-quantile of ascending values, linear between neighbours: NumPy's default, Hyndman and Fan's type 7. */
export function quantileOfSorted(sorted: ArrayLike<number>, probability: number): number {
  if (sorted.length === 0) return Number.NaN;
  const position = (sorted.length - 1) * probability;
  const below = Math.floor(position);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  const share = position - below;
  // Not low + share * (high - low) alone: infinite neighbours that are equal must not become NaN.
  return share === 0 || low === high ? low : low + share * (high - low);
}
