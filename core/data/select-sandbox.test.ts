import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from './engine.ts';
import { openSelectSandbox, type SelectSandbox } from './select-sandbox.ts';
import type { Table } from './table.ts';

let directory = '';
let engine: Engine;
let sandbox: SelectSandbox;
let tables: ReadonlyMap<string, Table>;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine();
  await writeFile(
    join(directory, 'data.csv'),
    'id,amount,day,name\n1,10,2026-01-01,ann\n2,-5,2026-01-02,\n3,7.5,,"it""s"\n4,-1,2026-02-01,😀\n',
  );
  await writeFile(join(directory, 'users.csv'), 'id,kind\n1,a\n2,b\n2,c\n');
  sandbox = await openSelectSandbox(engine, { seconds: 2 });
  tables = new Map([
    ['data', await engine.open(join(directory, 'data.csv'))],
    ['users', await engine.open(join(directory, 'users.csv'))],
  ]);
});
afterAll(async () => {
  await sandbox[Symbol.asyncDispose]();
  await engine.close();
  await rm(directory, { recursive: true });
});

const select = (sql: string) => sandbox.select(sql, tables);

describe('a SELECT of others', () => {
  it.each([
    ['SELECT * FROM data WHERE amount < 0', [2, 4]],
    ['SELECT * FROM data WHERE amount < 0;  -- losses', [2, 4]],
    ['SELECT d.* FROM data d JOIN users u ON d.id = u.id', [1, 2]],
    ['SELECT * FROM data WHERE id NOT IN (SELECT id FROM users)', [3, 4]],
    ['WITH m AS (SELECT avg(amount) AS a FROM data) SELECT data.* FROM data, m WHERE amount > a', [1, 3]],
    ['SELECT * FROM data QUALIFY row_number() OVER (ORDER BY amount DESC) = 1', [1]],
    ['SELECT * FROM data WHERE name IS NULL OR regexp_matches(name, $$^it$$)', [2, 3]],
    ["SELECT * FROM data WHERE day >= DATE '2026-01-02' AND date_trunc('month', day) < DATE '2026-02-01'", [2]],
    ['SELECT * FROM data WHERE amount < 0 UNION ALL SELECT * FROM data WHERE id = 4', [2, 4]],
    ['SELECT * FROM data WHERE amount > 1000', []],
  ])('%s finds rows of the table', async (sql, rows) => {
    expect(await select(sql)).toEqual({ total: rows.length, rows });
  });

  it('that does not hold rows gives its own answer', async () => {
    expect(await select('SELECT name, count(*) AS n FROM data WHERE id < 3 GROUP BY name ORDER BY n, name')).toEqual({
      total: 2,
      answer: {
        columns: ['name', 'n'],
        rows: [
          ['ann', '1'],
          [null, '1'],
        ],
      },
    });
  });
});

