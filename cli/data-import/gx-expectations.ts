import { orderExpectations, rangeExpectations, setExpectations } from '../../actions/validate-data/run.ts';
import type { DataCheck } from '../../core/policy/index.ts';
import { bySelect, nextDown, nextUp, sqlName, sqlValue } from './drafted-checks.ts';

type Kwargs = Readonly<Record<string, unknown>>;
/** What an expectation becomes; a text says why it has no counterpart. */
type Made = readonly DataCheck[] | string | { readonly checks: readonly DataCheck[]; readonly note: string };

// Every expectation of Great Expectations 1.24.1 (great_expectations/expectations/core) is a key here.

type Of<Name extends keyof DataCheck> = DataCheck[Name];
const check = <Name extends keyof DataCheck>(name: Name, options: object): DataCheck => ({
  [name]: options as Of<Name>,
});

const text = (value: unknown): string => String(value ?? '');
const list = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value];
const mostlyOf = ({ mostly }: Kwargs) => (typeof mostly === 'number' && mostly !== 1 ? { mostly } : {});

/** `min_value` and `max_value` as ends that are included. */
function ends({ min_value, max_value, strict_min, strict_max }: Kwargs): { min?: unknown; max?: unknown } {
  const end = (value: unknown, strict: unknown, next: (value: number) => number) =>
    strict === true && typeof value === 'number' ? next(value) : value;
  return {
    ...(min_value === undefined || min_value === null ? {} : { min: end(min_value, strict_min, nextUp) }),
    ...(max_value === undefined || max_value === null ? {} : { max: end(max_value, strict_max, nextDown) }),
  };
}

const inRange =
  (name: keyof DataCheck) =>
  (kwargs: Kwargs): Made => {
    const strict = kwargs['strict_min'] === true || kwargs['strict_max'] === true;
    const dates = [kwargs['min_value'], kwargs['max_value']].some((value) => typeof value === 'string');
    if (strict && dates) return 'ends that are dates and excluded have no counterpart; move them by a day or a second';
    return [
      check(name, { column: kwargs['column'], ...ends(kwargs), ...(name === 'between' ? mostlyOf(kwargs) : {}) }),
    ];
  };

const ofSet =
  (name: 'accepted_values' | 'not_accepted_values') =>
  (kwargs: Kwargs): Made => [
    check(name, { column: kwargs['column'], values: list(kwargs['value_set']), ...mostlyOf(kwargs) }),
  ];

/** Great Expectations looks for the pattern anywhere in the text; a policy's pattern is of the whole text. */
const anywhere = (pattern: unknown) => `(?s:.*)(?:${text(pattern)})(?s:.*)`;

const regexOf = (kwargs: Kwargs, pattern: string): DataCheck =>
  check('regex', { column: kwargs['column'], pattern, ...mostlyOf(kwargs) });

