import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { type DataCheck, headOnly, parsePolicy } from '../../core/policy/index.ts';
import { DataError, PolicyError, SluiceError } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { run, validateData } from './run.ts';

let directory = '';
let engine: Engine;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine();
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

/** Judges `checks` on files of the test directory; the policy is written as JSON, which is YAML too. */
async function validate(sources: Readonly<Record<string, readonly DataCheck[]>>) {
  const data = Object.entries(sources).map(([source, checks]) => ({ source, checks }));
  const policy = headOnly(parsePolicy(JSON.stringify({ version: 1, data }, null, 1), 'sluice.yaml'));
  return validateData({ policy, directory, engine, host: silentHost });
}

async function judge(content: string, ...checks: readonly DataCheck[]): Promise<readonly Check[]> {
  await writeFile(join(directory, 'rows.csv'), content);
  return (await validate({ 'rows.csv': checks })).checks;
}

async function judgeOne(content: string, check: DataCheck): Promise<Check> {
  const [found, ...others] = await judge(content, check);
  if (found === undefined || others.length > 0) throw new Error(`${others.length + 1} checks`);
  return found;
}

async function judgeParquet(select: string, ...checks: readonly DataCheck[]): Promise<readonly Check[]> {
  await engine.query(`COPY (${select}) TO '${join(directory, 'rows.parquet')}' (FORMAT parquet)`);
  return (await validate({ 'rows.parquet': checks })).checks;
}

const people =
  'name,age,country,member\nann,31,KR,true\nbob,,US,false\ncy,200,XX,true\ndee,-1,KR,true\nann,40,,false\n';

describe('row_count', () => {
  it.each([
    [{ min: 5 }, 'pass', '5 rows.'],
    [{ min: 1, max: 5 }, 'pass', '5 rows.'],
    [{ min: 6 }, 'fail', '5 rows, 1 too few.'],
    [{ min: 1, max: 3 }, 'fail', '5 rows, 2 too many.'],
  ])('with %o is %s', async (options, status, message) => {
    expect(await judgeOne(people, { row_count: options })).toMatchObject({
      id: 'data/rows.csv/row_count',
      status,
      message,
      observed: 5,
      unit: 'rows',
      evidence: { method: 'exact', n: 5 },
    });
  });
});

describe('schema', () => {
  it('passes when columns and types are there; an integer is a number', async () => {
    const schema = { required: ['name'], types: { age: 'number', country: 'string', member: 'boolean' } } as const;
    expect(await judgeOne(people, { schema: { ...schema, required: ['name'] } })).toMatchObject({ status: 'pass' });
  });

  it('names everything that is missing, of another type, or too much, at once', async () => {
    const check = await judgeOne(people, {
      schema: { required: ['nme', 'age'], types: { age: 'boolean', name: 'string' }, extra: 'forbid' },
    });
    expect(check.status).toBe('fail');
    expect(check.message).toBe(
      '"nme" is missing (did you mean "name"?); "age" is integer (BIGINT), not boolean; "country" is not a column of the policy; "member" is not a column of the policy.',
    );
  });

  it('does not take an integer column for one of the policy’s strings, unless a CSV can keep it as text', async () => {
    expect(await judgeOne('zip\n0123\n4567\n', { schema: { types: { zip: 'string' } } })).toMatchObject({
      status: 'pass',
    });
    expect(await judgeParquet('SELECT 123 AS zip', { schema: { types: { zip: 'string' } } })).toMatchObject([
      { status: 'fail' },
    ]);
  });
});

