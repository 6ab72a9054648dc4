import { type CountedSamples, totalOf } from './counted-samples.ts';

/**
 * The first Wasserstein (earth mover's) distance: the area between the two distribution functions, in the values' own unit. SciPy's
 * `wasserstein_distance`. Throws a `RangeError` when one of the samples is empty.
 */
export function wassersteinDistance({ values, reference, current }: CountedSamples): number {
  const [n, m] = [totalOf(reference), totalOf(current)];
  if (n === 0 || m === 0) throw new RangeError('a sample without values is at no distance from another');
  let [below, belowCurrent, area] = [0, 0, 0];
  for (let index = 0; index + 1 < values.length; index++) {
    below += reference[index] ?? 0;
    belowCurrent += current[index] ?? 0;
    area += Math.abs(below / n - belowCurrent / m) * ((values[index + 1] ?? 0) - (values[index] ?? 0));
  }
  return area;
}
