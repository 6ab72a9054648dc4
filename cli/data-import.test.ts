import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { expectationOf } from '../actions/validate-data/run.ts';
import { type DataCheck, type DataCheckName, parsePolicy } from '../core/policy/index.ts';
import { nextDown, nextUp } from './data-import/drafted-checks.ts';
import { expectations } from './data-import/gx-expectations.ts';
import { draftOfGxSuite } from './data-import/gx-suite.ts';
import { importedPolicy } from './data-import/imported-policy.ts';
import { draftOfPanderaSchema } from './data-import/pandera-schema.ts';
import { record } from './recorded-streams.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
});
afterAll(() => rm(directory, { recursive: true }));

const expectation = (type: string, kwargs: object, more: object = {}) => ({ type, kwargs, ...more });
const draft = (...entries: readonly object[]) =>
  draftOfGxSuite({ name: 'orders', expectations: entries }, 'suite.json');
const checksOf = (...entries: readonly object[]) =>
  parsePolicy(importedPolicy(draft(...entries), 'data.csv'), 'sluice.yaml').policy.data?.[0]?.checks;

describe('a suite of Great Expectations', () => {
  it('becomes checks of the same meaning', () => {
    expect(
      checksOf(
        expectation('expect_column_to_exist', { column: 'age' }),
        expectation('expect_column_to_exist', { column: 'id' }),
        expectation('expect_column_values_to_be_of_type', { column: 'age', type_: 'int64' }),
        expectation('expect_table_row_count_to_be_between', { min_value: 10, max_value: 20, strict_max: true }),
        expectation('expect_column_values_to_not_be_null', { column: 'age', mostly: 0.9 }),
        expectation('expect_column_values_to_be_between', {
          column: 'age',
          min_value: 0,
          max_value: 150,
          strict_min: true,
        }),
        expectation(
          'expect_column_values_to_be_in_set',
          { column: 'c', value_set: ['a', 'b'] },
          { severity: 'warning' },
        ),
        expectation('expect_column_values_to_match_regex', { column: 'c', regex: '^a+' }),
        expectation('expect_column_quantile_values_to_be_between', {
          column: 'age',
          quantile_ranges: {
            quantiles: [0.1, 0.9],
            value_ranges: [
              [0, 5],
              [null, 90],
            ],
          },
        }),
        expectation('expect_column_pair_values_a_to_be_greater_than_b', {
          column_A: 'a"1',
          column_B: 'b',
          or_equal: true,
        }),
      ),
    ).toEqual([
      { schema: { required: ['age', 'id'], types: { age: 'integer' } } },
      { row_count: { min: 10, max: 19 } },
      { not_null: { columns: ['age'], mostly: 0.9 } },
      { between: { column: 'age', min: 5e-324, max: 150 } },
      { accepted_values: { column: 'c', values: ['a', 'b'], severity: 'warn' } },
      { regex: { column: 'c', pattern: '(?s:.*)(?:^a+)(?s:.*)' } },
      { quantile: { column: 'age', share: 0.1, min: 0, max: 5 } },
      { quantile: { column: 'age', share: 0.9, max: 90 } },
      {
        sql: {
          name: 'a-greater-than-b',
          select:
            'SELECT * FROM data WHERE NOT ("a""1" IS NULL AND "b" IS NULL) AND NOT coalesce("a""1" >= "b", false)',
        },
      },
    ]);
  });

  it.each([
    [
      'of a version before 1',
      {
        expectation_suite_name: 's',
        expectations: [{ expectation_type: 'expect_column_values_to_be_unique', kwargs: { column: 'x' } }],
      },
    ],
    ['that is a list', [{ type: 'expect_column_values_to_be_unique', kwargs: { column: 'x' } }]],
    ['that names classes', [{ type: 'ExpectColumnValuesToBeUnique', kwargs: { column: 'x' } }]],
  ])('%s is read too', (_, suite) => {
    expect(draftOfGxSuite(suite, 's').drafted).toMatchObject([{ checks: [{ unique: { columns: ['x'] } }] }]);
  });

  it('lists what has no counterpart, and says why', () => {
    const { drafted, left } = draft(
      expectation('expect_column_kl_divergence_to_be_less_than', { column: 'x' }),
      expectation('expect_column_values_to_be_unique', { column: 'x', row_condition: 'y > 1' }),
      expectation('expect_my_own', {}),
      expectation('expect_column_mean_to_be_between', { column: 'x', min_value: { $PARAMETER: 'low' } }),
      expectation('expect_column_mean_to_be_between', { column: 'x' }),
      expectation('expect_column_values_to_be_in_set', { column: 'x', value_set: null }),
      {},
    );
    expect(drafted).toEqual([]);
    expect(left.map(({ from }) => from)).toHaveLength(7);
    expect(left.every(({ why }) => why.length > 10)).toBe(true);
  });

  it('of a profiler, with nulls for what it does not say, demands no more than it did', () => {
    const column_set = ['a', 'b'];
    const asked = (exact: object) =>
      checksOf(expectation('expect_table_columns_to_match_set', { column_set, ...exact }));
    expect(asked({ exact_match: null })).toEqual([{ schema: { required: column_set } }]);
    expect(asked({ exact_match: false })).toEqual([{ schema: { required: column_set } }]);
    expect(asked({})).toEqual([{ schema: { required: column_set, extra: 'forbid' } }]);
    expect(asked({ exact_match: true })).toEqual([{ schema: { required: column_set, extra: 'forbid' } }]);
  });

  it('drops no end, share or pattern unsaid that a policy cannot have', () => {
    const $PARAMETER = 'upstream_rows * 1.1';
    const { drafted, left } = draft(
      expectation('expect_table_row_count_to_be_between', { min_value: 10, max_value: { $PARAMETER } }),
      expectation('expect_column_values_to_not_be_null', { column: 'a', mostly: { $PARAMETER } }),
      expectation('expect_column_values_to_be_in_set', { column: 'a', value_set: [1, { $PARAMETER }] }),
      expectation('expect_column_values_to_match_regex', { column: 'a', regex: '^(?=.*x)[a-z]+$' }),
      expectation('expect_column_values_to_not_match_regex', { column: 'a', regex: '(a)\\1' }),
      expectation('expect_column_values_to_match_regex_list', { column: 'a', regex_list: ['a', '(?<!b)c'] }),
      expectation('expect_column_values_to_match_regex', { column: 'a', regex: '\\(?=\\\\1 (?P<n>x)(?:y)' }),
    );
    expect(left.map(({ why }) => why.slice(0, 17))).toEqual([
      ...Array.from({ length: 3 }, () => 'a suite parameter'),
      ...Array.from({ length: 3 }, () => 'look-around and b'),
    ]);
    expect(drafted).toHaveLength(1);
  });

  it('that only warns of a column does not forbid it with the others', () => {
    expect(
      checksOf(
        expectation('expect_column_to_exist', { column: 'a' }),
        expectation('expect_column_to_exist', { column: 'b' }, { severity: 'warning' }),
        expectation('expect_column_values_to_be_of_type', { column: 'b', type_: 'int64' }, { severity: 'warning' }),
        expectation('expect_column_values_to_be_of_type', { column: 'a', type_: 'str' }),
      ),
    ).toEqual([
      { schema: { required: ['a'], types: { a: 'string' } } },
      { schema: { required: ['b'], types: { b: 'integer' }, severity: 'warn' } },
    ]);
  });

  it('of every core expectation becomes a policy that can be read, or is listed', () => {
    const kwargs = {
      column: 'x',
      column_A: 'x',
      column_B: 'y',
      column_list: ['x', 'y'],
      column_set: ['x'],
      min_value: 1,
      max_value: 2,
      value: 3,
      value_set: ['a'],
      value_pairs_set: [
        ['a', 1],
        [null, 2],
      ],
      regex: 'a',
      regex_list: ['a', 'b'],
      like_pattern: 'a%',
      like_pattern_list: ['a%', '_b'],
      type_: 'int64',
      type_list: ['int64', 'int32'],
      strftime_format: '%Y',
      threshold: 3,
      double_sided: true,
      sum_total: 5,
      unexpected_rows_query: 'SELECT * FROM {batch}',
      strictly: true,
      quantile_ranges: { quantiles: [0.5], value_ranges: [[1, 2]] },
    };
    const { drafted, left } = draft(...Object.keys(expectations).map((type) => expectation(type, kwargs)));
    expect(drafted.length + left.length).toBe(Object.keys(expectations).length);
    expect(drafted.length).toBeGreaterThan(44);
    expect(() => parsePolicy(importedPolicy({ of: 'x', drafted, left }, 'a.csv'), 'p')).not.toThrow();
  });

  it('cannot write anything but values and comments', () => {
    const evil = 'x"\n    checks: []\n# ';
    const text = importedPolicy(
      draft(
        expectation('expect_column_values_to_be_unique', { column: evil }),
        expectation('expect_column_values_to_be_null', { column: evil }),
        expectation(`expect${evil}`, { column: evil }),
      ),
      evil,
    );
    const { policy } = parsePolicy(text, 'p');
    expect(policy.data).toMatchObject([{ source: evil, checks: [{ unique: { columns: [evil] } }, { sql: {} }] }]);
  });

  it('excluded ends are the neighbouring numbers', () => {
    expect([nextUp(1), nextDown(1), nextUp(0), nextDown(0), nextUp(-1)]).toEqual([
      1 + Number.EPSILON,
      1 - Number.EPSILON / 2,
      5e-324,
      -5e-324,
      -1 + Number.EPSILON / 2,
    ]);
  });
});

