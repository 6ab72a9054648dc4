import { tensorOf } from '../../core/evaluation/index.ts';
import type { Host } from '../../core/host/index.ts';
import type { Feeds, Model } from '../../core/onnx/index.ts';
import { isRunnable } from '../../core/onnx/index.ts';
import { type EffectivePolicy, type Gates, policyDefaults } from '../../core/policy/index.ts';
import type { Bound, Check, Figure } from '../../core/report/index.ts';
import {
  bootstrapInterval,
  exactInterval,
  type Interval,
  minimumSamples,
  percentileInterval,
  quantileOfSorted,
  type Weights,
} from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { boundCheck, type Demand, skipped, unjudged } from './bound-check.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { evenly } from './figures.ts';
import { fewestRounds, type Latency, measureLatency, type Plan, type Stopwatch } from './latency-measurement.ts';
import { changeOf } from './metric-gate.ts';
import { firstFeeds, type WiredModel } from './model-run.ts';
import { counted, numberText } from './number-text.ts';
import type { NoBaseline } from './subject.ts';

type LatencyPolicy = NonNullable<Gates['latency']>;

/** A control that is this far from 1 says that the machine cannot be trusted with the comparison. */
const unfit = 0.05;
const mostPoints = 500;

const absolutes = [
  ['p50_ms', 0.5],
  ['p95_ms', 0.95],
  ['p99_ms', 0.99],
  ['mean_ms', undefined],
] as const;

export interface LatencyJudgement {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
}

/**
 * Times the models and holds the times against their bounds. Milliseconds are of this machine: without `hardware` in the policy a broken
 * one only warns. The comparison with the baseline is of both on this machine, side by side, and fails.
 */
export async function latencyChecks(
  policy: EffectivePolicy,
  stopwatch: Stopwatch,
  options: {
    readonly noBaseline: NoBaseline;
    readonly level: number | 'off';
    readonly seed: string;
    readonly plan?: Partial<Plan>;
  },
): Promise<LatencyJudgement> {
  const latency = policy.policy.gates?.latency;
  if (latency === undefined) return { checks: [], figures: [] };
  const allowed = latency.max_regression === undefined ? undefined : 1 + changeOf(latency.max_regression).change;
  const measured = await measureLatency(stopwatch, {
    calls: callsFor(latency),
    compare: allowed !== undefined,
    settled: (ratio) => allowed === undefined || ratio.lower > allowed || ratio.upper <= allowed,
    seed: options.seed,
    ...options.plan,
  });
  const checks: Check[] = absolutes.flatMap(([key, probability]) => {
    const bound = latency[key];
    return bound === undefined ? [] : [absolute(key, probability, bound, latency, measured, policy, options)];
  });
  if (allowed !== undefined) {
    checks.push(regression(allowed, latency, measured, policy, options));
  }
  return { checks, figures: figuresOf(measured) };
}

export interface ModelToTime {
  readonly model: Pick<Model, 'inputs' | 'outputs' | 'forTiming'>;
  /** Absent where there are no rows to feed it. */
  readonly wired: WiredModel | undefined;
}

/** Feeds both models the first rows of the evaluation data (zeros where there is none) and judges their times. */
export async function judgeLatency(
  policy: EffectivePolicy,
  options: {
    readonly candidate: ModelToTime;
    readonly baseline: ModelToTime | undefined;
    readonly rows: EvaluationRows | undefined;
    readonly noBaseline: NoBaseline;
    readonly level: number | 'off';
    readonly seed: string;
    readonly host: Host;
  },
): Promise<LatencyJudgement> {
  const { candidate, baseline, rows, host } = options;
  const batch = policy.policy.gates?.latency?.batch_size ?? policyDefaults.batch_size;
  const progress = host.progress('Time the model');
  try {
    const stopwatch: Stopwatch = {
      candidate: await timedModel(candidate, rows, batch),
      ...(baseline === undefined ? {} : { baseline: await timedModel(baseline, rows, batch) }),
      now: () => performance.now(),
      progress: (done, total) => progress.update(done, total),
    };
    return await latencyChecks(policy, stopwatch, options);
  } finally {
    progress.end();
  }
}

async function timedModel(
  { wired, model }: ModelToTime,
  rows: EvaluationRows | undefined,
  batch: number,
): Promise<Stopwatch['candidate']> {
  const feeds =
    wired === undefined || rows === undefined ? zeroFeeds(model, batch) : await firstFeeds(wired, rows, batch);
  const outputs = wired?.outputs ?? model.outputs.filter(({ type }) => isRunnable(type)).map(({ name }) => name);
  return () => model.forTiming(feeds, outputs);
}

/** Zeros and empty texts in the shapes that the model declares; `batch` for the first size that it leaves open, 1 for others. */
function zeroFeeds(model: Pick<Model, 'inputs'>, batch: number): Feeds {
  return Object.fromEntries(
    model.inputs.flatMap(({ name, type, shape }) => {
      if (!isRunnable(type)) return [];
      const dims = shape.map((size, at) => (typeof size === 'number' ? size : at === 0 ? batch : 1));
      return [[name, tensorOf(type, dims, () => (type === 'string' ? '' : 0))]];
    }),
  );
}

function callsFor(latency: LatencyPolicy): number {
  const wanted = absolutes.filter(([key]) => latency[key] !== undefined);
  return Math.max(
    0,
    ...wanted.map(([, probability]) => (probability === undefined ? 100 : Math.max(100, minimumSamples(probability)))),
  );
}

