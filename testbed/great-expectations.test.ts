import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { run as validate, validateData } from '../actions/validate-data/run.ts';
import { expectations as counterparts } from '../cli/data-import/gx-expectations.ts';
import { draftOfGxSuite } from '../cli/data-import/gx-suite.ts';
import { importedPolicy } from '../cli/data-import/imported-policy.ts';
import { type Engine, openEngine } from '../core/data/index.ts';
import { silentHost } from '../core/host/index.ts';
import { headOnly, parsePolicy } from '../core/policy/index.ts';
import { pythonEnvironment } from './serving/python.ts';

// Every expectation that has a counterpart, on tables with everything that two tools may see differently: the verdict of the imported
// check is that of the real Great Expectations. Where it is not, `differences` says why, and actions/validate-data/README.md tells it.

/** As bench/data-validation.ts has them, so that both use one environment. */
const requirements = [
  'duckdb==2.0.0',
  'great_expectations==1.24.1',
  'pandas==3.1.1',
  'pandera[pandas,polars]==0.35.0',
  'polars==2.1.0',
  'pyarrow==26.0.1',
];

interface Asked {
  readonly type: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Why the two differ, where they do: the verdict of Great Expectations, then that of the imported check. */
  readonly differs?: readonly [string, string];
}

const ask = (type: string, kwargs: Asked['kwargs'], differs?: Asked['differs']): Asked => ({
  type: `expect_${type}`,
  kwargs,
  ...(differs === undefined ? {} : { differs }),
});

let directory = '';
let engine: Engine;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  engine = await openEngine();
  await engine.query(`COPY (
    SELECT id, name, country, CAST(amount AS DOUBLE) AS amount, CAST(zero AS DOUBLE) AS zero, CAST(holes AS DOUBLE) AS holes, day, moment, member, step, level, mail, CAST(NULL AS DOUBLE) AS nothing FROM (VALUES
      (1, 'ann', 'KR', '1.5', '-0.0', '0.5', DATE '2026-01-01', TIMESTAMP '2026-01-01 10:00:00', true, 10, 1, 'a@x.org'),
      (2, 'bob', 'US', '2.5', '0.0', NULL, DATE '2026-01-02', TIMESTAMP '2026-01-02 10:00:00', false, 20, 2, 'b@x.org'),
      (3, '', 'JP', NULL, '1.0', 'NaN', DATE '2026-01-02', TIMESTAMP '2026-01-03 00:00:00', NULL, 30, 2, ''),
      (4, NULL, 'KR', '4.0', '1.0', '-1.0', NULL, NULL, true, 40, 4, 'no mail'),
      (5, 'é', 'ÜK', '4.0', 'Infinity', '2.0', DATE '2026-02-28', TIMESTAMP '2026-02-28 23:59:59', true, 40, 5, NULL),
      (6, 'é', 'US', '7.25', '-3.0', '2.0', DATE '2026-03-01', TIMESTAMP '2026-03-01 00:00:00', false, 60, 5, 'c@y.org'),
      (7, '😀👍', 'KR', '0.1', '0.30000000000000004', '9.0', DATE '2026-03-02', TIMESTAMP '2026-03-02 12:00:00', true, 70, 7, 'd@y.org'),
      (8, 'ann', 'FR', '1.5', '5.0', '0.5', DATE '1999-12-31', TIMESTAMP '1999-12-31 00:00:00', false, 80, 8, 'a@x.org')
    ) AS t(id, name, country, amount, zero, holes, day, moment, member, step, level, mail)
    ) TO '${join(directory, 'people.parquet')}' (FORMAT parquet)`);
}, 60_000);
afterAll(async () => {
  await engine.close();
  await rm(directory, { recursive: true });
});

const between = (column: string, min_value: unknown, max_value: unknown, more: object = {}) => ({
  column,
  min_value,
  max_value,
  ...more,
});

