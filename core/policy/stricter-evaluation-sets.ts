import { policyDefaults } from './defaults.ts';
import { baseWins, fields, type Merge, smaller } from './merge.ts';
import { mergeByName } from './merge-by-name.ts';
import { isOutside } from './outside-names.ts';
import type { Policy } from './schema.ts';
import { mergeSlices } from './stricter-slices.ts';

type EvaluationSets = NonNullable<NonNullable<Policy['evaluation']>['sets']>;
type EvaluationSet = EvaluationSets[number];
export type SetGates = EvaluationSet['gates'];

/**
 * Sets by name. What the head leaves out stays and what it adds is judged too; of a set that both have the bounds are the stricter ones, and
 * the rows the base's until the merge. Rows from outside the repository that only the head names wait for it.
 */
export function mergeEvaluationSets(gates: Merge<SetGates>): Merge<EvaluationSets> {
  const set = fields<EvaluationSet>({
    name: baseWins(),
    source: baseWins(),
    gates,
    slices: mergeSlices,
    min_rows: smaller(policyDefaults.min_rows),
  });
  return mergeByName(
    () => set,
    ({ source }) => isOutside(source),
  );
}
