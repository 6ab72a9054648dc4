/** The quantile of a sample at a share from 0 to 1, between neighbours on a straight line; NaN of an empty one. */
export function quantile(sample: readonly number[], share: number): number {
  const sorted = sample.toSorted((one, other) => one - other);
  const position = share * (sorted.length - 1);
  const [low = Number.NaN, high = low] = sorted.slice(Math.floor(position), Math.floor(position) + 2);
  return low + (high - low) * (position - Math.floor(position));
}

export function median(sample: readonly number[]): number {
  return quantile(sample, 0.5);
}