describe('refuses', () => {
  const file = () => join(directory, 'data.csv');
  it.each([
    ['a file by a function', () => `SELECT * FROM read_csv('${file()}')`],
    ['a file by its name', () => `SELECT * FROM '${file()}'`],
    ['a file as text', () => `SELECT content FROM read_text('${file()}')`],
    ['a list of files', () => `SELECT * FROM glob('${directory}/*')`],
    ['a file in a subquery', () => `SELECT * FROM data WHERE id IN (SELECT id FROM read_csv('${file()}'))`],
    ['a file in a CTE', () => `WITH x AS (SELECT * FROM read_blob('${file()}')) SELECT * FROM data`],
    ['a file in an ORDER BY', () => `SELECT * FROM data ORDER BY (SELECT max(id) FROM '${file()}')`],
    ['a file in a window', () => `SELECT *, sum(id) OVER (PARTITION BY (SELECT 1 FROM '${file()}')) FROM data`],
    ['a file in a FILTER', () => `SELECT count(*) FILTER (WHERE (SELECT true FROM '${file()}')) FROM data`],
    ['a file in a LIMIT', () => `SELECT * FROM data LIMIT (SELECT 1 FROM '${file()}')`],
    ['a file in a star', () => `SELECT * REPLACE ((SELECT 1 FROM '${file()}') AS id) FROM data`],
    ['a table of another schema', () => 'SELECT * FROM information_schema.tables'],
    ['settings', () => 'SELECT * FROM duckdb_settings()'],
    ['a setting', () => "SELECT current_setting('memory_limit')"],
    ['the environment', () => "SELECT getenv('HOME') FROM data"],
    ['COPY', () => `COPY data TO '${directory}/out.csv'`],
    ['ATTACH', () => `ATTACH '${directory}/x.db'`],
    ['INSTALL', () => 'INSTALL httpfs'],
    ['LOAD', () => 'LOAD httpfs'],
    ['PRAGMA', () => 'PRAGMA database_list'],
    ['SET', () => "SET memory_limit = '64GB'"],
    ['DROP', () => 'DROP TABLE data'],
    ['INSERT', () => 'INSERT INTO data SELECT * FROM data'],
    ['CREATE', () => 'CREATE TABLE x AS SELECT * FROM data'],
    ['EXPLAIN ANALYZE', () => 'EXPLAIN ANALYZE SELECT * FROM data'],
    ['DESCRIBE', () => 'SELECT * FROM (DESCRIBE data)'],
    ['several statements', () => 'SELECT * FROM data; SELECT * FROM data'],
    ['a statement behind', () => 'SELECT * FROM data; DROP TABLE data'],
    ['a way out of parentheses', () => 'SELECT * FROM data) AS x; DROP TABLE data; --'],
    ['recursion', () => 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT * FROM n'],
    ['a series', () => 'SELECT * FROM range(1000000000000)'],
    ['a series unnested', () => 'SELECT unnest(generate_series(1, 1000000000000))'],
    ['long texts', () => "SELECT repeat('a', 1000000000) FROM data"],
    ['chance', () => 'SELECT * FROM data WHERE random() < 0.5'],
    ['a sample', () => 'SELECT * FROM data USING SAMPLE 10%'],
    ['the clock', () => 'SELECT * FROM data WHERE day < now()'],
    ['SQL in SQL', () => "SELECT * FROM query('SELECT 1')"],
    ['a table by a text', () => "SELECT * FROM query_table('data')"],
    ['parameters', () => 'SELECT * FROM data WHERE id = $1'],
    ['no SQL', () => 'rows where amount < 0'],
    ['nothing', () => ''],
    ['a table that is not of the check', () => 'SELECT * FROM sqlite_master'],
    ['depth', () => `SELECT ${'('.repeat(500)}1${')'.repeat(500)}${'+1'.repeat(500)} FROM data`],
  ])('%s', async (_, sql) => {
    const found = await select(sql());
    expect(found).toHaveProperty('refused');
    // The tables are as they were.
    expect(await select('SELECT * FROM data')).toMatchObject({ total: 4 });
  });

  it('what takes too long, and goes on with the next', async () => {
    const bomb = `SELECT count(*) FROM ${Array.from({ length: 30 }, (_, at) => `data AS d${at}`).join(', ')}`;
    expect(await select(bomb)).toEqual({ refused: 'it takes longer than 2 seconds' });
    expect(await select('SELECT * FROM data')).toMatchObject({ total: 4 });
  });

  it('tables that fit neither its memory nor its disk, and goes on with those that do', async () => {
    await using small = await openSelectSandbox(engine, { memoryLimit: '24MB', spillLimit: '0KB' });
    const path = join(directory, 'large.parquet');
    await engine.query(
      `COPY (SELECT i AS id, hash(i)::VARCHAR || hash(i + 1)::VARCHAR AS text FROM range(1500000) r(i)) TO '${path}'`,
    );
    const large = new Map([['data', await engine.open(path)]]);
    expect(await small.select('SELECT * FROM data WHERE id < 0', large)).toEqual({
      refused: 'it takes more memory than there is for it',
    });
    expect(await small.select('SELECT * FROM data WHERE amount < 0', tables)).toEqual({ total: 2, rows: [2, 4] });
  });

  it('tells no value that cannot be converted', async () => {
    const found = await select('SELECT * FROM data WHERE CAST(name AS INTEGER) > 0');
    expect(found).toEqual({ refused: 'it cannot be worked out on these rows (conversion error)' });
  });
});
