export type Probabilities = Float64Array | Float32Array;

/** Rows of a classifier: what they are and what it says they are. Classes are indices into `classes`. */
export interface LabelSample {
  readonly task: 'classification';
  /** In scikit-learn's order: sorted. */
  readonly classes: readonly string[];
  /** The positive class of a binary task. */
  readonly positive?: number;
  readonly actual: Int32Array;
  readonly predicted: Int32Array;
  /** Row by row, `classes.length` each; in single precision where the model gives them so. */
  readonly probabilities?: Probabilities;
}

/** Rows of a regressor. */
export interface ValueSample {
  readonly task: 'regression';
  readonly actual: Float64Array;
  readonly predicted: Float64Array;
}

/** Rows of a classifier that says of each of several labels whether it is true. */
export interface MultiLabelSample {
  readonly task: 'multilabel';
  readonly rows: number;
  readonly labels: readonly string[];
  /** Row by row, `labels.length` each: 1 where the label is true. */
  readonly actual: Uint8Array;
  readonly predicted: Uint8Array;
  readonly scores: Float64Array;
}

/** Documents ranked by query: the queries are its rows. */
export interface RankingSample {
  readonly task: 'ranking';
  readonly queries: number;
  /** Where each query's documents begin, and after the last one where they end. */
  readonly starts: Int32Array;
  /** How relevant each document is, from 0 on. */
  readonly relevance: Float64Array;
  readonly scores: Float64Array;
}

export type Sample = LabelSample | ValueSample | MultiLabelSample | RankingSample;

/** How many rows there are to be drawn from: of a ranking, queries. */
export function rowsOf(sample: Sample): number {
  if (sample.task === 'ranking') return sample.queries;
  return sample.task === 'multilabel' ? sample.rows : sample.actual.length;
}

/** The rows at `rows`, in that order. */
export function pick<Rows extends Sample>(sample: Rows, rows: ArrayLike<number>): Rows;
export function pick(sample: Sample, rows: ArrayLike<number>): Sample {
  if (sample.task === 'regression') {
    return { task: 'regression', actual: doubles(sample.actual, rows), predicted: doubles(sample.predicted, rows) };
  }
  if (sample.task === 'ranking') return queriesOf(sample, rows);
  if (sample.task === 'multilabel') {
    const width = sample.labels.length;
    return {
      ...sample,
      rows: rows.length,
      actual: blocks(width, sample.actual, rows),
      predicted: blocks(width, sample.predicted, rows),
      scores: blocks(width, sample.scores, rows),
    };
  }
  const { probabilities, ...rest } = sample;
  const picked = { ...rest, actual: integers(sample.actual, rows), predicted: integers(sample.predicted, rows) };
  return probabilities === undefined
    ? picked
    : { ...picked, probabilities: blocks(sample.classes.length, probabilities, rows) };
}

function queriesOf({ starts, relevance, scores }: RankingSample, queries: ArrayLike<number>): RankingSample {
  const documents: number[] = [];
  const begins = [0];
  for (const query of Array.from(queries)) {
    for (let document = starts[query] ?? 0; document < (starts[query + 1] ?? 0); document++) documents.push(document);
    begins.push(documents.length);
  }
  return {
    task: 'ranking',
    queries: queries.length,
    starts: Int32Array.from(begins),
    relevance: doubles(relevance, documents),
    scores: doubles(scores, documents),
  };
}

function doubles(values: Float64Array, rows: ArrayLike<number>): Float64Array {
  const picked = new Float64Array(rows.length);
  for (let to = 0; to < picked.length; to++) picked[to] = values[rows[to] ?? 0] ?? Number.NaN;
  return picked;
}

function integers(values: Int32Array, rows: ArrayLike<number>): Int32Array {
  const picked = new Int32Array(rows.length);
  for (let to = 0; to < picked.length; to++) picked[to] = values[rows[to] ?? 0] ?? 0;
  return picked;
}

function blocks<Values extends Probabilities | Uint8Array>(
  width: number,
  values: Values,
  rows: ArrayLike<number>,
): Values;
function blocks(
  width: number,
  values: Probabilities | Uint8Array,
  rows: ArrayLike<number>,
): Probabilities | Uint8Array {
  const size = rows.length * width;
  const picked =
    values instanceof Float64Array
      ? new Float64Array(size)
      : values instanceof Float32Array
        ? new Float32Array(size)
        : new Uint8Array(size);
  for (let to = 0; to < rows.length; to++) {
    const from = (rows[to] ?? 0) * width;
    for (let at = 0; at < width; at++) picked[to * width + at] = values[from + at] ?? 0;
  }
  return picked;
}
