import type { BatchColumn, ColumnBatch } from '../../../core/data/index.ts';
import type { Host } from '../../../core/host/index.ts';
import type { Measure, Sample } from '../../../core/metrics/index.ts';
import { type Interval, intervalOfResamples, randomOf, resample } from '../../../core/statistics/index.ts';
import type { EvaluationRows } from '../evaluation-rows.ts';
import type { RowPredictor } from '../row-predictor.ts';

/** A feature, or several that are shuffled together. */
export interface Feature {
  readonly name: string;
  readonly columns: readonly string[];
}

/** How much a metric loses when a feature tells nothing any more; below 0 where it gains. */
export interface Importance {
  readonly feature: Feature;
  readonly candidate: Interval;
  /** Of the baseline, and candidate less baseline; absent where the baseline does not look at the feature. */
  readonly baseline?: number;
  readonly change?: Interval;
}

/** Some rows of the evaluation, held in memory. */
export interface RowSample {
  readonly rows: EvaluationRows;
  readonly count: number;
}

/** `rows` of the evaluation rows at most, drawn without replacement by the data's digest, in file order. */
export async function sampleRows(from: EvaluationRows, columns: readonly string[], most: number): Promise<RowSample> {
  const total = from.table.rows;
  const count = Math.min(total, most);
  const wanted = drawn(total, count, `${from.table.sha256} rows to explain`);
  const cells = new Map<string, (number | string | null)[]>();
  const kinds = new Map<string, BatchColumn['kind']>();
  let next = 0;
  if (columns.length > 0) {
    for await (const batch of from.batches(columns, 4096)) {
      const here: number[] = [];
      while (next < count && (wanted[next] ?? total) < batch.to) here.push((wanted[next++] ?? 0) - batch.from);
      for (const [name, { kind, values }] of batch.columns) {
        const kept = cells.get(name) ?? [];
        cells.set(name, kept);
        kinds.set(name, kind);
        for (const row of here) kept.push(values[row] ?? null);
      }
    }
  }
  const held = new Map<string, BatchColumn>();
  for (const [name, values] of cells) held.set(name, columnOf(kinds.get(name) ?? 'string', values));
  const targets = from.targets.map(({ name, values }) => ({
    name,
    values:
      values.kind === 'number'
        ? { ...values, values: Float64Array.from(wanted, (row) => values.values[row] ?? Number.NaN) }
        : { ...values, values: Array.from(wanted, (row) => values.values[row] ?? null) },
  }));
  const [first] = targets;
  return {
    count,
    rows: {
      ...from,
      table: { ...from.table, rows: count },
      targets,
      target: first?.values ?? from.target,
      async *batches(names, size) {
        for (let start = 0; start < count; start += size) {
          const to = Math.min(count, start + size);
          const part = names.flatMap((name): readonly [string, BatchColumn][] => {
            const column = held.get(name);
            return column === undefined ? [] : [[name, slice(column, start, to)]];
          });
          yield { from: start, to, columns: new Map(part) };
        }
      },
    },
  };
}

/** The same predictor, to which the columns come in another order of rows. `order[row]` is the row whose value it gets. */
export function shuffled(
  inner: RowPredictor,
  columns: readonly string[],
  order: Int32Array,
  all: ColumnBatch,
): RowPredictor {
  const held = new Map(
    columns.flatMap((name): readonly [string, BatchColumn][] => {
      const column = all.columns.get(name);
      return column === undefined ? [] : [[name, reordered(column, order)]];
    }),
  );
  return {
    ...inner,
    // What it says is another thing than what the model says, however alike.
    identity: undefined,
    predict: (batch) => {
      const mixed = new Map(batch.columns);
      for (const [name, column] of held) if (mixed.has(name)) mixed.set(name, slice(column, batch.from, batch.to));
      return inner.predict({ ...batch, columns: mixed });
    },
  };
}

/** Which row's value each row gets: the same for the same data, feature and repeat on every machine. */
export function permutation(rows: number, seed: string): Int32Array {
  const order = Int32Array.from({ length: rows }, (_, row) => row);
  const random = randomOf(seed);
  // R. Durstenfeld, CACM 7 (1964).
  for (let row = rows - 1; row > 0; row--) {
    const other = (random.unit() * (row + 1)) | 0;
    const kept = order[row] ?? 0;
    order[row] = order[other] ?? 0;
    order[other] = kept;
  }
  return order;
}

