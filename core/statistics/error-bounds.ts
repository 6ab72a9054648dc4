import { harmGain, noHarmGain } from './harm-bet.ts';
import { addGains, type GridEvidence, lowerBoundOf, startGrid, upperBoundOf } from './tolerance-grid.ts';
import type { Prediction, Tolerance } from './two-arm-bet.ts';
import { assertCounts, hasTraffic, type WindowCounts } from './window-counts.ts';

/** How the arms are compared: the canary's error rate divided by the baseline's, or less it. */
export type Comparison = 'ratio' | 'difference';

/** How much worse the canary can be, at every look. Plain JSON; about 3 kB. */
export interface ErrorBounds {
  readonly comparison: Comparison;
  /** Against "at least the parameter" and against "at most the parameter". */
  readonly below: GridEvidence;
  readonly above: GridEvidence;
}

/** By a tenth from 0.5 to 2, then wider: 1 and 1.5 and 2 are on it, for those are the tolerances people write. */
const ratios = [0.5, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4, 1.5, 1.75, 2, 2.5, 3, 4, 6, 10, 20];
/** From a hundredth of a percentage point. */
const differences = [
  0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 0.8,
];
/** How far the truth lies from the null, in odds. */
const distances = [1.15, 1.4, 1.8, 3];

/**
 * A confidence sequence for the ratio or the difference of two error rates, by inverting the e-process of `two-arm-bet.ts` over a grid
 * of nulls. Bounds are points of the grid, rounded away from the truth. `parameters` default to a grid that holds the usual tolerances.
 * Sources: S. R. Howard, A. Ramdas, J. McAuliffe and J. Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Annals
 * of Statistics 49 (2021); R. Turner and P. Gruenwald, "Exact anytime-valid confidence intervals for contingency tables and beyond",
 * Statistics and Probability Letters 198 (2023).
 * The ratio or difference is taken not to change; of one that does, the sequence bounds nothing, and `two-sample-error-e-process.ts`,
 * which waits for late faults, is what protects.
 */
export function startErrorBounds(
  comparison: Comparison,
  parameters: readonly number[] = comparison === 'ratio' ? ratios : differences,
): ErrorBounds {
  if (!parameters.every((value) => value > 0 && (comparison === 'ratio' || value < 1))) {
    throw new RangeError(`a ${comparison} must be above 0${comparison === 'ratio' ? '' : ' and below 1'}`);
  }
  return {
    comparison,
    below: startGrid(parameters, distances.length),
    above: startGrid(parameters, distances.length),
  };
}

/** The bounds after one more window, as `updateErrorTest` does: no traffic in an arm changes nothing. */
export function updateErrorBounds(bounds: ErrorBounds, window: WindowCounts, prediction: Prediction): ErrorBounds {
  assertCounts(window.canary);
  assertCounts(window.baseline);
  if (!hasTraffic(window)) return bounds;
  const { comparison } = bounds;
  const gainsOf =
    (gain: typeof harmGain) =>
    (parameter: number, stake: number): number =>
      gain(window, toleranceOf(comparison, parameter), distances[stake] ?? 2, prediction);
  return {
    comparison,
    below: addGains(bounds.below, gainsOf(noHarmGain)),
    above: addGains(bounds.above, gainsOf(harmGain)),
  };
}

/** The truth is below it, but for a chance of at most `alpha` over the whole rollout; `Infinity` while nothing is known. */
export function errorUpperBound({ comparison, below }: ErrorBounds, alpha: number): number {
  const bound = upperBoundOf(below, alpha);
  return comparison === 'difference' ? Math.min(1, bound) : bound;
}

/** The truth is above it, likewise; `0` for ratios and `-1` for differences while nothing is known. */
export function errorLowerBound({ comparison, above }: ErrorBounds, alpha: number): number {
  return Math.max(comparison === 'ratio' ? 0 : -1, lowerBoundOf(above, alpha));
}

/**
 * The evidence for promotion: whether the canary has been shown to be within `tolerance` (a ratio or a difference, as `bounds` compares).
 * Without traffic never.
 */
export function noHarmEvidence(bounds: ErrorBounds, tolerance: number, alpha: number): boolean {
  return errorUpperBound(bounds, alpha) <= tolerance;
}

function toleranceOf(comparison: Comparison, parameter: number): Tolerance {
  return comparison === 'ratio' ? { ratio: parameter, difference: 0 } : { ratio: 1, difference: parameter };
}
