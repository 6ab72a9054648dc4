import type { DataCheckName, DataCheckOptions } from '../../../core/policy/index.ts';
import type { Asked } from '../planned-check.ts';
import { masked } from '../subject.ts';
import { orderExpectations, rangeExpectations, setExpectations } from './expectation-names.ts';

/** What Great Expectations calls a demand. */
export interface Expectation {
  readonly type: string;
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** The check as the policy says it, where no core expectation does. */
  readonly own?: Readonly<Record<string, unknown>>;
}

type Counterpart<Name extends DataCheckName> = (
  options: DataCheckOptions<Name>,
  about: { readonly column?: string; readonly hides: boolean },
) => Expectation | undefined;

const unexpectedRows = 'unexpected_rows_expectation';

const mostlyOf = ({ mostly }: { readonly mostly?: number | undefined }) => (mostly === undefined ? {} : { mostly });
const ends = ({ min, max }: { readonly min?: unknown; readonly max?: unknown }) => ({
  ...(min === undefined ? {} : { min_value: min }),
  ...(max === undefined ? {} : { max_value: max }),
});

const ofRange =
  <Name extends keyof typeof rangeExpectations>(name: Name): Counterpart<Name> =>
  (options) => ({
    type: rangeExpectations[name],
    kwargs: { column: options.column, ...ends(options), ...('mostly' in options ? mostlyOf(options) : {}) },
  });

const ofSet =
  <Name extends keyof typeof setExpectations>(name: Name): Counterpart<Name> =>
  (options) => ({
    type: setExpectations[name],
    kwargs: { column: options.column, value_set: options.values, ...mostlyOf(options) },
  });

const counterparts: { readonly [Name in DataCheckName]?: Counterpart<Name> } = {
  row_count: ({ min, max }) =>
    min !== undefined && min === max
      ? { type: 'expect_table_row_count_to_equal', kwargs: { value: min } }
      : { type: 'expect_table_row_count_to_be_between', kwargs: ends({ min, max }) },
  schema: ofSchema,
  not_null: (options, { column }) =>
    column === undefined
      ? undefined
      : { type: 'expect_column_values_to_not_be_null', kwargs: { column, ...mostlyOf(options) } },
  between: ofRange('between'),
  mean: ofRange('mean'),
  std: ofRange('std'),
  sum: ofRange('sum'),
  min: ofRange('min'),
  max: ofRange('max'),
  distinct_count: ofRange('distinct_count'),
  distinct_share: ofRange('distinct_share'),
  quantile: ({ column, share, min = null, max = null }) => ({
    type: 'expect_column_quantile_values_to_be_between',
    kwargs: { column, quantile_ranges: { quantiles: [share], value_ranges: [[min, max]] } },
  }),
  accepted_values: ofSet('accepted_values'),
  not_accepted_values: ofSet('not_accepted_values'),
  // Great Expectations searches; a policy's pattern is of the whole text.
  regex: (options) => ({
    type: 'expect_column_values_to_match_regex',
    kwargs: { column: options.column, regex: `^(?:${options.pattern})$`, ...mostlyOf(options) },
  }),
  length: ({ column, min, max, ...options }) =>
    min !== undefined && min === max
      ? { type: 'expect_column_value_lengths_to_equal', kwargs: { column, value: min, ...mostlyOf(options) } }
      : {
          type: 'expect_column_value_lengths_to_be_between',
          kwargs: { column, ...ends({ min, max }), ...mostlyOf(options) },
        },
  unique: ({ columns, ...options }) =>
    columns.length === 1
      ? { type: 'expect_column_values_to_be_unique', kwargs: { column: columns[0], ...mostlyOf(options) } }
      : { type: 'expect_compound_columns_to_be_unique', kwargs: { column_list: columns, ...mostlyOf(options) } },
  monotonic: ({ column, direction, strict, ...options }) => ({
    type: orderExpectations[direction],
    kwargs: { column, ...(strict === true ? { strictly: true } : {}), ...mostlyOf(options) },
  }),
  // It has no "mostly", and a query may hold values.
  sql: ({ select, mostly, tables }, { hides }) =>
    mostly !== undefined || tables !== undefined || hides
      ? undefined
      : { type: unexpectedRows, kwargs: { unexpected_rows_query: select } },
};

function ofSchema({ required, types, extra, order }: DataCheckOptions<'schema'>): Expectation | undefined {
  const [typed, ...others] = Object.entries(types ?? {});
  if (typed !== undefined) {
    const [column, type] = typed;
    const alone = others.length === 0 && extra !== 'forbid' && (required ?? [column]).join() === column;
    return alone ? { type: 'expect_column_values_to_be_of_type', kwargs: { column, type_: type } } : undefined;
  }
  if (required === undefined) return undefined;
  if (order === 'kept') {
    return extra === 'forbid'
      ? { type: 'expect_table_columns_to_match_ordered_list', kwargs: { column_list: required } }
      : undefined;
  }
  const [column] = required;
  if (required.length === 1 && extra !== 'forbid') return { type: 'expect_column_to_exist', kwargs: { column } };
  return {
    type: 'expect_table_columns_to_match_set',
    kwargs: { column_set: required, exact_match: extra === 'forbid' },
  };
}

/**
 * The expectation that demands what a check demands: what `sluice data import-gx` would make that check of. One of some rows (`where`), and one
 * that no core expectation says, is an `unexpected_rows_expectation`, which is what Great Expectations makes expectations of one's own of: a type
 * that it does not know would break its pages for the whole suite. Its query is a comment, which no engine runs; `own` is the check in the
 * policy's words. Listed values of sensitive columns are masked.
 */
export function expectationOf(asked: Asked, sensitive: readonly string[]): Expectation {
  return ofKind(asked.kind, asked, sensitive);
}

function ofKind<Name extends DataCheckName>(
  kind: Name,
  { check, column }: Asked,
  sensitive: readonly string[],
): Expectation {
  const options = withoutSensitive(check[kind] as DataCheckOptions<Name>, sensitive);
  const counterpart: Counterpart<Name> | undefined = counterparts[kind];
  const whole = !('where' in options) || options.where === undefined;
  const hides = sensitive.length > 0;
  const found = whole ? counterpart?.(options, { hides, ...(column === undefined ? {} : { column }) }) : undefined;
  if (found !== undefined) return found;
  const { severity: _severity, reason: _reason, ...own } = options;
  const { columns: _columns, ...ofOne } = { columns: undefined, ...own };
  return {
    type: unexpectedRows,
    kwargs: { unexpected_rows_query: `-- sluice:${kind} of {batch}, see meta` },
    own: {
      ...(column === undefined ? own : { ...ofOne, column }),
      ...(hides && kind === 'sql' ? { select: masked } : {}),
    },
  };
}

/** The report tells how many values a sensitive column may have, not which. */
function withoutSensitive<Options extends object>(options: Options, sensitive: readonly string[]): Options {
  const { column, values } = options as { readonly column?: string; readonly values?: readonly unknown[] };
  if (column === undefined || values === undefined || !sensitive.includes(column)) return options;
  return { ...options, values: values.map(() => masked) };
}
