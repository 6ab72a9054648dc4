import type { LabelSample, Probabilities } from './sample.ts';
import { scoreColumn } from './score-column.ts';

/** The sample's probabilities; a metric that needs them must not be asked of a sample without. */
export function probabilitiesOf(sample: LabelSample): Probabilities {
  if (sample.probabilities === undefined) throw new RangeError('the sample carries no probabilities');
  return sample.probabilities;
}

/** One class's column of the probabilities; not to be written to. */
export function scoresOf(sample: LabelSample, index: number): Probabilities {
  return scoreColumn(sample, probabilitiesOf(sample), index).scores;
}

/** Which rows are of the class. */
export function isClass(sample: LabelSample, index: number): Uint8Array {
  const is = new Uint8Array(sample.actual.length);
  for (let row = 0; row < is.length; row++) if (sample.actual[row] === index) is[row] = 1;
  return is;
}

/** The classes a ranking metric looks at: the positive one of two, else each against the rest. */
export function rankedClasses(sample: LabelSample): readonly number[] {
  if (sample.classes.length === 2) return [sample.positive ?? 1];
  return sample.classes.map((_, index) => index);
}

/** One class's rows by falling score, tied ones as one step. */
export interface Ranking {
  /** The weight at each distinct score, from the highest on: of rows of the class, and of others. Overwritten by the next `weigh`. */
  readonly positives: Float64Array;
  readonly negatives: Float64Array;
  /** Of each row of the sample, which distinct score it has; −1 of a row left out. */
  readonly steps: Int32Array;
  /** Fills the two; each row once when no weights are given. */
  weigh(weights?: ArrayLike<number>): void;
}

/** By sample, for as long as it lives: several metrics and curves look at the same one. */
const rankings = new WeakMap<LabelSample, Map<number, Ranking>>();

/**
 * Sorts once, so that many weightings are cheap. `against`: only rows of the class and of that one; all when not given. Whoever asks for
 * the same one gets the same, so `weigh` before reading.
 */
export function ranking(sample: LabelSample, index: number, against?: number): Ranking {
  if (against !== undefined) return rank(sample, index, against);
  const known = rankings.get(sample) ?? new Map<number, Ranking>();
  rankings.set(sample, known);
  const found = known.get(index) ?? rank(sample, index);
  known.set(index, found);
  return found;
}

function rank(sample: LabelSample, index: number, against?: number): Ranking {
  const scores = scoresOf(sample, index);
  const isIn = (row: number) => against === undefined || sample.actual[row] === index || sample.actual[row] === against;
  const falling = scoreColumn(sample, probabilitiesOf(sample), index).falling();
  const order = against === undefined ? falling : falling.filter(isIn);
  const rowIsClass = isClass(sample, index);
  const positive = new Uint8Array(order.length);
  const step = new Int32Array(order.length);
  const steps = new Int32Array(scores.length).fill(-1);
  let last = 0;
  for (let at = 0; at < order.length; at++) {
    const row = order[at] ?? 0;
    if (at > 0 && scores[row] !== scores[order[at - 1] ?? 0]) last++;
    positive[at] = rowIsClass[row] ?? 0;
    step[at] = last;
    steps[row] = last;
  }
  const size = order.length === 0 ? 0 : last + 1;
  const positives = new Float64Array(size);
  const negatives = new Float64Array(size);
  return {
    positives,
    negatives,
    steps,
    weigh(weights) {
      positives.fill(0);
      negatives.fill(0);
      for (let at = 0; at < order.length; at++) {
        const weight = weights === undefined ? 1 : (weights[order[at] ?? 0] ?? 0);
        const into = positive[at] === 1 ? positives : negatives;
        const to = step[at] ?? 0;
        into[to] = (into[to] ?? 0) + weight;
      }
    },
  };
}
