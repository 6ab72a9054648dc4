import { describe, expect, it } from 'vitest';
import type { ColumnBatch, DigestedTable } from '../../core/data/index.ts';
import { type Host, silentHost } from '../../core/host/index.ts';
import { ModelError } from '../../core/problem/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { codedLabels, predictAll } from './predictions.ts';
import type { PredictedRows, RowPredictor } from './row-predictor.ts';

/** Rows whose one column says their number; counts how often the file is read. */
function rowsOf(count: number): EvaluationRows & { readonly reads: { names: readonly string[]; rows: number }[] } {
  const reads: { names: readonly string[]; rows: number }[] = [];
  const only = (): never => {
    throw new TypeError('not read here');
  };
  return {
    reads,
    policy: { source: 'e.csv', target: 'y' },
    table: { rows: count, columns: [], file: 'e.csv', sql: '', sha256: '' } as unknown as DigestedTable,
    engine: { open: only, openAhead: only, query: only, chunks: only, close: only, [Symbol.asyncDispose]: only },
    place: {},
    target: { kind: 'number', values: new Float64Array(), nulls: 0, integer: false },
    targets: [],
    columns: only,
    async *batches(names, rows) {
      reads.push({ names, rows });
      for (let from = 0; from < count; from += rows) {
        const to = Math.min(count, from + rows);
        const values = Float64Array.from({ length: to - from }, (_, row) => from + row);
        yield { from, to, columns: new Map([['x', { kind: 'number' as const, values }]]) };
      }
    },
  };
}

function predictor(
  predict: (batch: ColumnBatch) => Promise<PredictedRows>,
  more: Partial<RowPredictor> = {},
): RowPredictor {
  return { task: 'regression', path: 'm.onnx', place: {}, columns: ['x'], predict, ...more };
}

const valuesOf = ({ columns }: ColumnBatch): Float64Array => {
  const column = columns.get('x');
  return column?.kind === 'number' ? Float64Array.from(column.values) : new Float64Array();
};
const doubling = async (batch: ColumnBatch) => ({ values: valuesOf(batch).map((x) => 2 * x) });

/** The result of each, whatever it is. */
const resultsOf = async (
  predictors: readonly RowPredictor[],
  rows: EvaluationRows,
  host: Host = silentHost,
): Promise<readonly unknown[]> =>
  (await predictAll(predictors, rows, host)).map((each) => (each.status === 'fulfilled' ? each.value : each.reason));

