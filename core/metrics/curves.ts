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

/** False against true positive rate of a binary sample, one point a distinct score, from (0, 0) to (1, 1). */
export function rocCurve(sample: LabelSample): CurvePoints {
  const { positives, negatives } = cumulative(sample);
  const last = positives.length - 1;
  return {
    x: after(0, negatives, (count) => count / (negatives[last] ?? Number.NaN)),
    y: after(0, positives, (count) => count / (positives[last] ?? Number.NaN)),
    summary: rocAuc.on(sample)(),
  };
}

/** Recall against precision of a binary sample, one point a distinct score, from recall 0 (precision 1 by convention) on. */
export function precisionRecallCurve(sample: LabelSample): CurvePoints {
  const { positives, negatives } = cumulative(sample);
  const all = positives[positives.length - 1] ?? Number.NaN;
  return {
    x: after(0, positives, (count) => count / all),
    y: after(1, positives, (count, step) => count / (count + (negatives[step] ?? 0))),
    summary: averagePrecision.on(sample)(),
  };
}

/** Mean probability of the positive class against its share, one point for each of the 15 bins that has rows. */
export function calibrationCurve(sample: LabelSample): CurvePoints {
  const positive = sample.positive ?? 1;
  const bins = Array.from({ length: calibrationBins }, () => ({ rows: 0, sum: 0, positives: 0 }));
  for (const [row, score] of scoresOf(sample, positive).entries()) {
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
  for (const [row, actual] of sample.actual.entries()) {
    const line = counts[actual];
    const predicted = sample.predicted[row] ?? 0;
    if (line !== undefined) line[predicted] = (line[predicted] ?? 0) + 1;
  }
  return counts;
}

/** How many positives and negatives score at least this much, for each distinct score from the highest on. */
function cumulative(sample: LabelSample): { readonly positives: Float64Array; readonly negatives: Float64Array } {
  const { positives, negatives, weigh } = ranking(sample, sample.positive ?? 1);
  weigh();
  for (let step = 1; step < positives.length; step++) {
    positives[step] = (positives[step] ?? 0) + (positives[step - 1] ?? 0);
    negatives[step] = (negatives[step] ?? 0) + (negatives[step - 1] ?? 0);
  }
  return { positives, negatives };
}

function after(first: number, counts: Float64Array, of: (count: number, step: number) => number): number[] {
  const points = new Array<number>(counts.length + 1);
  points[0] = first;
  for (let step = 0; step < counts.length; step++) points[step + 1] = of(counts[step] ?? Number.NaN, step);
  return points;
}
