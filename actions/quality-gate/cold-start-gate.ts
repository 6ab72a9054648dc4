import { type ColdStart, coldStartOf, type ModelToTime, type TimerOptions } from '../../core/onnx/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { exactInterval, minimumSamples, percentileInterval, quantileOfSorted } from '../../core/statistics/index.ts';
import { boundCheck, type Demand, skipped } from './bound-check.ts';
import { absoluteDemand, hardwareNote } from './latency-demand.ts';
import { counted, numberText } from './number-text.ts';

/** So many that a median is claimed from them. */
const coldStarts = minimumSamples(0.5);
const megabyte = 1e6;

/** Loads and runs the model in ever new processes, until there are enough of them or the time is over; at least once. */
export async function measureColdStarts(
  model: ModelToTime,
  budget: number,
  options: TimerOptions = {},
): Promise<readonly ColdStart[]> {
  const start = performance.now();
  const starts: ColdStart[] = [];
  while (starts.length < coldStarts && (starts.length === 0 || performance.now() - start < budget)) {
    starts.push(await coldStartOf(model, options));
  }
  return starts;
}

/** Holds the time to the first answer, and the memory it took, against their bounds. */
export function coldStartChecks(
  policy: EffectivePolicy,
  starts: readonly ColdStart[],
  level: number | 'off',
): readonly Check[] {
  return coldStartDemands(policy).map((demand) =>
    demand.id === memoryId ? memoryCheck(demand, starts) : timeCheck(demand, starts, policy, level),
  );
}

const memoryId = 'gate/size/max_memory_mb';

/** What the policy asks of a cold start. */
export function coldStartDemands(policy: EffectivePolicy): readonly Demand[] {
  const { latency, size } = policy.policy.gates ?? {};
  const time = latency?.cold_start_ms;
  const memory = size?.max_memory_mb;
  return [
    ...(latency === undefined || time === undefined
      ? []
      : [
          absoluteDemand(
            policy,
            latency,
            'cold_start_ms',
            { kind: 'max', value: time },
            `cold start ≤ ${time} ms`,
            'ms',
          ),
        ]),
    ...(memory === undefined
      ? []
      : [
          {
            id: memoryId,
            title: `memory ≤ ${memory} MB`,
            bound: { kind: 'max', value: memory },
            unit: 'MB',
            severity: size?.severity,
            reason: size?.reason,
            place: policy.placeOf(['gates', 'size', 'max_memory_mb']),
          } as const,
        ]),
  ];
}

function timeCheck(
  demand: Demand,
  starts: readonly ColdStart[],
  policy: EffectivePolicy,
  level: number | 'off',
): Check {
  const times = starts.map(({ loadMs, firstMs }) => loadMs + firstMs);
  if (starts.length < coldStarts) {
    return {
      ...skipped(demand, ''),
      status: 'inconclusive',
      message: `The time budget allowed ${counted(starts.length, 'cold start')}, and a median is not claimed from fewer than ${coldStarts}.`,
    };
  }
  const median = medianOf(times);
  const interval =
    level === 'off' ? exactInterval(median, times.length, 'point') : percentileInterval(times, 0.5, level);
  const bound = Number(demand.bound.value);
  const part = (of: (start: ColdStart) => number) => numberText(medianOf(starts.map(of)), bound);
  return boundCheck(demand, {
    observed: median,
    interval: interval ?? exactInterval(Number.NaN),
    said: `The median of ${counted(times.length, 'cold start')} is ${numberText(median, bound)} ms, ${part(({ loadMs }) => loadMs)} to load the model and ${part(({ firstMs }) => firstMs)} for the first call`,
    note: `Each in a new process that has ONNX Runtime loaded, the file in the system's cache. ${hardwareNote(policy)}`,
  });
}

/** The most of all starts, since one that runs out of memory is one too many. */
function memoryCheck(demand: Demand, starts: readonly ColdStart[]): Check {
  const grown = Math.max(...starts.map(({ memoryBefore, memoryPeak }) => memoryPeak - memoryBefore)) / megabyte;
  const whole = Math.max(...starts.map(({ memoryPeak }) => memoryPeak)) / megabyte;
  const bound = Number(demand.bound.value);
  return boundCheck(demand, {
    observed: grown,
    interval: exactInterval(grown, starts.length, `the most of ${counted(starts.length, 'start')}`),
    said: `Loading the model and running it once takes at most ${numberText(grown, bound)} MB of memory in ${counted(starts.length, 'new process', 'new processes')}`,
    note: `With Node and ONNX Runtime the process has ${numberText(whole)} MB at its peak`,
  });
}

function medianOf(values: readonly number[]): number {
  return quantileOfSorted(Float64Array.from(values).sort(), 0.5);
}
