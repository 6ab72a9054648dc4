import type { ArmCounts, WindowCounts } from '../../core/statistics/index.ts';
import { argoDefaults, measureArgo, startArgo, stepArgo } from './peers/argo-rollouts.ts';
import { type AlarmState, alarmDefaults, alarmState } from './peers/cloudwatch-alarm.ts';
import { flaggerDefaults, startFlagger, stepFlagger } from './peers/flagger.ts';
import { classifyKayenta, kayentaDefaults } from './peers/kayenta.ts';

/** Windows of equal length, from the canary's first request on: counts by look, tight, since there are thousands of traces. */
export class Trace {
  readonly secondsALook: number;
  readonly looks: number;
  readonly #counts: Readonly<
    Record<'canary' | 'baseline', { readonly requests: Int32Array; readonly errors: Int32Array }>
  >;

  constructor(windows: Iterator<WindowCounts>, looks: number, secondsALook: number) {
    const counts = () => ({ requests: new Int32Array(looks), errors: new Int32Array(looks) });
    this.#counts = { canary: counts(), baseline: counts() };
    this.looks = looks;
    this.secondsALook = secondsALook;
    for (let look = 0; look < looks; look++) {
      const window: WindowCounts = windows.next().value;
      for (const arm of ['canary', 'baseline'] as const) {
        this.#counts[arm].requests[look] = window[arm].requests;
        this.#counts[arm].errors[look] = window[arm].errors;
      }
    }
  }

  /** Requests and errors of an arm in looks `from` up to but not with `to`. */
  sum(arm: 'canary' | 'baseline', from: number, to: number): ArmCounts {
    let [requests, errors] = [0, 0];
    for (let look = from; look < Math.min(to, this.looks); look++) {
      requests += this.#counts[arm].requests[look] ?? 0;
      errors += this.#counts[arm].errors[look] ?? 0;
    }
    return { requests, errors };
  }
}

/** A peer with its settings, as somebody would run it. */
export interface PeerPolicy {
  readonly peer: 'Flagger' | 'Argo Rollouts' | 'Kayenta' | 'CloudWatch alarm';
  readonly settings: string;
  readonly byDefault: boolean;
  /** The seconds after which it rolls back; `undefined`: not within the trace. */
  rollsBackAfter(trace: Trace): number | undefined;
}

interface Point {
  readonly canary: number | undefined;
  readonly baseline: number | undefined;
}

/** Error rates of both arms, interval by interval; kept, since many settings ask for the same. */
const kept = new WeakMap<Trace, Map<number, readonly Point[]>>();

function pointsOf(trace: Trace, seconds: number): readonly Point[] {
  const known = kept.get(trace) ?? new Map<number, readonly Point[]>();
  kept.set(trace, known);
  const found = known.get(seconds);
  if (found !== undefined) return found;
  const looks = Math.max(1, Math.round(seconds / trace.secondsALook));
  const points = Array.from({ length: Math.floor(trace.looks / looks) }, (_, index): Point => {
    const rate = (arm: 'canary' | 'baseline'): number | undefined => {
      const { requests, errors } = trace.sum(arm, index * looks, (index + 1) * looks);
      return requests > 0 ? errors / requests : undefined;
    };
    return { canary: rate('canary'), baseline: rate('baseline') };
  });
  known.set(seconds, points);
  return points;
}

const thresholds = [0.01, 0.0125, 0.015, 0.0175, 0.02, 0.025, 0.03, 0.04, 0.05];

/**
 * Defaults, and a grid of what an expert who knows the base rate (1 %) could write: how often, how high, how many failures. Weights are given
 * by the trace, the same for all; only the decision to go back is compared.
 */
export function peerPolicies(): readonly PeerPolicy[] {
  return [...flagger(), ...argo(), ...kayenta(), ...cloudWatch()];
}

function flagger(): readonly PeerPolicy[] {
  const policy = (seconds: number, threshold: number, highest: number, byDefault: boolean): PeerPolicy => ({
    peer: 'Flagger',
    settings: `interval ${seconds} s, threshold ${threshold}, success rate ${percent(1 - highest)}`,
    byDefault,
    rollsBackAfter(trace) {
      // The weight is the trace's: Flagger's own never reaches its end.
      const settings = { ...flaggerDefaults, threshold, highestErrorRate: highest, stepWeight: 0, maxWeight: 1 };
      let state = startFlagger(settings);
      for (const [index, { canary }] of pointsOf(trace, seconds).entries()) {
        state = stepFlagger(state, settings, canary);
        if (state.phase === 'rolled back') return (index + 1) * seconds;
      }
      return undefined;
    },
  });
  return [
    policy(60, flaggerDefaults.threshold, flaggerDefaults.highestErrorRate, true),
    ...[10, 30, 60, 180, 300].flatMap((seconds) =>
      [1, 2, 3, 5, 8, 12, 20, 30].flatMap((threshold) =>
        thresholds.map((highest) => policy(seconds, threshold, highest, false)),
      ),
    ),
  ];
}