/** As pandera 0.35.0 wrote it. */
const pandera = {
  schema_type: 'dataframe',
  columns: {
    age: {
      dtype: 'int64',
      in_range: { min_value: 0, max_value: 150, include_min: true, include_max: false },
      greater_than_or_equal_to: 0,
    },
    country: { dtype: 'string[pyarrow]', nullable: true, isin: ['KR', 'US'] },
    user: {
      dtype: 'string[pyarrow]',
      unique: true,
      str_matches: '^[a-z]+$',
      str_length: { min_value: 1, max_value: 20, exact_value: null },
    },
    score: { dtype: 'float64', greater_than: { min_value: 0, raise_warning: true }, not_equal_to: 0.5 },
    day: { dtype: 'datetime64[ns]', less_than_or_equal_to: '2026-01-01' },
  },
  strict: true,
  ordered: true,
  unique: ['age', 'country'],
};

describe('a pandera schema', () => {
  it('becomes checks of the same meaning', () => {
    const { policy } = parsePolicy(importedPolicy(draftOfPanderaSchema(pandera, 's'), 'data.csv'), 'p');
    expect(policy.data?.[0]?.checks).toEqual([
      {
        schema: {
          required: ['age', 'country', 'user', 'score', 'day'],
          types: { age: 'integer', country: 'string', user: 'string', score: 'number', day: 'timestamp' },
          order: 'kept',
          extra: 'forbid',
        },
      },
      { unique: { columns: ['age', 'country'] } },
      { not_null: { columns: ['age'] } },
      { between: { column: 'age', min: 0 } },
      { between: { column: 'age', min: 0, max: nextDown(150) } },
      { accepted_values: { column: 'country', values: ['KR', 'US'] } },
      { not_null: { columns: ['user'] } },
      { unique: { columns: ['user'] } },
      { regex: { column: 'user', pattern: '(?:^[a-z]+$)(?s:.*)' } },
      { length: { column: 'user', min: 1, max: 20 } },
      { not_null: { columns: ['score'] } },
      { between: { column: 'score', min: nextUp(0), severity: 'warn' } },
      { not_accepted_values: { column: 'score', values: [0.5] } },
      { not_null: { columns: ['day'] } },
      { between: { column: 'day', max: '2026-01-01' } },
    ]);
  });

  it.each([
    ['a mapping', { in_range: { min_value: 1, max_value: 2 } }],
    ['a mapping with options', { in_range: { min_value: 1, max_value: 2, options: { ignore_na: true } } }],
    ['a list', [{ min_value: 1, max_value: 2, options: { check_name: 'in_range' } }]],
  ])('has its checks as %s', (_, checks) => {
    const { drafted } = draftOfPanderaSchema({ columns: { x: { nullable: true, checks } } }, 's');
    expect(drafted.flatMap((each) => each.checks)).toContainEqual({ between: { column: 'x', min: 1, max: 2 } });
  });

  it('lists what has no counterpart', () => {
    const { left } = draftOfPanderaSchema(
      {
        columns: { 'x.*': { regex: true }, y: { required: false }, z: { nullable: true, checks: { my_own: 3 } } },
        index: [{}],
        checks: { wide: {} },
        strict: true,
      },
      's',
    );
    expect(left.map(({ from }) => from)).toEqual([
      'strict',
      'column of x.*',
      'column of y',
      'my_own of z',
      'index',
      'check wide of the frame',
    ]);
  });
});

