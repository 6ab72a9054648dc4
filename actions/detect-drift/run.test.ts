import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Engine, openEngine } from '../../core/data/index.ts';
import { type Host, silentHost } from '../../core/host/index.ts';
import { headOnly, parsePolicy } from '../../core/policy/index.ts';
import { DataError, PolicyError, SluiceError } from '../../core/problem/index.ts';
import {
  type Check,
  parseReport,
  renderHtml,
  renderJson,
  renderMarkdown,
  renderTerminal,
} from '../../core/report/index.ts';
import { normalQuantile, randomOf } from '../../core/statistics/index.ts';
import { type DriftFound, detectDrift, driftInputsFrom, run } from './run.ts';

let directory = '';
let engine: Engine;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-drift-'));
  engine = await openEngine();
});
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

type Row = Readonly<Record<string, unknown>>;

/** A CSV of rows; null is an empty value. */
async function write(name: string, rows: readonly Row[]): Promise<string> {
  const columns = Object.keys(rows[0] ?? {});
  const cell = (value: unknown) => (value === null ? '' : `"${String(value).replaceAll('"', '""')}"`);
  const lines = [columns.map(cell), ...rows.map((row) => columns.map((column) => cell(row[column])))];
  await writeFile(join(directory, name), `${lines.map((line) => line.join(',')).join('\n')}\n`);
  return name;
}

const random = randomOf('detect drift');
const normal = () => normalQuantile((random.bits() + 0.5) / 2 ** 32);
const rowsOf = (count: number, row: () => Row): readonly Row[] => Array.from({ length: count }, row);

async function detect(drift: object, more: object = {}): Promise<DriftFound> {
  const policy = headOnly(parsePolicy(JSON.stringify({ version: 1, drift, ...more }, null, 1), 'sluice.yaml'));
  return detectDrift({ policy, directory, engine, host: silentHost });
}

async function compare(reference: readonly Row[], current: readonly Row[], drift: object = {}, more: object = {}) {
  await write('reference.csv', reference);
  await write('current.csv', current);
  return detect({ reference: 'reference.csv', current: 'current.csv', ...drift }, more);
}

const byId = (found: DriftFound) => Object.fromEntries(found.checks.map((check) => [check.id, check.status]));
function check(found: DriftFound, id: string): Check {
  const one = found.checks.find((candidate) => candidate.id === id);
  if (one === undefined) throw new Error(`no check ${id} among ${found.checks.map((each) => each.id).join(', ')}`);
  return one;
}

const person =
  (age = 0, country: () => string = () => (random.unit() < 0.7 ? 'KR' : 'US')) =>
  () => ({
    age: age + normal(),
    income: Math.round(100 * Math.exp(normal())),
    country: country(),
    member: random.unit() < 0.4,
  });