describe('not_null', () => {
  it('is one check a column, with the rows that have no value', async () => {
    const checks = await judge(people, { not_null: { columns: 'all' } });
    expect(checks.map(({ id, status }) => [id, status])).toEqual([
      ['data/rows.csv/not_null[name]', 'pass'],
      ['data/rows.csv/not_null[age]', 'fail'],
      ['data/rows.csv/not_null[country]', 'fail'],
      ['data/rows.csv/not_null[member]', 'pass'],
    ]);
    expect(checks[1]).toMatchObject({
      title: 'age not null',
      observed: 0.8,
      bound: { kind: 'min', value: 1 },
      message: '1 of 5 rows has no value (20 %); none may.',
      failing: {
        total: 1,
        columns: ['age', 'name', 'country', 'member'],
        rows: [{ row: 2, values: [null, 'bob', 'US', 'false'] }],
      },
      place: { file: 'sluice.yaml', line: 8 },
    });
  });

  it('tolerates exactly the share that mostly leaves', async () => {
    const content = `a,b\n${'1,2\n'.repeat(95)}${',2\n'.repeat(5)}`;
    expect(await judgeOne(content, { not_null: { columns: ['a'], mostly: 0.95 } })).toMatchObject({ status: 'pass' });
    expect(await judgeOne(`${content},2\n`, { not_null: { columns: ['a'], mostly: 0.95 } })).toMatchObject({
      status: 'fail',
    });
  });

  it('takes NaN for no value', async () => {
    const [check] = await judgeParquet("SELECT unnest([1.5, 'nan'::DOUBLE, NULL]) AS a", {
      not_null: { columns: ['a'] },
    });
    expect(check).toMatchObject({ status: 'fail', failing: { total: 2, rows: [{ row: 2 }, { row: 3 }] } });
  });
});

describe('between', () => {
  it('counts values outside the bounds, not missing ones', async () => {
    expect(await judgeOne(people, { between: { column: 'age', min: 0, max: 150 } })).toMatchObject({
      status: 'fail',
      observed: 0.5,
      message: '2 of 4 values are outside 0 to 150 (50 %); none may. 1 row without a value is not counted.',
      evidence: { n: 4 },
      failing: { total: 2, rows: [{ row: 3 }, { row: 4 }] },
    });
    expect(await judgeOne(people, { between: { column: 'age', min: -1, max: 200 } })).toMatchObject({ status: 'pass' });
  });

  it('leaves NaN to not_null and takes infinity for a number', async () => {
    const [check] = await judgeParquet("SELECT unnest([1.0, 'nan'::DOUBLE, 'inf'::DOUBLE, '-inf'::DOUBLE]) AS a", {
      between: { column: 'a', max: 10 },
    });
    expect(check).toMatchObject({ status: 'fail', failing: { total: 1, rows: [{ row: 3 }] }, evidence: { n: 3 } });
  });

  it('takes a bound on a 32-bit column for the 32-bit number its writer stored', async () => {
    const [check] = await judgeParquet('SELECT 0.1::FLOAT AS a', { between: { column: 'a', min: 0.1, max: 0.1 } });
    expect(check).toMatchObject({ status: 'pass' });
  });

  it('compares decimals and large integers exactly', async () => {
    const checks = await judgeParquet(
      'SELECT 0.3::DECIMAL(18, 2) AS d, 9007199254740993 AS i, 170141183460469231731687303715884105727::HUGEINT AS h',
      { between: { column: 'd', min: 0.3, max: 0.3 } },
      { between: { column: 'i', max: 9007199254740992 } },
      { between: { column: 'h', max: 1e38 } },
    );
    expect(checks.map((check) => check.status)).toEqual(['pass', 'fail', 'fail']);
  });

  it('on text cannot be judged, and shows what is no number', async () => {
    const check = await judgeOne('age\n12\nn/a\n40\n?\n', { between: { column: 'age', min: 0 } });
    expect(check).toMatchObject({
      status: 'error',
      failing: {
        total: 2,
        rows: [
          { row: 2, values: ['n/a'] },
          { row: 4, values: ['?'] },
        ],
      },
    });
    expect(check.message).toMatch(
      /^Column "age" is string \(VARCHAR\), and this check is about numbers\. 2 values are not a number/,
    );
  });
});