describe('sluice data', () => {
  const call = async (...argv: readonly string[]) => {
    const { exitCode: code, stdout: out, stderr: err } = await record(directory, argv);
    return { code, out, err };
  };

  it('import-gx writes a policy that can be read, and never over another', async () => {
    await writeFile(
      join(directory, 'suite.json'),
      JSON.stringify([expectation('expect_column_values_to_be_unique', { column: 'x' })]),
    );
    const printed = await call('data', 'import-gx', 'suite.json');
    expect(printed).toMatchObject({ code: 0 });
    expect(parsePolicy(printed.out, 'p').policy.data).toMatchObject([{ source: 'data.csv' }]);
    expect((await call('data', 'import-gx', 'suite.json', '--output', 'p.yaml')).code).toBe(0);
    expect(await readFile(join(directory, 'p.yaml'), 'utf8')).toBe(printed.out);
    expect((await call('data', 'import-gx', 'suite.json', '--output', 'p.yaml')).code).toBe(1);
    expect(JSON.parse((await call('data', 'import-gx', 'suite.json', '--json')).out)).toMatchObject({
      checks: 1,
      left: [],
    });
  });

  it.each([
    ['{', 'neither JSON nor YAML'],
    ['{}', 'no suite'],
    ['[]', 'none of its assertions'],
    [
      `a: &a [x,x]\nb: &b [*a,*a]\n${Array.from({ length: 20 }, (_, at) => `c${at}: [${'*b,'.repeat(20)}]`).join('\n')}`,
      'neither JSON nor YAML',
    ],
  ])('import-gx refuses %s', async (text, words) => {
    await writeFile(join(directory, 'bad.json'), text);
    const { code, err } = await call('data', 'import-gx', 'bad.json');
    expect(code).toBe(1);
    expect(err).toContain(words);
  });

  it('import-pandera reads YAML', async () => {
    await writeFile(
      join(directory, 'schema.yaml'),
      'schema_type: dataframe\ncolumns:\n  x:\n    dtype: int64\n    checks:\n      isin: [1, 2]\n',
    );
    const { code, out } = await call('data', 'import-pandera', 'schema.yaml', '--source', 'a.parquet');
    expect(code).toBe(0);
    expect(out).toContain('accepted_values: { column: x, values: [1, 2] }');
  });
});