const ofPeople: readonly Asked[] = [
  ask('column_to_exist', { column: 'name' }),
  ask('column_to_exist', { column: 'nam' }),
  ask('table_columns_to_match_set', { column_set: ['id', 'name'], exact_match: true }),
  ask('table_columns_to_match_set', { column_set: ['id', 'name'], exact_match: false }),
  ask('table_columns_to_match_set', { column_set: ['id', 'name'], exact_match: null }),
  ask('table_columns_to_match_set', { column_set: ['id', 'nam'], exact_match: null }),
  ask('table_columns_to_match_ordered_list', {
    column_list: [
      'id',
      'name',
      'country',
      'amount',
      'zero',
      'holes',
      'day',
      'moment',
      'member',
      'step',
      'level',
      'mail',
      'nothing',
    ],
  }),
  ask('table_columns_to_match_ordered_list', {
    column_list: [
      'name',
      'id',
      'country',
      'amount',
      'zero',
      'holes',
      'day',
      'moment',
      'member',
      'step',
      'level',
      'mail',
      'nothing',
    ],
  }),
  ask('table_row_count_to_equal', { value: 8 }),
  ask('table_row_count_to_equal', { value: 7 }),
  ask('table_row_count_to_be_between', { min_value: 8, max_value: 10 }),
  ask('table_row_count_to_be_between', { min_value: 8, max_value: 10, strict_min: true }),
  ...['id', 'name', 'amount', 'holes', 'day', 'moment', 'member', 'mail', 'zero'].flatMap((column) => [
    ask('column_values_to_not_be_null', { column }),
    ask('column_values_to_not_be_null', { column, mostly: 0.75 }),
    ask('column_values_to_be_null', { column, mostly: 0.1 }),
  ]),
  ...['id', 'name', 'country', 'amount', 'zero', 'holes', 'day', 'moment', 'mail'].flatMap((column) => [
    ask('column_values_to_be_unique', { column }),
    ask('column_values_to_be_unique', { column, mostly: 0.7 }),
    ask('column_unique_value_count_to_be_between', between(column, 5, 7)),
    ask('column_proportion_of_unique_values_to_be_between', between(column, 0.9, 1)),
  ]),
  ask('compound_columns_to_be_unique', { column_list: ['country', 'step'] }),
  ask('compound_columns_to_be_unique', { column_list: ['level', 'country'] }),
  ...['amount', 'zero', 'holes', 'step'].flatMap((column) => [
    ask('column_values_to_be_between', between(column, 0, 5)),
    ask('column_values_to_be_between', between(column, -10, 80)),
    ask('column_values_to_be_between', between(column, 0, 5, { mostly: 0.8 })),
    ask('column_values_to_be_between', between(column, 0.1, 70, { strict_min: true })),
    ask('column_values_to_be_between', between(column, 0.5, 80, { strict_max: true })),
    ask('column_values_to_be_between', { column, min_value: 0.3 }),
    ask('column_values_to_be_between', { column, max_value: 40 }),
    ask('column_min_to_be_between', between(column, 0, 10)),
    ask('column_max_to_be_between', between(column, 5, 80)),
    ask('column_max_to_be_between', between(column, 5, 80, { strict_max: true })),
  ]),
  ...['amount', 'holes', 'step'].flatMap((column) => [
    ask('column_mean_to_be_between', between(column, 2, 3)),
    ask('column_mean_to_be_between', between(column, 0, 100)),
    ask('column_stdev_to_be_between', between(column, 2.3, 4)),
    ask('column_sum_to_be_between', between(column, 13, 21)),
    ask('column_sum_to_be_between', between(column, 0, 1000)),
    ask('column_median_to_be_between', between(column, 0, 1000)),
    ask('column_quantile_values_to_be_between', {
      column,
      quantile_ranges: {
        quantiles: [0, 1],
        value_ranges: [
          [-1, 10],
          [7, 100],
        ],
      },
    }),
  ]),
  ask('column_values_to_be_in_set', { column: 'country', value_set: ['KR', 'US', 'JP', 'FR', 'ÜK'] }),
  ask('column_values_to_be_in_set', { column: 'country', value_set: ['KR', 'US', 'JP', 'FR', 'UK'] }),
  ask('column_values_to_be_in_set', { column: 'country', value_set: ['KR', 'US'], mostly: 0.6 }),
  // Composed and decomposed, the same to the eye.
  ask('column_values_to_be_in_set', { column: 'name', value_set: ['ann', 'bob', '', 'é', '😀👍'] }),
  ask('column_values_to_be_in_set', { column: 'name', value_set: ['ann', 'bob', '', 'é', 'é', '😀👍'] }),
  ask('column_values_to_be_in_set', { column: 'step', value_set: [10, 20, 30, 40, 60, 70, 80] }),
  ask('column_values_to_be_in_set', { column: 'zero', value_set: [0, 1, 5, -3] }),
  ask('column_values_to_be_in_set', { column: 'member', value_set: [true] }),
  ask('column_values_to_not_be_in_set', { column: 'name', value_set: [''] }),
  ask('column_values_to_not_be_in_set', { column: 'country', value_set: ['XX'] }),
  ask('column_values_to_not_be_in_set', { column: 'zero', value_set: [0] }),
  // Zeros of both signs at an end, that is in and that is not; the neighbours of 0.3; infinity at an end.
  ask('column_values_to_be_between', between('zero', 0, null, { mostly: 0.85 })),
  ask('column_values_to_be_between', between('zero', 0, null, { mostly: 0.85, strict_min: true })),
  ask('column_values_to_be_between', between('zero', -0, 0.3, { mostly: 0.3 })),
  ask('column_values_to_be_between', between('zero', 0.3, 0.30000000000000004, { strict_min: true, mostly: 0.1 })),
  ask('column_values_to_be_in_set', { column: 'zero', value_set: [0, 0.3, 1, 5, -3] }),
  ask('column_values_to_be_in_set', { column: 'holes', value_set: [0.5, -1, 2] }),
  ask('column_values_to_be_in_set', { column: 'holes', value_set: [0.5, -1, 2, 9] }),
  ask('column_distinct_values_to_be_in_set', { column: 'holes', value_set: [0.5, -1, 2, 9] }),
  ask('column_distinct_values_to_be_in_set', { column: 'country', value_set: ['KR', 'US', 'JP', 'FR', 'ÜK', 'XX'] }),
  ask('column_distinct_values_to_be_in_set', { column: 'country', value_set: ['KR'] }),
  ask('column_distinct_values_to_contain_set', { column: 'country', value_set: ['KR', 'ÜK'] }),
  ask('column_distinct_values_to_contain_set', { column: 'country', value_set: ['KR', 'XX'] }),
  ask('column_distinct_values_to_equal_set', { column: 'level', value_set: [1, 2, 4, 5, 7, 8] }),
  ask('column_distinct_values_to_equal_set', { column: 'level', value_set: [1, 2, 4, 5, 7, 8, 9] }),
  ask('column_most_common_value_to_be_in_set', { column: 'country', value_set: ['KR'] }),
  ask('column_most_common_value_to_be_in_set', { column: 'country', value_set: ['US'] }),
  ...['@', '^[a-d]@', 'org$', '^$', '\\s', '^[^@\\s]+@[^@\\s]+$'].flatMap((regex) => [
    ask('column_values_to_match_regex', { column: 'mail', regex }),
    ask('column_values_to_match_regex', { column: 'mail', regex, mostly: 0.7 }),
    ask('column_values_to_not_match_regex', { column: 'mail', regex }),
  ]),
  ask('column_values_to_match_regex_list', { column: 'mail', regex_list: ['@', '^$', 'no'], match_on: 'any' }),
  ask('column_values_to_match_regex_list', { column: 'mail', regex_list: ['@', 'org'], match_on: 'all' }),
  ask('column_values_to_not_match_regex_list', { column: 'mail', regex_list: ['z', 'q'] }),
  ask('column_values_to_not_match_regex_list', { column: 'mail', regex_list: ['z', 'no'] }),
  ...[
    [0, 2],
    [1, 3],
    [2, 4],
    [0, 5],
  ].map(([min_value, max_value]) =>
    ask('column_value_lengths_to_be_between', { column: 'name', min_value, max_value }),
  ),
  ask('column_value_lengths_to_equal', { column: 'country', value: 2 }),
  ask('column_value_lengths_to_equal', { column: 'name', value: 2 }),
  ask('column_values_to_be_increasing', { column: 'id', strictly: true }),
  ask('column_values_to_be_increasing', { column: 'step' }),
  ask('column_values_to_be_increasing', { column: 'step', strictly: true }),
  ask('column_values_to_be_increasing', { column: 'amount' }),
  ask('column_values_to_be_decreasing', { column: 'step' }),
  ask('column_values_to_be_decreasing', { column: 'amount', mostly: 0.5 }),
  ask('column_pair_values_a_to_be_greater_than_b', { column_A: 'step', column_B: 'level' }),
  ask('column_pair_values_a_to_be_greater_than_b', { column_A: 'amount', column_B: 'holes' }),
  ask('column_pair_values_a_to_be_greater_than_b', { column_A: 'id', column_B: 'level', or_equal: true }),
  ask('column_pair_values_to_be_equal', { column_A: 'id', column_B: 'level' }),
  ask('column_pair_values_to_be_equal', { column_A: 'id', column_B: 'id' }),
  ask('multicolumn_sum_to_equal', { column_list: ['id', 'level'], sum_total: 2 }),
  ask('select_column_values_to_be_unique_within_record', { column_list: ['id', 'step'] }),
  ask('select_column_values_to_be_unique_within_record', { column_list: ['id', 'level'] }),
  ask('column_value_z_scores_to_be_less_than', { column: 'step', threshold: 2, double_sided: true }),
  ask('column_value_z_scores_to_be_less_than', { column: 'step', threshold: 1, double_sided: true }),
  ask('column_proportion_of_non_null_values_to_be_between', { column: 'holes', min_value: 0.7 }),
  ask('column_proportion_of_non_null_values_to_be_between', { column: 'holes', min_value: 0.8 }),
  ask('column_proportion_of_non_null_values_to_be_between', { column: 'id', min_value: 0.5, max_value: 0.9 }),
  ask('column_values_to_be_of_type', { column: 'amount', type_: 'float64' }),
  ask('column_values_to_be_in_type_list', { column: 'id', type_list: ['int32', 'int64'] }),
  // A text is no time to Great Expectations on pandas, and cannot be compared.
  ask('column_values_to_be_between', between('moment', '2026-01-01', '2026-03-31'), ['error', 'fail']),
  ask('column_values_to_be_between', between('moment', '1999-01-01', '2026-03-31'), ['error', 'pass']),
  // The mean of the middle two values is none of the values.
  ask('column_median_to_be_between', between('level', 4.4, 4.6), ['pass', 'fail']),
  // A key that misses a part is no key here.
  ask('compound_columns_to_be_unique', { column_list: ['holes', 'day', 'level'] }, ['fail', 'pass']),
  // Of SQL, mostly is a share of all rows.
  ask('column_values_to_not_match_regex', { column: 'mail', regex: '@', mostly: 0.3 }, ['fail', 'pass']),
  // No value proves nothing.
  ask('column_values_to_be_between', between('nothing', 0, 1), ['pass', 'error']),
  ask('column_values_to_be_unique', { column: 'nothing' }, ['pass', 'error']),
];

