import { numberOf } from './exposition-line.ts';
import type { Labels, Sample } from './metric-family.ts';
import type { ExactMatcher } from './promql-text.ts';
import type { Selector } from './query.ts';
import type {
  Distribution,
  ErrorClass,
  MeasureUnit,
  Outcome,
  RequestCounter,
  ServingProfile,
} from './serving-profile.ts';
import { isWhere, outcomeOf } from './value-pattern.ts';

/** Something measured, counted up: seconds or rows. */
export interface Measured {
  /** How many. */
  readonly count: number;
  /** All of them together, in seconds (of a batch: rows). */
  readonly sum: number;
  /** How many were at most `le` seconds, ascending, the last of them Infinity. Absent if the server counts in no buckets. */
  readonly buckets?: readonly { readonly le: number; readonly count: number }[];
}

/** What was counted. */
export interface Counters {
  readonly requests: number;
  /** Absent if the server does not count them so. */
  readonly success?: number;
  /** By whose fault. Absent if the server does not count them so. */
  readonly errors?: Readonly<Record<ErrorClass, number>>;
  readonly latency?: Measured;
  readonly queue?: Measured;
  /** `count` batches had `sum` rows. */
  readonly batch?: Measured;
}

/** What was counted for one version of a model. A version the series don't tell is what the caller said of the target, or empty. */
export interface VersionCounters extends Counters {
  readonly model: string;
  readonly version: string;
}

/** One series that matters, and what it counts. */
export interface CounterSeries {
  /** The target, the name and the labels: the same series has the same key at the next reading. */
  readonly key: string;
  /** What is reset together: all of one histogram. */
  readonly group: string;
  readonly target: string;
  readonly model: string;
  readonly version: string;
  readonly parts: readonly Part[];
  readonly value: number;
}

type Measure = 'latency' | 'queue' | 'batch';

type Part =
  | { readonly of: 'requests' }
  | { readonly of: 'outcome'; readonly outcome: Outcome; readonly wide: boolean }
  | {
      readonly of: Measure;
      readonly wide: boolean;
      /** Which of a profile's distributions: they are not mixed. */
      readonly source: number;
      readonly is: 'sum' | 'count' | { readonly le: number };
      /** To divide by for seconds. */
      readonly divisor: number;
    };

/** A process that was read. */
export interface ReadTarget {
  readonly name: string;
  /** When it was read, in milliseconds since the epoch. */
  readonly at: number;
  /** When its process began, if it shows that (`process_start_time_seconds`), likewise. */
  readonly startedAt?: number;
}

/** What the counters of one or more targets showed at one time. */
export interface CounterReading {
  readonly targets: readonly ReadTarget[];
  readonly series: readonly CounterSeries[];
  /** Since each process began, added up over the targets. */
  readonly versions: readonly VersionCounters[];
  /** Of the whole servers, where a server counts what it does not tell by model. */
  readonly server?: Counters;
}

/** What the caller knows of the target that was read. */
export interface TargetFacts {
  /** Tells targets apart: the pod's name, or its address. Default: empty, for the only one. */
  readonly name?: string;
  /** When it was read, in milliseconds since the epoch. */
  readonly at: number;
  /** For servers that do not name model or version in their series. */
  readonly model?: string;
  readonly version?: string;
}

/**
 * Picks from what a target shows what a profile knows, for each model and version. Of two samples of the same series the first counts, as
 * in Prometheus; values that are no counts (NaN, negative, infinite) are left out.
 * @param samples of one target: `parseExposition(text).samples`
 * @param selector which of them; namespace and pod are not in what a server shows
 */
