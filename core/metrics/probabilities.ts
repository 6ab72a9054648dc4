import { ascendingOrder } from '../statistics/index.ts';
import type { LabelSample, Probabilities } from './sample.ts';

/** The sample's probabilities; a metric that needs them must not be asked of a sample without. */
export function probabilitiesOf(sample: LabelSample): Probabilities {
  if (sample.probabilities === undefined) throw new RangeError('the sample carries no probabilities');
  return sample.probabilities;
}

/** One class's column of the probabilities. */
export function scoresOf(sample: LabelSample, index: number): Probabilities {
  const probabilities = probabilitiesOf(sample);
  const width = sample.classes.length;
  const rows = sample.actual.length;
  const scores = probabilities instanceof Float32Array ? new Float32Array(rows) : new Float64Array(rows);
  for (let row = 0; row < rows; row++) scores[row] = probabilities[row * width + index] ?? Number.NaN;
  return scores;
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
  /** How many distinct scores there are. */
  readonly size: number;
  /** Of each row of the sample, which distinct score it has, from the highest on; −1 of a row left out. */
  readonly steps: Int32Array;
  /** Each row once when no weights are given. What comes is overwritten by the next call, and not to be written to. */
  weigh(weights?: ArrayLike<number>): WeighedSteps;
}

/** The weight at each distinct score, from the highest on: of rows of the class, and of others. */
export interface WeighedSteps {
  readonly positives: Int32Array | Float64Array;
  readonly negatives: Int32Array | Float64Array;
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
  const { actual } = sample;
  const scores = scoresOf(sample, index);
  const order = ascendingOrder(scores);
  const steps = new Int32Array(scores.length).fill(-1);
  let step = -1;
  let last: number | undefined;
  for (let at = order.length - 1; at >= 0; at--) {
    const row = order[at] ?? 0;
    if (against !== undefined && actual[row] !== index && actual[row] !== against) continue;
    const score = scores[row];
    if (step === -1 || score !== last) step++;
    last = score;
    steps[row] = step;
  }
  const size = step + 1;
  const once = { positives: new Int32Array(size), negatives: new Int32Array(size) };
  for (let row = 0; row < steps.length; row++) {
    const at = steps[row] ?? -1;
    if (at < 0) continue;
    const into = actual[row] === index ? once.positives : once.negatives;
    into[at] = (into[at] ?? 0) + 1;
  }
  let weighed: { readonly positives: Float64Array; readonly negatives: Float64Array } | undefined;
  return {
    size,
    steps,
    weigh(weights) {
      if (weights === undefined) return once;
      weighed ??= { positives: new Float64Array(size), negatives: new Float64Array(size) };
      const { positives, negatives } = weighed;
      positives.fill(0);
      negatives.fill(0);
      for (let row = 0; row < steps.length; row++) {
        const at = steps[row] ?? -1;
        if (at < 0) continue;
        const into = actual[row] === index ? positives : negatives;
        into[at] = (into[at] ?? 0) + (weights[row] ?? 0);
      }
      return weighed;
    },
  };
}