/** A real table, of numbers as people have them: the features of scikit-learn's breast cancer data. */
const ofCancer: readonly Asked[] = ['mean radius', 'mean texture', 'worst area', 'smoothness error'].flatMap(
  (column) => [
    ask('column_values_to_not_be_null', { column }),
    ask('column_values_to_be_unique', { column }),
    ask('column_values_to_be_between', between(column, 0, 30)),
    ask('column_values_to_be_between', between(column, 5, 30, { mostly: 0.95 })),
    ask('column_mean_to_be_between', between(column, 10, 20)),
    ask('column_stdev_to_be_between', between(column, 3, 5)),
    ask('column_min_to_be_between', between(column, 5, 10)),
    ask('column_max_to_be_between', between(column, 25, 50)),
    ask('column_unique_value_count_to_be_between', between(column, 300, 400)),
    ask('column_values_to_be_increasing', { column }),
  ],
);

const run = (python: string, input: string, name = 'gx_verdicts.py'): Promise<string> =>
  new Promise((resolve, reject) => {
    const script = fileURLToPath(new URL(`data-validation/${name}`, import.meta.url));
    const child = execFile(
      python,
      [script],
      { maxBuffer: 64 * 1024 * 1024, env: { ...process.env, GX_ANALYTICS_ENABLED: 'false' } },
      (error, stdout, stderr) => {
        if (error !== null) reject(new Error(`Great Expectations failed: ${stderr.slice(-2000)}`));
        else resolve(stdout);
      },
    );
    child.stdin?.end(input);
  });

