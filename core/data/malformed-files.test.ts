import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { DataError } from '../problem/index.ts';
import { malformedFiles } from './fixtures/malformed-files.ts';
import { type Engine, openEngine, quoteIdentifier } from './index.ts';

/** Reads everything that a table has, and what it should have. */
async function readAll(engine: Engine, path: string): Promise<void> {
  const table = await engine.open(path);
  const every = table.columns.map(
    (column) => `count(${quoteIdentifier(column.name)}), min(hash(${quoteIdentifier(column.name)}))`,
  );
  const [row] = await engine.query(`SELECT count(*) AS "rows", ${every.join(', ')} FROM ${table.sql}`);
  expect(row?.['rows']).toBe(table.rows);
}

test('two hundred malformed files are refused with a problem that says what to do, or are read to their end', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-malformed-'));
  try {
    await using engine = await openEngine({
      limits: { bytes: 4_000_000, freelyUnpacked: 1_000_000, ratio: 20 },
      threads: 1,
    });
    const parquet: Record<string, Buffer> = {};
    for (const compression of ['snappy', 'zstd', 'gzip', 'uncompressed']) {
      const path = join(directory, `${compression}.parquet`);
      await engine.query(
        `COPY (SELECT i, i * 0.5 AS half, 'name ' || (i % 50) AS name, [i, i + 1] AS list, {'k': i} AS nested, DATE '2024-01-01' + i::INT AS day FROM range(3000) r(i)) TO '${path}' (FORMAT parquet, COMPRESSION ${compression}, ROW_GROUP_SIZE 1000)`,
      );
      parquet[compression] = await readFile(path);
    }
    const read: string[] = [];
    for (const { name, content, refused } of malformedFiles(200, { parquet })) {
      const path = join(directory, name);
      await writeFile(path, content);
      const error = await readAll(engine, path).then(
        () => undefined,
        (thrown: unknown) => thrown,
      );
      if (error === undefined) {
        expect(refused, `${name} was read`).toBe(false);
        read.push(name);
        continue;
      }
      if (!(error instanceof DataError)) throw new Error(`${name}: no problem but ${String(error)}`, { cause: error });
      expect(error.problems[0].fix, name).toBeDefined();
      expect(error.message, name).not.toContain(directory.slice(0, -1) === '' ? directory : `${directory}/brought`);
    }
    // Most of what chance does to a file breaks it.
    expect(read.length).toBeLessThan(70);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}, 60_000);
