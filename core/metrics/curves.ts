import { averagePrecision } from './average-precision.ts';
import { binOf, calibrationBins, ece } from './ece.ts';
import { ranking, scoresOf } from './probabilities.ts';
import { rocAuc } from './roc-auc.ts';
import type { LabelSample } from './sample.ts';

/** The points of a curve, from left to right, and the one number that sums it up. */
export interface CurvePoints {
  readonly x: readonly number[];
  readonly y: readonly number[];
  readonly summary: number;
}

/**
 * False against true positive rate of a binary sample, one point a distinct score, from (0, 0) to (1, 1); of more than `most` points so many,
 * evenly spaced by position, the first and the last among them.
 */
export function rocCurve(sample: LabelSample, most = Number.POSITIVE_INFINITY): CurvePoints {
  const { points, positives: all, negatives: others } = cumulative(sample, most);
  return {
    x: [0, ...points.map(({ negatives }) => negatives / others)],
    y: [0, ...points.map(({ positives }) => positives / all)],
    summary: rocAuc.on(sample)(),
  };
}

/**
 * Recall against precision of a binary sample, one point a distinct score, from recall 0 (precision 1 by convention) on; of more than `most`
 * points so many, as of the ROC curve.
 */
export function precisionRecallCurve(sample: LabelSample, most = Number.POSITIVE_INFINITY): CurvePoints {
  const { points, positives: all } = cumulative(sample, most);
  return {
    x: [0, ...points.map(({ positives }) => positives / all)],
    y: [1, ...points.map(({ positives, negatives }) => positives / (positives + negatives))],
    summary: averagePrecision.on(sample)(),
  };
}

/** Mean probability of the positive class against its share, one point for each of the 15 bins that has rows. */
export function calibrationCurve(sample: LabelSample): CurvePoints {
  const positive = sample.positive ?? 1;
  const bins = Array.from({ length: calibrationBins }, () => ({ rows: 0, sum: 0, positives: 0 }));
  const scores = scoresOf(sample, positive);
  for (let row = 0; row < scores.length; row++) {
    const score = scores[row] ?? Number.NaN;
    const bin = bins[binOf(score)];
    if (bin === undefined) continue;
    bin.rows++;
    bin.sum += score;
    if (sample.actual[row] === positive) bin.positives++;
  }
  const filled = bins.filter(({ rows }) => rows > 0);
  return {
    x: filled.map(({ sum, rows }) => sum / rows),
    y: filled.map(({ positives, rows }) => positives / rows),
    summary: ece.on(sample)(),
  };
}

/** `counts[actual][predicted]`. */
export function confusionMatrix(sample: LabelSample): number[][] {
  const counts = sample.classes.map(() => sample.classes.map(() => 0));
  for (let row = 0; row < sample.actual.length; row++) {
    const line = counts[sample.actual[row] ?? 0];
    const predicted = sample.predicted[row] ?? 0;
    if (line !== undefined) line[predicted] = (line[predicted] ?? 0) + 1;
  }
  return counts;
}

/** How many rows of either side score at least as high as a point. */
interface CurveCounts {
  readonly positives: number;
  readonly negatives: number;
}

/** The points after the first, which is that of no row, and the counts of all rows. */
function cumulative(sample: LabelSample, most: number): CurveCounts & { readonly points: readonly CurveCounts[] } {
  const { size, weigh } = ranking(sample, sample.positive ?? 1);
  const steps = weigh();
  const wanted = size < most ? undefined : new Set(positionsOf(size + 1, most));
  const points: CurveCounts[] = [];
  let [positives, negatives] = [0, 0];
  for (let step = 0; step < size; step++) {
    positives += steps.positives[step] ?? 0;
    negatives += steps.negatives[step] ?? 0;
    // The curve's first point is that of no row.
    if (wanted === undefined || wanted.has(step + 1)) points.push({ positives, negatives });
  }
  return { points, positives, negatives };
}

/** At most `most` of so many positions, evenly spaced, the first and the last among them. */
export function positionsOf(length: number, most: number): readonly number[] {
  if (length <= most) return Array.from({ length }, (_, position) => position);
  return Array.from({ length: most }, (_, index) => Math.round((index * (length - 1)) / (most - 1)));
}
