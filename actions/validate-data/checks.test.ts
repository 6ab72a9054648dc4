import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { type DataCheck, headOnly, parsePolicy } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { validateData } from './run.ts';

let directory = '';
let engine: Engine;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine();
  await file('countries.csv', 'code,name\nKR,Korea\nUS,USA\nJP,Japan\n');
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

const file = (name: string, content: string) => writeFile(join(directory, name), content);

interface Judged {
  readonly content: string;
  readonly sensitive?: readonly string[];
}

async function judge(given: string | Judged, ...checks: readonly DataCheck[]): Promise<readonly Check[]> {
  const { content, sensitive } = typeof given === 'string' ? { content: given, sensitive: undefined } : given;
  await file('rows.csv', content);
  const source = { source: 'rows.csv', ...(sensitive === undefined ? {} : { sensitive }), checks };
  const policy = headOnly(parsePolicy(JSON.stringify({ version: 1, data: [source] }), 'sluice.yaml'));
  const found = await validateData({ policy, directory, engine, host: silentHost, today: '2026-11-21' });
  return found.checks;
}

async function judgeOne(given: string | Judged, check: DataCheck): Promise<Check> {
  const [found, ...others] = await judge(given, check);
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} checks`);
  return found;
}

const sales =
  'day,country,amount,user,label\n2026-11-01,KR,10,ann@x.org,1\n2026-11-02,US,20,bob@x.org,0\n2026-11-02,FR,30,cy@x.org,1\n2026-11-05,KR,,dee@x.org,0\n2026-11-04,JP,40,ann@x.org,0\n';

const rowsOf = (check: Check) => check.failing?.rows.map(({ row }) => row);

describe('between', () => {
  it('holds dates between dates, both ends included', async () => {
    const check = await judgeOne(sales, { between: { column: 'day', min: '2026-11-02', max: '2026-11-04' } });
    expect(check).toMatchObject({ status: 'fail', observed: 0.6 });
    expect(rowsOf(check)).toEqual([1, 4]);
  });

  it.each([
    ['numbers for dates', { column: 'day', min: 5 }, 'Write the ends as dates'],
    ['dates for numbers', { column: 'amount', min: '2026-01-01' }, 'is about dates and times'],
    ['a day that no calendar has', { column: 'day', max: '2026-02-31' }, 'no day of the calendar'],
  ])('cannot be judged with %s', async (_, between, words) => {
    const check = await judgeOne(sales, { between });
    expect(check.status).toBe('error');
    expect(check.message).toContain(words);
  });
});

describe('not_accepted_values and length', () => {
  it('finds the values that may not be there', async () => {
    const check = await judgeOne(sales, { not_accepted_values: { column: 'country', values: ['FR', 'XX'] } });
    expect(check).toMatchObject({ status: 'fail', title: 'country not in FR, XX' });
    expect(rowsOf(check)).toEqual([3]);
  });

  it('is asked of the dictionary of a text column, and missing values still break neither list', async () => {
    const cells = "CASE i % 5 WHEN 0 THEN 'it''s' WHEN 1 THEN '' WHEN 2 THEN NULL WHEN 3 THEN 'x' ELSE 'X' END";
    const path = join(directory, 'dictionary.parquet');
    await engine.query(`COPY (SELECT ${cells} AS word FROM range(5000) r(i)) TO '${path}' (FORMAT parquet)`);
    const [stored] = await engine.query(`SELECT encodings FROM parquet_metadata('${path}')`);
    expect(stored?.['encodings']).toContain('DICTIONARY');
    const values = ["it's", '', 'x'];
    const checks = [
      { accepted_values: { column: 'word', values } },
      { not_accepted_values: { column: 'word', values } },
    ];
    const source = JSON.stringify({ version: 1, data: [{ source: 'dictionary.parquet', checks }] });
    const policy = headOnly(parsePolicy(source, 'sluice.yaml'));
    const found = await validateData({ policy, directory, engine, host: silentHost });
    expect(found.checks.map((check) => [check.observed, check.failing?.total, rowsOf(check)?.slice(0, 3)])).toEqual([
      [0.75, 1000, [5, 10, 15]],
      [0.25, 3000, [1, 2, 4]],
    ]);
  });

  it('counts characters, not bytes or pairs', async () => {
    const texts = 'text\n😀é\nabc\n"a"\n';
    const check = await judgeOne(texts, { length: { column: 'text', min: 2, max: 2 } });
    expect(rowsOf(check)).toEqual([2, 3]);
  });
});

describe('statistics', () => {
  it.each<[DataCheck, Check['status'], number]>([
    [{ mean: { column: 'amount', min: 25, max: 25 } }, 'pass', 25],
    [{ mean: { column: 'amount', max: 24.9 } }, 'fail', 25],
    [{ std: { column: 'amount', min: 12.9, max: 12.92 } }, 'pass', Math.sqrt(500 / 3)],
    [{ sum: { column: 'amount', min: 101 } }, 'fail', 100],
    [{ min: { column: 'amount', min: 10 } }, 'pass', 10],
    [{ max: { column: 'amount', max: 39 } }, 'fail', 40],
    [{ quantile: { column: 'amount', share: 0.5, max: 20 } }, 'pass', 20],
    [{ quantile: { column: 'amount', share: 0.51, max: 20 } }, 'fail', 30],
    [{ distinct_count: { column: 'country', min: 4, max: 4 } }, 'pass', 4],
    [{ distinct_share: { column: 'country', min: 0.9 } }, 'fail', 0.8],
    [{ mean: { column: 'amount', min: 30, where: { country: ['FR', 'JP'] } } }, 'pass', 35],
  ])('%j is %s', async (check, status, observed) => {
    const found = await judgeOne(sales, check);
    expect(found.status).toBe(status);
    expect(found.observed).toBeCloseTo(observed, 10);
  });

  it('of dates are dates', async () => {
    expect(await judgeOne(sales, { max: { column: 'day', max: '2026-11-04' } })).toMatchObject({
      status: 'fail',
      observed: '2026-11-05',
      message: '2026-11-05 of 5 values; ≤ 2026-11-04 is demanded.',
    });
  });

  it.each<DataCheck>([
    { std: { column: 'x', max: 1 } },
    { mean: { column: 'y', max: 1 } },
    { correlation: { columns: ['x', 'x'], min: 0 } },
  ])('of too few values prove nothing: %j', async (check) => {
    expect((await judgeOne('x,y\n1,\n', check)).status).toBe('error');
  });

  it.each<DataCheck>([
    { std: { column: 'x', max: 1 } },
    { mean: { column: 'x', max: 1 } },
    { sum: { column: 'x', max: 1 } },
    { correlation: { columns: ['x', 'y'], max: 1 } },
  ])('of numbers near the largest ones are none, and that is no reason not to judge the rest: %j', async (check) => {
    const found = await judgeOne('x,y\n1.7e308,1\n-1.7e308,2\n1.7e308,3\n1.7e308,4\n', check);
    expect(found).toMatchObject({ status: 'error', message: expect.stringContaining('too large') });
  });

  it('correlate', async () => {
    const rows = 'x,y\n1,2\n2,4\n3,6\n4,\n';
    expect(await judgeOne(rows, { correlation: { columns: ['x', 'y'], max: 0.9 } })).toMatchObject({
      status: 'fail',
      observed: 1,
      message: '1 of 3 values; ≤ 0.9 is demanded.',
    });
  });
});

describe('monotonic', () => {
  const order = 'n\n1\n2\n\n2\n5\n4\n6\n3\n';
  it.each([
    [{ column: 'n', direction: 'increasing' } as const, [6, 8]],
    [{ column: 'n', direction: 'increasing', strict: true } as const, [4, 6, 8]],
    [{ column: 'n', direction: 'decreasing' } as const, [2, 5, 7]],
  ])('%o is broken by the rows that do not follow the nearest value before', async (monotonic, rows) => {
    expect(rowsOf(await judgeOne(order, { monotonic }))).toEqual(rows);
  });

  it('looks at the rows that are meant alone', async () => {
    const rows = 'n,g\n1,a\n9,b\n2,a\n8,b\n3,a\n';
    const check = { monotonic: { column: 'n', direction: 'increasing', where: { g: 'a' } } } as const;
    expect((await judgeOne(rows, check)).status).toBe('pass');
  });
});

describe('freshness', () => {
  it.each([
    ['17d', 'pass'],
    ['16d', 'pass'],
    ['15d', 'fail'],
    ['384h', 'pass'],
    ['383h', 'fail'],
  ])('of at most %s is %s', async (max_age, status) => {
    expect((await judgeOne(sales, { freshness: { column: 'day', max_age } })).status).toBe(status);
  });

  it('does not take the future for fresh', async () => {
    const check = await judgeOne('day\n2026-11-23\n', { freshness: { column: 'day', max_age: '1d' } });
    expect(check).toMatchObject({ status: 'fail', observed: '2026-11-23' });
    expect(check.message).toContain('future');
    expect((await judgeOne('day\n2026-11-22\n', { freshness: { column: 'day', max_age: '1d' } })).status).toBe('pass');
  });
});

describe('checks against other files', () => {
  it('relationships name the rows whose key is not there', async () => {
    const check = await judgeOne(sales, {
      relationships: { columns: ['country'], to: 'countries.csv', fields: ['code'] },
    });
    expect(check).toMatchObject({ status: 'fail', id: 'data/rows.csv/relationships[country]', observed: 0.8 });
    expect(rowsOf(check)).toEqual([3]);
  });

  it('relationships leave out rows without a whole key', async () => {
    await file('pairs.csv', 'a,b\n1,x\n1,\n');
    const check = await judgeOne('a,b\n1,x\n1,\n2,x\n', { relationships: { columns: ['a', 'b'], to: 'pairs.csv' } });
    expect(check).toMatchObject({ status: 'fail', observed: 0.5 });
    expect(rowsOf(check)).toEqual([3]);
  });

  it('new_categories names the new values', async () => {
    const check = await judgeOne(sales, {
      new_categories: { column: 'country', reference: 'countries.csv', field: 'code', mostly: 0.9 },
    });
    expect(check).toMatchObject({ status: 'fail' });
    expect(check.message).toContain('1 new value: FR.');
  });

  it('train_test_overlap finds rows, or keys, that are in both; missing values are equal', async () => {
    await file('train.csv', 'a,b\n1,x\n2,\n2,\n3,z\n');
    const rows = 'a,b\n1,x\n1,y\n2,\n4,q\n';
    const whole = await judgeOne(rows, { train_test_overlap: { reference: 'train.csv', max_share: 0 } });
    expect(whole).toMatchObject({ status: 'fail', observed: 0.5 });
    expect(rowsOf(whole)).toEqual([1, 3]);
    const keys = { train_test_overlap: { reference: 'train.csv', columns: ['a'], max_share: 0.75 } };
    expect(await judgeOne(rows, keys)).toMatchObject({ status: 'pass', observed: 0.75 });
  });

  it('cannot be judged where the columns hold other things', async () => {
    const check = await judgeOne(sales, {
      relationships: { columns: ['amount'], to: 'countries.csv', fields: ['code'] },
    });
    expect(check.status).toBe('error');
    const lacking = await judgeOne(sales, {
      relationships: { columns: ['country'], to: 'countries.csv', fields: ['cod'] },
    });
    expect(lacking.message).toContain('Did you mean "code"?');
  });

  it('keep a key of digits as it is written on both sides', async () => {
    await file('ids.csv', 'id\n007\n008\n');
    const [check] = await judge(
      'id\n007\n7\n',
      { relationships: { columns: ['id'], to: 'ids.csv' } },
      { regex: { column: 'id', pattern: '.*' } },
    );
    expect(check).toMatchObject({ status: 'fail' });
    expect(rowsOf(check as Check)).toEqual([2]);
  });
});

describe('label_conflicts', () => {
  it('finds rows that are alike but for the label, missing values being equal', async () => {
    const rows = 'a,b,label\n1,x,0\n1,x,1\n2,,0\n2,,1\n3,y,1\n3,y,1\n4,z,\n';
    const check = await judgeOne(rows, { label_conflicts: { label: 'label', max_share: 0.5 } });
    expect(check).toMatchObject({ status: 'fail', observed: 4 / 7 });
    expect(rowsOf(check)).toEqual([1, 2, 3, 4]);
    const some = { label_conflicts: { label: 'label', features: ['b'], max_share: 0.6 } };
    expect((await judgeOne(rows, some)).status).toBe('pass');
  });
});

describe('schema', () => {
  it('keeps the order of columns where it is demanded', async () => {
    const order = (required: string[]): DataCheck => ({ schema: { required, order: 'kept' } });
    expect((await judgeOne(sales, order(['day', 'amount', 'label']))).status).toBe('pass');
    const check = await judgeOne(sales, order(['amount', 'country']));
    expect(check).toMatchObject({
      status: 'fail',
      message: '"country" stands before "amount", and should follow it.',
    });
  });
});

describe('where', () => {
  it('chooses the rows that any check is about', async () => {
    const kr = { where: { country: 'KR' } };
    const found = await judge(
      sales,
      { not_null: { columns: ['amount'], ...kr } },
      { row_count: { min: 3, ...kr } },
      { unique: { columns: ['country'], ...kr } },
      { class_share: { column: 'label', min: 0.5, ...kr } },
      { duplicate_rows: { max_share: 0, where: { amount: { min: 15 }, day: { max: '2026-11-02' } } } },
    );
    expect(found.map(({ status, observed }) => [status, observed])).toEqual([
      ['fail', 0.5],
      ['fail', 2],
      ['fail', 0],
      ['pass', 0.5],
      ['pass', 0],
    ]);
    expect(found[0]).toMatchObject({ title: 'amount not null where country is KR' });
    expect(rowsOf(found[0] as Check)).toEqual([4]);
  });

  it('that cannot choose cannot judge', async () => {
    const check = await judgeOne(sales, { not_null: { columns: ['amount'], where: { contry: 'KR' } } });
    expect(check.status).toBe('error');
    expect(check.message).toContain('Did you mean "country"?');
  });

  it('that chooses nothing proves nothing', async () => {
    for (const check of [
      { not_null: { columns: ['amount'], where: { country: 'XX' } } },
      { mean: { column: 'amount', min: 0, where: { country: 'XX' } } },
      { duplicate_rows: { max_share: 0, where: { country: 'XX' } } },
    ] as DataCheck[])
      expect((await judgeOne(sales, check)).status).toBe('error');
  });
});

describe('sql', () => {
  const check = (select: string, more: object = {}): DataCheck => ({ sql: { name: 'odd', select, ...more } });

  it('shows the rows of the file that it finds', async () => {
    const found = await judgeOne(sales, check('SELECT * FROM data WHERE amount > 25'));
    expect(found).toMatchObject({ status: 'fail', id: 'data/rows.csv/sql[odd]', observed: 0.6, failing: { total: 2 } });
    expect(rowsOf(found)).toEqual([3, 5]);
    expect((await judgeOne(sales, check('SELECT * FROM data WHERE amount > 25', { mostly: 0.6 }))).status).toBe('pass');
    expect((await judgeOne(sales, check('SELECT * FROM data WHERE amount > 99'))).status).toBe('pass');
  });

  it('reads the tables it names, and shows an answer that holds no rows of the file', async () => {
    const select =
      'SELECT country, count(*) AS n FROM data WHERE country NOT IN (SELECT code FROM known) GROUP BY country';
    const found = await judgeOne(sales, check(select, { tables: { known: 'countries.csv' } }));
    expect(found).toMatchObject({
      status: 'fail',
      failing: { columns: ['country', 'n'], rows: [{ values: ['FR', '1'] }] },
    });
  });

  it('that is refused is an error', async () => {
    const found = await judgeOne(sales, check("SELECT * FROM read_csv('countries.csv')"));
    expect(found).toMatchObject({ status: 'error' });
    expect(found.message).toContain('reads from a function');
  });

  it('shows no value of an answer beside a sensitive column', async () => {
    const found = await judgeOne(
      { content: sales, sensitive: ['user'] },
      check('SELECT user AS u FROM data WHERE amount > 35'),
    );
    expect(found).toMatchObject({ status: 'fail', failing: { rows: [{ values: ['•••'] }] } });
    const rows = await judgeOne({ content: sales, sensitive: ['user'] }, check('SELECT * FROM data'));
    expect(JSON.stringify(rows)).not.toContain('x.org');
  });
});

describe('sensitive columns', () => {
  it('are masked wherever a value could be shown', async () => {
    const found = await judge(
      { content: sales, sensitive: ['user', 'country', 'amount', 'day'] },
      { unique: { columns: ['user'] } },
      { accepted_values: { column: 'country', values: ['KR'] } },
      { class_share: { column: 'country', min: 0.5 } },
      { new_categories: { column: 'country', reference: 'countries.csv', field: 'code' } },
      { max: { column: 'amount', max: 1 } },
      { quantile: { column: 'amount', share: 0.5, max: 1 } },
      { min: { column: 'day', min: '2026-11-21' } },
      { freshness: { column: 'day', max_age: '1d' } },
      { regex: { column: 'user', pattern: 'z' } },
      { between: { column: 'amount', max: 1 } },
      { not_null: { columns: ['amount'] } },
      { duplicate_rows: { max_share: 0 } },
      { label_conflicts: { label: 'country', features: ['day'], max_share: 0 } },
    );
    expect(found.every(({ status }) => status === 'fail' || status === 'pass')).toBe(true);
    const text = JSON.stringify(found);
    for (const value of ['ann@x.org', 'FR', 'JP', 'US', '2026-11-05', '2026-11-01', '"40"', '"20"', '16 days'])
      expect(text).not.toContain(value);
    expect(found[0]?.failing?.rows[0]).toMatchObject({ row: 1, values: expect.arrayContaining(['•••', '1']) });
  });
});
