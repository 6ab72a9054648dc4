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
  const steps = cumulative(sample);
  const last = steps.at(-1) ?? { positives: Number.NaN, negatives: Number.NaN };
  return {
    x: [0, ...steps.map(({ negatives }) => negatives / last.negatives)],
    y: [0, ...steps.map(({ positives }) => positives / last.positives)],
    summary: rocAuc.on(sample)(),
  };
}

/** Recall against precision of a binary sample, one point a distinct score, from recall 0 (precision 1 by convention) on. */
export function precisionRecallCurve(sample: LabelSample): CurvePoints {
  const steps = cumulative(sample);
  const all = steps.at(-1)?.positives ?? Number.NaN;
  return {
    x: [0, ...steps.map(({ positives }) => positives / all)],
    y: [1, ...steps.map(({ positives, negatives }) => positives / (positives + negatives))],
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
function cumulative(sample: LabelSample): readonly { readonly positives: number; readonly negatives: number }[] {
  const { positives, negatives, weigh } = ranking(sample, sample.positive ?? 1);
  weigh();
  const steps: { positives: number; negatives: number }[] = [];
  let above = { positives: 0, negatives: 0 };
  for (const [step, more] of positives.entries()) {
    above = { positives: above.positives + more, negatives: above.negatives + (negatives[step] ?? 0) };
    steps.push(above);
  }
  return steps;
}
