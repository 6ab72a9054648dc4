import type { LabelSample } from './sample.ts';

/** The sample's probabilities; a metric that needs them must not be asked of a sample without. */
export function probabilitiesOf(sample: LabelSample): Float64Array {
  if (sample.probabilities === undefined) throw new RangeError('the sample carries no probabilities');
  return sample.probabilities;
}

/** One class's column of the probabilities. */
export function scoresOf(sample: LabelSample, index: number): Float64Array {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  return Float64Array.from(
    { length: sample.actual.length },
    (_, row) => probabilities[row * width + index] ?? Number.NaN,
  );
}

/** Which rows are of the class. */
export function isClass(sample: LabelSample, index: number): Uint8Array {
  return Uint8Array.from(sample.actual, (actual) => (actual === index ? 1 : 0));
}

/** The classes a ranking metric looks at: the positive one of two, else each against the rest. */
export function rankedClasses(sample: LabelSample): readonly number[] {
  if (sample.classes.length === 2) return [sample.positive ?? 1];
  return sample.classes.map((_, index) => index);
}

/** Rows from the highest score to the lowest. */
export function descending(scores: Float64Array): Int32Array {
  return Int32Array.from({ length: scores.length }, (_, row) => row).sort(
    (left, right) => (scores[right] ?? 0) - (scores[left] ?? 0),
  );
}

/**
 * Walks down the distinct scores of one class. At each: the weight of rows of the class, and of others, whose score is exactly this.
 * Rows of weight 0 are passed over.
 */
export function walkScores(
  { order, scores, positive }: { order: Int32Array; scores: Float64Array; positive: Uint8Array },
  weights: ArrayLike<number> | undefined,
  visit: (positives: number, negatives: number, score: number) => void,
): void {
  for (let at = 0; at < order.length; ) {
    const score = scores[order[at] ?? 0] ?? Number.NaN;
    let positives = 0;
    let negatives = 0;
    do {
      const row = order[at] ?? 0;
      const weight = weights === undefined ? 1 : (weights[row] ?? 0);
      if (positive[row] === 1) positives += weight;
      else negatives += weight;
      at++;
    } while (at < order.length && scores[order[at] ?? 0] === score);
    if (positives > 0 || negatives > 0) visit(positives, negatives, score);
  }
}

/** A class's rows prepared for `walkScores`. */
export function ranking(sample: LabelSample, index: number) {
  const scores = scoresOf(sample, index);
  return { scores, positive: isClass(sample, index), order: descending(scores) };
}