export function countersOf(
  profile: ServingProfile,
  samples: readonly Sample[],
  target: TargetFacts,
  selector: Pick<Selector<ExactMatcher>, 'model' | 'version' | 'labels'> = {},
): CounterReading {
  const roles = rolesOf(profile);
  const name = target.name ?? '';
  const series = new Map<string, CounterSeries>();
  let startedAt: number | undefined;
  for (const sample of samples) {
    const { labels, value } = sample;
    if (sample.name === 'process_start_time_seconds' && value > 0) startedAt ??= value * 1000;
    if (!Number.isFinite(value) || value < 0) continue;
    const { model: modelLabel, version: versionLabel } = profile.labels;
    const model = (modelLabel === undefined ? target.model : labels[modelLabel]) ?? '';
    const version = (versionLabel === undefined ? target.version : labels[versionLabel]) ?? '';
    const parts = (roles.get(sample.name) ?? []).flatMap((role) => {
      const wanted =
        isWhere(labels, role.where) &&
        agrees(selector.labels, labels) &&
        (role.wide || (matches(selector.model, model) && matches(selector.version, version)));
      const part = wanted ? role.part(labels) : undefined;
      return part === undefined ? [] : [part];
    });
    if (parts.length === 0) continue;
    const key = keyOf(name, sample.name, labels);
    if (series.has(key)) continue;
    series.set(key, { key, group: groupOf(name, sample, parts), target: name, model, version, parts, value });
  }
  return readingOf([{ name, at: target.at, ...(startedAt === undefined ? {} : { startedAt }) }], [...series.values()]);
}

/** Readings of several targets as one. */
export function mergeReadings(readings: readonly CounterReading[]): CounterReading {
  return readingOf(
    readings.flatMap(({ targets }) => targets),
    readings.flatMap(({ series }) => series),
  );
}

/** Adds series up, those of each version and those of whole servers. */
export function totalsOf(series: readonly CounterSeries[]): Pick<CounterReading, 'versions' | 'server'> {
  const byVersion = grouped(
    series.filter(({ parts }) => parts.some((part) => !isWide(part))),
    ({ model, version }) => JSON.stringify([model, version]),
  );
  const versions = [...byVersion.values()].flatMap((own) => {
    const [first] = own;
    return first === undefined ? [] : [{ model: first.model, version: first.version, ...addedUp(own, false) }];
  });
  const wide = series.filter(({ parts }) => parts.some(isWide));
  return { versions, ...(wide.length === 0 ? {} : { server: addedUp(wide, true) }) };
}

function readingOf(targets: readonly ReadTarget[], series: readonly CounterSeries[]): CounterReading {
  return { targets, series, ...totalsOf(series) };
}

function addedUp(series: readonly CounterSeries[], wide: boolean): Counters {
  const outcomes: Partial<Record<Outcome, number>> = {};
  let requests = 0;
  for (const { parts, value } of series) {
    for (const part of parts) {
      if (isWide(part) !== wide) continue;
      if (part.of === 'requests') requests += value;
      if (part.of !== 'outcome') continue;
      outcomes[part.outcome] = (outcomes[part.outcome] ?? 0) + value;
      if (wide) requests += value;
    }
  }
  const { success = 0, client = 0, server = 0, unclear = 0 } = outcomes;
  const told = Object.keys(outcomes).length > 0;
  const [latency, queue, batch] = (['latency', 'queue', 'batch'] as const).map((of) => measured(series, of, wide));
  return {
    requests,
    ...(told ? { success, errors: { client, server, unclear } } : {}),
    ...(latency === undefined ? {} : { latency }),
    ...(queue === undefined ? {} : { queue }),
    ...(batch === undefined ? {} : { batch }),
  };
}

/** Of what a server shows of the same thing, buckets say most. */
function measured(series: readonly CounterSeries[], of: Measure, wide: boolean): Measured | undefined {
  const values = series.flatMap(({ parts, value, group }) =>
    parts.flatMap((part) => (part.of === of && part.wide === wide ? [{ ...part, value, group }] : [])),
  );
  const sources = grouped(values, ({ source }) => source);
  const best =
    [...sources.values()].find((own) => own.some(({ is }) => typeof is === 'object')) ?? [...sources.values()][0];
  if (best === undefined) return undefined;
  const total = (which: 'sum' | 'count') =>
    best.reduce((all, { is, value, divisor }) => all + (is === which ? value / (which === 'sum' ? divisor : 1) : 0), 0);
  const bounded = best.flatMap(({ is, ...rest }) =>
    typeof is === 'object' ? [{ le: is.le / rest.divisor, ...rest }] : [],
  );
  const groups = new Set(bounded.map(({ group }) => group)).size;
  const buckets = [...grouped(bounded, ({ le }) => le)]
    // A bound that one process has and another has not cannot be added up.
    .filter(([, own]) => new Set(own.map(({ group }) => group)).size === groups)
    .map(([le, own]) => ({ le, count: own.reduce((all, { value }) => all + value, 0) }))
    .toSorted((one, other) => one.le - other.le);
  return { count: total('count'), sum: total('sum'), ...(buckets.length === 0 ? {} : { buckets }) };
}

