import type { SmokePolicy } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Check, Figure } from '../../core/report/index.ts';
import {
  exactInterval,
  minimumSamples,
  percentileInterval,
  quantileOfSorted,
  wilsonInterval,
} from '../../core/statistics/index.ts';
import { counted, excerpt, numberText } from '../../core/text/index.ts';
import type { LoadShape } from '../load/index.ts';
import { durationText } from './duration.ts';
import type { Load } from './load-generator.ts';
import { boundCheck, checkOf } from './smoke-check.ts';

export type LatencyPolicy = NonNullable<SmokePolicy['latency']>;

const percentiles = [
  ['p50_ms', 0.5],
  ['p95_ms', 0.95],
  ['p99_ms', 0.99],
] as const;
/** How many requests the percentiles of the policy need to be claimed. */
export function requestsFor(policy: LatencyPolicy): number {
  return Math.max(0, ...percentiles.filter(([key]) => policy[key] !== undefined).map(([, of]) => minimumSamples(of)));
}

const pointsOfFigure = 500;

/**
 * Holds the latencies of a load, and how many requests failed under it, to the policy. A percentile is an order statistic with bounds that
 * assume no distribution; from fewer requests than MLPerf's rule asks for nothing is claimed.
 */
export function latencyChecks(
  load: Load,
  shape: LoadShape,
  policy: LatencyPolicy,
  options: { readonly level: number | 'off'; readonly maxErrorShare: number; readonly placeOf: (key: string) => Place },
): readonly Check[] {
  const { level, maxErrorShare, placeOf } = options;
  const how =
    shape.mode === 'closed'
      ? `${counted(shape.concurrency, 'caller')} for ${durationText(shape.durationMs)}`
      : `${shape.rate} requests a second for ${durationText(shape.durationMs)}`;
  return [
    errorsCheck(load, policy, { level, maxErrorShare, place: placeOf('max_error_share'), how }),
    ...percentiles.flatMap(([key, probability]) => {
      const bound = policy[key];
      if (bound === undefined) return [];
      const demand = {
        id: `latency/${key}`,
        title: `latency ${key.slice(0, -3)} ≤ ${bound} ms`,
        place: placeOf(key),
        bound: { kind: 'max', value: bound },
        unit: 'ms',
        severity: policy.severity,
        reason: policy.reason,
      } as const;
      return [percentileCheck(load.latenciesMs, probability, demand, level, how)];
    }),
  ];
}

function percentileCheck(
  latencies: readonly number[],
  probability: number,
  demand: Parameters<typeof boundCheck>[0],
  level: number | 'off',
  how: string,
): Check {
  const name = `p${Math.round(probability * 100)}`;
  const least = minimumSamples(probability);
  if (latencies.length < least) {
    return checkOf(demand, {
      status: 'inconclusive',
      said: [
        `${counted(latencies.length, 'answer')} came (${how}), and ${name} is not claimed from fewer than ${least}`,
        'Give a longer duration, or a higher rate or concurrency',
      ],
    });
  }
  const interval =
    level === 'off'
      ? exactInterval(quantileOfSorted(Float64Array.from(latencies).sort(), probability), latencies.length, 'point')
      : percentileInterval(latencies, probability, level);
  if (interval === undefined) throw new TypeError('enough samples give an interval');
  const between =
    interval.lower === interval.upper
      ? ''
      : ` (between ${numberText(interval.lower)} and ${numberText(interval.upper)} ms)`;
  return boundCheck(demand, interval, [
    `${name} of ${counted(latencies.length, 'request')} is ${numberText(interval.estimate)} ms${between}; ${how}`,
  ]);
}

function errorsCheck(
  load: Load,
  policy: LatencyPolicy,
  options: {
    readonly level: number | 'off';
    readonly maxErrorShare: number;
    readonly place: Place;
    readonly how: string;
  },
): Check {
  const { level, maxErrorShare, place, how } = options;
  const failed = load.failures.reduce((sum, { count }) => sum + count, 0);
  const share = load.sent === 0 ? Number.NaN : failed / load.sent;
  const demand = {
    id: 'latency/errors',
    title: maxErrorShare === 0 ? 'every request under load is answered' : 'requests under load that fail',
    place,
    bound: { kind: 'max', value: maxErrorShare },
    unit: 'share',
    severity: policy.severity,
    reason: policy.reason,
  } as const;
  const said = [
    `${failed} of ${counted(load.sent, 'request')} failed (${how})`,
    ...load.failures.slice(0, 3).map((each) => `${counted(each.count, 'time')}: ${excerpt(each.said, 160)}`),
  ];
  // None at all is asked for: no interval has that as its upper bound, so what was seen decides.
  const interval =
    level === 'off' || maxErrorShare === 0 || load.sent === 0
      ? exactInterval(share, load.sent, 'counted')
      : wilsonInterval(failed, load.sent, level);
  return boundCheck(demand, interval, said);
}

/** The sorted latencies, thinned evenly. */
export function latencyFigure({ latenciesMs }: Load): readonly Figure[] {
  if (latenciesMs.length === 0) return [];
  const sorted = Float64Array.from(latenciesMs).sort();
  const count = Math.min(pointsOfFigure, sorted.length);
  const ms = Array.from(
    { length: count },
    (_, index) => sorted[count === 1 ? 0 : Math.round((index * (sorted.length - 1)) / (count - 1))] ?? 0,
  );
  return [
    {
      kind: 'latency',
      id: 'smoke-latency',
      title: 'Latency of requests under load',
      series: [{ name: 'candidate', ms }],
    },
  ];
}
