import type { Contradiction } from './contradictions.ts';
import { isMapping, valueAt } from './policy-path.ts';
import { metricNames } from './schema.ts';

/** `explain` speaks of metrics on evaluation rows: without them it has no effect. */
export function contradictionsOfExplain(policy: unknown): readonly Contradiction[] {
  if (!isMapping(policy) || !('explain' in policy)) return [];
  const gates = isMapping(policy['gates']) ? policy['gates'] : {};
  const ranks = valueAt(policy, ['evaluation', 'query']) !== undefined;
  const judged = [...metricNames, 'custom', 'fairness'].some((name) => name in gates);
  const noEffect = (message: string, fix: string): readonly Contradiction[] => [
    { code: 'no-effect', message, path: ['explain'], lackingIn: ['gates'], fix },
  ];
  if (ranks) return noEffect('explain has no effect on a model of rankings', 'Remove it.');
  return judged && 'evaluation' in policy
    ? []
    : noEffect('explain has no effect: no metric is judged on evaluation rows', 'Add a metric to gates, or remove it.');
}
