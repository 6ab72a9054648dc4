import type { Interval } from './interval.ts';
import { assertLevel } from './level.ts';
import { normalQuantile } from './normal.ts';

/**
 * Wilson's score interval of a proportion: never outside [0, 1], honest at 0 of n and n of n, and good from about ten
 * trials on, where the textbook `p ± z·sqrt(p(1-p)/n)` is not.
 * Source: E. B. Wilson, "Probable inference, the law of succession, and statistical inference", JASA 22 (1927).
 * Throws a `RangeError` unless `0 <= successes <= trials` and `trials >= 1`.
 */
export function wilsonInterval(successes: number, trials: number, level: number): Interval {
  assertLevel(level);
  if (!(trials >= 1 && successes >= 0 && successes <= trials)) {
    throw new RangeError(`${successes} successes of ${trials} trials is not a proportion`);
  }
  const z = normalQuantile(level);
  const estimate = successes / trials;
  const scale = 1 + (z * z) / trials;
  const centre = (estimate + (z * z) / (2 * trials)) / scale;
  const half = (z / scale) * Math.sqrt((estimate * (1 - estimate)) / trials + (z * z) / (4 * trials * trials));
  return {
    estimate,
    // At the ends the bound is exact; rounding must not put it a hair beyond the estimate.
    lower: successes === 0 ? 0 : Math.min(estimate, Math.max(0, centre - half)),
    upper: successes === trials ? 1 : Math.max(estimate, Math.min(1, centre + half)),
    level,
    method: 'Wilson',
    n: trials,
  };
}
