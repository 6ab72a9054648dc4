import type { ColumnBatch } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import { SluiceError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import type { PredictedRows, RowPredictor } from './row-predictor.ts';

/** Rows a batch: large enough that a call's own cost vanishes, small enough that wide rows fit into memory. */
const batchRows = 4096;
/** Batches that predictors are given before the first of them is answered: while they work on one, the next is made. */
const ahead = 2;

/** Rows that a predictor is given at a time. */
export function rowsOfBatch({ batch = 1 }: Pick<RowPredictor, 'batch'>): number {
  return Math.max(1, Math.floor(batchRows / batch)) * batch;
}

/** What was said about every row. */
export interface Predictions {
  readonly rows: number;
  /** Predicted labels, as they were said. */
  readonly labels?: CodedLabels;
  /** Class probabilities row by row, `width` each; one score a row when `width` is 1. In the precision they were said in. */
  readonly scores?: Scores;
  /** Regression. */
  readonly values?: Float64Array;
  /** Rows, from 1, with a NaN or infinite prediction. */
  readonly broken: readonly number[];
}

export interface Scores {
  readonly values: Float64Array | Float32Array;
  readonly width: number;
}

/** Labels of many rows, each told once: row `r` says `names[codes[r]]`. */
export interface CodedLabels<Name extends string | number = string | number> {
  readonly names: readonly Name[];
  readonly codes: Uint8Array | Int32Array;
}

/** Labels as they are held here. */
export function codedLabels(labels: ArrayLike<string | number>): CodedLabels {
  const coder = new LabelCoder(labels.length);
  for (let row = 0; row < labels.length; row++) coder.push(labels[row] ?? '');
  return coder.coded();
}

/**
 * What every predictor says of every row, reading the file in one pass where the predictors allow; no more than a few batches of features are in
 * memory. What fails for a reason of the user's is rejected by itself and the others go on; a file that cannot be read is thrown.
 */
export async function predictAll(
  predictors: readonly RowPredictor[],
  rows: EvaluationRows,
  host: Host,
): Promise<readonly PromiseSettledResult<Predictions>[]> {
  const runs = predictors.map((predictor) => new PredictionRun(predictor, rows.table.rows));
  const progress = host.progress(`Run ${predictors.map(({ path }) => excerpt(path, 60)).join(' and ')}`);
  const passes = new Map<number, PredictionRun[]>();
  for (const run of runs) passes.set(run.step, [...(passes.get(run.step) ?? []), run]);
  const total = rows.table.rows * passes.size;
  let done = 0;
  try {
    for (const [step, together] of passes) {
      const columns = [...new Set(together.flatMap(({ columns }) => columns))];
      for await (const batch of batchesOf(rows, columns, step)) {
        for (const run of together) await run.give(batch);
        progress.update(done, total);
        done += batch.to - batch.from;
        if (together.every(({ failed }) => failed)) break;
      }
    }
    const settled = await Promise.allSettled(runs.map((run) => run.finish()));
    progress.update(total, total);
    for (const each of settled) {
      if (each.status === 'rejected' && !(each.reason instanceof SluiceError)) throw each.reason;
    }
    return settled;
  } finally {
    progress.end();
  }
}

/** Also of predictors that look at no column. */
async function* batchesOf(
  { table, batches }: EvaluationRows,
  columns: readonly string[],
  step: number,
): AsyncIterable<ColumnBatch> {
  if (columns.length > 0) {
    yield* batches(columns, step);
    return;
  }
  for (let from = 0; from < table.rows; from += step) {
    yield { from, to: Math.min(table.rows, from + step), columns: new Map() };
  }
}

/** One predictor on its way through the rows. */
class PredictionRun {
  readonly step: number;
  readonly columns: readonly string[];
  readonly #predictor: RowPredictor;
  readonly #collected: Collected;
  /** Batches that were given and are not answered yet. */
  readonly #asked: { readonly batch: ColumnBatch; readonly said: Promise<PredictedRows> }[] = [];
  #failure: { readonly reason: unknown } | undefined;

  constructor(predictor: RowPredictor, rows: number) {
    this.step = rowsOfBatch(predictor);
    this.columns = predictor.columns;
    this.#predictor = predictor;
    this.#collected = new Collected(rows);
  }

  get failed(): boolean {
    return this.#failure !== undefined;
  }

  async give(batch: ColumnBatch): Promise<void> {
    if (this.failed) return;
    const said = this.#predictor.predict(batch);
    // A failure is thrown where it is waited for, which is after the batch before.
    said.catch(() => {});
    this.#asked.push({ batch, said });
    await this.#answered(ahead);
  }

  async finish(): Promise<Predictions> {
    await this.#answered(0);
    if (this.#failure !== undefined) throw this.#failure.reason;
    return this.#collected.finish();
  }

  async #answered(most: number): Promise<void> {
    while (this.#asked.length > most && !this.failed) {
      const next = this.#asked.shift();
      if (next === undefined) return;
      try {
        this.#collected.take(await next.said, next.batch.from, next.batch.to);
      } catch (reason) {
        this.#failure = { reason };
      }
    }
  }
}

/** The batches' answers, put together. */
class Collected {
  readonly #rows: number;
  #labels: LabelCoder | undefined;
  #scores: { values: Float64Array | Float32Array; readonly width: number } | undefined;
  #values: Float64Array | undefined;
  readonly #broken = new Set<number>();

  constructor(rows: number) {
    this.#rows = rows;
  }

  take({ labels, scores, values }: PredictedRows, from: number, to: number): void {
    const count = to - from;
    if (labels !== undefined) {
      this.#labels ??= new LabelCoder(this.#rows);
      this.#labels.pushAll(labels, count);
    }
    if (values !== undefined) {
      this.#values ??= new Float64Array(this.#rows);
      this.#fill(this.#values, values, from, count, 1);
    }
    if (scores !== undefined) {
      const { width } = scores;
      const single = scores.values instanceof Float32Array;
      const size = this.#rows * width;
      this.#scores ??= { values: single ? new Float32Array(size) : new Float64Array(size), width };
      if (this.#scores.width !== width) throw new TypeError(`${width} scores a row, and ${this.#scores.width} before`);
      // Later rows in double precision would lose it.
      if (!single && this.#scores.values instanceof Float32Array) {
        this.#scores.values = Float64Array.from(this.#scores.values);
      }
      this.#fill(this.#scores.values, scores.values, from, count, width);
    }
  }

  finish(): Predictions {
    return {
      rows: this.#rows,
      ...(this.#labels === undefined ? {} : { labels: this.#labels.coded() }),
      ...(this.#scores === undefined ? {} : { scores: this.#scores }),
      ...(this.#values === undefined ? {} : { values: this.#values }),
      broken: [...this.#broken].map((row) => row + 1),
    };
  }

  #fill(
    to: Float64Array | Float32Array,
    given: ArrayLike<number | bigint>,
    from: number,
    count: number,
    width: number,
  ): void {
    const [start, size] = [from * width, count * width];
    if (given instanceof Float32Array || given instanceof Float64Array) {
      to.set(given.length === size ? given : given.subarray(0, size), start);
    } else {
      for (let index = 0; index < size; index++) to[start + index] = Number(given[index]);
    }
    for (let at = start; at < start + size; at++) {
      if (!Number.isFinite(to[at])) this.#broken.add(Math.floor(at / width));
    }
  }
}

const mostInBytes = 256;

/** Gives every label that it has not seen a number of its own. */
class LabelCoder {
  readonly #rows: number;
  readonly #names: (string | number)[] = [];
  readonly #numbers = new Map<string | number, number>();
  #codes: Uint8Array | Int32Array;
  #at = 0;
  #last: string | number | undefined;
  #lastCode = 0;

  constructor(rows: number) {
    this.#rows = rows;
    this.#codes = new Uint8Array(rows);
  }

  push(label: string | number): void {
    let code = label === this.#last ? this.#lastCode : this.#numbers.get(label);
    if (code === undefined) {
      code = this.#names.length;
      this.#names.push(label);
      this.#numbers.set(label, code);
      if (code === mostInBytes) {
        const wide = new Int32Array(this.#rows);
        wide.set(this.#codes);
        this.#codes = wide;
      }
    }
    this.#last = label;
    this.#lastCode = code;
    this.#codes[this.#at++] = code;
  }

  pushAll(labels: ArrayLike<string | number | bigint>, count: number): void {
    if (labels instanceof BigInt64Array) {
      // Most classifiers number their classes so; a million bigints made one by one take as long as the model does.
      const words = new Int32Array(labels.buffer, labels.byteOffset, 2 * count);
      for (let index = 0; index < count; index++) {
        this.push((words[2 * index + 1] ?? 0) * 2 ** 32 + ((words[2 * index] ?? 0) >>> 0));
      }
      return;
    }
    for (let index = 0; index < count; index++) {
      const label = labels[index] ?? '';
      this.push(typeof label === 'bigint' ? Number(label) : label);
    }
  }

  coded(): CodedLabels {
    return { names: this.#names, codes: this.#codes };
  }
}