function absolute(
  key: (typeof absolutes)[number][0],
  probability: number | undefined,
  bound: number,
  latency: LatencyPolicy,
  measured: Latency,
  policy: EffectivePolicy,
  { level, seed }: { readonly level: number | 'off'; readonly seed: string },
): Check {
  const title = `latency ${key.slice(0, -3)} ≤ ${bound} ms`;
  const onDeclared = latency.hardware !== undefined;
  const demand = demandOf(
    key,
    { kind: 'max', value: bound },
    title,
    latency,
    policy,
    onDeclared ? latency.severity : 'warn',
  );
  const calls = measured.candidate.length;
  const least = probability === undefined ? 10 : minimumSamples(probability);
  if (calls < least) {
    return {
      ...skipped(demand, ''),
      status: 'inconclusive',
      message: `The time budget allowed ${counted(calls, 'call')}, and ${key.slice(0, -3)} is not claimed from fewer than ${least}.`,
    };
  }
  const interval = intervalOf(measured.candidate, probability, level, `${seed}/${key}`);
  return boundCheck(demand, {
    observed: interval.estimate,
    ...(measured.baseline.length < least
      ? {}
      : { baseline: intervalOf(measured.baseline, probability, 'off', seed).estimate }),
    interval,
    said: `${key.slice(0, -3)} of ${counted(calls, 'call')} is ${numberText(interval.estimate, bound)} ms`,
    note: onDeclared
      ? `Measured on ${excerpt(latency.hardware ?? '', 80)}`
      : 'The policy names no hardware, so milliseconds can only warn',
  });
}

function intervalOf(
  times: readonly number[],
  probability: number | undefined,
  level: number | 'off',
  seed: string,
): Interval {
  const point =
    probability === undefined ? mean(times) : quantileOfSorted(Float64Array.from(times).sort(), probability);
  if (level === 'off') return exactInterval(point, times.length, 'point');
  if (probability !== undefined) return percentileInterval(times, probability, level) ?? exactInterval(Number.NaN);
  return bootstrapInterval((weights: Weights) => mean(times, weights), {
    weights: new Float64Array(times.length).fill(1),
    level,
    seed,
  });
}

function regression(
  allowed: number,
  latency: LatencyPolicy,
  measured: Latency,
  policy: EffectivePolicy,
  { noBaseline, level }: { readonly noBaseline: NoBaseline; readonly level: number | 'off' },
): Check {
  const bound: Bound = {
    kind: 'max_regression',
    value: changeOf(latency.max_regression ?? '0%').change,
    relative: true,
  };
  const title = `latency at most ${latency.max_regression} worse`;
  const demand = demandOf('max_regression', bound, title, latency, policy, latency.severity);
  const { ratio, control } = measured;
  if (measured.rounds === 0) return (noBaseline.kind === 'absent' ? skipped : unjudged)(demand, noBaseline.why);
  if (ratio === undefined || control === undefined) {
    return {
      ...skipped(demand, ''),
      status: 'inconclusive',
      message: `The time budget allowed ${counted(measured.rounds, 'round')}, and the comparison needs ${fewestRounds}.`,
    };
  }
  const astray = control.lower > 1 + unfit || control.upper < 1 / (1 + unfit);
  const observed = quantileOfSorted(Float64Array.from(measured.candidate).sort(), 0.5);
  const baseline = quantileOfSorted(Float64Array.from(measured.baseline).sort(), 0.5);
  const slower = ratio.estimate >= 1;
  return boundCheck(demand, {
    observed,
    baseline,
    interval: level === 'off' ? exactInterval(ratio.estimate, ratio.n, 'point') : ratio,
    against: { kind: 'max', value: allowed },
    intervalUnit: 'ratio',
    ...(astray ? { status: 'inconclusive' as const } : {}),
    said: `A call takes ${numberText(ratio.estimate, allowed)} times as long as the baseline's, ${numberText(Math.abs(ratio.estimate - 1) * 100)} % ${slower ? 'slower' : 'faster'}, in ${counted(ratio.n, 'interleaved round')}`,
    note: astray
      ? `This machine is unfit for the comparison: the baseline against itself came out between ${numberText(control.lower)} and ${numberText(control.upper)} times`
      : `Control, the baseline against itself: between ${numberText(control.lower)} and ${numberText(control.upper)} times`,
  });
}

function demandOf(
  key: string,
  bound: Bound,
  title: string,
  latency: LatencyPolicy,
  policy: EffectivePolicy,
  severity: Demand['severity'],
): Demand {
  return {
    id: `gate/latency/${key}`,
    title,
    bound,
    unit: 'ms',
    severity,
    reason: latency.reason,
    place: policy.placeOf(['gates', 'latency', key]),
  };
}

function figuresOf({ candidate, baseline }: Latency): readonly Figure[] {
  if (candidate.length === 0) return [];
  const sorted = (times: readonly number[]) => evenly(Float64Array.from(times).sort(), mostPoints);
  return [
    {
      kind: 'latency',
      id: 'latency',
      title: 'Latency of single calls',
      series: [
        { name: 'candidate', ms: sorted(candidate) },
        ...(baseline.length === 0 ? [] : [{ name: 'baseline' as const, ms: sorted(baseline) }]),
      ],
    },
  ];
}

function mean(values: ArrayLike<number>, weights?: ArrayLike<number>): number {
  let sum = 0;
  let total = 0;
  for (let index = 0; index < values.length; index++) {
    const weight = weights === undefined ? 1 : (weights[index] ?? 0);
    sum += weight * (values[index] ?? 0);
    total += weight;
  }
  return sum / total;
}
