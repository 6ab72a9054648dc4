import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Engine, openEngine } from '../core/data/index.ts';
import { parsePolicy } from '../core/policy/index.ts';
import type { Report } from '../core/report/index.ts';
import { record } from './recorded-streams.ts';

let directory: string;
let engine: Engine;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-suggest-'));
  engine = await openEngine();
});
afterEach(async () => {
  await engine.close();
  await rm(directory, { recursive: true, force: true });
});

async function suggest(...argv: readonly string[]): Promise<string> {
  const { exitCode, stderr } = await record(directory, ['data', 'suggest', ...argv]);
  expect(exitCode, stderr).toBe(0);
  return readFile(join(directory, 'sluice.yaml'), 'utf8');
}

/** What of the written policy does not hold. */
async function broken(): Promise<readonly unknown[]> {
  const { stdout, stderr } = await record(directory, ['validate-data', '--json']);
  const report = JSON.parse(stdout === '' ? JSON.stringify({ checks: [{ status: stderr }] }) : stdout) as Report;
  return report.checks
    .filter(({ status }) => status !== 'pass')
    .map(({ id, status, message }) => [id, status, message]);
}

const people = `SELECT i AS id, 'user' || i || '@mail.com' AS email, uuid()::VARCHAR AS session,
  18 + floor(random() * 60)::INT AS age, CASE WHEN random() < 0.1 THEN NULL ELSE random() * 1000 END AS income,
  ['KR', 'US', 'JP'][1 + floor(random() * 3)::INT] AS country, random() < 0.3 AS member,
  DATE '2024-01-01' + floor(random() * 300)::INT AS day, TIMESTAMP '2024-01-01' + to_seconds(floor(random() * 1e6)::INT) AS at,
  (random() < 0.2)::INT AS label FROM range(2000) r(i)`;

test('it writes checks of every kind that fits, which hold', async () => {
  await engine.query(`COPY (${people}) TO '${join(directory, 'people.parquet')}' (FORMAT parquet)`);
  const text = await suggest('people.parquet');
  const checks = parsePolicy(text, 'sluice.yaml').policy.data?.[0]?.checks ?? [];
  expect(checks).toEqual(
    expect.arrayContaining([
      { row_count: { min: 800 } },
      { unique: { columns: ['id'] } },
      { accepted_values: { column: 'country', values: expect.arrayContaining(['KR', 'US', 'JP']) } },
      { regex: { column: 'email', pattern: expect.stringContaining('@') } },
      { regex: { column: 'session', pattern: expect.stringContaining('{12}') } },
      { class_share: { column: 'label', min: expect.any(Number) } },
      { not_null: { columns: ['income'], mostly: expect.any(Number) } },
    ]),
  );
  expect(checks.flatMap((check) => Object.keys(check))).toEqual(
    expect.arrayContaining(['schema', 'between', 'duplicate_rows']),
  );
  expect(await broken()).toEqual([]);
});

test('it overwrites nothing unless told to, and takes only a label that is one', async () => {
  await writeFile(join(directory, 'rows.csv'), 'a,kind\n1,x\n2,y\n3,x\n');
  await writeFile(join(directory, 'sluice.yaml'), 'mine');
  expect(await record(directory, ['data', 'suggest', 'rows.csv'])).toMatchObject({ exitCode: 1 });
  expect(await readFile(join(directory, 'sluice.yaml'), 'utf8')).toBe('mine');
  expect(await suggest('rows.csv', '--force', '--label', 'kind')).toContain('Written by sluice data suggest');
  const refused = await record(directory, ['data', 'suggest', 'rows.csv', '--force', '--label', 'kinds']);
  expect(refused).toMatchObject({ exitCode: 1, stderr: expect.stringContaining('there is no column') });
});

/** A column as an expression of the row number and chance. */
const column = fc.oneof(
  fc
    .record({ least: fc.integer({ min: -1000, max: 1000 }), span: fc.integer({ min: 1, max: 5000 }) })
    .map(({ least, span }) => `${least} + floor(random() * ${span})::INT`),
  fc.integer({ min: 1, max: 12 }).map((count) => `'v' || floor(random() * ${count})::INT`),
  fc.constantFrom(
    'random() * 100 - 50',
    'i',
    "'row ' || i",
    'random() < 0.5',
    "DATE '2024-01-01' + floor(random() * 90)::INT",
    "TIMESTAMP '2024-01-01' + to_seconds(floor(random() * 1e7)::INT)",
    "'007'",
    "CASE WHEN random() < 0.01 THEN 'odd' ELSE '5' END",
    'CASE WHEN random() < 0.02 THEN 1.5 ELSE 2 END',
    'NULL',
    "'a@b' || i || '.org'",
  ),
);
const table = fc.record({
  columns: fc.array(fc.record({ sql: column, missing: fc.constantFrom(0, 0, 0.001, 0.05, 0.5, 0.99) }), {
    minLength: 1,
    maxLength: 6,
  }),
  rows: fc.integer({ min: 40, max: 1500 }),
  repeated: fc.constantFrom(0, 0.02, 0.6),
  format: fc.constantFrom('parquet', 'csv'),
  seed: fc.double({ min: -1, max: 1, noNaN: true }),
});

test('what it writes of any table holds for that table and for a random half of it', async () => {
  await fc.assert(
    fc.asyncProperty(table, async ({ columns, rows, repeated, format, seed }) => {
      await engine.query(`SELECT setseed(${seed})`);
      const select = columns.map(
        ({ sql, missing }, at) => `CASE WHEN random() < ${missing} THEN NULL ELSE ${sql} END AS c${at}`,
      );
      await engine.query(
        `CREATE OR REPLACE TABLE whole AS WITH once AS MATERIALIZED (SELECT ${select.join(', ')} FROM range(${rows}) r(i)) SELECT * FROM once UNION ALL (SELECT * FROM once LIMIT ${Math.floor(rows * repeated)})`,
      );
      const write = (what: string) =>
        engine.query(
          `COPY (${what}) TO '${join(directory, `rows.${format}`)}' (${format === 'csv' ? 'HEADER' : 'FORMAT parquet'})`,
        );
      await write('SELECT * FROM whole');
      await suggest(`rows.${format}`, '--force');
      expect(await broken()).toEqual([]);
      await write('SELECT * FROM (SELECT * FROM whole ORDER BY random() LIMIT (SELECT count(*) // 2 FROM whole))');
      expect(await broken()).toEqual([]);
    }),
    { numRuns: 25, seed: 8 },
  );
}, 120_000);

test('it suggests nothing from a file without rows, and no bound on repeated rows that every table keeps to', async () => {
  await writeFile(join(directory, 'head.csv'), 'a,b\n');
  const { exitCode, stderr } = await record(directory, ['data', 'suggest', 'head.csv']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/without rows[\s\S]*2 columns and no rows/);
  await writeFile(join(directory, 'alike.csv'), `a,b\n${'1,x\n'.repeat(300)}`);
  const text = await suggest('alike.csv');
  expect(text).toContain('# 99.7 % of the rows repeat another today: too many');
  expect(text).not.toContain('max_share');
  expect(await broken()).toEqual([]);
});