describe('the export of results', () => {
  const checks: readonly DataCheck[] = [
    { row_count: { min: 3, max: 9 } },
    { row_count: { min: 3, max: 3 } },
    { schema: { required: ['age'] } },
    { schema: { required: ['age', 'id'] } },
    { schema: { required: ['age', 'id'], extra: 'forbid' } },
    { schema: { required: ['age', 'id'], order: 'kept', extra: 'forbid' } },
    { schema: { types: { age: 'integer' } } },
    { schema: { types: { age: 'timestamp' } } },
    { not_null: { columns: ['age'], mostly: 0.9 } },
    { between: { column: 'age', min: 0, max: 150, mostly: 0.9 } },
    { between: { column: 'day', min: '2026-01-01' } },
    { accepted_values: { column: 'c', values: ['a', 1, true], mostly: 0.5 } },
    { not_accepted_values: { column: 'c', values: ['a'] } },
    { length: { column: 'c', min: 1, max: 3 } },
    { length: { column: 'c', min: 2, max: 2, mostly: 0.5 } },
    { unique: { columns: ['id'], mostly: 0.9 } },
    { unique: { columns: ['id', 'day'] } },
    { mean: { column: 'age', min: 1 } },
    { std: { column: 'age', max: 1 } },
    { sum: { column: 'age', min: 1, max: 2 } },
    { min: { column: 'day', min: '2026-01-01' } },
    { max: { column: 'age', max: 2 } },
    { quantile: { column: 'age', share: 0.9, max: 2 } },
    { quantile: { column: 'age', share: 0.9, min: 1, max: 2 } },
    { distinct_count: { column: 'c', max: 2 } },
    { distinct_share: { column: 'c', min: 0.2 } },
    { monotonic: { column: 'id', direction: 'increasing', strict: true } },
    { monotonic: { column: 'id', direction: 'decreasing', mostly: 0.5 } },
  ];
  const asked = (check: DataCheck) => {
    const [kind] = Object.keys(check) as DataCheckName[];
    if (kind === undefined) throw new Error('a check without a kind');
    const [column] = check.not_null?.columns ?? [];
    return { kind, check, ...(column === undefined ? {} : { column }) };
  };

  it.each(checks.map((check) => [check]))('names %j by the expectation that the import makes it of', (check) => {
    expect(draft(expectationOf(asked(check), [])).drafted).toMatchObject([{ checks: [check] }]);
  });

  it('names a pattern of the whole text', () => {
    const { type, kwargs } = expectationOf(asked({ regex: { column: 'c', pattern: 'a|b' } }), []);
    expect({ type, kwargs }).toEqual({
      type: 'expect_column_values_to_match_regex',
      kwargs: { column: 'c', regex: '^(?:a|b)$' },
    });
  });

  it.each([
    [{ mean: { column: 'age', min: 1, where: { c: 'a' } } }],
    [{ schema: { types: { age: 'integer', c: 'string' } } }],
    [{ schema: { required: ['age'], order: 'kept' } }],
    [{ label_conflicts: { label: 'c', max_share: 0 } }],
    [{ sql: { name: 'x', select: 'SELECT 1', mostly: 0.5 } }],
  ] as readonly [DataCheck][])('says of %j that no core expectation does', (check) => {
    const { type, own } = expectationOf(asked(check), []);
    expect(type).toBe('unexpected_rows_expectation');
    expect(own).toEqual(Object.values(check)[0]);
  });
});
