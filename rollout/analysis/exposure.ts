import {
  type GridPoint,
  harmGain,
  normalQuantile,
  type Prediction,
  type Tolerance,
} from '../../core/statistics/index.ts';

/** Weight in percent at which the policy's own size of harm has to be excluded. */
const fullWeight = 50;
/** By how much larger the harm may be that an earlier stage excludes. */
const severities = [1, Math.SQRT2, 2, 2 * Math.SQRT2, 4, 4 * Math.SQRT2, 8] as const;

/**
 * How many times the policy's size of harm a stage has to exclude: sqrt(50 / weight), within [1, 8]. What can be detected shrinks with the
 * root of the requests, so each stage takes about as long as the others instead of the first one fifty times as long; and a small weight
 * harms few while it excludes only what is coarse. Stages without a weight (copies, marked requests): 8.
 */
export function severityAt(weight: number): number {
  const wanted = weight > 0 ? Math.sqrt(fullWeight / weight) : Number.POSITIVE_INFINITY;
  return severities[severityIndex(wanted)] ?? 1;
}

/** The largest that is not above it: rounded to the safe side. */
function severityIndex(wanted: number): number {
  return severities.findLastIndex((severity) => severity <= Math.max(1, wanted) + 1e-9);
}

/**
 * What the windows so far would have added to the evidence if there had been harm: by severity, its expectation and variance. It depends on
 * the requests, the weights and the noise, not on how the canary's requests ended.
 */
export interface Exposure {
  readonly gains: readonly number[];
  readonly variances: readonly number[];
}

export const noExposure: Exposure = { gains: severities.map(() => 0), variances: severities.map(() => 0) };

/** What is tested, and how the test stakes. */
export interface ShareTest {
  readonly tolerance: Tolerance;
  readonly grid: readonly GridPoint[];
  /** What the canary's share would be with harm of so many times the size to detect, at this share of the baseline. */
  readonly harmedShare: (baselineShare: number, severity: number) => number;
}

/** The exposure with one more window of so many requests. */
export function addExposure(
  exposure: Exposure,
  test: ShareTest,
  requests: { readonly canary: number; readonly baseline: number },
  prediction: Prediction,
): Exposure {
  const { rate, variance } = prediction;
  const lines = new Map<GridPoint, { readonly none: number; readonly canary: number; readonly baseline: number }>();
  const lineOf = (point: GridPoint) => {
    const known = lines.get(point);
    if (known !== undefined) return known;
    const gain = (canary: number, baseline: number): number =>
      harmGain(
        {
          canary: { requests: requests.canary, errors: canary },
          baseline: { requests: requests.baseline, errors: baseline },
        },
        test.tolerance,
        point.multiplier,
        prediction,
      );
    const none = gain(0, 0);
    // A bet's gain is linear in both arms' errors.
    const line = { none, canary: gain(1, 0) - none, baseline: gain(0, 1) - none };
    lines.set(point, line);
    return line;
  };
  const added = severities.map((severity) => {
    const share = Math.min(0.999, test.harmedShare(rate, severity));
    const line = lineOf(nearestPoint(test, rate, share));
    const [canary, baseline] = [requests.canary * share, requests.baseline * rate];
    const spread = (expected: number, chance: number): number => expected * (1 - chance) + variance * expected ** 2;
    return {
      gain: line.none + line.canary * canary + line.baseline * baseline,
      variance: line.canary ** 2 * spread(canary, share) + line.baseline ** 2 * spread(baseline, rate),
    };
  });
  return {
    gains: exposure.gains.map((gain, index) => gain + (added[index]?.gain ?? 0)),
    variances: exposure.variances.map((sum, index) => sum + (added[index]?.variance ?? 0)),
  };
}

/** What the evidence must reach, and what was kept back of it beforehand (late faults, other edges): both logarithms. */
export interface Demand {
  readonly threshold: number;
  readonly keptBack: number;
  readonly power: number;
}

/**
 * How far the exposure has come towards showing harm of this severity with the asked power, in [0, 1]; from 1 on it would have. By the normal
 * approximation of the sum of gains.
 */
export function exposureProgress(
  exposure: Exposure,
  test: ShareTest,
  rate: number,
  severity: number,
  { threshold, keptBack, power }: Demand,
): number {
  const index = severityIndex(severity);
  const share = Math.min(0.999, test.harmedShare(rate, severity));
  const needed = threshold + keptBack - Math.log(nearestPoint(test, rate, share).weight);
  const [gain = 0, variance = 0] = [exposure.gains[index], exposure.variances[index]];
  // With t times the exposure: t * gain - z * sqrt(t * variance) = needed.
  const root = normalQuantile(power) * Math.sqrt(variance);
  if (!(gain > 0)) return 0;
  const times = ((root + Math.sqrt(root * root + 4 * gain * needed)) / (2 * gain)) ** 2;
  return Math.min(1, 1 / times);
}

/** The chance that harm of this severity would have been shown by now. */
export function powerReached(
  exposure: Exposure,
  test: ShareTest,
  rate: number,
  severity: number,
  { threshold, keptBack }: Omit<Demand, 'power'>,
  cdf: (z: number) => number,
): number {
  const index = severityIndex(severity);
  const share = Math.min(0.999, test.harmedShare(rate, severity));
  const needed = threshold + keptBack - Math.log(nearestPoint(test, rate, share).weight);
  const [gain = 0, variance = 0] = [exposure.gains[index], exposure.variances[index]];
  return variance > 0 ? cdf((gain - needed) / Math.sqrt(variance)) : 0;
}

/** The point of the grid that stakes on odds nearest to this share's, as multiples of the boundary's. */
function nearestPoint({ tolerance, grid }: ShareTest, rate: number, share: number): GridPoint {
  const boundary = Math.min(0.999, tolerance.ratio * rate + tolerance.difference);
  const odds = Math.log(share / (1 - share)) - Math.log(boundary / (1 - boundary));
  const distance = ({ multiplier }: GridPoint): number => Math.abs(Math.log(multiplier) - odds);
  return grid.reduce((best, point) => (distance(point) < distance(best) ? point : best));
}
