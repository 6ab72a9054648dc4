import { excerpt } from '../../core/text/index.ts';
import type { HistogramCounts, SeriesCounts } from '../metrics-source.ts';
import { type ArmWindow, addWindows, type LatencyWindow, type MeanWindow, noWindow } from './arm-window.ts';

/** One series as last counted. */
interface Remembered {
  readonly id: string;
  /** When its counts were taken. */
  readonly at: number;
  readonly requests: number;
  readonly errors: number;
  /** Without the last edge: Infinity has no JSON. */
  readonly latency?: LatencyWindow;
  readonly predictions: readonly (readonly [string, number])[];
  readonly means: readonly (readonly [string, MeanWindow])[];
  /** Since when it may be counted at all, and its latency: by the look's clock. */
  readonly warmAt: number;
  readonly warmLatencyAt: number;
  readonly seenAt: number;
  /** Over the last difference, to tell a restart from the loss of a part of a sum. */
  readonly perSecond?: number;
}

/** The series of one arm, by their ids. Plain JSON. */
export interface ArmMemory {
  readonly begun: boolean;
  readonly series: readonly Remembered[];
}

export const noMemory: ArmMemory = { begun: false, series: [] };

/** What a reading adds to what was known of one arm. */
export interface ArmDifference {
  readonly memory: ArmMemory;
  readonly window: ArmWindow;
  /** Some series was read anew since the look before. */
  readonly fresh: boolean;
  readonly remarks: readonly string[];
}

/** A series that was not seen for so long is forgotten; when it comes back it is a new one. Milliseconds. */
const forgetAfter = 600_000;
/** A series that began again has at most so many times the requests that its rate would give since. */
const liveliest = 4;
/** And at least so many are believed, whatever the rate was. */
const alwaysBelieved = 20;

/**
 * The counts of an arm since the look before, series by series.
 *
 * - A new series is a starting point: what it counted before is nobody's window. One that appears later than the arm's first reading has to
 *   be `warmUp` old before it counts.
 * - A value that dropped began again: all of it is new, unless it is more than the series can have had since. That is a sum that lost a
 *   part (a fleet's total without one of its pods): a starting point again.
 * - The same or an earlier time of the counts: nothing new.
 * - Values that are no counts (NaN, negative) and histograms that fall are left out and said; what was known stays.
 * - A series that is gone adds nothing. It is remembered for ten minutes.
 * - Errors beyond the requests of a window (counters are not read at one instant) wait for theirs.
 */
export function armDifference(
  before: ArmMemory,
  counts: readonly SeriesCounts[],
  { arm, now, warmUp }: { readonly arm: string; readonly now: number; readonly warmUp: number },
): ArmDifference {
  const remarks: string[] = [];
  const say = (id: string, what: string): void => {
    remarks.push(`${arm} ${excerpt(id)}: ${what}`);
  };
  const known = new Map(before.series.map((series) => [series.id, series]));
  const next = new Map<string, Remembered>();
  const windows: ArmWindow[] = [];
  let fresh = false;
  for (const series of onceEach(counts, say)) {
    const { id } = series;
    const was = known.get(id);
    const seen = checked(series, was, now, say);
    if (seen === undefined) {
      if (was !== undefined) next.set(id, { ...was, seenAt: now });
      continue;
    }
    if (was === undefined) {
      const warmAt = before.begun ? now + warmUp : now;
      next.set(id, { ...seen, warmAt, warmLatencyAt: warmAt });
      if (before.begun && counts.length > 0) say(id, 'is new; counted from now on, once it is warm');
      continue;
    }
    if (seen.at <= was.at) {
      if (seen.at < was.at) say(id, 'came late: its counts are older than those before');
      next.set(id, { ...was, seenAt: now });
      continue;
    }
    fresh = true;
    const { remembered, window } = grown(was, seen, { now, warmUp, say });
    next.set(id, remembered);
    if (now >= remembered.warmAt) windows.push(window);
  }
  for (const [id, was] of known) {
    if (next.has(id)) continue;
    const gone = now - was.seenAt;
    if (gone < forgetAfter) next.set(id, was);
    if (counts.length > 0 && before.series.every((other) => other.seenAt <= was.seenAt)) say(id, 'is gone');
  }
  const series = [...next.values()].sort((one, other) => (one.id < other.id ? -1 : 1));
  return {
    memory: { begun: before.begun || counts.length > 0, series },
    window: windows.reduce(addWindows, noWindow),
    fresh,
    remarks: remarks.sort(),
  };
}

