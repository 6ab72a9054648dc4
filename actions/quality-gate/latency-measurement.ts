import {
  bootstrapInterval,
  type Interval,
  quantileOfSorted,
  type Weights,
  weightedMedian,
} from '../../core/statistics/index.ts';

/** One model, loaded and ready to be called once more with the same input. */
export interface Timed {
  call(): Promise<void>;
  close(): Promise<void>;
}

/** What is timed, and by which clock; tests bring their own. */
export interface Stopwatch {
  /** Loads the model anew: another session lies elsewhere in memory, and that alone shifts its speed by a few percent. */
  readonly candidate: () => Promise<Timed>;
  readonly baseline?: () => Promise<Timed>;
  /** Milliseconds. */
  readonly now: () => number;
  readonly progress?: (done: number, total: number) => void;
}

export interface Plan {
  /** No new round begins after this many milliseconds; 10,000 when not given. */
  readonly budget?: number;
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
export const levelOfLook = 1 - 0.05 / looks.length;
/** With fewer rounds the bootstrap of their median says nothing. */
export const fewestRounds = 10;
const warmUp = 30;
const callsOfVisit = 3;
const roundsOfSession = 10;
const defaultBudget = 10_000;
/** A share of the budget that the rounds may take; the rest is for the calls that percentiles still need. */
const shareOfRounds = 0.7;

/**
 * Times a candidate and, side by side with it, its baseline. In every round each is visited forwards and backwards (ABBA, the order of
 * the sides rotating), so that a machine that slows down or is shared slows both alike; a round's result is the ratio of the two medians. A second session of the
 * baseline runs along as a control: baseline against baseline must come out as 1. Sessions are loaded anew every ten rounds, in turned
 * order.
 */
export async function measureLatency(stopwatch: Stopwatch, plan: Plan): Promise<Latency> {
  const budget = plan.budget ?? defaultBudget;
  const start = stopwatch.now();
  const spent = () => stopwatch.now() - start;
  const times: Record<Side, number[]> = { candidate: [], baseline: [], control: [] };
  const ratios: number[] = [];
  const controls: number[] = [];
  let result: Pick<Latency, 'ratio' | 'control'> = {};
  let rounds = 0;
  if (plan.compare && stopwatch.baseline !== undefined) {
    const most = looks.at(-1) ?? 0;
    let sessions: Sessions | undefined;
    try {
      while (rounds < most && (spent() < budget * shareOfRounds || rounds === 0)) {
        if (rounds % roundsOfSession === 0) {
          await sessions?.close();
          sessions = await Sessions.open(stopwatch, rounds / roundsOfSession);
          await sessions.warmUp(() => spent() > budget * shareOfRounds);
        }
        const round = (await sessions?.round(stopwatch.now, rounds)) ?? { candidate: [], baseline: [], control: [] };
        for (const side of sides) times[side].push(...round[side]);
        ratios.push(Math.log(median(round.candidate) / median(round.baseline)));
        controls.push(Math.log(median(round.control) / median(round.baseline)));
        rounds++;
        stopwatch.progress?.(rounds, most);
        if (!looks.some((look) => look === rounds)) continue;
        result = resultOf(ratios, controls, plan.seed);
        if (result.ratio !== undefined && plan.settled(result.ratio)) break;
      }
    } finally {
      await sessions?.close();
    }
    if (result.ratio?.n !== rounds) result = resultOf(ratios, controls, plan.seed);
  }
  await fill(stopwatch, times.candidate, plan.calls, () => spent() > budget);
  return { candidate: times.candidate, baseline: times.baseline, rounds, ...result };
}

type Side = 'candidate' | 'baseline' | 'control';
const sides: readonly Side[] = ['candidate', 'baseline', 'control'];

/** The calls that the rounds did not make: of the candidate alone. */
async function fill(stopwatch: Stopwatch, times: number[], calls: number, over: () => boolean): Promise<void> {
  if (times.length >= calls) return;
  const session = await stopwatch.candidate();
  try {
    for (let call = 0; call < warmUp && !over(); call++) await session.call();
    while (times.length < calls && !over()) {
      times.push(await timed(session, stopwatch.now));
      stopwatch.progress?.(times.length, calls);
    }
  } finally {
    await session.close();
  }
}

class Sessions {
  readonly #of: Readonly<Record<Side, Timed>>;

  private constructor(of: Readonly<Record<Side, Timed>>) {
    this.#of = of;
  }

  static async open(stopwatch: Stopwatch, turn: number): Promise<Sessions> {
    const { candidate, baseline } = stopwatch;
    if (baseline === undefined) throw new TypeError('there is no baseline to time');
    const loaders: Readonly<Record<Side, () => Promise<Timed>>> = { candidate, baseline, control: baseline };
    const opened: Partial<Record<Side, Timed>> = {};
    try {
      for (const side of turn % 2 === 0 ? sides : sides.toReversed()) opened[side] = await loaders[side]();
    } catch (error) {
      for (const session of Object.values(opened)) await session.close();
      throw error;
    }
    const { candidate: one, baseline: other, control } = opened;
    if (one === undefined || other === undefined || control === undefined) throw new TypeError('a session is missing');
    return new Sessions({ candidate: one, baseline: other, control });
  }

  async warmUp(over: () => boolean): Promise<void> {
    for (let call = 0; call < warmUp && !over(); call++) for (const side of sides) await this.#of[side].call();
  }

  async round(now: () => number, round: number): Promise<Record<Side, number[]>> {
    const times: Record<Side, number[]> = { candidate: [], baseline: [], control: [] };
    const turn = round % sides.length;
    const forwards = [...sides.slice(turn), ...sides.slice(0, turn)];
    for (const side of [...forwards, ...forwards.toReversed()]) {
      for (let call = 0; call < callsOfVisit; call++) times[side].push(await timed(this.#of[side], now));
    }
    return times;
  }

  async close(): Promise<void> {
    for (const session of Object.values(this.#of)) await session.close();
  }
}

async function timed(session: Timed, now: () => number): Promise<number> {
  const start = now();
  await session.call();
  return now() - start;
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
