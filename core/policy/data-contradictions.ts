import { posix } from 'node:path';
import { excerpt } from '../text/index.ts';
import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { dataChecks } from './data-schema.ts';
import { sourceSchema } from './engines-schema.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { sameSource, sourceName } from './source-name.ts';

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
      ...(Array.isArray(checks)
        ? checks.flatMap((check, at) => contradictionsOfCheck(check, [...path, 'checks', at]))
        : []),
    ];
  });
}

/** One spelling a file: `./data/a.csv` is `data/a.csv`. */
export function sameFile(source: string): string {
  return posix.normalize(source);
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

// Which keys carry the demand, and what of them must be there.
const bounds: Readonly<Record<string, readonly string[]>> = {
  row_count: ['min', 'max'],
  schema: ['required', 'types'],
  between: ['min', 'max'],
  class_share: ['min', 'max'],
};

function contradictionsOfCheck(check: unknown, path: PolicyPath): readonly Contradiction[] {
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
    const needed = bounds[name];
    return [
      ...(needed === undefined ? [] : lacksBound(options, needed, `the check "${name}"`, [...path, name])),
      ...minAboveMax(options, [...path, name]),
    ];
  });
}