/** The imported check's verdict: all of an expectation's checks hold, one is broken, or one cannot be judged. */
async function verdictOf({ type, kwargs }: Asked, source: string): Promise<string> {
  const draft = draftOfGxSuite([{ type, kwargs }], 'suite.json');
  if (draft.drafted.length === 0) return `left: ${draft.left[0]?.why}`;
  const policy = headOnly(parsePolicy(importedPolicy(draft, source), 'sluice.yaml'));
  const { checks } = await validateData({ policy, directory, engine, host: silentHost });
  const statuses = checks.map(({ status }) => status);
  return statuses.includes('error') ? 'error' : statuses.includes('fail') ? 'fail' : 'pass';
}

it('imported checks give the verdict of Great Expectations, but for the differences that are told', async () => {
  const { python } = await pythonEnvironment('bench-data-validation', requirements);
  const cancer = fileURLToPath(new URL('../examples/breast-cancer/data/train.csv', import.meta.url));
  const tables = [
    { path: join(directory, 'people.parquet'), source: 'people.parquet', expectations: ofPeople },
    { path: join(directory, 'cancer.csv'), source: 'cancer.csv', expectations: ofCancer },
  ];
  await copyFile(cancer, join(directory, 'cancer.csv'));
  const theirs: readonly Readonly<Record<string, unknown>>[] = JSON.parse(await run(python, JSON.stringify(tables)));
  const found: object[] = [];
  const told: object[] = [];
  const verdicts: string[] = [];
  let at = 0;
  for (const { source, expectations } of tables) {
    for (const asked of expectations) {
      const verdict = theirs[at++];
      const ours = await verdictOf(asked, source);
      verdicts.push(ours);
      const { type, kwargs, differs } = asked;
      if (verdict?.['verdict'] !== ours)
        found.push({ type, kwargs, differs: [verdict?.['verdict'], ours], ...verdict });
      if (differs !== undefined) told.push({ type, kwargs, differs });
    }
  }
  expect(at).toBe(ofPeople.length + ofCancer.length);
  expect(found).toMatchObject(told);
  expect(found).toHaveLength(told.length);
  // The suite is one of both.
  for (const verdict of ['pass', 'fail'])
    expect(verdicts.filter((each) => each === verdict).length).toBeGreaterThan(60);
}, 240_000);

