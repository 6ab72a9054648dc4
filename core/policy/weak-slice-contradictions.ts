import type { Contradiction } from './contradictions.ts';
import { isMapping, valueAt } from './policy-path.ts';

/** Rules over `evaluation.weak_slices`: rows that are judged by themselves, and columns that say where a row is from, not what is true of it. */
export function contradictionsOfWeakSlices(policy: unknown): readonly Contradiction[] {
  const search = valueAt(policy, ['evaluation', 'weak_slices']);
  if (!isMapping(search)) return [];
  const path = ['evaluation', 'weak_slices'];
  const target = valueAt(policy, ['evaluation', 'target']);
  const targets: readonly unknown[] = Array.isArray(target) ? target : [target];
  const columns: readonly unknown[] = Array.isArray(search['columns']) ? search['columns'] : [];
  const truth = columns.findIndex((column) => targets.includes(column));
  return [
    ...(valueAt(policy, ['evaluation', 'query']) === undefined
      ? []
      : [
          {
            code: 'option-without-effect',
            message: 'weak slices are of rows, and a ranking is judged by whole queries',
            path,
            fix: 'Remove it.',
          },
        ]),
    ...(truth === -1
      ? []
      : [
          {
            code: 'target-leak',
            message: `the search would slice by the target column "${String(columns[truth])}"`,
            path: [...path, 'columns', truth],
            fix: 'Remove it; "average: none" judges every class by itself.',
          },
        ]),
  ];
}
