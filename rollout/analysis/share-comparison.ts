import {
  type ArmCounts,
  addCounts,
  estimateNoise,
  type NoiseEstimate,
  type NoiseRecord,
  noNoiseRecord,
  recordNoise,
  shareConfidenceSequence,
  type WindowCounts,
} from '../../core/statistics/index.ts';

/**
 * Two arms' shares (of errors, of slow requests) side by side, for the effect that people read. Sums over windows, in the manner of Mantel and
 * Haenszel: weights that change together with the baseline's rate are no difference between the arms.
 */
export interface ShareComparison {
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
  /** Over windows: e_c * n_b / n, e_b * n_c / n, n_c * n_b / n. */
  readonly canaryCross: number;
  readonly baselineCross: number;
  readonly requestsCross: number;
  /** The baseline against itself. */
  readonly noise: NoiseRecord;
}

const none: ArmCounts = { requests: 0, errors: 0 };
export const noComparison: ShareComparison = {
  canary: none,
  baseline: none,
  canaryCross: 0,
  baselineCross: 0,
  requestsCross: 0,
  noise: noNoiseRecord,
};

export function compared(before: ShareComparison, { canary, baseline }: WindowCounts): ShareComparison {
  const all = canary.requests + baseline.requests;
  if (canary.requests === 0 || baseline.requests === 0) return before;
  return {
    canary: addCounts(before.canary, canary),
    baseline: addCounts(before.baseline, baseline),
    canaryCross: before.canaryCross + (canary.errors * baseline.requests) / all,
    baselineCross: before.baselineCross + (baseline.errors * canary.requests) / all,
    requestsCross: before.requestsCross + (canary.requests * baseline.requests) / all,
    noise: before.noise,
  };
}

export function withNoise(before: ShareComparison, baseline: ArmCounts): ShareComparison {
  return { ...before, noise: recordNoise(before.noise, baseline) };
}

export function noiseOf({ noise }: ShareComparison): NoiseEstimate {
  return estimateNoise(noise);
}

/** Fewer events of the baseline say nothing of their noise: what is measured over next to nothing has a bound without end. */
const fewestEvents = 20;
/** As `estimateNoise` presumes noise until there are windows to judge by, fading with their cube. */
const presumedWindows = 120;

/**
 * The noise on a share that cannot jump as error rates do. `estimateNoise` presumes, until it has seen enough, that a rate now and then doubles
 * for half a minute; half of all requests that are slow, or of one class, cannot. Presumed is a variance of `presumed` instead.
 *
 * The variance v is relative to the baseline's rate, and the bets charge it on all that is tolerated, rate + increase, though it was measured on
 * the rate. It is not scaled by rate / (rate + increase), dear as that is where the increase is many times the rate. Let the canary's share be
 * a * gamma + b, gamma of mean 1 and variance v. A stake x makes exp(n x b) * (1 - v n x a)^(-1/v) of n requests (`two-arm-bet.ts`). From
 * -log(1 - z) >= z follows:
 * - of all a + b = rate + increase it is greatest at b = 0, where everything fluctuates. That is what is charged, and what holds for all.
 * - scaled, the suspect's factor covers a = rate, b = increase: a canary that fluctuates by no more than the baseline does.
 * - it does not cover one that is slower by a constant factor, within its tolerance. Log-normal latencies whose scale fluctuates have a share above
 *   an edge that varies in proportion to the normal hazard: from 5 to 6 % slow requests v falls to 0.93 of what it was; scaling says 0.83.
 *
 * At the boundary, with gamma noise of v = 0.5 on 5 + 1 % and windows of 25 and 475 requests, the logarithm of a scaled bet's mean (odds of 1.9) is
 * 0.013 a window, hence 9.5 over 720 of them: no e-process. Unscaled it is -0.002.
 */
export function calmNoise(record: NoiseRecord, presumed: number): NoiseEstimate {
  const estimate = estimateNoise(record);
  const { windows, total } = record;
  if (windows === 0 || !Number.isFinite(estimate.upperInflation)) return estimate;
  if (total.errors < fewestEvents) return { ...estimate, variance: presumed };
  const perWindow = (total.requests / windows) * estimate.rate;
  const measured = ((estimate.upperInflation - 1) * (1 - estimate.rate)) / perWindow;
  return { ...estimate, variance: Math.max(measured, presumed * Math.min(1, (presumedWindows / windows) ** 3)) };
}

/** As `estimateNoise` presumes of errors, until it has seen enough; and what is presumed for good where there is next to nothing to see. */
const presumedOfErrors = { atFirst: 4.5, atLeast: 0.5 };

/**
 * The noise for a tolerance that allows so many errors more, not so many times as many. Of a baseline without errors the noise relative to
 * its rate is anything; relative to what is allowed it is not.
 */
export function rareNoise(record: NoiseRecord): NoiseEstimate {
  const estimate = estimateNoise(record);
  const { windows, total } = record;
  if (windows === 0 || !Number.isFinite(estimate.upperInflation) || total.errors >= fewestEvents) return estimate;
  const { atFirst, atLeast } = presumedOfErrors;
  return { ...estimate, variance: Math.max(atLeast, atFirst * Math.min(1, (presumedWindows / windows) ** 3)) };
}

/** Canary less baseline. `alpha`: the chance that the truth ever lies outside. */
export interface Difference {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The difference of the shares, with bounds that hold at every look: each arm's confidence sequence with half of alpha, of so many times fewer
 * requests as noise is stronger than chance. Of all requests so far, not window by window: for people, never for a rollback.
 */
export function shareDifference(comparison: ShareComparison, alpha: number): Difference {
  const { canary, baseline, canaryCross, baselineCross, requestsCross } = comparison;
  const { inflation } = noiseOf(comparison);
  const boundsOf = ({ requests, errors }: ArmCounts) =>
    shareConfidenceSequence(errors / inflation, requests / inflation, alpha / 2);
  const [ofCanary, ofBaseline] = [boundsOf(canary), boundsOf(baseline)];
  return {
    estimate: requestsCross > 0 ? (canaryCross - baselineCross) / requestsCross : 0,
    lower: ofCanary.lower - ofBaseline.upper,
    upper: ofCanary.upper - ofBaseline.lower,
  };
}

export function shareOf({ requests, errors }: ArmCounts): number {
  return requests > 0 ? errors / requests : 0;
}