describe('what has moved', () => {
  test('nothing: every column passes, and its distribution is drawn', async () => {
    const found = await compare(rowsOf(2000, person()), rowsOf(1500, person()));
    expect(byId(found)).toEqual({
      'drift/psi[age]': 'pass',
      'drift/psi[income]': 'pass',
      'drift/psi[country]': 'pass',
      'drift/psi[member]': 'pass',
    });
    expect([found.drift, found.driftedColumns]).toEqual(['none', []]);
    expect(found.sources.map(({ path, rows }) => [path, rows])).toEqual([
      ['reference.csv', 2000],
      ['current.csv', 1500],
    ]);
    const histograms = found.figures.filter(({ kind }) => kind === 'histogram');
    expect(histograms).toHaveLength(4);
    for (const figure of histograms) {
      if (figure.kind !== 'histogram') continue;
      const totals = figure.series.map(({ counts }) => counts.reduce((sum, count) => sum + count, 0));
      expect(totals).toEqual([2000, 1500]);
    }
  });

  test('one column: it fails, is named, and the others are not', async () => {
    const found = await compare(rowsOf(2000, person()), rowsOf(1500, person(1)), { target: 'country' });
    expect(byId(found)).toMatchObject({
      'drift/psi[age]': 'fail',
      'drift/psi[income]': 'pass',
      'drift/target/psi[country]': 'pass',
    });
    expect([found.drift, found.driftedColumns]).toEqual(['fail', ['age']]);
    const { observed, evidence, bound, place } = check(found, 'drift/psi[age]');
    expect(Number(observed)).toBeGreaterThan(0.5);
    expect(evidence?.lower).toBeGreaterThan(0.2);
    expect([bound, place?.file]).toEqual([{ kind: 'max', value: 0.2 }, 'sluice.yaml']);
  });

  test('a little: it is worth watching, and that fails nothing', async () => {
    const found = await compare(rowsOf(20_000, person()), rowsOf(20_000, person(0.38)));
    expect(byId(found)['drift/psi[age]']).toBe('warn');
    expect([found.drift, found.driftedColumns]).toEqual(['warn', []]);
  });

  test('by every measure', async () => {
    const all = ['psi', 'ks', 'chi2', 'wasserstein', 'jensen_shannon', 'kl', 'hellinger', 'total_variation'];
    const bounds = Object.fromEntries(all.map((measure) => [measure, { fail: 0.15 }]));
    const moved = await compare(rowsOf(1500, person()), rowsOf(1500, person(1)), { ...bounds, columns: ['age'] });
    expect(Object.values(byId(moved))).toEqual(all.map(() => 'fail'));
    const still = await compare(rowsOf(1500, person()), rowsOf(1500, person()), { ...bounds, columns: ['age'] });
    expect(Object.values(byId(still))).toEqual(all.map(() => 'pass'));
    // One standard deviation.
    expect(check(moved, 'drift/wasserstein[age]').observed).toBeCloseTo(1, 0);
  });

  test('beyond the range of the reference: in the open bins', async () => {
    const found = await compare(rowsOf(500, person()), rowsOf(500, person(100)), { columns: ['age'] });
    expect(check(found, 'drift/psi[age]').status).toBe('fail');
  });

  test('a constant that is another constant now', async () => {
    const found = await compare(
      rowsOf(200, () => ({ a: 5 })),
      rowsOf(200, () => ({ a: 3 })),
      { psi: { fail: 0.2 }, wasserstein: { fail: 0.5 }, ks: { fail: 0.5 } },
    );
    expect(Object.values(byId(found))).toEqual(['fail', 'fail', 'fail']);
    const same = await compare(
      rowsOf(200, () => ({ a: 5 })),
      rowsOf(300, () => ({ a: 5 })),
      { psi: { fail: 0.2 }, wasserstein: { fail: 0.5 }, ks: { fail: 0.5 }, chi2: { fail: 0.1 } },
    );
    expect(Object.values(byId(same))).toEqual(['pass', 'pass', 'pass', 'pass']);
  });

  test('a class that only one side has, and totals that differ', async () => {
    const found = await compare(
      rowsOf(3000, person()),
      rowsOf(
        400,
        person(0, () => (random.unit() < 0.3 ? 'JP' : 'US')),
      ),
      { columns: ['country'], psi: { fail: 0.2 }, chi2: { fail: 0.2 } },
    );
    expect(Object.values(byId(found))).toEqual(['fail', 'fail']);
    const drawn = found.figures.find(({ kind }) => kind === 'histogram');
    expect(drawn?.kind === 'histogram' && [...(drawn.labels ?? [])].sort()).toEqual(['JP', 'KR', 'US']);
  });

  test('values that are missing now', async () => {
    const found = await compare(
      rowsOf(500, person()),
      rowsOf(500, () => ({ ...person()(), age: random.unit() < 0.4 ? null : normal() })),
      { columns: ['age'] },
    );
    expect(check(found, 'drift/psi[age]').status).toBe('fail');
  });
});