describe('accepted_values', () => {
  it('counts values that are not on the list', async () => {
    expect(await judgeOne(people, { accepted_values: { column: 'country', values: ['KR', 'US'] } })).toMatchObject({
      status: 'fail',
      title: 'country in KR, US',
      failing: { total: 1, rows: [{ row: 3, values: ['XX', 'cy', '200', 'true'] }] },
    });
  });

  it.each([
    ['text', 'a\nx\ny\n', ['x', "y'"], 'fail'],
    ['text that looks like numbers', 'a\n007\n7\n', ['007'], 'fail'],
    ['numbers', 'a\n1\n2\n', [1, 2], 'pass'],
    ['true and false', 'a\ntrue\nfalse\n', [true, false], 'pass'],
    ['dates', 'a\n2024-01-31\n', ['2024-01-31'], 'pass'],
  ])('compares %s', async (_, content, values, status) => {
    expect(await judgeOne(content, { accepted_values: { column: 'a', values } })).toMatchObject({ status });
  });

  it.each([
    ["SELECT 'x' AS a", [1], /quotes: "1"/],
    ['SELECT 1 AS a', ['1'], /without quotes: 1/],
    ['SELECT 1 AS a', [1, 'x'], /Remove "x"/],
    ['SELECT true AS a', ['yes'], /is boolean/],
    ['SELECT [1] AS a', ['x'], /is other/],
  ])('says how to write values of another type than the column: %s', async (select, values, message) => {
    const [check] = await judgeParquet(select, { accepted_values: { column: 'a', values } });
    expect(check).toMatchObject({ status: 'error', message: expect.stringMatching(message) });
  });
});

describe('unique', () => {
  it('counts every row of a repeated value and leaves out missing ones', async () => {
    expect(await judgeOne(people, { unique: { columns: ['name'] } })).toMatchObject({
      status: 'fail',
      message: '2 of 5 values are there more than once (40 %); none may.',
      failing: { total: 2, rows: [{ row: 1 }, { row: 5 }] },
    });
    expect(await judgeOne('a,b\n1,\n1,\n2,3\n', { unique: { columns: ['a', 'b'] } })).toMatchObject({
      id: 'data/rows.csv/unique[a, b]',
      status: 'pass',
      evidence: { n: 1 },
    });
  });

  it('tells values apart whose fingerprints are equal', async () => {
    // 1,000,000 short texts: DuckDB's hash gives some of them the same number.
    const [check] = await judgeParquet(
      "SELECT 'user' || i || '@mail' || i % 50 || '.com' AS mail, i % 7 AS k FROM range(1000000) r(i)",
      {
        unique: { columns: ['mail', 'k'] },
      },
    );
    expect(check).toMatchObject({ status: 'pass', observed: 1 });
  });
});

describe('class_share', () => {
  it('lists every class and judges the rarest', async () => {
    const content = `label\n${'a\n'.repeat(70)}${'b\n'.repeat(25)}${'c\n'.repeat(5)}""\n`;
    expect(await judgeOne(content, { class_share: { column: 'label', min: 0.1 } })).toMatchObject({
      status: 'fail',
      observed: 0.05,
      bound: { kind: 'min', value: 0.1 },
      message: 'c 5 %, b 25 %, a 70 %. Out of bounds: c. 1 row without a class is not counted.',
    });
    expect(await judgeOne(content, { class_share: { column: 'label', max: 0.6 } })).toMatchObject({
      status: 'fail',
      observed: 0.7,
      bound: { kind: 'max', value: 0.6 },
    });
    expect(await judgeOne(content, { class_share: { column: 'label', min: 0.05, max: 0.7 } })).toMatchObject({
      status: 'pass',
    });
  });

  it('of several columns are counted together, missing values and NaN left out', async () => {
    const checks = await judgeParquet(
      "SELECT * FROM (VALUES (1, 'x', 0.5::DOUBLE), (1, NULL, 'nan'::DOUBLE), (2, 'y', 0.5)) t(a, b, c)",
      { class_share: { column: 'a', min: 0.4 } },
      { class_share: { column: 'b', min: 0.5 } },
      { class_share: { column: 'c', min: 1 } },
    );
    expect(checks.map(({ status, message }) => `${status} ${message}`)).toEqual([
      'fail 2 33.3 %, 1 66.7 %. Out of bounds: 2.',
      'pass x 50 %, y 50 %. 1 row without a class is not counted.',
      'pass 0.5 100 %. 1 row without a class is not counted.',
    ]);
  });

  it('of very many classes names the rarest and the most frequent', async () => {
    const [check] = await judgeParquet('SELECT i AS a FROM range(1000) r(i) UNION ALL SELECT 5', {
      class_share: { column: 'a', min: 0.1 },
    });
    expect(check?.message).toMatch(/^1,000 classes: 0 0\.1 %, .*, …, .*5 0\.2 %\. Out of bounds: 0, 1, .*, …\.$/);
  });
});

