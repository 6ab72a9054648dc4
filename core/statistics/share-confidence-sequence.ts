import type { Interval } from './interval.ts';
import { logBeta } from './log-gamma.ts';
import { logThreshold } from './tolerance-grid.ts';

/**
 * An interval for a share (agreement with the shadow, a mean of values in [0, 1]) that holds at all looks at once: the truth leaves it
 * ever with chance at most `alpha`. Only the sums matter, so it can be had again at any time. `sum` may be fractional.
 * Ratio of likelihoods with Jeffreys' prior, Beta(1/2, 1/2), mixed over the numerator: H. Robbins, "Statistical methods related to the
 * law of the iterated logarithm", Annals of Mathematical Statistics 41 (1970). It is a martingale for Bernoulli trials and, because
 * (p'/p)^x ((1-p')/(1-p))^(1-x) is convex in x, a supermartingale for any values in [0, 1] of that mean (Waudby-Smith and Ramdas 2024,
 * see `two-arm-bet.ts`). `level` of the interval is 1 - alpha for both bounds together. Throws a `RangeError` for a sum outside
 * [0, trials] or an alpha outside (0, 1). With no trials it is [0, 1].
 */
export function shareConfidenceSequence(sum: number, trials: number, alpha: number): Interval {
  const threshold = logThreshold(alpha);
  if (!(sum >= 0 && sum <= trials && Number.isFinite(trials))) {
    throw new RangeError(`a sum of ${sum} over ${trials} trials is not a share`);
  }
  const estimate = trials > 0 ? sum / trials : 0.5;
  const mixture = logBeta(sum + 0.5, trials - sum + 0.5) - logBeta(0.5, 0.5);
  const evidenceAgainst = (share: number): number =>
    mixture - (sum > 0 ? sum * Math.log(share) : 0) - (sum < trials ? (trials - sum) * Math.log1p(-share) : 0);
  return {
    estimate,
    lower: sum === 0 ? 0 : crossing(estimate, 0, (share) => evidenceAgainst(share) < threshold),
    upper: sum === trials ? 1 : crossing(estimate, 1, (share) => evidenceAgainst(share) < threshold),
    level: 1 - alpha,
    method: 'beta-binomial confidence sequence',
    n: trials,
  };
}

/** Where `holds` ends between the estimate, where it holds, and the end; on the outer side. The evidence is convex: there is one place. */
function crossing(estimate: number, end: number, holds: (share: number) => boolean): number {
  let inside = estimate;
  let outside = end;
  for (let step = 0; step < 60; step++) {
    const middle = (inside + outside) / 2;
    if (holds(middle)) inside = middle;
    else outside = middle;
  }
  return outside;
}
