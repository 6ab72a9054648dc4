import type { Host } from '../../core/host/index.ts';
import type { ModelToTime } from '../../core/onnx/index.ts';
import { durationMs, type EffectivePolicy, policyDefaults } from '../../core/policy/index.ts';
import { describeProblem, ModelError } from '../../core/problem/index.ts';
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
import { boundCheck, type Demand, skipped, unjudged } from './bound-check.ts';
import { tried } from './candidate-and-baseline.ts';
import { coldStartChecks, coldStartDemands, measureColdStarts } from './cold-start-gate.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { evenly } from './figures.ts';
import { absoluteDemand, hardwareNote, type LatencyPolicy, latencyDemand } from './latency-demand.ts';
import { fewestRounds, type Latency, measureLatency, type Plan, type Stopwatch } from './latency-measurement.ts';
import { changeOf } from './metric-gate.ts';
import { fixedRows, readyToTime, type TimedModel, withStopwatch } from './model-timer.ts';
import { counted, numberText } from './number-text.ts';
import type { NoBaseline } from './subject.ts';
import { batchSizes, judgeThroughput, measureThroughput, throughputDemand } from './throughput-gate.ts';

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
    budget: durationMs(policyDefaults.latency.time_budget) ?? 0,
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

/**
 * Judges how long the models take: of single calls, from nothing, and by batch size, and what memory that costs. Each is measured in
 * processes of its own on the first rows of the evaluation data. A model that fails there fails what is measured there, and nothing else.
 */
export async function judgeLatency(
  policy: EffectivePolicy,
  options: {
    readonly candidate: TimedModel;
    readonly baseline: TimedModel | undefined;
    /** Absent where the policy names none. */
    readonly rows: EvaluationRows | undefined;
    readonly noBaseline: NoBaseline;
    readonly level: number | 'off';
    readonly seed: string;
    readonly host: Host;
  },
): Promise<LatencyJudgement> {
  const { candidate, baseline, rows, noBaseline, host } = options;
  const latency = policy.policy.gates?.latency;
  const batch = latency?.batch_size ?? policyDefaults.batch_size;
  const budget = durationMs(latency?.time_budget ?? policyDefaults.latency.time_budget) ?? 0;
  const native = { native: { host } };
  const part = async (
    title: string,
    demands: readonly Demand[],
    measure: (progress: (done: number, total: number) => void) => Promise<LatencyJudgement>,
  ): Promise<LatencyJudgement> => {
    if (demands.length === 0) return { checks: [], figures: [] };
    const progress = host.progress(title);
    try {
      return await measure((done, total) => progress.update(done, total));
    } catch (error) {
      if (!(error instanceof ModelError)) throw error;
      const [problem] = error.problems;
      const why = describeProblem(problem).replace(/\.$/, '');
      return { checks: demands.map((demand) => unjudged(demand, why)), figures: [] };
    } finally {
      progress.end();
    }
  };
  const throughput = throughputDemand(policy);
  const parts = [
    await part('Time the model', latency === undefined ? [] : demandsOfCalls(policy, latency), async (progress) => {
      const ready = await readyToTime(candidate, rows, batch);
      const other = baseline === undefined ? undefined : await tried(() => readyToTime(baseline, rows, batch));
      const [base, none] = other === undefined || !('kind' in other) ? [other, noBaseline] : [undefined, other];
      return withStopwatch({ candidate: ready, baseline: base }, { ...native, progress }, (stopwatch) =>
        latencyChecks(policy, stopwatch, { ...options, noBaseline: none, plan: { budget } }),
      );
    }),
    await part('Start the model', coldStartDemands(policy), async () => ({
      checks: coldStartChecks(
        policy,
        await measureColdStarts(await readyToTime(candidate, rows, batch), budget * shareOfMore, native),
        options.level,
      ),
      figures: [],
    })),
    await part('Fill the model', throughput === undefined ? [] : [throughput], async () => {
      if (throughput === undefined) return { checks: [], figures: [] };
      const fixed = fixedRows(candidate);
      const models: { readonly batch: number; readonly model: ModelToTime }[] = [];
      for (const size of fixed === undefined ? batchSizes : [fixed]) {
        models.push({ batch: size, model: await readyToTime(candidate, rows, size) });
      }
      return judgeThroughput(
        policy,
        throughput,
        await measureThroughput(models, budget * shareOfMore, native),
        options,
      );
    }),
  ];
  return { checks: parts.flatMap(({ checks }) => checks), figures: parts.flatMap(({ figures }) => figures) };
}

/** Cold starts and throughput may each take this share of the time budget beside it. */
const shareOfMore = 0.25;

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
  const demand = demandOfPercentile(policy, latency, key, bound);
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
    note: hardwareNote(policy),
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
  const demand = demandOfChange(policy, latency);
  if (measured.rounds === 0) return (noBaseline.kind === 'absent' ? skipped : unjudged)(demand, noBaseline.why);
  return speedCheck(demand, measured, allowed, level, "the baseline's");
}

/** The check that a comparison side by side makes; `allowed` is the largest ratio. `whose` is what the other side is called. */
export function speedCheck(
  demand: Demand,
  measured: Latency,
  allowed: number,
  level: number | 'off',
  whose: "the baseline's" | "the model's",
): Check {
  const { ratio, control } = measured;
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
    ...(demand.unit === 'ratio' ? { observed: ratio.estimate } : { observed, baseline }),
    interval: level === 'off' ? exactInterval(ratio.estimate, ratio.n, 'point') : ratio,
    against: { kind: 'max', value: allowed },
    intervalUnit: 'ratio',
    ...(astray ? { status: 'inconclusive' as const } : {}),
    said: `A call takes ${numberText(ratio.estimate, allowed)} times as long as ${whose}, ${numberText(Math.abs(ratio.estimate - 1) * 100)} % ${slower ? 'slower' : 'faster'}, in ${counted(ratio.n, 'interleaved round')}`,
    note: astray
      ? `This machine is unfit for the comparison: ${whose.slice(0, -2)} against itself came out between ${numberText(control.lower)} and ${numberText(control.upper)} times`
      : `Control, ${whose.slice(0, -2)} against itself: between ${numberText(control.lower)} and ${numberText(control.upper)} times`,
  });
}

function demandOfPercentile(
  policy: EffectivePolicy,
  latency: LatencyPolicy,
  key: (typeof absolutes)[number][0],
  bound: number,
): Demand {
  return absoluteDemand(
    policy,
    latency,
    key,
    { kind: 'max', value: bound },
    `latency ${key.slice(0, -3)} ≤ ${bound} ms`,
  );
}

function demandOfChange(policy: EffectivePolicy, latency: LatencyPolicy): Demand {
  const bound: Bound = {
    kind: 'max_regression',
    value: changeOf(latency.max_regression ?? '0%').change,
    relative: true,
  };
  return latencyDemand(policy, latency, 'max_regression', bound, `latency at most ${latency.max_regression} worse`);
}

/** What the policy asks of single calls. */
function demandsOfCalls(policy: EffectivePolicy, latency: LatencyPolicy): readonly Demand[] {
  return [
    ...absolutes.flatMap(([key]) => {
      const bound = latency[key];
      return bound === undefined ? [] : [demandOfPercentile(policy, latency, key, bound)];
    }),
    ...(latency.max_regression === undefined ? [] : [demandOfChange(policy, latency)]),
  ];
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
