import { contradictionsOfAws } from './canary-aws-contradictions.ts';
import { contradictionsOfHosts } from './canary-hosts-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { policyDefaults } from './defaults.ts';
import { durationMs } from './duration.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';

type Mapping = Readonly<Record<string, unknown>>;

/** Rules over `canary`. */
export function contradictionsOfCanary(policy: unknown): readonly Contradiction[] {
  const canary = valueAt(policy, ['canary']);
  if (!isMapping(canary)) return [];
  return [
    ...sameArms(canary),
    ...metricsOfAnother(canary),
    ...steps(valueAt(canary, ['strategy'])),
    ...times(canary),
    ...untoldMeans(canary),
    ...contradictionsOfHosts(canary),
    ...contradictionsOfAws(canary),
    ...withoutEffect(policy, canary),
  ];
}

function sameArms({ traffic }: Mapping): readonly Contradiction[] {
  if (!isMapping(traffic) || traffic['baseline'] === undefined || traffic['baseline'] !== traffic['canary']) return [];
  return [
    {
      code: 'same-arms',
      message: 'baseline and canary are the same',
      path: ['canary', 'traffic', 'canary'],
      fix: 'Name the version that is to be tried.',
    },
  ];
}

function metricsOfAnother({ traffic, metrics }: Mapping): readonly Contradiction[] {
  const local = valueAt(traffic, ['provider']) === 'local';
  if (valueAt(metrics, ['source']) !== 'proxy' || local || traffic === undefined) return [];
  return [
    {
      code: 'wrong-source',
      message: 'the source proxy counts what the proxy of provider local serves, and the traffic is not its',
      path: ['canary', 'metrics', 'source'],
      fix: 'Write "source: prometheus" or "source: scrape".',
    },
  ];
}

function steps(strategy: unknown): readonly Contradiction[] {
  if (!isMapping(strategy)) return [];
  const path: PolicyPath = ['canary', 'strategy'];
  const { weights, min_step: min, max_step: max, start_weight: start, max_weight: last } = strategy;
  const least = durationMs(min ?? policyDefaults.canary.min_step);
  const most = durationMs(max);
  const falling = Array.isArray(weights)
    ? weights.findIndex((weight: unknown, index) => index > 0 && !(Number(weight) > Number(weights[index - 1])))
    : -1;
  const first = Number(start ?? policyDefaults.canary.start_weight);
  const highest = Number(last ?? policyDefaults.canary.max_weight);
  return [
    ...(falling === -1
      ? []
      : [
          {
            code: 'weights-not-rising',
            message: 'the weights do not rise',
            path: [...path, 'weights', falling],
            fix: 'Sort them, each once: a step that gives the canary less traffic is a rollback.',
          },
        ]),
    ...(least !== undefined && most !== undefined && most < least
      ? [
          {
            code: 'min-above-max',
            message: `a step would have to be over after ${String(max)} and last at least ${String(min ?? policyDefaults.canary.min_step)}`,
            path: [...path, 'max_step'],
            fix: 'Raise max_step, or lower min_step.',
          },
        ]
      : []),
    ...(strategy['kind'] === 'adaptive' && first > highest
      ? [
          {
            code: 'min-above-max',
            message: 'start_weight is above max_weight',
            path: [...path, start === undefined ? 'max_weight' : 'start_weight'],
            fix: 'Swap them.',
          },
        ]
      : []),
  ];
}

/** Metrics without numbers are never settled: the rollout would hold until its deadline. */
function untoldMeans({ metrics, analysis }: Mapping): readonly Contradiction[] {
  const source = valueAt(metrics, ['source']);
  if (typeof source !== 'string' || source === 'proxy') return [];
  const namesIn = (list: unknown): readonly unknown[] =>
    Array.isArray(list) ? list.map((each: unknown) => valueAt(each, ['name'])) : [];
  const told = new Set(namesIn(valueAt(metrics, ['means'])));
  const untold = (name: unknown, path: PolicyPath): readonly Contradiction[] =>
    told.has(name)
      ? []
      : [
          {
            code: 'no-such-mean',
            message: `nothing says how ${String(name)} is counted`,
            path: ['canary', 'analysis', ...path],
            fix:
              source === 'prometheus'
                ? `Add to canary.metrics.means: { name: ${String(name)}, sum: ..., count: ..., canary: { ... } }, or remove it.`
                : 'Ask Prometheus (source: prometheus), which can be told by canary.metrics.means, or remove it.',
          },
        ];
  const shadowed = valueAt(analysis, ['agreement']) !== undefined;
  return [
    ...(shadowed ? untold('agreement', ['agreement']) : []),
    ...namesIn(valueAt(analysis, ['rewards'])).flatMap((name, index) => untold(name, ['rewards', index])),
  ];
}

