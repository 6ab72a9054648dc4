import type { LabelSample } from '../../../core/metrics/index.ts';
import type { ExplainPolicy } from '../../../core/policy/index.ts';
import { ascendingOrder, resample } from '../../../core/statistics/index.ts';

/** What a threshold is chosen by. */
export type ThresholdAim = NonNullable<ExplainPolicy['threshold']>;

/** The threshold that is best on these rows, and what of its gain is only these rows. */
export interface BestThreshold {
  /** The positive class is predicted where its probability is over this; halfway between two scores. */
  readonly threshold: number;
  /** What the aim comes to on these rows, at that threshold. */
  readonly apparent: number;
  /** The same less the optimism of having chosen it on the rows it is measured on. */
  readonly corrected: number;
  /** What the aim comes to as the model is. */
  readonly current: number;
}

/**
 * Finds the best threshold of a model of two classes, higher being better (a cost counts as negative, per row), and corrects it by Efron and
 * Gong's bootstrap: on each resample a threshold is chosen anew, and what it gains there over what it gains on all rows is how much the choice
 * flatters itself. Source: B. Efron, G. Gong, "A leisurely look at the bootstrap, the jackknife, and cross-validation", The American
 * Statistician 37 (1983); F. Harrell, "Regression Modeling Strategies" (2015), 5.3.4.
 *
 * `undefined` for a model without probabilities of two classes, or rows of one class only.
 */
export function bestThreshold(sample: LabelSample, aim: ThresholdAim, seed: string): BestThreshold | undefined {
  const { positive, probabilities, classes, actual, predicted } = sample;
  if (classes.length !== 2 || positive === undefined || probabilities === undefined) return undefined;
  const rows = actual.length;
  const scores = Float64Array.from({ length: rows }, (_, row) => probabilities[2 * row + positive] ?? Number.NaN);
  if (scores.some(Number.isNaN)) return undefined;
  // In the order of the scores, so that every scan goes through memory as it lies.
  const order = ascendingOrder(scores);
  const sorted = Float64Array.from(order, (row) => scores[row] ?? Number.NaN);
  const truth = Uint8Array.from(order, (row) => (actual[row] === positive ? 1 : 0));
  const all = new Float64Array(rows).fill(1);
  const value = worthOf(aim);
  const scan = { scores: sorted, truth, value };
  const whole = best(scan, all);
  if (whole === undefined) return undefined;

  const resamples = Math.max(20, Math.min(200, Math.floor(2e7 / rows)));
  const [optimism = new Float64Array()] = resample({ weights: all, seed, resamples }, [
    (weights) => {
      const chosen = best(scan, weights);
      return chosen === undefined ? Number.NaN : chosen.value - valueAt(scan, chosen.threshold);
    },
  ]);
  const known = optimism.filter((each) => !Number.isNaN(each));
  const mean = known.reduce((sum, each) => sum + each, 0) / known.length;
  return {
    threshold: whole.threshold,
    apparent: whole.value,
    corrected: whole.value - mean,
    current: value(countsOf(truth, (at) => predicted[order[at] ?? 0] === positive)),
  };
}

/** Rows by truth and prediction, weighted. */
interface Counts {
  truePositive: number;
  falsePositive: number;
  positives: number;
  negatives: number;
}

function worthOf(aim: ThresholdAim): (counts: Counts) => number {
  if (typeof aim === 'object') {
    const { false_positive: ofPositive, false_negative: ofNegative } = aim;
    return ({ truePositive, falsePositive, positives, negatives }) =>
      -(ofPositive * falsePositive + ofNegative * (positives - truePositive)) / (positives + negatives);
  }
  switch (aim) {
    case 'f1':
      return ({ truePositive, falsePositive, positives }) =>
        (2 * truePositive) / (truePositive + falsePositive + positives);
    case 'balanced_accuracy':
      return ({ truePositive, falsePositive, positives, negatives }) =>
        (truePositive / positives + (negatives - falsePositive) / negatives) / 2;
    case 'accuracy':
      return ({ truePositive, falsePositive, positives, negatives }) =>
        (truePositive + negatives - falsePositive) / (positives + negatives);
  }
}

/** Rows by ascending score. */
interface Scan {
  readonly scores: Float64Array;
  /** 1 where the row is of the positive class. */
  readonly truth: Uint8Array;
  readonly value: (counts: Counts) => number;
}

/** Goes through the thresholds from the lowest score up; of equally good ones the one nearest to 0.5. */
function best({ scores, truth, value }: Scan, weights: Float64Array) {
  const counts: Counts = { truePositive: 0, falsePositive: 0, positives: 0, negatives: 0 };
  for (let row = 0; row < truth.length; row++) {
    if (truth[row] === 1) counts.positives += weights[row] ?? 0;
    else counts.negatives += weights[row] ?? 0;
  }
  if (counts.positives === 0 || counts.negatives === 0) return undefined;
  [counts.truePositive, counts.falsePositive] = [counts.positives, counts.negatives];
  let found: { threshold: number; value: number } | undefined;
  let last: number | undefined;
  for (let row = 0; row < truth.length; row++) {
    const weight = weights[row] ?? 0;
    if (weight === 0) continue;
    const score = scores[row] ?? Number.NaN;
    if (last !== undefined && score > last) {
      const threshold = (last + score) / 2;
      const of = value(counts);
      const nearer =
        found !== undefined && of === found.value && Math.abs(threshold - 0.5) < Math.abs(found.threshold - 0.5);
      if (found === undefined || of > found.value || nearer) found = { threshold, value: of };
    }
    last = score;
    if (truth[row] === 1) counts.truePositive -= weight;
    else counts.falsePositive -= weight;
  }
  return found;
}

function valueAt({ scores, truth, value }: Scan, threshold: number): number {
  return value(countsOf(truth, (at) => (scores[at] ?? Number.NaN) > threshold));
}

function countsOf(truth: Uint8Array, isPositive: (row: number) => boolean): Counts {
  const counts: Counts = { truePositive: 0, falsePositive: 0, positives: 0, negatives: 0 };
  for (let row = 0; row < truth.length; row++) {
    const actual = truth[row] === 1;
    if (actual) counts.positives++;
    else counts.negatives++;
    if (!isPositive(row)) continue;
    if (actual) counts.truePositive++;
    else counts.falsePositive++;
  }
  return counts;
}