/** What Python's patterns have and RE2's do not: look-around, atomic groups, conditions, back-references. */
const beyondRe2 = /(?<!\\)(?:\\\\)*(?:\(\?(?:[=!>(]|<[=!]|P=)|\\[1-9])/;

/** Why no policy can have the pattern of an expectation; undefined where it may. */
export function unsupportedPattern({ regex, regex_list }: Kwargs): string | undefined {
  const found = [regex, ...list(regex_list)].find((pattern) => typeof pattern === 'string' && beyondRe2.test(pattern));
  return found === undefined
    ? undefined
    : `look-around and back-references are not of RE2, which patterns of a policy are: ${text(found)}`;
}

const byWhere = (name: string, where: string, kwargs: Kwargs): Made => {
  const { mostly } = mostlyOf(kwargs);
  const made = [bySelect(name, where, mostly)];
  return mostly === undefined
    ? made
    : { checks: made, note: 'mostly is a share of all rows here, not of the rows with a value' };
};

const likeOf = (column: unknown, patterns: readonly unknown[]) =>
  patterns.map((pattern) => `${sqlName(column)} LIKE ${sqlValue(pattern)}`);

/** A condition over two or more columns, by which rows Great Expectations leaves out. */
function ofRows(columns: readonly unknown[], holds: string, ignored: unknown): string {
  const names = columns.map(sqlName);
  const missing = names.map((name) => `${name} IS NULL`);
  const leftOut = /either|any/.test(text(ignored))
    ? `NOT (${missing.join(' OR ')}) AND `
    : /never/.test(text(ignored))
      ? ''
      : `NOT (${missing.join(' AND ')}) AND `;
  return `${leftOut}NOT coalesce(${holds}, false)`;
}

const allPairs = (columns: readonly unknown[], sign: string) =>
  columns
    .flatMap((one, at) => columns.slice(at + 1).map((other) => `${sqlName(one)} ${sign} ${sqlName(other)}`))
    .join(' AND ');

/** Values that must be there, each a row of the answer while it is not. */
const lacking = (column: unknown, values: readonly unknown[]): DataCheck => ({
  sql: {
    name: 'distinct-values-contain-set',
    select: values
      .map(
        (value) =>
          `SELECT ${sqlValue(value)} AS lacking WHERE NOT EXISTS (SELECT 1 FROM data WHERE ${sqlName(column)} = ${sqlValue(value)})`,
      )
      .join(' UNION ALL '),
  },
});

const types: readonly (readonly [RegExp, string])[] = [
  [/^(u?int\d*|integer|(tiny|small|big|huge)int|long(type)?|integertype|int64dtype)$/i, 'integer'],
  [/^(float\d*|double(type)?|double precision|real|numeric|number|decimal.*|floattype)$/i, 'number'],
  [/^(str|string(\[.*\])?|object|text|(var)?char.*|stringtype|object_)$/i, 'string'],
  [/^(bool(ean)?_?|boolean(type)?)$/i, 'boolean'],
  [/^(datetime64.*|datetime|timestamp.*|timestamptype)$/i, 'timestamp'],
  [/^(date|datetype)$/i, 'date'],
];
const wordOfType = (name: unknown) => types.find(([pattern]) => pattern.test(text(name)))?.[1];

function ofTypes(column: unknown, names: readonly unknown[]): Made {
  const found = [...new Set(names.map(wordOfType).filter((word) => word !== undefined))];
  const [only] = found;
  if (found.length === 2 && found.includes('integer') && found.includes('number'))
    return [check('schema', { types: { [text(column)]: 'number' } })];
  if (only === undefined || found.length > 1) return `no one type of a policy is ${names.map(text).join(' or ')}`;
  return [check('schema', { types: { [text(column)]: only } })];
}

/** Entries of a table that the export reads too, the other way round. */
const tableOf = <Names extends Readonly<Record<string, string>>>(
  names: Names,
  made: (name: keyof Names & string) => (kwargs: Kwargs) => Made,
): Readonly<Record<string, (kwargs: Kwargs) => Made>> =>
  Object.fromEntries((Object.keys(names) as (keyof Names & string)[]).map((name) => [names[name], made(name)]));

const noCounterpart = (why: string) => (): Made => why;
const statistics = 'a statistical test; "skew" and "sluice detect-drift" compare distributions with a reference';

export const expectations: Readonly<Record<string, (kwargs: Kwargs) => Made>> = {
  expect_column_to_exist: ({ column }) => [check('schema', { required: [text(column)] })],
  expect_table_columns_to_match_ordered_list: ({ column_list }) => [
    check('schema', { required: list(column_list), order: 'kept', extra: 'forbid' }),
  ],
  expect_table_columns_to_match_set: ({ column_set, exact_match }) => [
    // A null that profilers write is not their default, true, but no.
    check('schema', {
      required: list(column_set),
      ...(exact_match === undefined || exact_match === true ? { extra: 'forbid' } : {}),
    }),
  ],
  expect_table_column_count_to_be_between: noCounterpart(
    'name the columns instead: schema with "required" and "extra: forbid"',
  ),
  expect_table_column_count_to_equal: noCounterpart(
    'name the columns instead: schema with "required" and "extra: forbid"',
  ),
  expect_table_row_count_to_be_between: (kwargs) => {
    const { min, max } = ends({ ...kwargs, strict_min: false, strict_max: false });
    const up = kwargs['strict_min'] === true ? 1 : 0;
    const down = kwargs['strict_max'] === true ? 1 : 0;
    return [
      check('row_count', {
        ...(typeof min === 'number' ? { min: min + up } : {}),
        ...(typeof max === 'number' ? { max: max - down } : {}),
      }),
    ];
  },
  expect_table_row_count_to_equal: ({ value }) => [check('row_count', { min: value, max: value })],
  expect_table_row_count_to_equal_other_table: noCounterpart('the other table is not named by a file'),
  expect_column_values_to_be_of_type: ({ column, type_ }) => ofTypes(column, [type_]),
  expect_column_type_to_be: ({ column, type_, expected_type }) => ofTypes(column, [type_ ?? expected_type]),
  expect_column_values_to_be_in_type_list: ({ column, type_list }) => ofTypes(column, list(type_list)),
  expect_column_values_to_not_be_null: (kwargs) => [
    check('not_null', { columns: [text(kwargs['column'])], ...mostlyOf(kwargs) }),
  ],
  expect_column_values_to_be_null: (kwargs) => byWhere('null', `${sqlName(kwargs['column'])} IS NOT NULL`, kwargs),
  expect_column_proportion_of_non_null_values_to_be_between: ({ column, min_value, max_value }) => [
    ...(typeof min_value === 'number' ? [check('not_null', { columns: [text(column)], mostly: min_value })] : []),
    ...(typeof max_value === 'number'
      ? [
          {
            sql: {
              name: 'share-of-non-null',
              select: `SELECT count(${sqlName(column)}) * 1.0 / count(*) AS share FROM data HAVING count(${sqlName(column)}) * 1.0 / count(*) > ${max_value}`,
            },
          },
        ]
      : []),
  ],
  expect_column_values_to_be_unique: (kwargs) => [
    check('unique', { columns: [text(kwargs['column'])], ...mostlyOf(kwargs) }),
  ],
  expect_compound_columns_to_be_unique: (kwargs) => ({
    checks: [check('unique', { columns: list(kwargs['column_list']), ...mostlyOf(kwargs) })],
    note: 'rows that miss any of the columns take no part; in Great Expectations only those that miss all',
  }),
  expect_multicolumn_values_to_be_unique: ({ column_list }) => [check('unique', { columns: list(column_list) })],
  expect_select_column_values_to_be_unique_within_record: (kwargs) => {
    const columns = list(kwargs['column_list']);
    return byWhere('unique-within-record', ofRows(columns, allPairs(columns, '<>'), kwargs['ignore_row_if']), kwargs);
  },
  expect_multicolumn_values_to_be_equal: (kwargs) => {
    const columns = list(kwargs['column_list']);
    return byWhere('equal-columns', ofRows(columns, allPairs(columns, '='), kwargs['ignore_row_if']), kwargs);
  },
  expect_multicolumn_sum_to_equal: (kwargs) => {
    const columns = list(kwargs['column_list']);
    const sum = `${columns.map(sqlName).join(' + ')} = ${text(kwargs['sum_total'])}`;
    return byWhere('sum-of-columns', ofRows(columns, sum, kwargs['ignore_row_if']), kwargs);
  },
  expect_column_pair_values_to_be_equal: (kwargs) => {
    const columns = [kwargs['column_A'], kwargs['column_B']];
    return byWhere('equal-pair', ofRows(columns, allPairs(columns, '='), kwargs['ignore_row_if']), kwargs);
  },
  expect_column_pair_values_a_to_be_greater_than_b: (kwargs) => {
    const columns = [kwargs['column_A'], kwargs['column_B']];
    const sign = kwargs['or_equal'] === true ? '>=' : '>';
    return byWhere('a-greater-than-b', ofRows(columns, allPairs(columns, sign), kwargs['ignore_row_if']), kwargs);
  },
  expect_column_pair_values_to_be_in_set: (kwargs) => {
    const columns = [kwargs['column_A'], kwargs['column_B']];
    const pairs = list(kwargs['value_pairs_set']).map((pair) => {
      const parts = list(pair).map((value, at) => {
        const name = sqlName(columns[at]);
        return value === null ? `${name} IS NULL` : `${name} = ${sqlValue(value)}`;
      });
      return `(${parts.join(' AND ')})`;
    });
    return byWhere('pairs-in-set', ofRows(columns, pairs.join(' OR '), kwargs['ignore_row_if']), kwargs);
  },
  expect_column_pair_cramers_phi_value_to_be_less_than: noCounterpart(statistics),
  ...tableOf(rangeExpectations, inRange),
  ...tableOf(setExpectations, ofSet),
  expect_column_distinct_values_to_be_in_set: ofSet('accepted_values'),
  expect_column_distinct_values_to_contain_set: ({ column, value_set }) => [lacking(column, list(value_set))],
  expect_column_distinct_values_to_equal_set: ({ column, value_set }) => [
    check('accepted_values', { column, values: list(value_set) }),
    lacking(column, list(value_set)),
  ],
  expect_column_most_common_value_to_be_in_set: ({ column, value_set }) => ({
    checks: [
      {
        sql: {
          name: 'most-common-value',
          select: `SELECT mode(${sqlName(column)}) AS value FROM data HAVING NOT (mode(${sqlName(column)}) IN (${list(value_set).map(sqlValue).join(', ')}))`,
        },
      },
    ],
    note: 'of values that are equally common, one is looked at',
  }),
  expect_column_values_to_match_regex: (kwargs) => [regexOf(kwargs, anywhere(kwargs['regex']))],
  expect_column_values_to_not_match_regex: (kwargs) =>
    byWhere('not-matching', `regexp_matches(${sqlName(kwargs['column'])}, ${sqlValue(kwargs['regex'])})`, kwargs),
  expect_column_values_to_match_regex_list: (kwargs) => {
    const patterns = list(kwargs['regex_list']).map(text);
    if (kwargs['match_on'] === 'all') return patterns.map((pattern) => regexOf(kwargs, anywhere(pattern)));
    return [regexOf(kwargs, anywhere(patterns.map((pattern) => `(?:${pattern})`).join('|')))];
  },
  expect_column_values_to_not_match_regex_list: (kwargs) =>
    byWhere(
      'not-matching',
      list(kwargs['regex_list'])
        .map((pattern) => `regexp_matches(${sqlName(kwargs['column'])}, ${sqlValue(pattern)})`)
        .join(' OR '),
      kwargs,
    ),
  expect_column_values_to_match_like_pattern: (kwargs) =>
    byWhere('like', `NOT (${likeOf(kwargs['column'], [kwargs['like_pattern']])})`, kwargs),
  expect_column_values_to_not_match_like_pattern: (kwargs) =>
    byWhere('not-like', `${likeOf(kwargs['column'], [kwargs['like_pattern']])}`, kwargs),
  expect_column_values_to_match_like_pattern_list: (kwargs) => {
    const alike = likeOf(kwargs['column'], list(kwargs['like_pattern_list']));
    return byWhere('like', `NOT (${alike.join(kwargs['match_on'] === 'all' ? ' AND ' : ' OR ')})`, kwargs);
  },
  expect_column_values_to_not_match_like_pattern_list: (kwargs) =>
    byWhere('not-like', likeOf(kwargs['column'], list(kwargs['like_pattern_list'])).join(' OR '), kwargs),
  expect_column_value_lengths_to_be_between: (kwargs) => {
    const up = kwargs['strict_min'] === true ? 1 : 0;
    const down = kwargs['strict_max'] === true ? 1 : 0;
    const { min_value: min, max_value: max } = kwargs;
    return [
      check('length', {
        column: kwargs['column'],
        ...(typeof min === 'number' ? { min: min + up } : {}),
        ...(typeof max === 'number' ? { max: max - down } : {}),
        ...mostlyOf(kwargs),
      }),
    ];
  },
  expect_column_value_lengths_to_equal: (kwargs) => [
    check('length', { column: kwargs['column'], min: kwargs['value'], max: kwargs['value'], ...mostlyOf(kwargs) }),
  ],
  expect_column_value_z_scores_to_be_less_than: (kwargs) => {
    const column = sqlName(kwargs['column']);
    const score = `(data.${column} - m.mean) / m.deviation`;
    const size = kwargs['double_sided'] === false ? score : `abs(${score})`;
    return [
      {
        sql: {
          name: 'z-scores',
          select: `WITH m AS (SELECT avg(${column}) AS mean, stddev_samp(${column}) AS deviation FROM data) SELECT data.* FROM data, m WHERE ${size} >= ${text(kwargs['threshold'])}`,
          ...mostlyOf(kwargs),
        },
      },
    ];
  },
  expect_column_values_to_not_be_outliers: noCounterpart(statistics),
  expect_column_median_to_be_between: (kwargs) => ({
    checks: [check('quantile', { column: kwargs['column'], share: 0.5, ...ends(kwargs) })],
    note: 'of an even number of values the lower one of the middle two, where Great Expectations takes their mean',
  }),
  expect_column_quantile_values_to_be_between: ({ column, quantile_ranges }) => {
    const { quantiles, value_ranges } = (quantile_ranges ?? {}) as Kwargs;
    const ranges = list(value_ranges);
    return {
      checks: list(quantiles).map((share, at) => {
        const [min, max] = list(ranges[at]);
        return check('quantile', { column, share, ...(min == null ? {} : { min }), ...(max == null ? {} : { max }) });
      }),
      note: 'a value of the column itself; Great Expectations works out one between two values, depending on the engine',
    };
  },
  ...tableOf(orderExpectations, (direction) => (kwargs) => ordered(kwargs, direction)),
  expect_column_values_to_match_strftime_format: (kwargs) =>
    byWhere(
      'strftime-format',
      `${sqlName(kwargs['column'])} IS NOT NULL AND try_strptime(${sqlName(kwargs['column'])}, ${sqlValue(kwargs['strftime_format'])}) IS NULL`,
      kwargs,
    ),
  expect_column_values_to_be_dateutil_parseable: noCounterpart('schema with type date or timestamp demands ISO 8601'),
  expect_column_values_to_be_json_parseable: noCounterpart('JSON inside of a column is not read'),
  expect_column_values_to_match_json_schema: noCounterpart('JSON inside of a column is not read'),
  expect_column_kl_divergence_to_be_less_than: noCounterpart(statistics),
  expect_column_chisquare_test_p_value_to_be_greater_than: noCounterpart(statistics),
  expect_column_bootstrapped_ks_test_p_value_to_be_greater_than: noCounterpart(statistics),
  expect_column_parameterized_distribution_ks_test_p_value_to_be_greater_than: noCounterpart(statistics),
  expect_query_results_to_match_comparison: noCounterpart('the other data source is not named by a file'),
  unexpected_rows_expectation: ({ unexpected_rows_query: query }) => ({
    checks: [{ sql: { name: 'unexpected-rows', select: text(query).replaceAll(/\{batch\}/g, 'data') } }],
    note: 'the query has to be in the words of DuckDB',
  }),
};

function ordered(kwargs: Kwargs, direction: 'increasing' | 'decreasing'): Made {
  const strict = kwargs['strictly'] === true ? { strict: true } : {};
  return [check('monotonic', { column: kwargs['column'], direction, ...strict, ...mostlyOf(kwargs) })];
}
