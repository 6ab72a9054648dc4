import { lacksBound } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { contradictionsOfGates } from './gate-contradictions.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { metricNames } from './schema.ts';
import { contradictionsOfSlices } from './slice-contradictions.ts';

/** Rules over `evaluation.sets`: names told apart, and for each set those of gates and slices. */
export function contradictionsOfEvaluationSets(policy: unknown): readonly Contradiction[] {
  const sets = valueAt(policy, ['evaluation', 'sets']);
  if (!isMapping(policy) || !Array.isArray(sets)) return [];
  const names = sets.map((set) => valueAt(set, ['name']));
  return [
    ...('gates' in policy
      ? []
      : [
          {
            code: 'sets-without-gates',
            message: 'the sets would not be judged: the policy has no gates',
            path: ['evaluation', 'sets'],
            lackingIn: [],
            fix: 'Add bounds for evaluation.source too: "gates: { accuracy: { min: 0.9 } }".',
          },
        ]),
    ...sets.flatMap((set: unknown, index): readonly Contradiction[] => {
      if (!isMapping(set)) return [];
      const path = ['evaluation', 'sets', index];
      return [
        ...(names.indexOf(names[index]) === index
          ? []
          : [
              {
                code: 'duplicate-set',
                message: 'two sets have this name',
                path: [...path, 'name'],
                fix: 'Give each a name of its own.',
              },
            ]),
        ...lacksBound(set['gates'], [...metricNames, 'custom', 'fairness'], 'the set', [...path, 'gates']),
        ...contradictionsOfSlices(set['slices'], [...path, 'slices']),
        ...ofItsGates(policy, set, path),
      ];
    }),
  ];
}

/** What `gates` may not say, a set's may not either. */
function ofItsGates(
  policy: Readonly<Record<string, unknown>>,
  set: Readonly<Record<string, unknown>>,
  path: PolicyPath,
): readonly Contradiction[] {
  const evaluation = valueAt(policy, ['evaluation']);
  const alone = {
    ...policy,
    gates: set['gates'],
    evaluation: { ...(isMapping(evaluation) ? evaluation : {}), slices: set['slices'] },
  };
  return contradictionsOfGates(alone).flatMap((found) =>
    found.path[0] === 'gates' || (found.path[0] === 'evaluation' && found.path[1] === 'slices')
      ? [{ ...found, path: [...path, ...found.path.slice(found.path[0] === 'gates' ? 0 : 1)] }]
      : [],
  );
}
