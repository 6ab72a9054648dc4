import { harmGain } from './harm-bet.ts';
import { addGains, type GridEvidence, logThreshold, lowerBoundOf, startGrid } from './tolerance-grid.ts';

/** How many predictions fell into each class (or bucket of the score) in one window. */
export interface ClassWindow {
  readonly canary: readonly number[];
  readonly baseline: readonly number[];
}

/** The evidence that predictions are distributed differently. Plain JSON. */
export interface DistributionTest {
  readonly canary: readonly number[];
  readonly baseline: readonly number[];
  /** Against "the total variation distance is at most the parameter". */
  readonly evidence: GridEvidence;
}

/** Distances of interest: 0 is any difference at all; 0.1 is a tenth of the predictions moved to other classes. */
const distances = [0, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5];
/** The odds of the set of classes, as multiples of what is tolerated. */
const multipliers = [1.1, 1.25, 1.6, 2.5, 6];
/** Before an arm has so many predictions, which classes it favours is chance. */
const fewestPredictions = 20;

/**
 * A shift between two arms' predictions beyond a tolerated total variation distance, TV = the largest difference of probability over all
 * sets of classes. From earlier windows the set of classes is chosen that the canary favours so far; a bet of `two-arm-bet.ts` is made on
 * it with the distance as tolerated difference. Under TV <= distance **every** set, so also the chosen one, differs by at most that,
 * hence the product is an e-process; and it finds shifts spread over many classes, which a test per class with a union bound would
 * not. The effect size decides, not the p-value: TV, with an always-valid lower bound.
 * For distance 0 it is an e-process for equality as in Turner, Ly and Gruenwald (see `two-arm-bet.ts`) and for the same purpose as
 * M. Lindon and A. Malek, "Anytime-valid inference for multinomial count data", NeurIPS 35 (2022); choosing by past data is the
 * predictable betting of Shekhar and Ramdas, "Nonparametric two-sample testing by betting", IEEE Trans. Inf. Theory 70 (2024).
 * `parameters` are the distances on which the lower bound may lie, in [0, 1).
 */
export function startDistributionTest(classes: number, parameters: readonly number[] = distances): DistributionTest {
  if (!(Number.isInteger(classes) && classes >= 2)) throw new RangeError(`${classes} classes can't shift`);
  if (!parameters.every((value) => value >= 0 && value < 1)) throw new RangeError('a distance must be in [0, 1)');
  const empty = new Array<number>(classes).fill(0);
  return { canary: empty, baseline: empty, evidence: startGrid(parameters, multipliers.length) };
}

/**
 * The evidence after one more window. `variance`: of the noise on a window's shares, 0 for independent predictions.
 * Throws a `RangeError` if the counts don't fit the classes.
 */
export function updateDistributionTest(test: DistributionTest, window: ClassWindow, variance = 0): DistributionTest {
  assertClasses(test, window.canary);
  assertClasses(test, window.baseline);
  const next = {
    canary: test.canary.map((count, index) => count + (window.canary[index] ?? 0)),
    baseline: test.baseline.map((count, index) => count + (window.baseline[index] ?? 0)),
  };
  const enough = Math.min(totalOf(test.canary), totalOf(test.baseline)) >= fewestPredictions;
  if (!enough || totalOf(window.canary) === 0 || totalOf(window.baseline) === 0) {
    return { ...next, evidence: test.evidence };
  }
  const favoured = test.canary.map((_, index) => shareOf(test.canary, index) > shareOf(test.baseline, index));
  const inSet = (counts: readonly number[]): number => totalOf(counts.filter((_, index) => favoured[index]));
  const counts = {
    canary: { requests: totalOf(window.canary), errors: inSet(window.canary) },
    baseline: { requests: totalOf(window.baseline), errors: inSet(window.baseline) },
  };
  const rate = (inSet(test.baseline) + 0.5) / (totalOf(test.baseline) + 1);
  const evidence = addGains(test.evidence, (distance, stake) =>
    harmGain(counts, { ratio: 1, difference: distance }, multipliers[stake] ?? 1.5, { rate, variance }),
  );
  return { ...next, evidence };
}

/** The greatest distance of the grid that the predictions are shown to be apart, at level `alpha` over all looks; 0 if none. */
export function distanceLowerBound({ evidence }: DistributionTest, alpha: number): number {
  return Math.max(0, lowerBoundOf(evidence, alpha));
}

/**
 * The distance is below it, but for a chance of `alpha` over all looks; 1 while little is known. For promotion: "shown to be alike".
 * The plug-in distance plus a radius for each arm: over any set of classes the sum of centred indicators is 1/4-sub-Gaussian, bounded
 * at all times by Robbins' normal mixture (Howard et al. 2021, see `error-bounds.ts`, eq. 3.7), and the 2^K - 2 sets by Boole as
 * in T. Weissman et al., "Inequalities for the L1 deviation of the empirical distribution", HP Labs (2003). `sharpAt` is the number of
 * predictions in an arm at which the mixture is tightest.
 */
export function distanceUpperBound(test: DistributionTest, alpha: number, sharpAt = 2000): number {
  const sets = test.canary.length * Math.LN2;
  const radius = (predictions: number): number => {
    if (predictions === 0) return 1;
    // Each arm has half of alpha.
    const level = logThreshold(alpha / 2) + sets;
    const mixing = sharpAt / 4 / (2 * level + Math.log1p(2 * level));
    const variance = predictions / 4;
    const deviation = Math.sqrt(2 * (variance + mixing) * (level + 0.5 * Math.log1p(variance / mixing)));
    return deviation / predictions;
  };
  return Math.min(1, totalVariation(test) + radius(totalOf(test.canary)) + radius(totalOf(test.baseline)));
}

/** The plug-in estimate, in [0, 1]; biased upwards by chance where counts are few. */
export function totalVariation({ canary, baseline }: ClassWindow): number {
  if (totalOf(canary) === 0 || totalOf(baseline) === 0) return 0;
  return canary.reduce((sum, _, index) => sum + Math.abs(shareOf(canary, index) - shareOf(baseline, index)), 0) / 2;
}

function assertClasses(test: DistributionTest, counts: readonly number[]): void {
  if (counts.length !== test.canary.length || !counts.every((count) => count >= 0 && Number.isFinite(count))) {
    throw new RangeError(`${test.canary.length} classes need as many counts of at least 0`);
  }
}

function shareOf(counts: readonly number[], index: number): number {
  return (counts[index] ?? 0) / totalOf(counts);
}

function totalOf(counts: readonly number[]): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