describe('what the evidence does not settle', () => {
  test('is inconclusive on few rows, however large the distance looks', async () => {
    let fails = 0;
    for (let trial = 0; trial < 10; trial++) {
      const found = await compare(rowsOf(60, person()), rowsOf(60, person()), { columns: ['age'], bins: 20 });
      if (byId(found)['drift/psi[age]'] === 'fail') fails++;
    }
    expect(fails).toBe(0);
    const found = await compare(rowsOf(60, person()), rowsOf(60, person(0.45)), { columns: ['age'] });
    const { status, message, rowsToSettle, evidence } = check(found, 'drift/psi[age]');
    expect(status).toBe('inconclusive');
    expect(message).toMatch(/beyond chance .* is not settled/);
    expect(rowsToSettle ?? 1).toBeGreaterThan(0);
    expect(evidence?.upper).toBeGreaterThan(0.1);
  });

  test('with evidence off the plain number decides', async () => {
    const found = await compare(
      rowsOf(60, person()),
      rowsOf(60, person(0.45)),
      { columns: ['age'] },
      { evidence: 'off' },
    );
    const { status, observed } = check(found, 'drift/psi[age]');
    expect(status).toBe(Number(observed) > 0.2 ? 'fail' : Number(observed) > 0.1 ? 'warn' : 'pass');
  });

  test('among many columns chance alone makes none drift', async () => {
    const noise = () => Object.fromEntries(Array.from({ length: 80 }, (_, index) => [`x${index}`, normal()]));
    const found = await compare(rowsOf(200, noise), rowsOf(200, noise), {
      psi: { fail: 0.1 },
      drifted_columns: { fail: 0.2 },
    });
    expect(found.checks.filter(({ status }) => status === 'fail')).toEqual([]);
    expect(check(found, 'drift/drifted_columns')).toMatchObject({ evidence: { lower: 0, n: 80 } });
  });

  test('the share of drifted columns fails where enough of them have moved for sure', async () => {
    const row = (shift: number) => () => ({ a: normal() + shift, b: normal() + shift, c: normal(), d: normal() });
    const bounds = { psi: { warn: 0.1 }, drifted_columns: { warn: 0.1, fail: 0.4 } };
    const found = await compare(rowsOf(1000, row(0)), rowsOf(1000, row(1)), bounds);
    expect(byId(found)).toMatchObject({
      'drift/psi[a]': 'warn',
      'drift/psi[c]': 'pass',
      'drift/drifted_columns': 'fail',
    });
    expect([found.drift, [...found.driftedColumns].sort()]).toEqual(['fail', ['a', 'b']]);
    const still = await compare(rowsOf(1000, row(0)), rowsOf(1000, row(0)), bounds);
    expect(byId(still)['drift/drifted_columns']).toBe('pass');
  });
});

describe('what cannot be compared', () => {
  test('a column that is gone or of another type is an error, a new one is told', async () => {
    const found = await compare(
      rowsOf(100, () => ({ a: normal(), b: normal(), c: 'x' })),
      rowsOf(100, () => ({ b: 'high', c: 'x', d: 1 })),
    );
    expect(byId(found)).toEqual({ 'drift/column[a]': 'error', 'drift/column[b]': 'error', 'drift/psi[c]': 'pass' });
    expect(check(found, 'drift/column[b]').message).toContain(
      'it is number (DOUBLE) in the reference and string (VARCHAR) now',
    );
    expect(found.notices).toMatchObject([{ level: 'notice', message: expect.stringContaining('"d"') }]);
  });

  test('ids, dates and columns to ignore are left out', async () => {
    const row = () => ({ id: `u${random.bits()}`, day: '2026-08-01', note: normal(), country: 'KR' });
    const found = await compare(rowsOf(100, row), rowsOf(100, row), { ignore: ['note'] });
    expect(byId(found)).toEqual({
      'drift/column[day]': 'skipped',
      'drift/column[id]': 'skipped',
      'drift/psi[country]': 'pass',
    });
  });

  test('too few rows are skipped, so that nothing was judged', async () => {
    const found = await compare(rowsOf(100, person()), rowsOf(10, person()));
    expect(new Set(Object.values(byId(found)))).toEqual(new Set(['skipped']));
  });

  test('a measure of numbers asked of classes, and of columns that are not there', async () => {
    const found = await compare(rowsOf(100, person()), rowsOf(100, person()), {
      columns: ['country', 'age'],
      ks: { fail: 0.9, columns: ['country', 'agee'] },
    });
    expect(byId(found)).toEqual({ 'drift/ks[country]': 'error', 'drift/ks[agee]': 'error' });
  });

  test('no rows, no file, two broken files: told at once', async () => {
    await expect(detect({ reference: 'reference.csv' })).rejects.toThrow(PolicyError);
    await writeFile(join(directory, 'empty.csv'), 'a,b\n');
    await writeFile(join(directory, 'notes.txt'), 'x');
    const failure = detect({ reference: 'empty.csv', current: 'notes.txt' });
    await expect(failure).rejects.toThrow(DataError);
    await failure.catch((error: unknown) => {
      expect(error instanceof SluiceError && error.problems.map(({ code }) => code)).toEqual([
        'no-rows',
        'unsupported-format',
      ]);
    });
  });

  test('files outside the repository, unless the run itself names them', async () => {
    await write('reference.csv', rowsOf(100, person()));
    const outside = await mkdtemp(join(tmpdir(), 'sluice-elsewhere-'));
    await writeFile(join(outside, 'current.csv'), 'age,income,country,member\n1,2,KR,true\n');
    await expect(
      detect({ reference: 'reference.csv', current: `../${outside.split('/').at(-1)}/current.csv` }),
    ).rejects.toThrow(/lies outside/);
    await writeFile(join(directory, 'sluice.yaml'), 'version: 1\ndrift: { reference: reference.csv, min_rows: 1 }\n');
    const inputs = { policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false } as const;
    const report = await run({ ...inputs, given: { current: join(outside, 'current.csv') } }, silentHost);
    expect(report.sources[1]?.rows).toBe(1);
    await rm(outside, { recursive: true });
  });
});

