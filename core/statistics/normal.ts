import cdf from '@stdlib/stats-base-dists-normal-cdf';
import quantile from '@stdlib/stats-base-dists-normal-quantile';

/** The value a standard normal variable stays below with chance `probability` (in (0, 1)). */
export function normalQuantile(probability: number): number {
  return quantile(probability, 0, 1);
}

/** The chance that a standard normal variable stays at or below `value`. */
export function normalCdf(value: number): number {
  return cdf(value, 0, 1);
}
