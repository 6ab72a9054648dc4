import type { Timetable } from '../../core/onnx/index.ts';
import {
  bootstrapInterval,
  type Interval,
  quantileOfSorted,
  type Weights,
  weightedMedian,
} from '../../core/statistics/index.ts';

/** What is timed: the candidate, the baseline, and a second session of the baseline. */
export type Side = 'candidate' | 'baseline' | 'control';

/** Who times, and by which clock; tests bring their own. */
export interface Stopwatch {
  /** Whether there is a baseline to time. */
  readonly compares: boolean;
  /**
   * Loads sessions anew, in this order, and gives up those of before: another session lies elsewhere in memory, and that alone shifts
   * its speed by a few percent.
   */
  open(sides: readonly Side[]): Promise<void>;
  /** Milliseconds of every call of every visit, in the order of the timetable, as far as its time went. */
  time(timetable: Timetable): Promise<readonly ArrayLike<number>[]>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly progress?: (done: number, total: number) => void;
}

export interface Plan {
  /** No new round begins after this many milliseconds. */
  readonly budget: number;
  /** Calls that the percentiles asked for need. */
  readonly calls: number;
  /** Whether to compare with the baseline. */
  readonly compare: boolean;
  /** Ends the rounds early; asked at each look with the look's level. */
  readonly settled: (ratio: Interval) => boolean;
  readonly seed: string;
}

export interface Latency {
  /** Milliseconds of single calls, warm-up left out. */
  readonly candidate: readonly number[];
  readonly baseline: readonly number[];
  readonly rounds: number;
  /** Median over the rounds of candidate / baseline; absent without a baseline, or with fewer than `fewestRounds`. */
  readonly ratio?: Interval;
  /** The same of the baseline against itself. */
  readonly control?: Interval;
}

/** Rounds after which the comparison is looked at. */
const looks = [30, 60, 90] as const;
/** Three looks at 98.3 % each are together as sure as one at 95 %. */
const levelOfLook = 1 - 0.05 / looks.length;
/** With fewer rounds the bootstrap of their median says nothing. */
export const fewestRounds = 10;
const warmUp = 30;
const callsOfVisit = 3;
/** Each side forwards and backwards. */
const visitsOfRound = 6;
const roundsOfSession = 10;
/** Calls of the candidate alone between two looks at the clock of whoever asks. */
const callsAtOnce = 100;
/** A share of the budget that the rounds may take; the rest is for the calls that percentiles still need. */
const shareOfRounds = 0.7;

/**
 * Times a candidate and, side by side with it, its baseline. In every round each is visited forwards and backwards (ABBA, the order of
 * the sides rotating), so that a machine that slows down or is shared slows both alike; a round's result is the ratio of the two medians. A second session of the
 * baseline runs along as a control: baseline against baseline must come out as 1. Sessions are loaded anew every ten rounds, in turned
 * order.
 */
export async function measureLatency(stopwatch: Stopwatch, plan: Plan): Promise<Latency> {
  const { budget } = plan;
  const start = stopwatch.now();
  const left = (of: number) => Math.max(0, start + of - stopwatch.now());
  const times: Record<Side, number[]> = { candidate: [], baseline: [], control: [] };
  const ratios: number[] = [];
  const controls: number[] = [];
  let result: Pick<Latency, 'ratio' | 'control'> = {};
  let rounds = 0;
  if (plan.compare && stopwatch.compares) {
    const most = looks.at(-1) ?? 0;
    const ofRounds = budget * shareOfRounds;
    while (rounds < most && (left(ofRounds) > 0 || rounds === 0)) {
      if (rounds % roundsOfSession === 0) {
        await stopwatch.open((rounds / roundsOfSession) % 2 === 0 ? sides : sides.toReversed());
        await stopwatch.time({ rounds: Array(warmUp).fill(sides), calls: 1, milliseconds: left(ofRounds) });
      }
      const next = Array.from({ length: roundsOfSession - (rounds % roundsOfSession) }, (_, at) =>
        orderOf(rounds + at),
      );
      const visits = await stopwatch.time({ rounds: next, calls: callsOfVisit, milliseconds: left(ofRounds) });
      for (const [at, order] of next.slice(0, visits.length / visitsOfRound).entries()) {
        const round: Record<Side, number[]> = { candidate: [], baseline: [], control: [] };
        for (const [visit, side] of order.entries()) {
          round[side].push(...Array.from(visits[at * visitsOfRound + visit] ?? []));
        }
        for (const side of sides) times[side].push(...round[side]);
        ratios.push(Math.log(median(round.candidate) / median(round.baseline)));
        controls.push(Math.log(median(round.control) / median(round.baseline)));
        rounds++;
      }
      stopwatch.progress?.(rounds, most);
      if (!looks.some((look) => look === rounds)) continue;
      result = resultOf(ratios, controls, plan.seed);
      if (result.ratio !== undefined && plan.settled(result.ratio)) break;
    }
    if (result.ratio?.n !== rounds) result = resultOf(ratios, controls, plan.seed);
  }
  await fill(stopwatch, times.candidate, plan.calls, () => left(budget));
  return { candidate: times.candidate, baseline: times.baseline, rounds, ...result };
}

const sides: readonly Side[] = ['candidate', 'baseline', 'control'];

/** Forwards and backwards, beginning with another side each round. */
function orderOf(round: number): readonly Side[] {
  const turn = round % sides.length;
  const forwards = [...sides.slice(turn), ...sides.slice(0, turn)];
  return [...forwards, ...forwards.toReversed()];
}

/** The calls that the rounds did not make: of the candidate alone. */
async function fill(stopwatch: Stopwatch, times: number[], calls: number, left: () => number): Promise<void> {
  if (times.length >= calls) return;
  await stopwatch.open(['candidate']);
  const alone = (count: number): Timetable => ({
    rounds: Array(count).fill(['candidate']),
    calls: 1,
    milliseconds: left(),
  });
  await stopwatch.time(alone(warmUp));
  while (times.length < calls && left() > 0) {
    for (const visit of await stopwatch.time(alone(Math.min(callsAtOnce, calls - times.length)))) {
      times.push(...Array.from(visit));
    }
    stopwatch.progress?.(times.length, calls);
  }
}

function resultOf(
  ratios: readonly number[],
  controls: readonly number[],
  seed: string,
): Pick<Latency, 'ratio' | 'control'> {
  if (ratios.length < fewestRounds) return {};
  return { ratio: ratioOf(ratios, `${seed}/ratio`), control: ratioOf(controls, `${seed}/control`) };
}

/** The bootstrap of the median log-ratio over rounds, back on the scale of ratios. */
function ratioOf(logRatios: readonly number[], seed: string): Interval {
  const statistic = weightedMedian(logRatios);
  const interval = bootstrapInterval((weights: Weights) => statistic(weights), {
    weights: new Float64Array(logRatios.length).fill(1),
    level: levelOfLook,
    seed,
  });
  return {
    ...interval,
    estimate: Math.exp(interval.estimate),
    lower: Math.exp(interval.lower),
    upper: Math.exp(interval.upper),
    method: `bootstrap of the median log-ratio over ${logRatios.length} interleaved rounds`,
  };
}

function median(values: readonly number[]): number {
  return quantileOfSorted(Float64Array.from(values).sort(), 0.5);
}