/** In the order of their ids, so that sums of fractions do not depend on the order in which a server tells them. */
function onceEach(counts: readonly SeriesCounts[], say: (id: string, what: string) => void): readonly SeriesCounts[] {
  const times = new Map<string, number>();
  for (const { id } of counts) times.set(id, (times.get(id) ?? 0) + 1);
  for (const [id, found] of times) if (found > 1) say(id, `is there ${found} times; left out`);
  return counts.filter(({ id }) => times.get(id) === 1).toSorted((one, other) => (one.id < other.id ? -1 : 1));
}

const isCount = (value: number): boolean => Number.isFinite(value) && value >= 0;

/** The series as it would be remembered; `undefined`: it cannot be counted at all. Parts that cannot be are as they were. */
function checked(
  series: SeriesCounts,
  was: Remembered | undefined,
  now: number,
  say: (id: string, what: string) => void,
): Remembered | undefined {
  const { id, at, requests, errors } = series;
  if (!isCount(requests) || !isCount(errors) || !Number.isFinite(at)) {
    say(id, 'its requests or errors are no counts; left out of this look');
    return undefined;
  }
  const latency = series.latency === undefined ? undefined : histogramOf(series.latency);
  if (series.latency !== undefined && latency === undefined) say(id, 'its latency is no histogram; left out');
  const classes = Object.entries(series.predictions ?? {});
  const predictions = classes.filter(([, value]) => isCount(value));
  const told = Object.entries(series.means ?? {});
  const means = told.flatMap(([name, mean]): readonly (readonly [string, MeanWindow])[] => {
    const { sum, count: values, squares } = mean;
    const sound = isCount(values) && Number.isFinite(sum) && (squares === undefined || isCount(squares));
    return sound ? [[name, { count: values, sum, ...(squares === undefined ? {} : { squares }) }]] : [];
  });
  if (predictions.length < classes.length || means.length < told.length) {
    say(id, 'some of its predictions or means are no counts; left out');
  }
  const kept = latency ?? was?.latency;
  return {
    id,
    at,
    requests,
    errors,
    ...(kept === undefined ? {} : { latency: kept }),
    predictions: completed(was?.predictions, predictions),
    means: completed(was?.means, means),
    warmAt: was?.warmAt ?? now,
    warmLatencyAt: was?.warmLatencyAt ?? now,
    seenAt: now,
  };
}

/** What is not told this time is as it was. */
function completed<Value>(
  was: readonly (readonly [string, Value])[] | undefined,
  now: readonly (readonly [string, Value])[],
): readonly (readonly [string, Value])[] {
  return [...new Map([...(was ?? []), ...now])].sort(([one], [other]) => (one < other ? -1 : 1));
}

function histogramOf({ edges, cumulative }: HistogramCounts): Remembered['latency'] | undefined {
  const finite = edges.slice(0, -1);
  const total = cumulative.at(-1);
  const sound =
    edges.length === cumulative.length &&
    edges.at(-1) === Number.POSITIVE_INFINITY &&
    finite.every((edge, index) => Number.isFinite(edge) && edge > (finite[index - 1] ?? Number.NEGATIVE_INFINITY)) &&
    cumulative.every((value, index) => isCount(value) && value >= (cumulative[index - 1] ?? 0));
  if (!sound || total === undefined) return undefined;
  return { edges: finite, cumulative: cumulative.slice(0, -1), count: total };
}