function argo(): readonly PeerPolicy[] {
  const policy = (
    seconds: number,
    failureLimit: number,
    highest: number,
    relative: boolean,
    byDefault: boolean,
  ): PeerPolicy => ({
    peer: 'Argo Rollouts',
    settings: `interval ${seconds} s, failureLimit ${failureLimit}, error rate <= ${relative ? `${highest * 100} x stable's` : percent(highest)}`,
    byDefault,
    rollsBackAfter(trace) {
      const settings = { ...argoDefaults, failureLimit };
      let state = startArgo;
      for (const [index, { canary, baseline }] of pointsOf(trace, seconds).entries()) {
        // Against the stable pods only if the user writes the division; no errors there are a NaN, which fails no condition here.
        const value = relative && canary !== undefined ? canary / ((baseline ?? 0) * 100) : canary;
        const usable = value === undefined || Number.isNaN(value) ? undefined : value;
        state = stepArgo(state, settings, measureArgo(usable, highest));
        if (state.phase === 'Failed' || state.phase === 'Error') return (index + 1) * seconds;
      }
      return undefined;
    },
  });
  return [
    policy(60, argoDefaults.failureLimit, 0.01, false, true),
    ...[10, 30, 60, 180, 300, 600].flatMap((seconds) =>
      [0, 1, 2, 4, 7, 11, 19, 29].flatMap((failureLimit) =>
        thresholds.flatMap((highest) => [
          policy(seconds, failureLimit, highest, false, false),
          policy(seconds, failureLimit, highest, true, false),
        ]),
      ),
    ),
  ];
}

function cloudWatch(): readonly PeerPolicy[] {
  const policy = (
    seconds: number,
    datapoints: number,
    periods: number,
    threshold: number,
    byDefault: boolean,
  ): PeerPolicy => ({
    peer: 'CloudWatch alarm',
    settings: `period ${seconds} s, ${datapoints} of ${periods} above ${percent(threshold)}`,
    byDefault,
    rollsBackAfter(trace) {
      const settings = { ...alarmDefaults, datapointsToAlarm: datapoints, evaluationPeriods: periods, threshold };
      const points = pointsOf(trace, seconds).map(({ canary }) => canary);
      let state: AlarmState = 'INSUFFICIENT_DATA';
      for (const [index] of points.entries()) {
        state = alarmState(points.slice(Math.max(0, index + 1 - periods), index + 1), settings, state);
        if (state === 'ALARM') return (index + 1) * seconds;
      }
      return undefined;
    },
  });
  return [
    policy(60, alarmDefaults.datapointsToAlarm, alarmDefaults.evaluationPeriods, alarmDefaults.threshold, true),
    ...[10, 30, 60, 300].flatMap((seconds) =>
      (
        [
          [1, 1],
          [2, 2],
          [2, 3],
          [3, 3],
          [3, 5],
          [5, 5],
          [5, 8],
          [8, 10],
        ] as const
      ).flatMap(([datapoints, periods]) =>
        thresholds.map((threshold) => policy(seconds, datapoints, periods, threshold, false)),
      ),
    ),
  ];
}

/** By trace, points and confidence: whether a judgement finds an increase, and by which ratio of means. */
const judged = new WeakMap<Trace, Map<string, { readonly high: boolean; readonly ratio: number }>>();

function kayenta(): readonly PeerPolicy[] {
  const step = 60;
  const judgement = (trace: Trace, points: number, confidence: number) => {
    const known = judged.get(trace) ?? new Map<string, { readonly high: boolean; readonly ratio: number }>();
    judged.set(trace, known);
    const key = `${points} ${confidence}`;
    const found = known.get(key);
    if (found !== undefined) return found;
    const own = pointsOf(trace, step).slice(0, points);
    const canary = own.flatMap((point) => (point.canary === undefined ? [] : [point.canary]));
    const baseline = own.flatMap((point) => (point.baseline === undefined ? [] : [point.baseline]));
    const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
    const high = classifyKayenta(canary, baseline, { ...kayentaDefaults, confidence }) === 'High';
    const verdict = { high, ratio: mean(canary) / mean(baseline) };
    known.set(key, verdict);
    return verdict;
  };
  const policy = (every: number, confidence: number, allowedIncrease: number, byDefault: boolean): PeerPolicy => ({
    peer: 'Kayenta',
    settings: `every ${every} min on all points so far, confidence ${confidence}, allowedIncrease ${allowedIncrease}`,
    byDefault,
    rollsBackAfter(trace) {
      const length = pointsOf(trace, step).length;
      for (let points = every; points <= length; points += every) {
        // `allowedIncrease` is a bound on the ratio besides; from the default 1 on it only makes High rarer.
        const { high, ratio } = judgement(trace, points, confidence);
        if (high && ratio >= allowedIncrease) return points * step;
      }
      return undefined;
    },
  });
  return [
    policy(10, kayentaDefaults.confidence, kayentaDefaults.allowedIncrease, true),
    ...[5, 10, 20, 30].flatMap((every) =>
      [0.95, 0.98, 0.995, 0.999].flatMap((confidence) =>
        [1, 1.25, 1.5].map((allowedIncrease) => policy(every, confidence, allowedIncrease, false)),
      ),
    ),
  ];
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}