it('reads the results that are exported: the same counts, failures and severities, and pages of all of them', async () => {
  const { python } = await pythonEnvironment('bench-data-validation', requirements);
  const data = [
    {
      source: 'people.parquet',
      checks: [
        { row_count: { min: 8 } },
        { schema: { required: ['id', 'name'], types: { id: 'integer' } } },
        { schema: { required: ['id', 'name'] } },
        { not_null: { columns: 'all' } },
        { between: { column: 'zero', min: -10, max: 10, severity: 'warn' } },
        { max: { column: 'zero', max: 10 } },
        { accepted_values: { column: 'country', values: ['KR', 'US'], mostly: 0.9 } },
        { regex: { column: 'mail', pattern: '.*@.*' } },
        { length: { column: 'country', min: 2, max: 2 } },
        { unique: { columns: ['id'] } },
        { unique: { columns: ['country', 'level'] } },
        { quantile: { column: 'step', share: 0.5, max: 50 } },
        { distinct_count: { column: 'level', min: 9 } },
        { monotonic: { column: 'step', direction: 'increasing' } },
        { mean: { column: 'step', max: 50, where: { country: ['KR'] } } },
        { class_share: { column: 'country', min: 0.3 } },
        { duplicate_rows: { max_share: 0 } },
        { label_conflicts: { label: 'level', features: ['name'], max_share: 0 } },
        { sql: { name: 'old', select: 'SELECT * FROM data WHERE step > 60' } },
        { between: { column: 'nothing', min: 0 } },
        { between: { column: 'gone', min: 0 } },
      ],
    },
    { source: 'fine.csv', checks: [{ not_null: { columns: ['a'] } }] },
  ];
  await writeFile(join(directory, 'fine.csv'), 'a,b\n1,x\n2,y\n');
  await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ version: 1, data }));
  const { checks } = await validate(
    { policyFile: 'sluice.yaml', directory, comment: 'never', checkRun: false, gxFile: 'report.gx.json' },
    silentHost,
  );
  const [people, fine, ...others] = JSON.parse(
    await run(python, await readFile(join(directory, 'report.gx.json'), 'utf8'), 'gx_results.py'),
  );
  expect(others).toEqual([]);
  const ofPeople = checks.filter(({ id }) => id.startsWith('data/people.parquet/'));
  const passed = ofPeople.filter(({ status }) => status === 'pass').length;
  expect(passed).toBeGreaterThan(10);
  expect(ofPeople.length - passed).toBeGreaterThan(10);
  expect(people).toMatchObject({
    success: false,
    asset: 'people.parquet',
    evaluated: ofPeople.length,
    successful: passed,
    failed: ofPeople.length - passed,
    raised: ofPeople.filter(({ status }) => status === 'error').length,
    severity: 'critical',
    same: true,
  });
  for (const { title } of ofPeople.filter(({ id }) => /label_conflicts|class_share/.test(id)))
    expect(people.page).toContain(title);
  expect(fine).toMatchObject({ success: true, evaluated: 1, successful: 1, failed: 0, severity: null, same: true });
}, 240_000);

it('has a suite entry for every expectation with a counterpart that needs no text of another kind', () => {
  const asked = new Set(ofPeople.map(({ type }) => type));
  expect(asked.size).toBeGreaterThan(35);
  for (const type of asked) expect(Object.keys(counterparts)).toContain(type);
});