/** A model's metric on rows as they are, and with a feature shuffled again and again. */
export interface Losses {
  readonly plain: Measure;
  readonly shuffled: readonly Measure[];
}

const resamples = 400;

/**
 * scikit-learn's permutation importance: the metric on the rows less its mean over the shuffles (of a metric where less is better the other way
 * round). The interval is the bootstrap's over rows, paired: the same rows are drawn for the metric as it is, every shuffle and both models.
 * `level: 'off'` makes it a point. Source: L. Breiman, "Random Forests", Machine Learning 45 (2001).
 */
export function importanceOf(
  candidate: Losses,
  baseline: Losses | undefined,
  options: {
    readonly better: 'higher' | 'lower';
    readonly rows: number;
    readonly level: number | 'off';
    readonly seed: string;
  },
): Pick<Importance, 'candidate' | 'baseline' | 'change'> {
  const { better, rows, level, seed } = options;
  const sign = better === 'higher' ? 1 : -1;
  // The mean of the differences, not the difference of the means: what is the same every time loses exactly nothing.
  const lossOf =
    ({ plain, shuffled: all }: Losses) =>
    (weights?: Float64Array) => {
      const value = plain(weights);
      return all.reduce((sum, measure) => sum + sign * (value - measure(weights)), 0) / all.length;
    };
  const mine = lossOf(candidate);
  const other = baseline === undefined ? undefined : lossOf(baseline);
  const estimate = mine();
  const ofBaseline = other?.();
  const point = (value: number): Interval => ({
    estimate: value,
    lower: value,
    upper: value,
    level: 0.5,
    method: 'point',
    n: rows,
  });
  if (level === 'off') {
    return {
      candidate: point(estimate),
      ...(ofBaseline === undefined ? {} : { baseline: ofBaseline, change: point(estimate - ofBaseline) }),
    };
  }
  const [ofMine = new Float64Array(), ofOther = new Float64Array()] = resample(
    { weights: new Float64Array(rows).fill(1), seed, resamples },
    other === undefined ? [mine] : [mine, other],
  );
  const interval = (value: number, values: Float64Array) =>
    intervalOfResamples(value, values, { level, method: 'percentile', n: rows });
  return {
    candidate: interval(estimate, ofMine),
    ...(ofBaseline === undefined
      ? {}
      : {
          baseline: ofBaseline,
          change: interval(
            estimate - ofBaseline,
            ofMine.map((value, index) => value - (ofOther[index] ?? Number.NaN)),
          ),
        }),
  };
}

/** What a sample of rows says under some order of a feature. */
export type Judge = (
  candidate: RowPredictor,
  baseline: RowPredictor | undefined,
) => Promise<{
  readonly candidate: Sample;
  readonly baseline?: Sample | undefined;
}>;

/** A host that draws no progress: hundreds of short passes would flicker. */
export function withoutProgress(host: Host): Host {
  return { ...host, progress: () => ({ update: () => {}, end: () => {} }) };
}

/** `count` of `total` row numbers, ascending: each set of them as likely as any other (D. Knuth, TAOCP 3.4.2, algorithm S). */
function drawn(total: number, count: number, seed: string): Int32Array {
  const found = new Int32Array(count);
  const random = randomOf(seed);
  let kept = 0;
  for (let row = 0; row < total && kept < count; row++) {
    if ((total - row) * random.unit() < count - kept) found[kept++] = row;
  }
  return found;
}

function columnOf(kind: BatchColumn['kind'], values: readonly (number | string | null)[]): BatchColumn {
  return kind === 'number'
    ? { kind, values: Float64Array.from(values, (value) => (typeof value === 'number' ? value : Number.NaN)) }
    : { kind, values: values.map((value) => (value === null ? null : String(value))) };
}

function reordered(column: BatchColumn, order: Int32Array): BatchColumn {
  if (column.kind === 'number') {
    return { kind: 'number', values: Float64Array.from(order, (row) => column.values[row] ?? Number.NaN) };
  }
  return { kind: 'string', values: Array.from(order, (row) => column.values[row] ?? null) };
}

function slice(column: BatchColumn, from: number, to: number): BatchColumn {
  return column.kind === 'number'
    ? { kind: 'number', values: column.values.subarray(from, to) }
    : { kind: 'string', values: column.values.slice(from, to) };
}
