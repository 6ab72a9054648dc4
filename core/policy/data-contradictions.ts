import { excerpt } from '../text/index.ts';
import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { type DataCheckName, dataChecks } from './data-schema.ts';
import { namedAndIgnored } from './drift-contradictions.ts';
import { type SourceOfRows, sourceSchema } from './engines-schema.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { sameSource, sourceName } from './source-name.ts';
import { contradictionsOfWhere } from './where-contradictions.ts';

/** Rules over `data`. */
export function contradictionsOfData(policy: unknown): readonly Contradiction[] {
  const sources = valueAt(policy, ['data']);
  if (!Array.isArray(sources)) return [];
  const seen = new Set<string>();
  return sources.flatMap((source, index) => {
    const path = ['data', index];
    const checks = valueAt(source, ['checks']);
    return [
      ...repeatedSource(source, path, seen),
      ...profiledTable(source, path),
      ...(Array.isArray(checks)
        ? checks.flatMap((check, at) =>
            contradictionsOfCheck(check, valueAt(source, ['source']), [...path, 'checks', at]),
          )
        : []),
    ];
  });
}

function repeatedSource(source: unknown, path: PolicyPath, seen: Set<string>): readonly Contradiction[] {
  const rows = sourceSchema.safeParse(valueAt(source, ['source']));
  if (!rows.success) return [];
  const repeated = seen.has(sameSource(rows.data));
  seen.add(sameSource(rows.data));
  if (!repeated) return [];
  return [
    {
      code: 'repeated-source',
      message: `"${excerpt(sourceName(rows.data))}" already has an entry above`,
      path: [...path, 'source'],
      fix: 'Put all checks of a source into one entry.',
    },
  ];
}

function profiledTable(source: unknown, path: PolicyPath): readonly Contradiction[] {
  if (valueAt(source, ['profile']) !== true || !isMapping(valueAt(source, ['source']))) return [];
  return [
    {
      code: 'profiled-table',
      message: 'a table of an engine is not profiled: that would read all of it twice more',
      path: [...path, 'profile'],
      fix: 'Remove it, or profile a file.',
    },
  ];
}

// Which keys carry the demand, and what of them must be there.
const bounds: Readonly<Record<string, readonly string[]>> = {
  schema: ['required', 'types'],
  ...Object.fromEntries(
    (
      [
        'row_count',
        'between',
        'length',
        'mean',
        'std',
        'sum',
        'min',
        'max',
        'quantile',
        'distinct_count',
        'distinct_share',
        'class_share',
        'correlation',
      ] satisfies readonly DataCheckName[]
    ).map((name) => [name, ['min', 'max']]),
  ),
};

function contradictionsOfCheck(check: unknown, source: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(check)) return [];
  const names = Object.keys(check);
  if (names.length !== 1) {
    return [
      {
        code: 'not-one-key',
        message: 'a list entry under "checks" holds one check',
        path,
        found: names.length === 0 ? 'none' : excerpt(names.join(', ')),
        fix:
          names.length === 0
            ? `Write one of ${Object.keys(dataChecks).join(', ')}.`
            : 'Start each check with its own "- ".',
      },
    ];
  }
  return names.flatMap((name) => {
    const options = check[name];
    // A stranger's key may be called as a method of every object is: "constructor".
    const needed = Object.hasOwn(bounds, name) ? bounds[name] : undefined;
    return [
      ...(needed === undefined ? [] : lacksBound(options, needed, `the check "${name}"`, [...path, name])),
      ...minAboveMax(options, [...path, name]),
      ...contradictionsOfWhere(valueAt(options, ['where']), [...path, name, 'where']),
      ...contradictionsOfReference(name, options, source, [...path, name]),
      ...(name === 'skew' && isMapping(options) ? namedAndIgnored(options, [...path, name]) : []),
      ...(name === 'schema' ? contradictionsOfOrder(options, [...path, name]) : []),
    ];
  });
}

/** Checks that read the order of rows, SQL of DuckDB, or every value of two sides. */
const ofFilesOnly = new Set<string>(['sql', 'monotonic', 'skew'] satisfies readonly DataCheckName[]);

/** Keys that name columns of another file, one for each of their own. */
function contradictionsOfReference(
  name: string,
  options: unknown,
  source: unknown,
  path: PolicyPath,
): readonly Contradiction[] {
  if (!isMapping(options)) return [];
  const { columns, fields, reference, tables } = options;
  const uneven =
    name === 'relationships' && Array.isArray(columns) && Array.isArray(fields) && columns.length !== fields.length;
  const [own, other] = [sourceSchema.safeParse(source), sourceSchema.safeParse(options['to'] ?? reference)];
  const itself =
    reference !== undefined && own.success && other.success && sameSource(own.data) === sameSource(other.data);
  const apart = own.success && other.success && !ofFilesOnly.has(name) && engineOf(own.data) !== engineOf(other.data);
  return [
    ...(isMapping(source) && ofFilesOnly.has(name)
      ? [
          {
            code: 'files-only',
            message: `the check "${name}" is about files, and this source is a table of an engine`,
            path,
            fix:
              name === 'monotonic'
                ? 'Remove it: rows of a table have no order.'
                : 'Check a file that is exported from the table, or remove the check.',
          },
        ]
      : []),
    ...(apart
      ? [
          {
            code: 'two-engines',
            message: 'rows of two engines cannot be compared',
            path: [...path, 'to' in options ? 'to' : 'reference'],
            found: `${engineOf(own.data)} and ${engineOf(other.data)}`,
            fix: 'Compare a file with a file, and a table with a table of the same engine.',
          },
        ]
      : []),
    ...(uneven
      ? [
          {
            code: 'uneven-key',
            message: 'a key has as many columns here as there',
            path: [...path, 'fields'],
            found: `${columns.length} and ${fields.length}`,
            fix: 'Name the column of the other table for each of "columns", in the same order.',
          },
        ]
      : []),
    ...(itself
      ? [
          {
            code: 'same-data',
            message: 'the data is compared with itself',
            path: [...path, 'reference'],
            fix: 'Name the other one.',
          },
        ]
      : []),
    ...(isMapping(tables) && Object.keys(tables).some((table) => table.toLowerCase() === 'data')
      ? [
          {
            code: 'taken-name',
            message: 'the table "data" is the file of this source',
            path: [...path, 'tables'],
            fix: 'Call the other file something else.',
          },
        ]
      : []),
  ];
}

function contradictionsOfOrder(options: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(options) || options['order'] !== 'kept' || 'required' in options) return [];
  return [
    {
      code: 'order-of-nothing',
      message: 'order: kept is about the columns of "required", and there are none',
      path: [...path, 'order'],
      lackingIn: path,
      fix: 'List the columns under "required", in their order.',
    },
  ];
}

function engineOf(source: SourceOfRows): string {
  return typeof source === 'string' ? 'a file' : source.engine;
}
