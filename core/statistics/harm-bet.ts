import { type Bet, betAgainst, gainOf, type Prediction, type Tolerance, timesOdds } from './two-arm-bet.ts';
import type { WindowCounts } from './window-counts.ts';

/**
 * What a window adds to the logarithm of the evidence that the canary is **worse** than the tolerance allows, staked on odds
 * `multiplier` times those of the boundary. 0 if no bet can be made.
 */
export function harmGain(
  window: WindowCounts,
  tolerance: Tolerance,
  multiplier: number,
  prediction: Prediction,
): number {
  const { canary, baseline } = window;
  const boundary = tolerance.ratio * prediction.rate + tolerance.difference;
  if (!(boundary < 1)) return 0;
  const bet = betAgainst(
    tolerance,
    canary.requests,
    baseline.requests,
    { multiplier, suspectRate: timesOdds(boundary, multiplier), referenceRate: prediction.rate },
    { variance: prediction.variance, nullReferenceRate: prediction.rate },
  );
  return gain(bet, canary.requests, canary.errors, baseline.requests, baseline.errors);
}

/**
 * The opposite: what a window adds to the evidence that the canary is **better** than the tolerance (the null is rate(canary) >=
 * ratio * rate(baseline) + difference), staked on its odds being the boundary's divided by `multiplier`. The same bet with the arms
 * exchanged: rate(baseline) <= (rate(canary) - difference) / ratio. `tolerance.ratio` must be above 0.
 */
export function noHarmGain(
  window: WindowCounts,
  tolerance: Tolerance,
  multiplier: number,
  prediction: Prediction,
): number {
  const { canary, baseline } = window;
  const { ratio, difference } = tolerance;
  const boundary = Math.min(highestBoundary, Math.max(0, ratio * prediction.rate + difference));
  const bet = betAgainst(
    { ratio: 1 / ratio, difference: difference === 0 ? 0 : -difference / ratio },
    baseline.requests,
    canary.requests,
    { multiplier, suspectRate: prediction.rate, referenceRate: timesOdds(boundary, 1 / multiplier) },
    { variance: prediction.variance, nullReferenceRate: boundary },
  );
  return gain(bet, baseline.requests, baseline.errors, canary.requests, canary.errors);
}

/** A looser tolerance than this share of errors is met by all; the stakes are set as if it were this. */
const highestBoundary = 0.95;

function gain(bet: Bet | undefined, suspects: number, errors: number, references: number, others: number): number {
  return bet === undefined ? 0 : gainOf(bet, suspects, errors, references, others);
}
