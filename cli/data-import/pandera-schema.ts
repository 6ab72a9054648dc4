import type { DataCheck } from '../../core/policy/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  bySelect,
  type Draft,
  type Drafted,
  type Left,
  nextDown,
  nextUp,
  sqlName,
  sqlValue,
} from './drafted-checks.ts';
import { fitting } from './fitting-checks.ts';

type Mapping = Readonly<Record<string, unknown>>;

/**
 * The checks that a schema of pandera becomes, as `to_yaml` and `to_json` write it: checks beside the column's other keys (0.35), or under its
 * "checks" as a mapping or a list (before). Throws an `InputError` for what is no schema of a data frame.
 */
export function draftOfPanderaSchema(value: unknown, file: string): Draft {
  const schema = isMapping(value) ? value : {};
  const columns = schema['columns'];
  if (!isMapping(columns)) {
    throw new InputError({
      code: 'no-pandera-schema',
      message: 'this is no schema of a pandera data frame',
      place: { file },
      expected: 'YAML or JSON with a mapping "columns"',
      fix: 'Write it with DataFrameSchema.to_yaml() or to_json().',
    });
  }
  const found: (Drafted | Left)[] = [...ofSchema(schema, columns)];
  for (const [name, column] of Object.entries(columns)) if (isMapping(column)) found.push(...ofColumn(name, column));
  if (schema['index'] !== undefined && schema['index'] !== null)
    found.push({ from: 'index', why: 'files have no index: check the column it is written as' });
  for (const [name] of checksOf(schema['checks']))
    found.push({ from: `check ${excerpt(name, 60)} of the frame`, why: 'write it as "sql"' });
  return {
    of: 'pandera schema',
    drafted: found.filter((each) => 'checks' in each),
    left: found.filter((each) => 'why' in each),
  };
}

function ofSchema(schema: Mapping, columns: Mapping): readonly (Drafted | Left)[] {
  const entries = Object.entries(columns).flatMap(([name, column]) =>
    isMapping(column) ? [[name, column] as const] : [],
  );
  const needed = entries.filter(([, column]) => column['required'] !== false && column['regex'] !== true);
  const typed = needed.flatMap(([name, column]) => {
    const word = wordOfType(String(column['dtype'] ?? ''));
    return word === undefined ? [] : [[name, word] as const];
  });
  const all = entries.length === needed.length;
  const strict = schema['strict'] === true && all;
  const unique = schema['unique'];
  const keys = Array.isArray(unique) ? unique : typeof unique === 'string' ? [unique] : [];
  return [
    ...(needed.length === 0
      ? []
      : [
          fitting('columns', [
            {
              schema: {
                required: needed.map(([name]) => name),
                ...(typed.length === 0 ? {} : { types: Object.fromEntries(typed) }),
                ...(schema['ordered'] === true ? { order: 'kept' as const } : {}),
                ...(strict ? { extra: 'forbid' as const } : {}),
              },
            },
          ]),
        ]),
    ...(schema['strict'] === true && !all
      ? [{ from: 'strict', why: 'some columns need not be there, so "extra: forbid" would refuse them' }]
      : []),
    ...(keys.length === 0 ? [] : [fitting('unique', [{ unique: { columns: keys } }])]),
  ];
}

function ofColumn(name: string, column: Mapping): readonly (Drafted | Left)[] {
  const from = (what: string) => `${what} of ${excerpt(name, 80)}`;
  if (column['regex'] === true)
    return [{ from: from('column'), why: 'its name is a pattern: write a check for each column' }];
  if (column['required'] === false)
    return [
      { from: from('column'), why: 'it need not be there, and a check of a column that is not there is an error' },
    ];
  const found: (Drafted | Left)[] = [];
  if (column['nullable'] !== true) found.push(fitting(from('nullable: false'), [{ not_null: { columns: [name] } }]));
  if (column['unique'] === true) found.push(fitting(from('unique'), [{ unique: { columns: [name] } }]));
  const beside = Object.keys(makers).flatMap((key) => (key in column ? [[key, column[key]] as const] : []));
  for (const [key, given] of [...beside, ...checksOf(column['checks'])]) {
    const make = Object.hasOwn(makers, key) ? makers[key] : undefined;
    const options = optionsOf(given);
    const why = 'no check of that name is known: write it as "sql"';
    const warns = options['raise_warning'] === true ? { severity: 'warn' } : {};
    const made = make?.(name, options);
    found.push(made === undefined ? { from: from(excerpt(key, 60)), why } : fitting(from(key), made, warns));
  }
  return found;
}

/** Checks by name: a mapping, or a list whose entries name themselves. */
function checksOf(checks: unknown): readonly (readonly [string, unknown])[] {
  if (isMapping(checks)) return Object.entries(checks);
  if (!Array.isArray(checks)) return [];
  return checks.flatMap((each) => {
    const options = isMapping(each) && isMapping(each['options']) ? each['options'] : {};
    return isMapping(each) ? [[String(options['check_name'] ?? ''), each] as const] : [];
  });
}

