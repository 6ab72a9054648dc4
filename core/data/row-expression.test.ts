import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ExpressionColumn, type ExpressionSandbox, openExpressionSandbox } from './row-expression.ts';

let sandbox: ExpressionSandbox;
beforeAll(async () => {
  sandbox = await openExpressionSandbox();
});
afterAll(() => sandbox[Symbol.asyncDispose]());

const numbers = (name: string, ...values: readonly number[]): ExpressionColumn => [
  name,
  { kind: 'number', values: Float64Array.from(values) },
];
async function valuesOf(sql: string, columns: readonly ExpressionColumn[], rows: number): Promise<readonly number[]> {
  const found = await sandbox.evaluate(sql, columns, rows);
  if ('refused' in found) throw new Error(found.refused);
  return [...found.values];
}

describe('an expression that is no plain expression of a row is refused:', () => {
  it.each([
    ["(SELECT max(a) FROM read_csv('/etc/passwd'))", 'it uses a subquery'],
    ["EXISTS (FROM read_text('/etc/passwd'))", 'it uses a subquery'],
    ['1 IN (SELECT 1)', 'it uses a subquery'],
    ["read_csv('/etc/passwd')", 'it calls read_csv'],
    ["getenv('HOME')", 'it calls getenv'],
    ["GetEnv('HOME')", 'it calls getenv'],
    ['main.abs(a)', 'it calls abs'],
    ["current_setting('temp_directory')", 'it calls current_setting'],
    ['random()', 'it calls random'],
    ["error('x')", 'it calls error'],
    ["repeat('x', 1000000000)", 'it calls repeat'],
    ['range(1000000000000)', 'it calls range'],
    ['sum(a)', 'it calls sum'],
    ['avg(a) OVER ()', 'it uses a window'],
    ['*', 'it uses a star'],
    ['COLUMNS(*)', 'it uses a star'],
    ['$1', 'it uses a parameter'],
    ['#1', 'it uses a column by its number'],
    ['t.a', 'a column is named with a dot'],
    ['a, b', 'it calls row'],
    ['[1, 2]', 'it '],
    ["{'a': 1}", 'it '],
    ["'1'::JSON", 'it casts to'],
    ['1; DROP TABLE x', 'it is no SQL expression'],
    ["COPY (SELECT 1) TO '/tmp/out'", 'it is no SQL expression'],
    ["ATTACH '/tmp/x.db'", 'it casts to a type other'],
    ["ATTACH '/tmp/x.db' AS other", 'it is no SQL expression'],
    ['INSTALL httpfs', 'it is no SQL expression'],
    ['SET lock_configuration = false', 'it is no SQL expression'],
    ['1) AS value; SELECT (2', 'it is more than one statement'],
    ['1) AS value FROM "evaluation rows"; COPY (SELECT 1) TO \'/tmp/out\'; SELECT (1', 'it is no SQL expression'],
    ['1), (2', 'it is more than one expression'],
    ["1) AS value FROM read_csv('/etc/passwd') UNION SELECT (2", 'it is more than one expression'],
    ['1) AS value FROM "evaluation rows" -- ', 'it is no SQL expression'],
    ['1) AS value FROM "evaluation rows" WHERE (a', 'it is no SQL expression'],
    ['', 'it is no SQL expression'],
    ['1 +', 'it is no SQL expression'],
    [`1${'+1'.repeat(900)}`, 'it nests deeper than 100 operations'],
    [`1${' + 1'.repeat(1000)}`, 'it is longer than 2000 characters'],
  ])('%s', async (sql, why) => {
    expect(await sandbox.read(sql)).toEqual({ refused: expect.stringContaining(why) });
    expect(await sandbox.evaluate(sql, [numbers('a', 1)], 1)).toEqual({ refused: expect.stringContaining(why) });
  });

  it.each(['rowid', 'current_user', 'current_date', '"evaluation rows"', 'b'])(
    'the name %s, which is no column',
    async (sql) => {
      expect(await sandbox.evaluate(sql, [numbers('a', 1)], 1)).toEqual({
        refused: expect.stringContaining('which is no column'),
      });
    },
  );

  it('text', async () => {
    expect(await sandbox.evaluate("lower('A')", [], 1)).toEqual({ refused: 'it gives VARCHAR, not a number' });
  });

  it('one that fails on a row', async () => {
    const column: ExpressionColumn = ['a', { kind: 'string', values: ['1', 'x'] }];
    expect(await sandbox.evaluate('a::INTEGER', [column], 2)).toEqual({
      refused: expect.stringContaining("Could not convert string 'x'"),
    });
  });
});

describe('an expression of a row', () => {
  it('names the columns it reads', async () => {
    expect(await sandbox.read(`CASE WHEN a BETWEEN 1 AND "b.c" THEN abs(-d) ELSE coalesce(a, 0) END -- why`)).toEqual({
      columns: ['a', 'b.c', 'd'],
    });
  });

  it('gives one number a row', async () => {
    const columns = [numbers('a', 1, 2, 3), numbers('b', 10, 20, 30)];
    expect(await valuesOf('a * 2 + B / 10', columns, 3)).toEqual([3, 6, 9]);
    expect(await valuesOf('a IN (1, 3) AND NOT b > 20', columns, 3)).toEqual([1, 0, 0]);
    expect(await valuesOf('7', [], 3)).toEqual([7, 7, 7]);
  });

  it('sees what is empty as NULL, and gives NaN for it', async () => {
    const columns = [numbers('a', 1, Number.NaN)];
    expect(await valuesOf('a + 1', columns, 2)).toEqual([2, Number.NaN]);
    expect(await valuesOf('coalesce(a, 5)', columns, 2)).toEqual([1, 5]);
  });

  it('compares text', async () => {
    const column: ExpressionColumn = ['name', { kind: 'string', values: ['yes', "n'o", null] }];
    expect(await valuesOf("CASE WHEN name LIKE 'y%' THEN 1 WHEN name IS NULL THEN 2 ELSE 0 END", [column], 3)).toEqual([
      1, 0, 2,
    ]);
  });

  it('reads dates out of text', async () => {
    const column: ExpressionColumn = ['day', { kind: 'string', values: ['2024-12-31', '2026-01-02'] }];
    expect(await valuesOf("year(CAST(day AS DATE)) + (day::DATE > DATE '2025-01-01')::INTEGER", [column], 2)).toEqual([
      2024, 2027,
    ]);
  });

  it('keeps the order of many rows', async () => {
    const rows = 140_001;
    const column: ExpressionColumn = [
      'a',
      { kind: 'number', values: Float64Array.from({ length: rows }, (_, row) => row) },
    ];
    const values = await valuesOf('a * 2', [column], rows);
    expect(values.findIndex((value, row) => value !== row * 2)).toBe(-1);
    expect(values).toHaveLength(rows);
  });
});