describe('rows chosen by conditions', () => {
  const row = (day: string) => () => ({ ...person()(), day });

  test('compare parts of one file, without the columns that chose them', async () => {
    await write('all.csv', [...rowsOf(300, row('2026-07-01')), ...rowsOf(200, row('2026-08-01'))]);
    const found = await detect({
      reference: { source: 'all.csv', where: { day: { max: '2026-07-31' } } },
      current: {
        source: 'all.csv',
        where: { day: { min: '2026-08-01' }, country: ['KR', 'US'], member: true, income: { min: 0 } },
      },
    });
    expect(Object.keys(byId(found))).toEqual(['drift/psi[age]']);
    expect(check(found, 'drift/psi[age]').evidence?.n).toBeLessThan(500);
    expect(found.sources).toHaveLength(1);
  });

  test.each([
    ['text for a number', { age: 'old' }, 'condition-type'],
    ['a number for text', { country: 1 }, 'condition-type'],
    ['a date that is none', { day: { min: '2026-02-30' } }, 'condition-type'],
    ['a column that is not there', { agee: 1 }, 'missing-column'],
    ['rows that are not there', { country: "KR' OR 'a' = 'a" }, 'no-rows'],
    ['SQL that is only text', { country: '"); DROP TABLE x; --' }, 'no-rows'],
  ])('are refused for %s, at their line', async (_, where, code) => {
    await write('all.csv', rowsOf(50, row('2026-08-01')));
    const failure = detect({ reference: 'all.csv', current: { source: 'all.csv', where } });
    await expect(failure).rejects.toThrow(DataError);
    await failure.catch((error: unknown) => {
      expect(error instanceof DataError && error.problems.map((problem) => problem.code)).toEqual([code]);
      expect(error instanceof DataError && error.problems[0].place?.line).toBeGreaterThan(1);
    });
  });
});

