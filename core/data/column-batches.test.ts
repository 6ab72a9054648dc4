import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ColumnBatch, type Engine, openEngine, readBatches, readColumns, type Table } from './index.ts';
import { copyNumbers } from './vector-values.ts';

const rows = 10_000;
let directory = '';
let engine: Engine;
let table: Table;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine();
  // What is empty comes every seventh row, so that a vector's first and last are full and empty by turns.
  const select = [
    'i',
    '(i * 0.1)::FLOAT AS single',
    'CASE WHEN i % 7 = 3 THEN NULL ELSE i / 8 END AS double',
    "CASE WHEN i % 7 = 0 THEN NULL ELSE 'text ' || (i % 5) END AS word",
  ];
  table = await parquet('rows', `SELECT ${select.join(', ')} FROM range(${rows}) r(i)`);
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

async function parquet(name: string, select: string): Promise<Table> {
  const path = join(directory, `${name}.parquet`);
  await engine.query(`COPY (${select}) TO '${path}' (FORMAT parquet, ROW_GROUP_SIZE 3000)`);
  return engine.open(path);
}

async function batchesOf(of: Table, names: readonly string[], size: number): Promise<readonly ColumnBatch[]> {
  const batches: ColumnBatch[] = [];
  for await (const batch of readBatches(engine, of, names, { rows: size })) batches.push(batch);
  return batches;
}

describe('batches of rows', () => {
  it.each([999, 2047, 2048, 2049, 5000, 9999, 10_000, 10_001, 1e9])(
    'of %d follow each other without a gap, whatever is read at a time',
    async (size) => {
      const names = ['word', 'i', 'single', 'double'];
      const whole = await readColumns(engine, table, names);
      const batches = await batchesOf(table, names, size);
      expect(batches.map(({ from, to }) => [from, to])).toEqual(
        Array.from({ length: Math.ceil(rows / size) }, (_, at) => [at * size, Math.min(rows, (at + 1) * size)]),
      );
      for (const name of names) {
        const joined = batches.flatMap(({ columns }) => Array.from<unknown>(columns.get(name)?.values ?? []));
        expect(joined).toEqual(Array.from<unknown>(whole.get(name)?.values ?? []));
      }
    },
  );

  it('hold single precision where the file does, and the same numbers', async () => {
    const [batch] = await batchesOf(table, ['single', 'double'], rows);
    const single = batch?.columns.get('single')?.values;
    expect(single).toBeInstanceOf(Float32Array);
    expect(single?.[7]).toBe(Math.fround(0.7));
    expect(batch?.columns.get('double')?.values).toBeInstanceOf(Float64Array);
  });

  it('are none of a table without rows', async () => {
    const none = await parquet('none', 'SELECT i FROM range(0) r(i)');
    expect(await batchesOf(none, ['i'], 10)).toEqual([]);
    expect((await readColumns(engine, none, ['i'])).get('i')?.values).toEqual(new Float64Array());
  });

  it('name the row of an integer that no number can hold, in a late batch too', async () => {
    const huge = await parquet(
      'huge',
      'SELECT CASE WHEN i = 6000 THEN 9007199254740993 ELSE i END AS i FROM range(7000) r(i)',
    );
    await expect(batchesOf(huge, ['i'], 1000)).rejects.toThrow(/row 6001/);
  });

  it('end with an error where the file has not the rows it says', async () => {
    for (const wrong of [rows - 1, rows + 1]) {
      await expect(batchesOf({ ...table, rows: wrong }, ['i'], 3000)).rejects.toThrow(
        /does not have the rows it says it has/,
      );
    }
  });
});

describe('the cells of a vector', () => {
  const validity = (rowsOfVector: readonly (number | null)[]) => {
    const data = new BigUint64Array(Math.ceil(rowsOfVector.length / 64));
    for (const [row, value] of rowsOfVector.entries()) {
      if (value !== null) data[row >> 6] = (data[row >> 6] ?? 0n) | (1n << BigInt(row & 63));
    }
    return { data, offset: 0 };
  };

  it('are the same read together and one by one', () => {
    const cells = fc.array(fc.option(fc.double({ noNaN: true })), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(cells, fc.nat(), fc.nat(), (values, one, other) => {
        const at = one % values.length;
        const count = other % (values.length - at + 1);
        const getItem = (index: number) => values[index];
        const items = Float64Array.from(values, (value) => value ?? 0);
        const together = new Float64Array(count + 2);
        const single = new Float64Array(count + 2);
        copyNumbers({ getItem, ...{ items, validity: validity(values) } }, at, together, 1, count);
        copyNumbers({ getItem }, at, single, 1, count);
        expect(together).toEqual(single);
        expect(single.subarray(1, count + 1)).toEqual(
          Float64Array.from(values.slice(at, at + count), (value) => value ?? Number.NaN),
        );
      }),
    );
  });

  it('are read where DuckDB keeps them, in the version that is used', async () => {
    for await (const chunk of engine.chunks(`SELECT CAST(i AS DOUBLE), single, double FROM ${table.sql}`)) {
      for (const index of [0, 1, 2]) {
        const vector = chunk.getColumnVector(index);
        const items: unknown = Reflect.get(vector, 'items');
        expect(items instanceof Float64Array || items instanceof Float32Array).toBe(true);
        expect(Reflect.get(Object(Reflect.get(vector, 'validity')), 'offset')).toBe(0);
      }
    }
  });
});
