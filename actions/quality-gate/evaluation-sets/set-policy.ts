import { isDeepStrictEqual } from 'node:util';
import type { EffectivePolicy, Policy, PolicyPath } from '../../../core/policy/index.ts';

type Evaluation = NonNullable<Policy['evaluation']>;
type EvaluationSet = NonNullable<Evaluation['sets']>[number];

/** The policy as it is for the rows of one of `evaluation.sets`: its source, gates and slices, everything else as for all. */
export function policyOfSet(effective: EffectivePolicy, index: number): EffectivePolicy {
  const set = effective.policy.evaluation?.sets?.[index];
  if (set === undefined) throw new RangeError(`there is no set ${index}`);
  const { base } = effective;
  const ofBase = base?.evaluation?.sets?.find(({ name }) => name === set.name);
  const at: PolicyPath = ['evaluation', 'sets', index];
  return {
    ...effective,
    policy: asIfAlone(effective.policy, set),
    ...(base === undefined ? {} : { base: ofBase === undefined ? withoutDemands(base) : asIfAlone(base, ofBase) }),
    placeOf: (path) => effective.placeOf(placeInSet(path, at)),
  };
}

/**
 * The demands on the rows as the base commit has them, in the file `source`. Slices, groups and metrics of one's own that only the pull request declares are
 * left out: they may read columns that those rows do not have. Every other bound is as strict as on the new rows.
 */
export function policyOfBaseRows(effective: EffectivePolicy, source: string): EffectivePolicy {
  const { evaluation, gates = {} } = effective.policy;
  const { base } = effective;
  if (evaluation === undefined) throw new TypeError('there are no rows without an evaluation');
  const { slices, sets: _, ...fed } = evaluation;
  const { custom, fairness, ...rest } = gates;
  const known = slices?.filter((slice) => base?.evaluation?.slices?.some((its) => isDeepStrictEqual(its, slice)));
  const its = base === undefined ? slices : known;
  const customs = custom?.filter(
    ({ name }) => base?.gates?.custom?.some((metric) => metric.name === name) ?? base === undefined,
  );
  const keepFairness = base === undefined || base.gates?.fairness !== undefined;
  return {
    ...effective,
    policy: {
      ...effective.policy,
      gates: {
        ...rest,
        ...(customs === undefined || customs.length === 0 ? {} : { custom: customs }),
        ...(fairness !== undefined && keepFairness ? { fairness } : {}),
      },
      evaluation: {
        ...fed,
        source,
        weak_slices: 'off',
        ...(its === undefined || its.length === 0 ? {} : { slices: its }),
      },
    },
  };
}

function asIfAlone(policy: Policy, { source, gates, slices, min_rows }: EvaluationSet): Policy {
  if (policy.evaluation === undefined) throw new TypeError('a set is of an evaluation');
  const { sets: _, slices: __, min_rows: ___, ...evaluation } = policy.evaluation;
  return {
    ...policy,
    gates,
    evaluation: {
      ...evaluation,
      source,
      weak_slices: 'off',
      ...(slices === undefined ? {} : { slices }),
      ...(min_rows === undefined ? {} : { min_rows }),
    },
  };
}

/** Of a set that the base does not have, the base demands nothing; how its model is fed stays. */
function withoutDemands(policy: Policy): Policy {
  const { gates: _, evaluation, ...rest } = policy;
  if (evaluation === undefined) return rest;
  const { slices: __, ...fed } = evaluation;
  return { ...rest, evaluation: fed };
}

function placeInSet(path: PolicyPath, at: PolicyPath): PolicyPath {
  if (path[0] === 'gates') return [...at, ...path];
  const ofTheSet = path[0] === 'evaluation' && ['source', 'slices', 'min_rows'].includes(String(path[1]));
  return ofTheSet ? [...at, ...path.slice(1)] : path;
}
