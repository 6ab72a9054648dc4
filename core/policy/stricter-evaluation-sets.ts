import { policyDefaults } from './defaults.ts';
import { baseWins, fields, type Merge, oneSided, smaller } from './merge.ts';
import { pairUp } from './pair-up.ts';
import type { Policy } from './schema.ts';
import { mergeSlices } from './stricter-slices.ts';

type EvaluationSets = NonNullable<NonNullable<Policy['evaluation']>['sets']>;
type EvaluationSet = EvaluationSets[number];
export type SetGates = EvaluationSet['gates'];

/**
 * Sets by name. What the head leaves out stays and what it adds is judged too; of a set that both have the bounds are the stricter ones, and
 * the rows the base's until the merge.
 */
export function mergeEvaluationSets(gates: Merge<SetGates>): Merge<EvaluationSets> {
  const set = fields<EvaluationSet>({
    name: baseWins(),
    source: baseWins(),
    gates,
    slices: mergeSlices,
    min_rows: smaller(policyDefaults.min_rows),
  });
  return (base, head, at) => {
    if (base === undefined || head === undefined) return oneSided(base, head, at);
    return pairUp(base, head, ({ name }) => name).flatMap((pair, effective) => {
      const [ofBase, ofHead] = [pair.base?.value, pair.head?.value];
      const suffix = `[${(ofBase ?? ofHead)?.name ?? ''}]`;
      const spot = at.entry({ suffix, effective, base: pair.base?.index, head: pair.head?.index });
      const merged = set(ofBase, ofHead, spot);
      return merged === undefined ? [] : [merged];
    });
  };
}
