import { InputError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { Draft, Drafted, Left } from './drafted-checks.ts';
import { fitting } from './fitting-checks.ts';
import { expectations, unsupportedPattern } from './gx-expectations.ts';

type Mapping = Readonly<Record<string, unknown>>;

/**
 * The checks that a suite of Great Expectations becomes: the JSON of version 1 (`type`), of the versions before (`expectation_type`), or its list
 * of expectations alone. Throws an `InputError` for what is no suite.
 */
export function draftOfGxSuite(value: unknown, file: string): Draft {
  const suite: Mapping = Array.isArray(value) ? { expectations: value } : isMapping(value) ? value : {};
  const entries = suite['expectations'];
  if (!Array.isArray(entries)) {
    throw new InputError({
      code: 'no-suite',
      message: 'this is no suite of Great Expectations',
      place: { file },
      expected: 'JSON with a list "expectations"',
      fix: 'Export the suite: suite.to_json_dict() of version 1, or the file under "expectations/" of the project.',
    });
  }
  const name = suite['name'] ?? suite['expectation_suite_name'];
  const drafted: Drafted[] = [];
  const left: Left[] = [];
  for (const entry of entries) {
    const found = draftOf(isMapping(entry) ? entry : {});
    if ('why' in found) left.push(found);
    else drafted.push(found);
  }
  const of = `Great Expectations suite${typeof name === 'string' ? ` "${excerpt(name, 80)}"` : ''}`;
  return { of, drafted, left };
}

function draftOf(entry: Mapping): Drafted | Left {
  const type = snakeCase(String(entry['type'] ?? entry['expectation_type'] ?? ''));
  const kwargs = isMapping(entry['kwargs']) ? entry['kwargs'] : {};
  const column = kwargs['column'] ?? kwargs['column_list'] ?? kwargs['column_A'];
  const from = excerpt(
    `${type}${column === undefined ? '' : ` of ${Array.isArray(column) ? column.join(', ') : column}`}`,
    160,
  );
  const make = Object.hasOwn(expectations, type) ? expectations[type] : undefined;
  if (make === undefined) return { from, why: 'no core expectation of that name is known' };
  if (kwargs['row_condition'] !== undefined && kwargs['row_condition'] !== null)
    return { from, why: 'it is about some rows: write it with "where", or as "sql"' };
  if (hasParameter(kwargs))
    return { from, why: 'a suite parameter ("$PARAMETER") stands for a value of the run: write the value itself' };
  const unsupported = unsupportedPattern(kwargs);
  if (unsupported !== undefined) return { from, why: unsupported };
  const made = make(kwargs);
  if (typeof made === 'string') return { from, why: made };
  const { checks, note } = 'note' in made ? made : { checks: made, note: undefined };
  const severity = { warning: 'warn', info: 'warn' }[String(entry['severity'])];
  return fitting(from, checks, {
    ...(note === undefined ? {} : { note }),
    ...(severity === undefined ? {} : { severity }),
  });
}

/** Whether a value is one that Great Expectations fills in when it runs: `{ "$PARAMETER": "upstream_rows" }`. */
function hasParameter(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasParameter);
  return isMapping(value) && ('$PARAMETER' in value || Object.values(value).some(hasParameter));
}

/** `ExpectColumnToExist`, as Python classes are called, is `expect_column_to_exist`. */
function snakeCase(type: string): string {
  return type.replaceAll(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, '_').toLowerCase();
}

function isMapping(value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