interface Role {
  readonly where: RequestCounter['where'];
  readonly wide: boolean;
  part(labels: Labels): Part | undefined;
}

/** What each name of a series means to a profile. One name may mean several things. */
function rolesOf(profile: ServingProfile): ReadonlyMap<string, readonly Role[]> {
  const roles = new Map<string, Role[]>();
  const add = (series: string, role: Role): void => {
    const known = roles.get(series);
    if (known === undefined) roles.set(series, [role]);
    else known.push(role);
  };
  for (const { series, where } of profile.requests)
    add(series, { where, wide: false, part: () => ({ of: 'requests' }) });
  const outcomes = (counters: readonly RequestCounter[], wide: boolean): void => {
    for (const counter of counters)
      add(counter.series, {
        where: counter.where,
        wide,
        part(labels) {
          const outcome = outcomeOf(counter, labels);
          return outcome === undefined ? undefined : { of: 'outcome', outcome, wide };
        },
      });
  };
  outcomes(profile.outcomes ?? [], false);
  outcomes(profile.serverOutcomes ?? [], true);
  const measure = (of: Measure, distribution: Distribution, source: number): void => {
    const wide = distribution.scope === 'server';
    const facts = { of, wide, source, divisor: divisorOf(distribution.unit) } as const;
    const role = (part: Role['part']): Role => ({ where: distribution.where, wide, part });
    const total = distribution.kind === 'total';
    add(
      total ? distribution.sum : `${distribution.series}_sum`,
      role(() => ({ ...facts, is: 'sum' })),
    );
    add(
      total ? distribution.count : `${distribution.series}_count`,
      role(() => ({ ...facts, is: 'count' })),
    );
    if (distribution.kind !== 'histogram') return;
    const bucket = role((labels) => {
      const le = numberOf(labels['le'] ?? '');
      return le === undefined || Number.isNaN(le) ? undefined : { ...facts, is: { le } };
    });
    add(`${distribution.series}_bucket`, bucket);
  };
  for (const [source, distribution] of profile.latency.entries()) measure('latency', distribution, source);
  if (profile.queue !== undefined) measure('queue', profile.queue, 0);
  if (profile.batch !== undefined) measure('batch', profile.batch, 0);
  return roles;
}

function divisorOf(unit: MeasureUnit): number {
  return unit === 'milliseconds' ? 1000 : unit === 'microseconds' ? 1e6 : 1;
}

function isWide(part: Part): boolean {
  return part.of !== 'requests' && part.wide;
}

function matches(matcher: ExactMatcher | undefined, value: string): boolean {
  if (matcher === undefined) return true;
  if (typeof matcher === 'string') return value === matcher;
  return 'not' in matcher ? value !== matcher.not : matcher.anyOf.includes(value);
}

function agrees(wanted: Readonly<Record<string, ExactMatcher>> | undefined, labels: Labels): boolean {
  return Object.entries(wanted ?? {}).every(([name, matcher]) => matches(matcher, labels[name] ?? ''));
}

function keyOf(target: string, name: string, labels: Labels): string {
  return JSON.stringify([target, name, ...Object.entries(labels).toSorted(([one], [other]) => (one < other ? -1 : 1))]);
}

/** A histogram's and a summary's series start again together, whichever of them is seen to drop; a counter by itself. */
function groupOf(target: string, { name, labels }: Sample, parts: readonly Part[]): string {
  if (!parts.some(({ of }) => of !== 'requests' && of !== 'outcome')) return keyOf(target, name, labels);
  const { le: _, ...others } = labels;
  return keyOf(target, name.replace(/_(?:bucket|sum|count)$/, ''), others);
}

/** By key, in the order of the first of each. `Map.groupBy`, which Node 20 does not have. */
function grouped<Item, Key>(items: readonly Item[], keyFor: (item: Item) => Key): ReadonlyMap<Key, readonly Item[]> {
  const groups = new Map<Key, Item[]>();
  for (const item of items) {
    const key = keyFor(item);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [item]);
    else group.push(item);
  }
  return groups;
}
