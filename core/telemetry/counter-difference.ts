import { type CounterReading, type CounterSeries, type Counters, totalsOf, type VersionCounters } from './counters.ts';

/** Milliseconds by which a process may tell its own beginning differently. */
const sameStart = 500;

/** What happened between two readings. */
export interface CounterDifference {
  /** Milliseconds from the earliest target of the first reading to the latest of the second. */
  readonly milliseconds: number;
  readonly versions: readonly VersionCounters[];
  readonly server?: Counters;
  /** Targets seen for the first time that were running before: what they counted until now is not known to be new, and is left out. */
  readonly firstSeen: readonly string[];
  /** Targets of the first reading that are gone. What they counted after it is lost. */
  readonly vanished: readonly string[];
  /** Targets where something began again from zero. What they counted between the first reading and that is lost. */
  readonly reset: readonly string[];
}

/**
 * What was counted between two readings of the same targets, series by series, as Prometheus' `increase` does but without its guess at
 * the edges of the window: a value that dropped began again, so all of it is new. All series of a histogram begin again together. Where a
 * process tells when it began, a restart is seen even if the counter has already passed its old value.
 *
 * A series that is new in a target read before began at zero and counts whole (`rate` would miss it, and with it the first error). A
 * target that is new counts whole if its process began after the first reading; otherwise it counts from the next difference on.
 */
export function difference(before: CounterReading, after: CounterReading): CounterDifference {
  const earlier = new Map(before.series.map((series) => [series.key, series]));
  const known = new Map(before.targets.map((target) => [target.name, target]));
  const since = Math.min(...before.targets.map(({ at }) => at));
  const until = Math.max(...after.targets.map(({ at }) => at));
  const fresh = new Set<string>();
  const restarted = new Set<string>();
  const firstSeen: string[] = [];
  for (const { name, startedAt } of after.targets) {
    const was = known.get(name);
    if (was === undefined) {
      if (startedAt !== undefined && startedAt >= since) fresh.add(name);
      else firstSeen.push(name);
    } else if (startedAt !== undefined && startedAt > (was.startedAt ?? was.at) + sameStart) restarted.add(name);
  }
  const dropped = new Set(
    after.series.filter(({ key, value }) => value < (earlier.get(key)?.value ?? 0)).map(({ group }) => group),
  );
  const reset = new Set(restarted);
  const grown = after.series.flatMap((series): readonly CounterSeries[] => {
    const { key, group, target, value } = series;
    const was = earlier.get(key);
    if (!known.has(target)) return fresh.has(target) ? [series] : [];
    if (was === undefined || restarted.has(target)) return [series];
    if (!dropped.has(group)) return [{ ...series, value: value - was.value }];
    reset.add(target);
    return [series];
  });
  const here = new Set(after.targets.map(({ name }) => name));
  return {
    milliseconds: Math.max(0, until - since) || 0,
    ...totalsOf(grown),
    firstSeen,
    vanished: before.targets.map(({ name }) => name).filter((name) => !here.has(name)),
    reset: [...reset],
  };
}