describe('duplicate_rows', () => {
  it('counts the rows that repeat an earlier one, missing values equal', async () => {
    const content = 'a,b\n1,\n2,x\n1,\n1,\n2,y\n';
    expect(await judgeOne(content, { duplicate_rows: { max_share: 0.1 } })).toMatchObject({
      status: 'fail',
      observed: 0.4,
      message: '2 of 5 rows repeat an earlier one (40 %); at most 10 % may.',
      failing: { total: 2, columns: ['a', 'b'], rows: [{ row: 3, values: ['1', null] }, { row: 4 }] },
    });
    expect(await judgeOne(content, { duplicate_rows: { max_share: 0.4 } })).toMatchObject({ status: 'pass' });
  });

  it('compares lists, structs and numbers of either zero by value', async () => {
    const [check] = await judgeParquet(
      "SELECT * FROM (VALUES ([1, 2], {'x': 1}, 0.0::DOUBLE), ([1, 2], {'x': 1}, -0.0::DOUBLE), ([2, 1], {'x': 1}, 0.0)) t(a, b, c)",
      { duplicate_rows: { max_share: 0 } },
    );
    expect(check).toMatchObject({ status: 'fail', failing: { total: 1, rows: [{ row: 2 }] } });
  });
});

describe('regex', () => {
  it('matches whole values', async () => {
    expect(
      await judgeOne('mail\na@b.c\nxx a@b.c\n', { regex: { column: 'mail', pattern: '[a-z]@b\\.c' } }),
    ).toMatchObject({
      status: 'fail',
      failing: { total: 1, rows: [{ row: 2, values: ['xx a@b.c'] }] },
    });
  });

  it('sees a CSV’s values as written', async () => {
    expect(await judgeOne('zip\n01234\n9876\n', { regex: { column: 'zip', pattern: '\\d{5}' } })).toMatchObject({
      status: 'fail',
      failing: { total: 1, rows: [{ row: 2, values: ['9876'] }] },
    });
  });

  it('on numbers cannot be judged', async () => {
    const [check] = await judgeParquet('SELECT 1 AS a', { regex: { column: 'a', pattern: '1' } });
    expect(check).toMatchObject({ status: 'error' });
  });

  it('with patterns that are none is a policy error that names each, at its line', async () => {
    const bad = [{ regex: { column: 'a', pattern: '[a-' } }, { regex: { column: 'a', pattern: '(?=x)y' } }];
    const error = await judge('a\nx\n', ...bad).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PolicyError);
    const { problems } = error as PolicyError;
    expect(problems).toMatchObject([
      { code: 'bad-pattern', found: 'missing ]: [a-', place: { file: 'sluice.yaml' } },
      { code: 'bad-pattern', found: 'invalid perl operator: (?=' },
    ]);
    expect(problems[0].place?.line).toBeLessThan(problems[1]?.place?.line ?? 0);
  });
});

