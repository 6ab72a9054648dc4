import { isDeepStrictEqual } from 'node:util';
import { excerpt } from '../text/index.ts';
import { lacksBound } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { driftMeasures } from './drift-schema.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { contradictionsOfWhere } from './where-contradictions.ts';

/** Rules over `drift`. */
export function contradictionsOfDrift(policy: unknown): readonly Contradiction[] {
  const drift = valueAt(policy, ['drift']);
  if (!isMapping(drift)) return [];
  return [
    ...[...driftMeasures, 'drifted_columns'].flatMap((key) => contradictionsOfBound(drift[key], key)),
    ...['reference', 'current'].flatMap((key) =>
      contradictionsOfWhere(valueAt(drift, [key, 'where']), ['drift', key, 'where']),
    ),
    ...sameData(drift),
    ...namedAndIgnored(drift, ['drift']),
  ];
}

function contradictionsOfBound(bound: unknown, key: string): readonly Contradiction[] {
  if (!isMapping(bound)) return [];
  const path = ['drift', key];
  const { warn, fail } = bound;
  const reversed = typeof warn === 'number' && typeof fail === 'number' && warn > fail;
  return [
    ...lacksBound(bound, ['warn', 'fail'], `"${key}"`, path),
    ...(reversed
      ? [
          {
            code: 'warn-above-fail',
            message: 'warn is above fail, so nothing is ever only watched',
            path: [...path, 'warn'],
            found: `warn ${warn}, fail ${fail}`,
            fix: 'Swap them, or leave one out.',
          },
        ]
      : []),
  ];
}

function sameData(drift: Readonly<Record<string, unknown>>): readonly Contradiction[] {
  const [reference, current] = [drift['reference'], drift['current']].map((side) =>
    typeof side === 'string' ? { source: side } : side,
  );
  if (reference === undefined || !isDeepStrictEqual(reference, current)) return [];
  return [
    {
      code: 'same-data',
      message: 'reference and current are the same rows, and those never drift',
      path: ['drift', 'current'],
      fix: 'Name two files, or give each side a "where" of its own.',
    },
  ];
}

/** Columns that a comparison at `path` both names and ignores. */
export function namedAndIgnored(
  comparison: Readonly<Record<string, unknown>>,
  path: PolicyPath,
): readonly Contradiction[] {
  const { columns, ignore, prediction, target } = comparison;
  if (!Array.isArray(ignore)) return [];
  const named: readonly (readonly [PolicyPath, unknown])[] = [
    ...(Array.isArray(columns) ? columns.map((column, at) => [[...path, 'columns', at], column] as const) : []),
    [[...path, 'prediction'], prediction],
    [[...path, 'target'], target],
  ];
  return named.flatMap(([at, column]) =>
    typeof column === 'string' && ignore.includes(column)
      ? [
          {
            code: 'named-and-ignored',
            message: `the column "${excerpt(column, 60)}" is to be compared and to be ignored`,
            path: at,
            fix: 'Remove it from one of the two.',
          },
        ]
      : [],
  );
}
