import type { Interval } from './interval.ts';
import { quantileOfSorted } from './quantile.ts';
import { resample } from './resample.ts';

/** How far two samples, counted by the same bins, are apart; never below 0. */
export type Distance = (reference: Float64Array, current: Float64Array) => number;

export interface DriftIntervalOptions {
  /** One-sided, of each bound. */
  readonly level: number;
  /** The digest of the data: the same data gives the same interval. */
  readonly seed: string;
  /** @default 1000 */
  readonly resamples?: number;
  /**
   * The scale on which chance adds to the distance what it adds to that of resamples: `plain` for divergences (PSI, Kullback-Leibler), which
   * grow with the square of a difference; `square` for distances, which grow with the difference itself.
   */
  readonly scale: 'plain' | 'square';
}

/**
 * The distance of what two samples were drawn from, with bounds. A distance of samples is too large, since chance alone sets them apart
 * (ten bins of 100 rows on each side have a PSI of about 0.2 without any drift); how much, is seen when samples are drawn from the samples:
 * their distance exceeds that of the samples as that exceeds the truth. So the estimate is lessened by what the resamples are too large,
 * and the bounds are mirrored at it (the basic bootstrap); none is below 0, and the upper one not below the samples' own distance, to which chance
 * has only added. Both samples are redrawn, each at its size. Bins of fewer than about
 * five rows make it unreliable.
 * Source: A. Davison, D. Hinkley, "Bootstrap Methods and their Application" (1997), sections 2.1 and 5.2.
 */
export function driftInterval(
  reference: ArrayLike<number>,
  current: ArrayLike<number>,
  distance: Distance,
  { level, seed, resamples = 1000, scale }: DriftIntervalOptions,
): Interval {
  const bins = reference.length;
  const weights = Float64Array.from([...Array.from(reference), ...Array.from(current)]);
  const strata = Int32Array.from(weights, (_, index) => (index < bins ? 0 : 1));
  const statistic = (drawn: Float64Array): number => {
    const found = distance(drawn.subarray(0, bins), drawn.subarray(bins));
    return scale === 'square' ? found * found : found;
  };
  const [values = new Float64Array()] = resample({ weights, strata, seed, resamples }, [statistic]);
  const sorted = values.sort();
  const observed = statistic(weights);
  const doubled = 2 * observed;
  const mean = sorted.reduce((sum, value) => sum + value, 0) / sorted.length;
  const onScale = (value: number): number => {
    const kept = Math.max(0, value);
    return scale === 'square' ? Math.sqrt(kept) : kept;
  };
  const estimate = onScale(doubled - mean);
  return {
    estimate,
    lower: Math.min(estimate, onScale(doubled - quantileOfSorted(sorted, level))),
    upper: Math.max(onScale(observed), onScale(doubled - quantileOfSorted(sorted, 1 - level))),
    level,
    method: `two-sample basic bootstrap (${resamples} resamples)`,
    n: weights.reduce((sum, weight) => sum + weight, 0),
  };
}