describe('what cannot be judged', () => {
  it('a column that is not there is an error with the nearest names', async () => {
    const checks = await judge(
      people,
      { between: { column: 'agee', min: 0 } },
      { unique: { columns: ['name', 'contry'] } },
      { class_share: { column: 'zzz', min: 0 } },
    );
    expect(checks.map(({ status, message }) => `${status}: ${message}`)).toEqual([
      'error: Column "agee" is not in rows.csv. Did you mean "age"?',
      'error: Column "contry" is not in rows.csv. Did you mean "country"?',
      'error: Column "zzz" is not in rows.csv. The file has "name", "age", "country", "member".',
    ]);
  });

  it('severity warn softens a broken bound and never an error', async () => {
    const checks = await judge(
      people,
      { row_count: { min: 10, severity: 'warn', reason: 'set in May' } },
      { between: { column: 'agee', min: 0, severity: 'warn' } },
    );
    expect(checks.map((check) => check.status)).toEqual(['warn', 'error']);
    expect(checks[0]?.message).toBe("5 rows, 5 too few. The bound's reason: set in May");
  });

  it('a file without rows passes no check that is about rows', async () => {
    const everything: readonly DataCheck[] = [
      { row_count: { max: 10 } },
      { schema: { types: { a: 'integer' } } },
      { not_null: { columns: 'all', mostly: 0 } },
      { between: { column: 'a', min: 0, mostly: 0 } },
      { accepted_values: { column: 'b', values: ['x'], mostly: 0 } },
      { unique: { columns: ['a', 'b'], mostly: 0 } },
      { class_share: { column: 'b', min: 0 } },
      { duplicate_rows: { max_share: 1 } },
      { regex: { column: 'b', pattern: '.*', mostly: 0 } },
    ];
    const csv = await judge('a,b\n', ...everything);
    expect(csv).toHaveLength(10);
    expect(csv.filter((check) => check.status !== 'error')).toEqual([]);
    const parquet = await judgeParquet("SELECT 1 AS a, 'x' AS b WHERE false", ...everything);
    // Its columns have types all the same.
    expect(parquet.filter((check) => check.status !== 'error').map((check) => check.id)).toEqual([
      'data/rows.parquet/schema',
    ]);
    expect(await judge('a,b\n', { row_count: { min: 1 } })).toMatchObject([{ status: 'fail' }]);
    expect(await judge('a,b\n', { row_count: { min: 0 } })).toMatchObject([{ status: 'pass' }]);
  });

  it('a column without any value passes no check of its values', async () => {
    const checks = await judgeParquet(
      'SELECT NULL::DOUBLE AS a, NULL::VARCHAR AS b',
      { between: { column: 'a', min: 0 } },
      { accepted_values: { column: 'b', values: ['x'] } },
      { unique: { columns: ['a'] } },
      { class_share: { column: 'b', min: 0 } },
      { regex: { column: 'b', pattern: '.*' } },
    );
    expect(checks.map((check) => check.status)).toEqual(['error', 'error', 'error', 'error', 'error']);
  });

  it('files that cannot be read are one error that names them all, at their policy lines', async () => {
    await writeFile(join(directory, 'ragged.csv'), 'a,b\n1\n');
    await symlink('/etc/passwd', join(directory, 'link.csv')).catch(() => undefined);
    const checks = [{ row_count: { min: 1 } }];
    const error = await validate({
      'absent.csv': checks,
      'ragged.csv': checks,
      'link.csv': checks,
      '../x.csv': checks,
    }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(DataError);
    const { problems } = error as DataError;
    expect(problems.map((problem) => problem.code)).toEqual([
      'missing-file',
      'ragged-row',
      'outside-directory',
      'missing-file',
    ]);
    expect(problems[0].place).toMatchObject({ file: 'sluice.yaml', line: 5 });
    expect(problems[1]?.place).toEqual({ file: 'ragged.csv', line: 2 });
    expect((error as DataError).message).not.toContain(directory);
  });
});

describe('the checks of a run', () => {
  it('have different ids, also when two are the same', async () => {
    const twice = { between: { column: 'age', min: 0 } };
    const checks = await judge(people, twice, { ...twice }, { not_null: { columns: ['age', 'age'] } }, twice);
    expect(checks.map((check) => check.id)).toEqual([
      'data/rows.csv/between[age]',
      'data/rows.csv/between[age]#2',
      'data/rows.csv/not_null[age]',
      'data/rows.csv/not_null[age]#2',
      'data/rows.csv/between[age]#3',
    ]);
  });

  it('name their sources by the policy’s path, with digest and rows', async () => {
    await writeFile(join(directory, 'rows.csv'), people);
    const { sources } = await validate({ 'rows.csv': [{ row_count: { min: 1 } }] });
    expect(sources).toEqual([
      {
        path: 'rows.csv',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        rows: 5,
        form: 'CSV, commas between values, quoted by ", header in line 1, UTF-8, LF',
      },
    ]);
  });

  it('name of a source of many files the file that a failing row is in', async () => {
    for (const [name, rows] of Object.entries({ a: 'age\n1\n2\n', b: 'age\n3\n-1\n' })) {
      await writeFile(join(directory, `part-${name}.csv`), rows);
    }
    const { checks, sources } = await validate({ 'part-*.csv': [{ between: { column: 'age', min: 0 } }] });
    expect(checks[0]).toMatchObject({ id: 'data/part-*.csv/between[age]', status: 'fail' });
    expect(checks[0]?.failing?.rows).toEqual([{ file: 'part-b.csv', row: 2, values: ['-1'] }]);
    expect(sources).toMatchObject([{ path: 'part-*.csv', rows: 4, form: expect.stringMatching(/, 2 files$/) }]);
  });

  it('may be thousands', async () => {
    const many = Array.from({ length: 1_000 }, (_, index) => ({ between: { column: 'age', min: 0, max: index } }));
    const checks = await judge(people, ...many);
    expect(checks.filter((check) => check.status === 'fail')).toHaveLength(1_000);
    expect(checks[999]?.failing?.total).toBe(1);
    expect(checks[5]?.failing?.rows.map(({ row }) => row)).toEqual([1, 3, 4, 5]);
  });

  it('show the first ten failing rows in file order', async () => {
    const [check] = await judgeParquet('SELECT 20000 - i AS a FROM range(20000) r(i)', {
      between: { column: 'a', max: 15_000 },
    });
    expect(check?.failing?.total).toBe(5_000);
    expect(check?.failing?.rows.map(({ row }) => row)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  });
});

describe('data validation alone', () => {
  const inputs = { policyFile: 'sluice.yaml', comment: 'never', checkRun: false, today: '2026-01-01' } as const;

  it('gives a report with a verdict', async () => {
    await writeFile(join(directory, 'rows.csv'), people);
    await writeFile(
      join(directory, 'sluice.yaml'),
      'version: 1\nname: people\ndata:\n  - source: rows.csv\n    checks:\n      - row_count: { min: 5 }\n      - between: { column: age, max: 150 }\n',
    );
    const report = await run({ ...inputs, directory }, silentHost);
    expect(report).toMatchObject({ verdict: 'failed', name: 'people', sources: [{ path: 'rows.csv', rows: 5 }] });
    expect(report.checks.map(({ id, status }) => [id, status])).toEqual([
      ['data/rows.csv/row_count', 'pass'],
      ['data/rows.csv/between[age]', 'fail'],
    ]);
  });

  it('says so when the policy has no data checks', async () => {
    await writeFile(
      join(directory, 'sluice.yaml'),
      'version: 1\nmodel: { path: m.onnx }\ngates: { size: { max_mb: 1 } }\n',
    );
    const error = await run({ ...inputs, directory }, silentHost).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(SluiceError);
    expect((error as SluiceError).problems[0].code).toBe('nothing-to-validate');
  });
});
