import { type ModelToTime, Timer, type TimerOptions } from '../../core/onnx/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import type { Check, Figure } from '../../core/report/index.ts';
import { bootstrapInterval, exactInterval, type Interval, type Weights } from '../../core/statistics/index.ts';
import { boundCheck, type Demand, skipped } from './bound-check.ts';
import { absoluteDemand, hardwareNote } from './latency-demand.ts';
import { counted, numberText } from './number-text.ts';

/** Rows a call, where the model leaves them to the caller. */
export const batchSizes: readonly number[] = [1, 8, 32, 128];
const rounds = 30;
const fewestRounds = 10;
const callsOfVisit = 3;
const warmUp = 3;

/** Milliseconds of a call at one batch size: the mean of each round's calls. */
export interface BatchTimes {
  readonly batch: number;
  readonly ms: readonly number[];
}

/** Calls the model at each batch size in turn, in one session, forwards and backwards, until there are rounds enough or the time is over. */
export async function measureThroughput(
  models: readonly { readonly batch: number; readonly model: ModelToTime }[],
  budget: number,
  options: TimerOptions = {},
): Promise<readonly BatchTimes[]> {
  await using timer = await Timer.start(options);
  const seats: string[] = [];
  for (const { batch, model } of models) {
    await timer.open(`${batch}`, model, seats[0]);
    seats.push(`${batch}`);
  }
  const start = performance.now();
  await timer.time({ rounds: Array(warmUp).fill(seats), calls: 1, milliseconds: budget / 4 });
  const visits = await timer.time({
    rounds: Array.from({ length: rounds }, () => [...seats, ...seats.toReversed()]),
    calls: callsOfVisit,
    milliseconds: Math.max(0, start + budget - performance.now()),
  });
  const visitsOfRound = 2 * seats.length;
  const done = visits.length / visitsOfRound;
  return models.map(({ batch }, at) => ({
    batch,
    ms: Array.from({ length: done }, (_, round) => {
      const first = round * visitsOfRound;
      const calls = [...(visits[first + at] ?? []), ...(visits[first + visitsOfRound - 1 - at] ?? [])];
      return calls.reduce((sum, ms) => sum + ms, 0) / calls.length;
    }),
  }));
}

export function throughputDemand(policy: EffectivePolicy): Demand | undefined {
  const latency = policy.policy.gates?.latency;
  const bound = latency?.min_throughput;
  if (latency === undefined || bound === undefined) return undefined;
  const title = `throughput ≥ ${bound.toLocaleString('en-US')} rows a second`;
  return absoluteDemand(policy, latency, 'min_throughput', { kind: 'min', value: bound }, title, 'none');
}

/**
 * Rows a second of each batch size, and whether the best of them is enough. Each interval is as much surer as there are batch sizes: the
 * best of several is lucky more often than one is.
 */
export function judgeThroughput(
  policy: EffectivePolicy,
  demand: Demand,
  measured: readonly BatchTimes[],
  { level, seed }: { readonly level: number | 'off'; readonly seed: string },
): { readonly checks: readonly Check[]; readonly figures: readonly Figure[] } {
  const done = measured[0]?.ms.length ?? 0;
  if (done < fewestRounds) {
    const message = `The time budget allowed ${counted(done, 'round')} over the batch sizes, and throughput needs ${fewestRounds}.`;
    return { checks: [{ ...skipped(demand, ''), status: 'inconclusive', message }], figures: [] };
  }
  const table = measured.map(({ batch, ms }) => ({
    batch,
    ...throughputOf(batch, ms, level === 'off' ? level : 1 - (1 - level) / measured.length, `${seed}/${batch}`),
  }));
  const best = table.reduce((one, other) => (other.interval.estimate > one.interval.estimate ? other : one));
  const bound = Number(demand.bound.value);
  const all = table.map(({ batch, interval }) => `${numberText(interval.estimate, bound)} at ${batch}`).join(', ');
  const check = boundCheck(demand, {
    observed: best.interval.estimate,
    interval: best.interval,
    said: `The model does ${numberText(best.interval.estimate, bound)} rows a second on one thread at ${counted(best.batch, 'row')} a call`,
    note: `Rows a second by rows a call: ${all}. ${hardwareNote(policy)}`,
  });
  return {
    checks: [check],
    figures: [
      {
        kind: 'intervals',
        id: 'throughput',
        title: 'Throughput by rows a call',
        metric: 'rows a second',
        bound,
        table: true,
        rows: table.map(({ batch, interval }) => ({
          name: counted(batch, 'row'),
          n: interval.n,
          estimate: interval.estimate,
          lower: interval.lower,
          upper: interval.upper,
        })),
      },
    ],
  };
}

function throughputOf(
  batch: number,
  ms: readonly number[],
  level: number | 'off',
  seed: string,
): { readonly interval: Interval } {
  const mean = (weights?: ArrayLike<number>) => {
    let [sum, total] = [0, 0];
    for (const [at, time] of ms.entries()) {
      const weight = weights === undefined ? 1 : (weights[at] ?? 0);
      sum += weight * time;
      total += weight;
    }
    return (1000 * batch * total) / sum;
  };
  if (level === 'off') return { interval: exactInterval(mean(), ms.length, 'point') };
  return {
    interval: bootstrapInterval((weights: Weights) => mean(weights), {
      weights: new Float64Array(ms.length).fill(1),
      level,
      seed,
    }),
  };
}