test('of many rows the numbers are those of all values, by cells', async () => {
  const select = (rows: number, shift: number, salt: string) => `
    SELECT ${shift} + 3 * (hash(i, '${salt}') / 18446744073709551615.0) AS a, CAST(hash(i, 'b${salt}') % 7 AS INTEGER) AS b,
      CASE WHEN hash(i, 'c${salt}') % 10 = 0 THEN NULL ELSE exp(8 * (hash(i, 'd${salt}') / 18446744073709551615.0)) END AS c
    FROM range(${rows}) AS t(i)`;
  const copy = (name: string, sql: string) =>
    engine.query(`COPY (${sql}) TO '${join(directory, name)}' (FORMAT parquet)`);
  await copy('big-reference.parquet', select(180_000, 0, 'r'));
  await copy('big-current.parquet', select(160_000, 0.3, 'c'));
  const bounds = { psi: { fail: 0.2 }, ks: { fail: 0.2 }, wasserstein: { fail: 0.2 } };
  const found = await detect({ reference: 'big-reference.parquet', current: 'big-current.parquet', ...bounds });
  const observed = (id: string) => Number(check(found, id).observed);
  // A uniform one of width 3 moved by 0.3: a tenth of the rows. What is moved as a whole is as far off as its mean.
  expect(observed('drift/ks[a]')).toBeCloseTo(0.1, 2);
  const [means = {}] = await engine.query(`
    SELECT (SELECT avg(a) FROM '${join(directory, 'big-current.parquet')}') - avg(a) AS shift, stddev_pop(a) AS unit
    FROM '${join(directory, 'big-reference.parquet')}'`);
  expect(observed('drift/wasserstein[a]')).toBeCloseTo(Number(means['shift']) / Number(means['unit']), 3);
  expect(observed('drift/psi[b]')).toBeLessThan(0.001);
  expect(observed('drift/psi[c]')).toBeLessThan(0.001);
  expect(check(found, 'drift/wasserstein[c]').status).toBe('pass');
  expect(check(found, 'drift/ks[a]').message).toContain('values by 5');
  const again = await detect({ reference: 'big-reference.parquet', current: 'big-current.parquet', ...bounds });
  expect(again.checks).toEqual(found.checks);
});

test("names and classes that attack the reader are harmless in every renderer, and don't hide each other", async () => {
  const hostile = '<img src=x onerror=alert(1)>\u202e|::error::x';
  const names = [`${hostile}${'a'.repeat(200)}1`, `${hostile}${'a'.repeat(200)}2`];
  const row = (name: string) => () => Object.fromEntries(names.map((column) => [column, name]));
  await write('reference.csv', rowsOf(100, row('x')));
  await write('current.csv', rowsOf(100, row(`${hostile}y`)));
  await writeFile(
    join(directory, 'sluice.yaml'),
    'version: 1\ndrift: { reference: reference.csv, current: current.csv }\n',
  );
  const outputs: Record<string, string> = {};
  const host: Host = { ...silentHost, output: (name, value) => Object.assign(outputs, { [name]: value }) };
  const report = await run({ policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false }, host);
  expect(report.verdict).toBe('failed');
  expect(report.checks.map(({ status }) => status)).toEqual(['fail', 'fail']);
  const terminal = renderTerminal(report, { colour: false, width: 100 });
  for (const page of [await renderHtml(report), renderMarkdown(report)]) expect(page).not.toContain('<img src=x');
  for (const text of [await renderHtml(report), renderMarkdown(report), terminal]) expect(text).not.toContain('\u202e');
  expect(outputs['drift']).toBe('fail');
  expect([...(JSON.parse(outputs['drifted-columns'] ?? '') as string[])].sort()).toEqual(names);
});

test('a class that is a whole document does not make a report that nobody can read back', async () => {
  const row = (letter: string) => () => ({ text: `${letter}${'x'.repeat(50_000)}`, n: normal() });
  await write('reference.csv', rowsOf(40, row('a')));
  await write('current.csv', rowsOf(40, row('b')));
  await writeFile(
    join(directory, 'sluice.yaml'),
    'version: 1\ndrift: { reference: reference.csv, current: current.csv }\n',
  );
  const report = await run({ policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false }, silentHost);
  expect(parseReport(renderJson(report)).figures).toEqual(report.figures);
  expect(report.figures.some(({ kind }) => kind === 'histogram')).toBe(true);
});

test('the action reads its two files, and a policy without drift is told what to add', async () => {
  const gate = { policyFile: 'none.yaml', directory, comment: 'never', checkRun: false } as const;
  const read = (name: string) => ({ current: ' a.csv ' })[name] ?? '';
  expect(driftInputsFrom(gate, read)).toEqual({ ...gate, given: { current: 'a.csv' } });
  await writeFile(
    join(directory, 'none.yaml'),
    'version: 1\ndata: [{ source: reference.csv, checks: [{ row_count: { min: 1 } }] }]\n',
  );
  await expect(run(gate, silentHost)).rejects.toThrow(/says nothing of drift/);
});