/** A holder must have several looks in a lease, or one slow scrape would end the rollout. */
const looksInALease = 3;

function times(canary: Mapping): readonly Contradiction[] {
  const defaults = policyDefaults.canary;
  const of = (path: PolicyPath, usual: string) => durationMs(valueAt(canary, path) ?? usual) ?? Number.NaN;
  const look = of(['analysis', 'look_every'], defaults.look_every);
  const lease = of(['lease'], defaults.lease);
  const deadline = of(['deadline'], defaults.deadline);
  const warmUp = of(['analysis', 'warm_up'], defaults.warm_up);
  const within = (key: PolicyPath) => ['canary', ...key];
  const told = (key: PolicyPath, other: PolicyPath) => within(valueAt(canary, key) === undefined ? other : key);
  return [
    ...(look < 1000
      ? [
          {
            code: 'too-often',
            message: 'nothing new can be seen in less than a second',
            path: within(['analysis', 'look_every']),
            expected: 'at least 1s',
            fix: 'Write a time as long as the interval of scrapes.',
          },
        ]
      : []),
    ...(lease < looksInALease * look
      ? [
          {
            code: 'short-lease',
            message: 'the lease would run out between looks',
            path: told(['lease'], ['analysis', 'look_every']),
            expected: `at least ${looksInALease} times look_every`,
            fix: 'Write a longer lease: it is how long the canary may be without anybody who watches.',
          },
        ]
      : []),
    ...(deadline <= warmUp
      ? [
          {
            code: 'short-deadline',
            message: 'the deadline is over before the canary has warmed up',
            path: told(['deadline'], ['analysis', 'warm_up']),
            fix: 'Write a longer deadline.',
          },
        ]
      : []),
  ];
}

/** Providers for which no Job in a cluster can stand guard. */
const withoutJob: Readonly<Record<string, string>> = {
  local: 'the proxy of provider local guards itself',
  hosts: 'no Job in a cluster reaches plain hosts',
  'ray-serve': 'the splitter of provider ray-serve guards itself',
};

function withoutEffect(policy: unknown, canary: Mapping): readonly Contradiction[] {
  const { approval, approval_label: label, guard, traffic } = canary;
  const unguarded = withoutJob[String(valueAt(traffic, ['provider']))];
  const shadow = valueAt(canary, ['strategy', 'shadow']);
  const agreement = valueAt(canary, ['analysis', 'agreement']);
  const model = valueAt(policy, ['model', 'path']);
  return [
    ...(label !== undefined && approval !== 'label'
      ? [
          {
            code: 'no-effect',
            message: 'approval_label has no effect: nothing waits for a label',
            path: ['canary', 'approval_label'],
            fix: 'Write "approval: label", or remove it.',
          },
        ]
      : []),
    ...(isMapping(guard) && unguarded !== undefined
      ? [
          {
            code: 'no-effect',
            message: `guard has no effect: ${unguarded}`,
            path: ['canary', 'guard'],
            fix: 'Remove it.',
          },
        ]
      : []),
    ...(agreement !== undefined && shadow === undefined
      ? [
          {
            code: 'no-effect',
            message: 'agreement has no effect: no request is answered by both arms without shadow',
            path: ['canary', 'analysis', 'agreement'],
            fix: 'Add "shadow: { percent: 20 }" to the strategy, or remove it.',
          },
        ]
      : []),
    ...(canary['ab_report'] !== undefined && model === undefined
      ? [
          {
            code: 'no-model',
            message: 'ab_report cannot be held against a model: the policy names none',
            path: ['canary', 'ab_report'],
            fix: 'Add "model: { path: models/churn.onnx }": the report must be of that file.',
          },
        ]
      : []),
  ];
}
