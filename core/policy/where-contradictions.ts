import { excerpt } from '../text/index.ts';
import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { isMapping, type PolicyPath } from './policy-path.ts';

/** Rules over conditions that choose rows; `path` is where the mapping stands. */
export function contradictionsOfWhere(where: unknown, path: PolicyPath): readonly Contradiction[] {
  if (!isMapping(where)) return [];
  return Object.entries(where).flatMap(([column, condition]) => {
    if (!isMapping(condition)) return [];
    return [
      ...lacksBound(condition, ['min', 'max'], `the condition on "${excerpt(column, 40)}"`, [...path, column]),
      ...minAboveMax(condition, [...path, column]),
    ];
  });
}