/** `0`, `{ value: 0, options: {...} }` and `{ min_value: 0, raise_warning: true }` as one mapping. */
function optionsOf(given: unknown): Mapping {
  if (!isMapping(given)) return { value: given };
  const options = isMapping(given['options']) ? given['options'] : {};
  return { ...options, ...given };
}

/** The one value of a check, whatever the check calls it. */
function givenValue(options: Mapping, ...names: readonly string[]): unknown {
  return ['value', ...names].map((name) => options[name]).find((value) => value !== undefined && value !== null);
}

type Make = (column: string, options: Mapping) => readonly DataCheck[] | undefined;

const ends = (column: string, min: unknown, max: unknown): readonly DataCheck[] => {
  const known = (value: unknown): value is number | string => typeof value === 'number' || typeof value === 'string';
  return [{ between: { column, ...(known(min) ? { min } : {}), ...(known(max) ? { max } : {}) } }];
};
const beyond = (value: unknown, next: (value: number) => number) =>
  typeof value === 'number' ? next(value) : undefined;
const values = (given: unknown) => (Array.isArray(given) ? given : given === undefined ? [] : [given]);
/** A text as a regular expression of itself. */
const literal = (text: unknown) => String(text).replaceAll(/[\\^$.|?*+()[\]{}]/g, '\\$&');
const anything = '(?s:.*)';

const makers: Readonly<Record<string, Make>> = {
  greater_than_or_equal_to: (column, options) => ends(column, givenValue(options, 'min_value'), undefined),
  less_than_or_equal_to: (column, options) => ends(column, undefined, givenValue(options, 'max_value')),
  greater_than: (column, options) => {
    const value = givenValue(options, 'min_value');
    return typeof value === 'number'
      ? ends(column, beyond(value, nextUp), undefined)
      : [bySelect('greater-than', `${sqlName(column)} <= ${sqlValue(value)}`)];
  },
  less_than: (column, options) => {
    const value = givenValue(options, 'max_value');
    return typeof value === 'number'
      ? ends(column, undefined, beyond(value, nextDown))
      : [bySelect('less-than', `${sqlName(column)} >= ${sqlValue(value)}`)];
  },
  in_range: (column, options) => {
    const { min_value: min, max_value: max } = options;
    const lower = options['include_min'] === false ? beyond(min, nextUp) : min;
    const upper = options['include_max'] === false ? beyond(max, nextDown) : max;
    return lower === undefined || upper === undefined ? undefined : ends(column, lower, upper);
  },
  between: (column, options) => makers['in_range']?.(column, options),
  equal_to: (column, options) => [{ accepted_values: { column, values: values(givenValue(options)) } }],
  not_equal_to: (column, options) => [{ not_accepted_values: { column, values: values(givenValue(options)) } }],
  isin: (column, options) => [{ accepted_values: { column, values: values(givenValue(options, 'allowed_values')) } }],
  notin: (column, options) => [
    { not_accepted_values: { column, values: values(givenValue(options, 'forbidden_values')) } },
  ],
  // Python's `re.match` looks at the beginning, `re.search` anywhere.
  str_matches: (column, options) => [
    { regex: { column, pattern: `(?:${String(givenValue(options, 'pattern'))})${anything}` } },
  ],
  str_contains: (column, options) => [
    { regex: { column, pattern: `${anything}(?:${String(givenValue(options, 'pattern'))})${anything}` } },
  ],
  str_startswith: (column, options) => [
    { regex: { column, pattern: `${literal(givenValue(options, 'string'))}${anything}` } },
  ],
  str_endswith: (column, options) => [
    { regex: { column, pattern: `${anything}${literal(givenValue(options, 'string'))}` } },
  ],
  str_length: (column, options) => {
    const exact = options['exact_value'];
    const [min, max] = typeof exact === 'number' ? [exact, exact] : [options['min_value'], options['max_value']];
    return [
      {
        length: {
          column,
          ...(typeof min === 'number' ? { min } : {}),
          ...(typeof max === 'number' ? { max } : {}),
        },
      },
    ];
  },
};

function wordOfType(dtype: string): 'integer' | 'number' | 'string' | 'boolean' | 'date' | 'timestamp' | undefined {
  if (/^u?int\d*$/i.test(dtype)) return 'integer';
  if (/^(float\d*|decimal.*)$/i.test(dtype)) return 'number';
  if (/^(str|string.*|object|category)$/i.test(dtype)) return dtype === 'category' ? undefined : 'string';
  if (/^bool(ean)?$/i.test(dtype)) return 'boolean';
  if (/^date$/i.test(dtype)) return 'date';
  return /^(datetime|timestamp)/i.test(dtype) ? 'timestamp' : undefined;
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
