import type { Contradiction } from './contradictions.ts';
import { policyDefaults } from './defaults.ts';
import { durationMs } from './duration.ts';
import { isMapping, type PolicyPath, valueAt } from './policy-path.ts';

type Mapping = Readonly<Record<string, unknown>>;

const seconds = (count: number): number => count * 1000;
const minutes = (count: number): number => count * 60_000;
const hour = minutes(60);

/** A new fleet of SageMaker takes minutes to start. */
const fleetStart = minutes(10);

/** Rules over what `canary` says of AWS. */
export function contradictionsOfAws(canary: Mapping): readonly Contradiction[] {
  const { traffic, metrics, guard } = canary;
  const sagemaker = isMapping(traffic) && traffic['provider'] === 'sagemaker' ? traffic : undefined;
  return [
    ...(sagemaker === undefined
      ? []
      : [...mode(sagemaker), ...deployment(sagemaker), ...readyDeadline(canary, sagemaker)]),
    ...(sagemaker !== undefined && isMapping(guard)
      ? [
          {
            code: 'no-effect',
            message: 'guard has no effect: a Job in a cluster cannot guard an endpoint of SageMaker',
            path: ['canary', 'guard'],
            fix: 'Remove it. With mode guardrails the alarms of the deployment are the guard.',
          },
        ]
      : []),
    ...(isMapping(metrics) && metrics['source'] === 'cloudwatch' ? cloudwatch(metrics, sagemaker) : []),
    ...(isMapping(metrics) ? risingEdges(metrics) : []),
  ];
}

function mode({ mode: given, deployment: own }: Mapping): readonly Contradiction[] {
  if (given === 'guardrails' && own === undefined) {
    return [
      {
        code: 'missing-key',
        message: 'mode guardrails needs to know how SageMaker shall shift the traffic',
        path: ['canary', 'traffic', 'mode'],
        fix: 'Add "deployment: { kind: canary, size: 10, bake: 30m, alarms: [churn-5xx] }" to canary.traffic.',
      },
    ];
  }
  if (given !== 'variant-weights' || own === undefined) return [];
  return [
    {
      code: 'no-effect',
      message: 'deployment has no effect: with mode variant-weights Sluice moves the traffic itself',
      path: ['canary', 'traffic', 'deployment'],
      fix: 'Write "mode: guardrails", or remove it.',
    },
  ];
}

function deployment({ deployment: own }: Mapping): readonly Contradiction[] {
  if (!isMapping(own)) return [];
  const path = (key: string): PolicyPath => ['canary', 'traffic', 'deployment', key];
  const outside = (key: string, least: number, most: number): boolean => {
    const time = durationMs(own[key]);
    return time !== undefined && (time < least || time > most || time % seconds(1) !== 0);
  };
  const { alarms, abort_alarm: abort, kind, size } = own;
  return [
    ...['bake', 'termination_wait']
      .filter((key) => outside(key, 0, hour))
      .map((key) => ({
        code: 'out-of-range',
        message: `SageMaker waits an hour at most, in whole seconds`,
        path: path(key),
        expected: 'at most 1h',
        fix: 'Write a shorter time.',
      })),
    ...(outside('max_time', minutes(10), 8 * hour)
      ? [
          {
            code: 'out-of-range',
            message: 'SageMaker gives a deployment from ten minutes to eight hours',
            path: path('max_time'),
            expected: '10m to 8h',
            fix: 'Write a time within.',
          },
        ]
      : []),
    ...(kind === 'linear' && typeof size === 'number' && size < 10
      ? [
          {
            code: 'out-of-range',
            message: 'a linear deployment of SageMaker has at most ten steps',
            path: path('size'),
            expected: '10 to 50',
            fix: 'Write a larger size, or "kind: canary".',
          },
        ]
      : []),
    ...(abort !== undefined && Array.isArray(alarms) && !alarms.includes(abort)
      ? [
          {
            code: 'unknown-alarm',
            message: 'abort_alarm is not among the alarms, so SageMaker would not hear it',
            path: path('abort_alarm'),
            fix: 'Add it to alarms.',
          },
        ]
      : []),
  ];
}

/** What SageMaker does by itself takes its time, in which the data plane does not follow yet. */
function readyDeadline(canary: Mapping, { deployment: own, mode: given }: Mapping): readonly Contradiction[] {
  if (given !== 'guardrails' || !isMapping(own)) return [];
  const { bake, termination_wait: last, kind, size } = own;
  const steps = kind === 'linear' && typeof size === 'number' && size > 0 ? Math.ceil(100 / size) : 2;
  const needed = fleetStart + steps * (durationMs(bake) ?? 0) + (durationMs(last) ?? 0);
  const deadline = durationMs(canary['ready_deadline'] ?? policyDefaults.canary.ready_deadline) ?? Number.NaN;
  if (!(deadline < needed)) return [];
  const path: PolicyPath =
    canary['ready_deadline'] === undefined ? ['canary', 'traffic', 'deployment', 'bake'] : ['canary', 'ready_deadline'];
  return [
    {
      code: 'short-deadline',
      message: 'the deployment would be rolled back before SageMaker is through with it',
      path,
      expected: `ready_deadline of at least ${Math.ceil(needed / 60_000)}m: ten minutes for the new fleet, ${steps} times bake, termination_wait`,
      fix: `Write "ready_deadline: ${Math.ceil(needed / 60_000)}m" under canary.`,
    },
  ];
}

function cloudwatch(metrics: Mapping, sagemaker: Mapping | undefined): readonly Contradiction[] {
  const known = sagemaker?.['mode'] === 'variant-weights';
  const missing = (['canary', 'baseline'] as const).filter(
    (arm) => !known && valueAt(metrics, [arm, 'variant']) === undefined,
  );
  return [
    ...(metrics['endpoint'] === undefined && sagemaker === undefined
      ? [
          {
            code: 'missing-key',
            message: 'nothing says which endpoint the metrics are of',
            path: ['canary', 'metrics', 'source'],
            fix: 'Add "endpoint: churn" to canary.metrics.',
          },
        ]
      : []),
    ...missing.map((arm) => ({
      code: 'missing-key',
      message: `nothing says which variant's metrics are the ${arm}'s`,
      path: ['canary', 'metrics', ...(metrics[arm] === undefined ? ['source'] : [arm])],
      fix: `Add "${arm}: { variant: AllTraffic }" to canary.metrics${sagemaker === undefined ? '' : '; the configuration of canary.traffic tells the fleets apart'}.`,
    })),
  ];
}

function risingEdges({ latency_edges_ms: edges }: Mapping): readonly Contradiction[] {
  if (!Array.isArray(edges)) return [];
  const falling = edges.findIndex((edge: unknown, index) => index > 0 && !(Number(edge) > Number(edges[index - 1])));
  if (falling === -1) return [];
  return [
    {
      code: 'edges-not-rising',
      message: 'the edges do not rise',
      path: ['canary', 'metrics', 'latency_edges_ms', falling],
      fix: 'Sort them, each once.',
    },
  ];
}
