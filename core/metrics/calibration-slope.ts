import type { LabelMetric, RowWeights } from './metric.ts';
import { isClass, scoresOf } from './probabilities.ts';
import type { LabelSample } from './sample.ts';

/**
 * The slope of the logistic regression of the outcome on the log-odds that a model of two classes gives the positive one: 1 where the
 * probabilities spread as the outcomes do, below 1 where they are too extreme (overfitted), above where too timid. Probabilities are clipped
 * to [2⁻⁵², 1 − 2⁻⁵²]. NaN for more than two classes, and where the log-odds part the classes (the slope is then infinite) or are all the same.
 * Equal to scikit-learn's `LogisticRegression` without penalty. Source: D. Cox, Biometrika 45 (1958).
 */
export const calibrationSlope: LabelMetric = {
  name: 'calibration_slope',
  task: 'classification',
  better: 'higher',
  needs: 'probabilities',
  range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
  unit: 'none',
  interval: 'bootstrap',
  on(sample) {
    if (sample.classes.length !== 2) return () => Number.NaN;
    const points = pointsOf(sample);
    return (weights) => fitted(points, weights)?.slope ?? Number.NaN;
  },
  influence(sample) {
    const rows = sample.actual.length;
    const points = pointsOf(sample);
    const fit = fitted(points, undefined);
    if (fit === undefined) return new Float64Array(rows).fill(Number.NaN);
    const { intercept, slope } = fit;
    const [a, b, c] = curvatureAt(points, undefined, intercept, slope);
    return Float64Array.from({ length: rows }, (_, row) => {
      const odds = points.odds[row] ?? Number.NaN;
      const residual = (points.positive[row] ?? 0) - logistic(intercept + slope * odds);
      return (rows * residual * (a * odds - b)) / (a * c - b * b);
    });
  },
};

/** Each row's log-odds, and whether it is of the positive class. */
interface Points {
  readonly odds: Float64Array;
  readonly positive: Uint8Array;
}

function pointsOf(sample: LabelSample): Points {
  const index = sample.positive ?? 1;
  const odds = Float64Array.from(scoresOf(sample, index), (score) => {
    const clipped = Math.min(1 - Number.EPSILON, Math.max(Number.EPSILON, score));
    return Math.log(clipped / (1 - clipped));
  });
  return { odds, positive: isClass(sample, index) };
}

const mostSteps = 100;

/** The likelihood's maximum by Newton's method, with steps halved until the likelihood rises; undefined where it has none. */
function fitted(
  points: Points,
  weights: RowWeights | undefined,
): { readonly intercept: number; readonly slope: number } | undefined {
  if (!hasMaximum(points, weights)) return undefined;
  let [intercept, slope] = [0, 0];
  let likelihood = likelihoodAt(points, weights, intercept, slope);
  for (let step = 0; step < mostSteps; step++) {
    const [first, second] = gradientAt(points, weights, intercept, slope);
    const [a, b, c] = curvatureAt(points, weights, intercept, slope);
    const determinant = a * c - b * b;
    const byIntercept = (c * first - b * second) / determinant;
    const bySlope = (a * second - b * first) / determinant;
    if (!Number.isFinite(byIntercept) || !Number.isFinite(bySlope)) return undefined;
    let share = 1;
    let next = likelihoodAt(points, weights, intercept + byIntercept, slope + bySlope);
    while (next < likelihood && share > 1e-6) {
      share /= 2;
      next = likelihoodAt(points, weights, intercept + share * byIntercept, slope + share * bySlope);
    }
    // Nearer than rounding lets the likelihood see: the last step is taken in full.
    const settled = share <= 1e-6 || Math.abs(bySlope) <= 1e-13 * Math.max(1, Math.abs(slope));
    intercept += settled ? byIntercept : share * byIntercept;
    slope += settled ? bySlope : share * bySlope;
    likelihood = next;
    if (settled) return { intercept, slope };
  }
  return { intercept, slope };
}

/** Whether the log-odds of the two classes overlap; else the best slope is infinite, or any. */
function hasMaximum({ odds, positive }: Points, weights: RowWeights | undefined): boolean {
  const lowest = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  const highest = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let row = 0; row < odds.length; row++) {
    if (weights !== undefined && !((weights[row] ?? 0) > 0)) continue;
    const side = positive[row] ?? 0;
    lowest[side] = Math.min(lowest[side] ?? 0, odds[row] ?? Number.NaN);
    highest[side] = Math.max(highest[side] ?? 0, odds[row] ?? Number.NaN);
  }
  const [least = 0, leastOfClass = 0] = lowest;
  const [most = 0, mostOfClass = 0] = highest;
  return most > leastOfClass && mostOfClass > least;
}

function likelihoodAt({ odds, positive }: Points, weights: RowWeights | undefined, intercept: number, slope: number) {
  let sum = 0;
  for (let row = 0; row < odds.length; row++) {
    const weight = weights === undefined ? 1 : (weights[row] ?? 0);
    if (weight === 0) continue;
    const at = intercept + slope * (odds[row] ?? Number.NaN);
    const towards = positive[row] === 1 ? at : -at;
    // log of the logistic function, without overflow.
    sum -= weight * (towards > 0 ? Math.log1p(Math.exp(-towards)) : Math.log1p(Math.exp(towards)) - towards);
  }
  return sum;
}

function gradientAt({ odds, positive }: Points, weights: RowWeights | undefined, intercept: number, slope: number) {
  let [first, second] = [0, 0];
  for (let row = 0; row < odds.length; row++) {
    const x = odds[row] ?? Number.NaN;
    const weight = weights === undefined ? 1 : (weights[row] ?? 0);
    const residual = weight * ((positive[row] ?? 0) - logistic(intercept + slope * x));
    first += residual;
    second += residual * x;
  }
  return [first, second] as const;
}

/** The information matrix: its corner, its side and its other corner. */
function curvatureAt({ odds }: Points, weights: RowWeights | undefined, intercept: number, slope: number) {
  let [a, b, c] = [0, 0, 0];
  for (let row = 0; row < odds.length; row++) {
    const x = odds[row] ?? Number.NaN;
    const chance = logistic(intercept + slope * x);
    const weight = (weights === undefined ? 1 : (weights[row] ?? 0)) * chance * (1 - chance);
    a += weight;
    b += weight * x;
    c += weight * x * x;
  }
  return [a, b, c] as const;
}

function logistic(value: number): number {
  return 1 / (1 + Math.exp(-value));
}
