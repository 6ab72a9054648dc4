import { addGains, type GridEvidence, lowerBoundOf, startGrid, upperBoundOf } from './tolerance-grid.ts';

/** Of one arm in one window: how many values, their sum and the sum of their squares. What counters and histograms can give. */
export interface ValueSums {
  readonly count: number;
  readonly sum: number;
  readonly squares: number;
}

export interface ValueWindow {
  readonly canary: ValueSums;
  readonly baseline: ValueSums;
}

/** How much lower or higher the canary's mean is. Plain JSON, in the values' own unit scaled to [0, 1]. */
export interface MeanBounds {
  readonly canary: ValueSums;
  readonly baseline: ValueSums;
  /** Against "mean(canary) - mean(baseline) is at least the parameter", and at most. */
  readonly below: GridEvidence;
  readonly above: GridEvidence;
}

const noValues: ValueSums = { count: 0, sum: 0, squares: 0 };
const halfGrid = [0.001, 0.002, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5];
/** Differences of means on which the bounds may lie. */
const differences = [...halfGrid.map((value) => -value).reverse(), 0, ...halfGrid];
/** How far the truth may lie from the null, in the values' unit. */
const distances = [0.003, 0.01, 0.03, 0.1, 0.3];
/** Before an arm has so many values, its mean and variance are no guess to stake on. */
const fewestValues = 20;
const highestStake = 0.9;

/**
 * A confidence sequence for the difference of two arms' means of values in [0, 1] (reward, revenue a request, a score), from window sums.
 * The bet of `two-arm-bet.ts` on values needs each value; by log(1 + lambda z) >= lambda z + (lambda + log(1 - lambda)) z^2 for z >= -1
 * (X. Fan, I. Grama and Q. Liu, "Exponential inequalities for martingales with applications", EJP 20, 2015, and Howard et al. 2021),
 * it is at least what follows from the sums of z = y - centre and z^2: the predictable plug-in empirical-Bernstein process of
 * Waudby-Smith and Ramdas 2024, for two arms. Centres and stakes come from earlier windows; a mixture over distances.
 */
export function startMeanBounds(parameters: readonly number[] = differences): MeanBounds {
  if (!parameters.every((value) => Math.abs(value) < 1)) throw new RangeError('a difference must be in (-1, 1)');
  return {
    canary: noValues,
    baseline: noValues,
    below: startGrid(parameters, distances.length),
    above: startGrid(parameters, distances.length),
  };
}

/** Sums of raw values in [lowest, highest], scaled to [0, 1]. Throws a `RangeError` if they can't be sums of such values. */
export function scaleSums(raw: ValueSums, lowest: number, highest: number): ValueSums {
  const range = highest - lowest;
  if (!(range > 0 && Number.isFinite(range))) throw new RangeError(`[${lowest}, ${highest}] is not a range`);
  const scaled = {
    count: raw.count,
    sum: (raw.sum - raw.count * lowest) / range,
    squares: (raw.squares - 2 * lowest * raw.sum + raw.count * lowest * lowest) / (range * range),
  };
  assertSums(scaled);
  return scaled;
}

/**
 * The bounds after one more window. `inflation`, at least 1: how many times the variance of a window's sum is that of independent values
 * (`NoiseEstimate.upperInflation`); sums then count as if there were so many times fewer values, which is valid to second order.
 * A window without values in both arms changes nothing. Throws a `RangeError` for sums that values in [0, 1] can't have.
 */
export function updateMeanBounds(bounds: MeanBounds, window: ValueWindow, inflation = 1): MeanBounds {
  assertSums(window.canary);
  assertSums(window.baseline);
  if (!(inflation >= 1)) throw new RangeError(`an inflation must be at least 1, not ${inflation}`);
  const next = { canary: addSums(bounds.canary, window.canary), baseline: addSums(bounds.baseline, window.baseline) };
  const known = Math.min(bounds.canary.count, bounds.baseline.count) >= fewestValues;
  if (!known || window.canary.count === 0 || window.baseline.count === 0) return { ...bounds, ...next };
  const mean = bounds.baseline.sum / bounds.baseline.count;
  const variance = Math.max(1e-6, varianceOf(bounds.canary), varianceOf(bounds.baseline));
  return {
    ...next,
    below: addGains(
      bounds.below,
      (parameter, stake) =>
        bet(mirrored(window.canary), mirrored(window.baseline), -parameter, 1 - mean, stake) / inflation,
    ),
    above: addGains(
      bounds.above,
      (parameter, stake) => bet(window.canary, window.baseline, parameter, mean, stake) / inflation,
    ),
  };

  /** On "the suspect's mean is above the reference's by more than `difference`". */
  function bet(suspect: ValueSums, reference: ValueSums, difference: number, centre: number, stake: number): number {
    const distance = distances[stake] ?? 0;
    // Any centre is valid; both arms' must be means that values in [0, 1] can have, for 1 + stake * (y - centre) to stay positive.
    const referenceCentre = Math.min(1, 0.99 - difference, Math.max(0, 0.01 - difference, centre));
    const suspectCentre = referenceCentre + difference;
    const share = suspect.count / reference.count;
    const wanted = distance / (variance * (1 + share) + distance);
    const onSuspect = Math.min(highestStake, wanted, highestStake / share);
    const onReference = onSuspect * share;
    return (
      onSuspect * (suspect.sum - suspect.count * suspectCentre) +
      quadratic(onSuspect) * squaresAbout(suspect, suspectCentre) -
      onReference * (reference.sum - reference.count * referenceCentre) +
      quadratic(onReference) * squaresAbout(reference, referenceCentre)
    );
  }
}

/** The difference of means (canary less baseline) is below it, but for a chance of `alpha` over all looks; 1 while unknown. */
export function meanUpperBound({ below }: MeanBounds, alpha: number): number {
  return Math.min(1, upperBoundOf(below, alpha));
}

/** The difference of means is above it, likewise; -1 while unknown. */
export function meanLowerBound({ above }: MeanBounds, alpha: number): number {
  return Math.max(-1, lowerBoundOf(above, alpha));
}

function quadratic(stake: number): number {
  return stake + Math.log1p(-stake);
}

function squaresAbout({ count, sum, squares }: ValueSums, centre: number): number {
  return Math.max(0, squares - 2 * centre * sum + count * centre * centre);
}

function varianceOf(sums: ValueSums): number {
  return squaresAbout(sums, sums.sum / sums.count) / sums.count;
}

/** Of 1 - y. */
function mirrored({ count, sum, squares }: ValueSums): ValueSums {
  return { count, sum: count - sum, squares: count - 2 * sum + squares };
}

function addSums(one: ValueSums, other: ValueSums): ValueSums {
  return { count: one.count + other.count, sum: one.sum + other.sum, squares: one.squares + other.squares };
}

function assertSums({ count, sum, squares }: ValueSums): void {
  const slack = 1e-9 * Math.max(1, count);
  const possible =
    Number.isFinite(count) &&
    count >= 0 &&
    sum >= -slack &&
    squares <= sum + slack &&
    sum <= count + slack &&
    squares * count + slack * Math.max(1, count) >= sum * sum;
  if (!possible) throw new RangeError(`${count} values in [0, 1] can't sum to ${sum} with squares ${squares}`);
}
