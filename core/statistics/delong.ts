import { ascendingOrder } from './ascending-order.ts';
import type { Interval } from './interval.ts';
import { assertLevel } from './level.ts';
import { normalCdf, normalQuantile } from './normal.ts';
import { wilsonInterval } from './wilson-interval.ts';

/** An area under the ROC curve and how much each row weighs in its error. */
export interface AreaUnderCurve {
  readonly area: number;
  /** Per row; the sum of squares is DeLong's variance, and of a difference of two models' influences that of the difference. */
  readonly influence: Float64Array;
  /** Rows of the rarer of the two classes. */
  readonly rarer: number;
}

/** Rows by falling score, tied ones as one step. */
export interface ScoreSteps {
  /** Of each row, which distinct score it has, from the highest on. */
  readonly steps: Int32Array;
  /** Rows at each step: positive ones, and the others. */
  readonly positives: ArrayLike<number>;
  readonly negatives: ArrayLike<number>;
}

/**
 * The area under the ROC curve with DeLong's structural components, by midranks in O(n log n); ties count half.
 * Sources: E. DeLong, D. DeLong, D. Clarke-Pearson, Biometrics 44 (1988); X. Sun, W. Xu, IEEE Signal Processing Letters 21
 * (2014). NaN when only one class is there.
 */
export function delong(positive: ArrayLike<number | boolean>, scores: ArrayLike<number>): AreaUnderCurve {
  const rows = scores.length;
  const order = ascendingOrder(scores);
  const steps = new Int32Array(rows);
  let last = -1;
  for (let at = rows - 1; at >= 0; at--) {
    const row = order[at] ?? 0;
    // NaN never equals itself: a step of its own.
    if (last === -1 || scores[row] !== scores[order[at + 1] ?? 0]) last++;
    steps[row] = last;
  }
  const positives = new Int32Array(last + 1);
  const negatives = new Int32Array(last + 1);
  for (let row = 0; row < rows; row++) {
    const into = positive[row] ? positives : negatives;
    const step = steps[row] ?? 0;
    into[step] = (into[step] ?? 0) + 1;
  }
  return delongOfSteps(positive, { steps, positives, negatives });
}

/** The same of rows whose order is known. */
export function delongOfSteps(
  positive: ArrayLike<number | boolean>,
  { steps, positives: ofClass, negatives: ofOthers }: ScoreSteps,
): AreaUnderCurve {
  const rows = steps.length;
  const size = ofClass.length;
  let positives = 0;
  for (let step = 0; step < size; step++) positives += ofClass[step] ?? 0;
  const negatives = rows - positives;
  const influence = new Float64Array(rows);
  if (positives === 0 || negatives === 0) return { area: Number.NaN, influence, rarer: 0 };

  // For a positive: the share of negatives below it, ties half. For a negative: the share of positives above it.
  const placeOfPositive = new Float64Array(size);
  const placeOfNegative = new Float64Array(size);
  let positivesBelow = 0;
  let negativesBelow = 0;
  let sum = 0;
  for (let step = size - 1; step >= 0; step--) {
    const [tiedPositives, tiedNegatives] = [ofClass[step] ?? 0, ofOthers[step] ?? 0];
    placeOfPositive[step] = (negativesBelow + tiedNegatives / 2) / negatives;
    placeOfNegative[step] = (positives - positivesBelow - tiedPositives / 2) / positives;
    sum += tiedPositives * (negativesBelow + tiedNegatives / 2);
    positivesBelow += tiedPositives;
    negativesBelow += tiedNegatives;
  }
  const area = sum / (positives * negatives);
  const ofPositive = Math.sqrt(positives * Math.max(1, positives - 1));
  const ofNegative = Math.sqrt(negatives * Math.max(1, negatives - 1));
  for (let row = 0; row < rows; row++) {
    const step = steps[row] ?? 0;
    influence[row] = positive[row]
      ? ((placeOfPositive[step] ?? Number.NaN) - area) / ofPositive
      : ((placeOfNegative[step] ?? Number.NaN) - area) / ofNegative;
  }
  return { area, influence, rarer: Math.min(positives, negatives) };
}

/**
 * DeLong's interval on the logit scale, which keeps it inside [0, 1] and its coverage near 1. Where the variance says nothing (a
 * perfect separation, a class with one row) Wilson's interval over the rarer class stands in: never falsely certain.
 */
export function delongInterval(curve: AreaUnderCurve, level: number): Interval {
  assertLevel(level);
  const { area, influence, rarer } = curve;
  const n = influence.length;
  const deviation = Math.sqrt(sumOfSquares(influence));
  if (Number.isNaN(area)) return { estimate: area, lower: area, upper: area, level, method: 'DeLong', n };
  if (area <= 0 || area >= 1 || deviation === 0 || rarer < 2) {
    const { lower, upper } = wilsonInterval(area * rarer, rarer, level);
    return {
      estimate: area,
      lower: Math.min(lower, area),
      upper: Math.max(upper, area),
      level,
      method: 'Wilson over the rarer class',
      n,
    };
  }
  const centre = Math.log(area / (1 - area));
  const half = (normalQuantile(level) * deviation) / (area * (1 - area));
  const back = (value: number) => 1 / (1 + Math.exp(-value));
  return { estimate: area, lower: back(centre - half), upper: back(centre + half), level, method: 'DeLong', n };
}

/** DeLong's interval of `candidate − baseline` on the same rows; `relative` divides by the baseline's area (delta method). */
export function delongDifference(
  candidate: AreaUnderCurve,
  baseline: AreaUnderCurve,
  level: number,
  options: { readonly relative?: boolean } = {},
): Interval {
  assertLevel(level);
  const n = candidate.influence.length;
  const scale = options.relative === true ? 1 / baseline.area : 1;
  const ofBaseline = options.relative === true ? candidate.area / baseline.area ** 2 : 1;
  let variance = 0;
  for (let row = 0; row < n; row++) {
    variance += (scale * (candidate.influence[row] ?? 0) - ofBaseline * (baseline.influence[row] ?? 0)) ** 2;
  }
  const estimate = (candidate.area - baseline.area) * scale;
  const half = normalQuantile(level) * Math.sqrt(variance);
  return { estimate, lower: estimate - half, upper: estimate + half, level, method: 'paired DeLong', n };
}

/** Two-sided p-value of "both areas are equal": what published DeLong tables give. */
export function delongPValue(candidate: AreaUnderCurve, baseline: AreaUnderCurve): number {
  let variance = 0;
  for (let row = 0; row < candidate.influence.length; row++) {
    variance += ((candidate.influence[row] ?? 0) - (baseline.influence[row] ?? 0)) ** 2;
  }
  const difference = Math.abs(candidate.area - baseline.area);
  return difference === 0 ? 1 : 2 * normalCdf(-difference / Math.sqrt(variance));
}

function sumOfSquares(values: Float64Array): number {
  let sum = 0;
  for (const value of values) sum += value * value;
  return sum;
}