function grown(
  was: Remembered,
  seen: Remembered,
  { now, warmUp, say }: { now: number; warmUp: number; say: (id: string, what: string) => void },
): { readonly remembered: Remembered; readonly window: ArmWindow } {
  const seconds = Math.max(0.001, (seen.at - was.at) / 1000);
  const restarted = dropped(was, seen);
  if (restarted && seen.requests > Math.max(alwaysBelieved, liveliest * seconds * (was.perSecond ?? 0))) {
    say(seen.id, 'fell, by less than a restart would; counted from here on');
    return { remembered: { ...seen, perSecond: was.perSecond ?? 0 }, window: noWindow };
  }
  if (restarted) say(seen.id, 'began again from zero');
  const from = restarted ? beginning(was) : was;
  const requests = seen.requests - from.requests;
  const errors = Math.min(requests, seen.errors - from.errors);
  const warmLatencyAt = restarted ? now + warmUp : was.warmLatencyAt;
  const latency = now >= warmLatencyAt ? latencyGrowth(from.latency, seen.latency, requests) : undefined;
  return {
    remembered: { ...seen, errors: from.errors + errors, warmLatencyAt, perSecond: requests / seconds },
    window: {
      requests,
      errors,
      ...(latency === undefined ? {} : { latency }),
      predictions: growthOf(from.predictions, seen.predictions, (before, after) => {
        // A part seen for the first time: it began in this window if that is possible, else its past is nobody's window.
        if (before === undefined) return after <= requests ? after : 0;
        return after - before;
      }).filter(([, value]) => value > 0),
      means: growthOf(from.means, seen.means, (before, after) => meanGrowth(before, after, requests)).filter(
        ([, mean]) => mean.count > 0,
      ),
    },
  };
}

/** Before the first request, with nothing told yet. */
function beginning({ id, at }: Remembered): Remembered {
  return { id, at, requests: 0, errors: 0, predictions: [], means: [], warmAt: 0, warmLatencyAt: 0, seenAt: 0 };
}

function dropped(was: Remembered, seen: Remembered): boolean {
  const fell = <Value>(
    before: readonly (readonly [string, Value])[],
    after: readonly (readonly [string, Value])[],
    size: (value: Value) => number,
  ): boolean => {
    const now = new Map(after);
    return before.some(([name, value]) => {
      const found = now.get(name);
      return found !== undefined && size(found) < size(value);
    });
  };
  return (
    seen.requests < was.requests ||
    seen.errors < was.errors ||
    (was.latency !== undefined && seen.latency !== undefined && seen.latency.count < was.latency.count) ||
    fell(was.predictions, seen.predictions, (value) => value) ||
    fell(was.means, seen.means, (mean) => mean.count)
  );
}

function latencyGrowth(
  before: Remembered['latency'],
  after: Remembered['latency'],
  requests: number,
): LatencyWindow | undefined {
  if (after === undefined) return undefined;
  if (before === undefined) return after.count <= requests ? after : undefined;
  const sameEdges =
    before.edges.length === after.edges.length && before.edges.every((edge, index) => edge === after.edges[index]);
  if (!sameEdges) return undefined;
  const cumulative = after.cumulative.map((value, index) => value - (before.cumulative[index] ?? 0));
  const total = after.count - before.count;
  // One bucket read before, another after a request: a window that is no histogram.
  const sound =
    total > 0 && cumulative.every((value, index) => value >= (cumulative[index - 1] ?? 0) && value <= total);
  return sound ? { edges: after.edges, cumulative, count: total } : undefined;
}

function meanGrowth(before: MeanWindow | undefined, after: MeanWindow, requests: number): MeanWindow {
  if (before === undefined) return after.count <= requests ? after : { count: 0, sum: 0 };
  const squares =
    before.squares === undefined || after.squares === undefined ? undefined : after.squares - before.squares;
  return {
    count: after.count - before.count,
    sum: after.sum - before.sum,
    ...(squares === undefined || squares < 0 ? {} : { squares }),
  };
}

function growthOf<Value>(
  before: readonly (readonly [string, Value])[],
  after: readonly (readonly [string, Value])[],
  growth: (before: Value | undefined, after: Value) => Value,
): readonly (readonly [string, Value])[] {
  const known = new Map(before);
  return after.map(([name, value]) => [name, growth(known.get(name), value)] as const);
}