describe('what predictors say of every row', () => {
  it.each([1, 4095, 4096, 4097, 12_289])('is put together from batches of %d rows', async (count) => {
    const [said] = await resultsOf([predictor(doubling)], rowsOf(count));
    expect(said).toEqual({ rows: count, values: Float64Array.from({ length: count }, (_, x) => 2 * x), broken: [] });
  });

  it('takes one look at the file for all of them', async () => {
    const rows = rowsOf(9000);
    const one = predictor(doubling, { columns: ['x', 'a'] });
    await predictAll([one, predictor(doubling, { columns: ['b', 'x'] })], rows, silentHost);
    expect(rows.reads).toEqual([{ names: ['x', 'a', 'b'], rows: 4096 }]);
  });

  it('takes another where they want other numbers of rows a call, each a multiple of its own', async () => {
    const rows = rowsOf(9000);
    const sizes: number[] = [];
    const fixed = predictor(
      async (batch) => {
        sizes.push(batch.to - batch.from);
        return doubling(batch);
      },
      { batch: 1000 },
    );
    const [one, other] = await resultsOf([predictor(doubling), fixed], rows);
    expect(one).toEqual(other);
    expect(sizes).toEqual([4000, 4000, 1000]);
    expect(rows.reads.map(({ rows: size }) => size)).toEqual([4096, 4000]);
  });

  it('is never more than a few batches ahead of the answers', async () => {
    let [open, most] = [0, 0];
    const slow = predictor(async (batch) => {
      open++;
      most = Math.max(most, open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
      return doubling(batch);
    });
    await predictAll([slow], rowsOf(100_000), silentHost);
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(3);
  });

  it('ends for the one that fails in a late batch, and goes on for the other', async () => {
    const asked: number[] = [];
    const failing = predictor(async (batch) => {
      asked.push(batch.from);
      if (batch.to > 20_000) throw new ModelError({ code: 'run-failed', message: 'late', place: {} });
      return doubling(batch);
    });
    const [one, other] = await resultsOf([failing, predictor(doubling)], rowsOf(100_000));
    expect(one).toBeInstanceOf(ModelError);
    expect(other).toMatchObject({ rows: 100_000, broken: [] });
    expect(asked.length).toBeLessThan(10);
  });

  it('is a fault of ours where anything but a problem is thrown', async () => {
    const wrong = predictor(async () => {
      throw new RangeError('ours');
    });
    await expect(predictAll([wrong, predictor(doubling)], rowsOf(10), silentHost)).rejects.toThrow(RangeError);
  });

  it('names the rows that are no numbers by their place in the file', async () => {
    const broken = predictor(async (batch) => ({
      scores: { values: [...valuesOf(batch)].flatMap((x) => [x, x === 4096 || x === 9000 ? Number.NaN : 0]), width: 2 },
    }));
    const scored = predictor(async (batch) => ({
      scores: { values: Float32Array.from([...valuesOf(batch)].flatMap((x) => [x, x === 9000 ? 1 / 0 : 0])), width: 2 },
    }));
    const [one, other] = await resultsOf([broken, scored], rowsOf(9001));
    expect(one).toMatchObject({ broken: [4097, 9001] });
    expect(other).toMatchObject({ broken: [9001] });
  });

  it('keeps single precision as it was given, and double where some of it is', async () => {
    const single = predictor(async (batch) => ({
      scores: { values: Float32Array.from(valuesOf(batch), (x) => x / 3), width: 1 },
    }));
    const later = predictor(async (batch) => {
      const values = valuesOf(batch).map((x) => x / 3);
      return { scores: { values: batch.from === 0 ? Float32Array.from(values) : values, width: 1 } };
    });
    const [one, other] = await resultsOf([single, later], rowsOf(5000));
    expect(one).toMatchObject({ scores: { values: Float32Array.from({ length: 5000 }, (_, x) => x / 3) } });
    const expected = Float64Array.from({ length: 5000 }, (_, x) => (x < 4096 ? Math.fround(x / 3) : x / 3));
    expect(other).toMatchObject({ scores: { values: expected } });
  });

  it('tells labels once, numbers and texts, few and many', async () => {
    const label = (x: number) => BigInt(x % 300 === 299 ? -(2 ** 40) - x : x % 3);
    const labels = predictor(async (batch) => ({
      labels: BigInt64Array.from([...valuesOf(batch)].map(label)),
    }));
    const texts = predictor(async (batch) => ({ labels: [...valuesOf(batch)].map((x) => `is ${x % 2}`) }));
    const [one, other] = await predictAll([labels, texts], rowsOf(100_000), silentHost);
    for (const [said, expected] of [
      [one, (x: number) => Number(label(x))],
      [other, (x: number) => `is ${x % 2}`],
    ] as const) {
      const coded = said?.status === 'fulfilled' ? said.value.labels : undefined;
      expect(Array.from(coded?.codes ?? [], (code) => coded?.names[code])).toEqual(
        Array.from({ length: 100_000 }, (_, x) => expected(x)),
      );
    }
    expect(codedLabels(['b', 'a', 'b'])).toEqual({ names: ['b', 'a'], codes: Uint8Array.of(0, 1, 0) });
  });

  it('shows how far it is, and ends with all rows', async () => {
    const shown: [number, number][] = [];
    const ended: string[] = [];
    const host: Host = {
      ...silentHost,
      progress: (title) => ({ update: (...of) => shown.push(of), end: () => ended.push(title) }),
    };
    await predictAll([predictor(doubling), predictor(doubling, { path: 'b.onnx' })], rowsOf(20_000), host);
    expect(ended).toEqual(['Run m.onnx and b.onnx']);
    expect(shown.length).toBeGreaterThan(4);
    expect(shown.at(-1)).toEqual([20_000, 20_000]);
    expect(shown.map(([done]) => done)).toEqual(shown.map(([done]) => done).toSorted((one, other) => one - other));
  });
});
