import { ascendingOrder } from '../statistics/index.ts';
import type { LabelSample, Probabilities } from './sample.ts';

/** One class's scores, and the rows by rising score. Looked at again and again by several metrics: not to be written to. */
export interface ScoreColumn {
  readonly scores: Probabilities;
  rising(): Int32Array;
}

/** By the probabilities that they are of, for as long as those live. */
const columns = new WeakMap<Probabilities, Map<number, ScoreColumn>>();

/** The column of a class, taken out and sorted once for all metrics of the sample. */
export function scoreColumn(
  { classes, actual }: LabelSample,
  probabilities: Probabilities,
  index: number,
): ScoreColumn {
  const known = columns.get(probabilities) ?? new Map<number, ScoreColumn>();
  columns.set(probabilities, known);
  const found = known.get(index);
  if (found !== undefined && found.scores.length === actual.length) return found;
  const size = actual.length;
  const scores = probabilities instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
  for (let row = 0; row < scores.length; row++) scores[row] = probabilities[row * classes.length + index] ?? Number.NaN;
  let rising: Int32Array | undefined;
  const column: ScoreColumn = {
    scores,
    rising: () => (rising ??= ascendingOrder(scores)),
  };
  known.set(index, column);
  return column;
}
