import { contradictionsOfCanary } from './canary-contradictions.ts';
import { contradictionsOfData } from './data-contradictions.ts';
import { contradictionsOfDrift } from './drift-contradictions.ts';
import { contradictionsOfEngines } from './engines-contradictions.ts';
import { contradictionsOfEpisodes } from './episodes-contradictions.ts';
import { contradictionsOfEvaluationSets } from './evaluation-set-contradictions.ts';
import { contradictionsOfExplain } from './explain-contradictions.ts';
import { contradictionsOfGates } from './gate-contradictions.ts';
import type { MendableProblem } from './mendable-problem.ts';
import { contradictionsOfAddresses } from './outside-names.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';
import { contradictionsOfSlices } from './slice-contradictions.ts';
import { contradictionsOfSmoke } from './smoke-contradictions.ts';
import { contradictionsOfSource } from './source-contradictions.ts';
import { contradictionsOfWeakSlices } from './weak-slice-contradictions.ts';

/** What a rule found wrong, without its place in the text. */
export interface Contradiction extends Omit<MendableProblem, 'place'> {
  readonly path: PolicyPath;
  /** The mapping in which something is missing. A misspelt key there already explains it. */
  readonly lackingIn?: PolicyPath;
}

/**
 * What no single key's type can say: bounds that exclude each other, gates that lack what they need, a policy that asserts
 * nothing. Reads values that the schema may have refused, so that all problems are told at once.
 */
export function contradictionsOf(policy: unknown): readonly Contradiction[] {
  return [
    ...contradictionsOfData(policy),
    ...contradictionsOfEngines(policy),
    ...contradictionsOfGates(policy),
    ...contradictionsOfEpisodes(policy),
    ...contradictionsOfExplain(policy),
    ...contradictionsOfSource(policy),
    ...contradictionsOfDrift(policy),
    ...contradictionsOfSmoke(policy),
    ...contradictionsOfCanary(policy),
    ...leaksOf(policy),
    ...contradictionsOfAddresses(policy),
    ...contradictionsOfSlices(valueAt(policy, ['evaluation', 'slices']), ['evaluation', 'slices']),
    ...contradictionsOfWeakSlices(policy),
    ...contradictionsOfEvaluationSets(policy),
    ...contradictionsOfWaivers(policy),
    ...emptyPolicy(policy),
  ];
}

/** The target among what the model is fed: the gate would judge a copy of the truth. */
export function leaksOf(policy: unknown): readonly Contradiction[] {
  const target = valueAt(policy, ['evaluation', 'target']);
  const targets: readonly unknown[] = Array.isArray(target) ? target : [target];
  const inputs = valueAt(policy, ['model', 'inputs']);
  const fed: readonly PolicyPath[] = [
    ['evaluation', 'features'],
    ...(isMapping(inputs) ? Object.keys(inputs).map((input) => ['model', 'inputs', input]) : []),
  ];
  return fed.flatMap((path) => {
    const columns = valueAt(policy, path);
    const leaked = Array.isArray(columns)
      ? targets.find((each) => typeof each === 'string' && columns.includes(each))
      : undefined;
    if (leaked === undefined) return [];
    return [
      {
        code: 'target-leak',
        message: `the model would be fed the target column "${leaked}"`,
        path,
        fix: 'Remove it: a model that sees the truth says nothing about its quality.',
      },
    ];
  });
}

function contradictionsOfWaivers(policy: unknown): readonly Contradiction[] {
  const waivers = valueAt(policy, ['waivers']);
  if (!Array.isArray(waivers)) return [];
  return waivers.flatMap((waiver, index) =>
    isMapping(waiver) && typeof waiver['check'] === 'string' && /^\*+$/.test(waiver['check'].trim())
      ? [
          {
            code: 'waives-everything',
            message: 'this waiver covers every check',
            path: ['waivers', index, 'check'],
            fix: 'Name the check as the report does, such as "gate/accuracy/min" or "data/data/train.csv/*".',
          },
        ]
      : [],
  );
}

function emptyPolicy(policy: unknown): readonly Contradiction[] {
  if (!isMapping(policy)) return [];
  const gates = policy['gates'];
  const asserts =
    'data' in policy ||
    'drift' in policy ||
    'smoke' in policy ||
    'canary' in policy ||
    (isMapping(gates) ? Object.keys(gates).length > 0 : 'gates' in policy);
  if (asserts) return [];
  return [
    {
      code: 'asserts-nothing',
      message:
        'the policy asserts nothing: it has no data checks, no gates, no drift check, no smoke test and no canary',
      path: 'gates' in policy ? ['gates'] : [],
      lackingIn: [],
      fix: 'Add a bound under "gates" or a check under "data", or let `sluice init` write a first policy.',
    },
  ];
}
