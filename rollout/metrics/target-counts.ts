import {
  type Counters,
  countersOf,
  type Labels,
  ownErrors,
  type Sample,
  type ServingProfile,
  servingMetrics,
} from '../../core/telemetry/index.ts';
import type { HistogramCounts, SeriesCounts } from '../metrics-source.ts';

/** Which samples of a target count. */
export interface SampleChoice {
  /** Of a server with several models. */
  readonly model?: string | undefined;
  /** Of a server with several versions of a model. */
  readonly version?: string | undefined;
  /** By the series' own label names. */
  readonly labels?: Readonly<Record<string, string>> | undefined;
}

/**
 * What one target counted of a model, as one series; `undefined` if it shows nothing of it. Errors are those that are not the client's;
 * where a server tells them only for all its models together, its requests count so, too.
 */
export function countsOfTarget(
  profile: ServingProfile,
  samples: readonly Sample[],
  target: { readonly id: string; readonly at: number },
  choice: SampleChoice = {},
): SeriesCounts | undefined {
  const chosen = samples.filter(({ labels }) => isChosen(profile, labels, choice));
  // Without its labels for model and version a profile adds all of them up.
  const reading = countersOf({ ...profile, labels: {} }, chosen, { at: target.at });
  const [own] = reading.versions;
  const counted = own?.errors === undefined ? (reading.server ?? own) : own;
  if (counted === undefined) return undefined;
  const latency = histogramOf(own) ?? histogramOf(reading.server);
  const predictions = profile.name === 'sluice' ? predictionsOf(chosen) : undefined;
  return {
    id: target.id,
    requests: counted.requests,
    errors: ownErrors.reduce((all, fault) => all + (counted.errors?.[fault] ?? 0), 0),
    ...(latency === undefined ? {} : { latency }),
    ...(predictions === undefined ? {} : { predictions }),
    at: target.at,
  };
}

/** Whether a profile tells which requests failed. */
export function tellsErrors({ outcomes, serverOutcomes }: ServingProfile): boolean {
  return outcomes !== undefined || serverOutcomes !== undefined;
}

/** The names of all series that count here: of models, and of whole servers. As Prometheus stores them. */
export function seriesNames(profile: ServingProfile): {
  readonly requests: readonly string[];
  readonly model: readonly string[];
  readonly server: readonly string[];
} {
  const names = { model: new Set<string>(), server: new Set<string>() };
  for (const { series } of [...profile.requests, ...(profile.outcomes ?? [])]) names.model.add(series);
  for (const { series } of profile.serverOutcomes ?? []) names.server.add(series);
  for (const distribution of profile.latency) {
    if (distribution.kind !== 'histogram') continue;
    const into = distribution.scope === 'server' ? names.server : names.model;
    for (const suffix of ['bucket', 'sum', 'count']) into.add(`${distribution.series}_${suffix}`);
  }
  if (profile.name === 'sluice') {
    names.model.add(servingMetrics.predictionClass.name);
    names.model.add(`${servingMetrics.predictionValue.name}_bucket`);
  }
  return {
    requests: [...new Set(profile.requests.map(({ series }) => series))],
    model: [...names.model],
    server: [...names.server],
  };
}

/** Series of a whole server have no label for the model, and count for each. */
function isChosen(
  profile: ServingProfile,
  labels: Labels,
  { model, version, labels: own = {} }: SampleChoice,
): boolean {
  const is = (label: string | undefined, wanted: string | undefined): boolean => {
    const value = label === undefined ? undefined : labels[label];
    return value === undefined || wanted === undefined || value === wanted;
  };
  return (
    is(profile.labels.model, model) &&
    is(profile.labels.version, version) &&
    Object.entries(own).every(([name, value]) => (labels[name] ?? '') === value)
  );
}

function histogramOf(counters: Counters | undefined): HistogramCounts | undefined {
  const { buckets, sum, count } = counters?.latency ?? {};
  if (buckets === undefined || sum === undefined || count === undefined || buckets.length === 0) return undefined;
  const whole = buckets.at(-1)?.le === Number.POSITIVE_INFINITY ? buckets : [...buckets, { le: Infinity, count }];
  // Samples of one scrape may be torn: a bucket never holds less than the one below.
  let most = 0;
  const cumulative = whole.map((bucket) => {
    most = Math.max(most, bucket.count);
    return most;
  });
  return { edges: whole.map(({ le }) => le), cumulative, sum };
}

/**
 * Predictions of our server: by class, where an output gives labels, else by the buckets of a number. Of several such outputs the first by
 * name: they say much the same, and a distribution is of one thing.
 */
function predictionsOf(samples: readonly Sample[]): Readonly<Record<string, number>> | undefined {
  const { predictionClass, predictionValue } = servingMetrics;
  const classes = ofFirstOutput(samples.filter(({ name }) => name === predictionClass.name));
  // NaN and Infinity are classes of outputs that have no others.
  if (classes.some(({ labels }) => !/^(NaN|[+-]?Inf(inity)?)$/i.test(labels['class'] ?? ''))) {
    return addedUp(classes.map(({ labels, value }) => [labels['class'] ?? '', value]));
  }
  const buckets = ofFirstOutput(samples.filter(({ name }) => name === `${predictionValue.name}_bucket`));
  const cumulative = Object.entries(addedUp(buckets.map(({ labels, value }) => [labels['le'] ?? '', value])))
    .map(([le, count]) => ({ le, edge: le === '+Inf' ? Number.POSITIVE_INFINITY : Number(le), count }))
    .filter(({ edge }) => !Number.isNaN(edge))
    .toSorted((one, other) => one.edge - other.edge);
  if (cumulative.length === 0) return undefined;
  return Object.fromEntries(
    cumulative.map(({ le, count }, index) => [`<=${le}`, Math.max(0, count - (cumulative[index - 1]?.count ?? 0))]),
  );
}

function ofFirstOutput(samples: readonly Sample[]): readonly Sample[] {
  const counts = samples.filter(({ value }) => Number.isFinite(value) && value >= 0);
  const [first] = [...new Set(counts.map(({ labels }) => labels['output'] ?? ''))].toSorted();
  return counts.filter(({ labels }) => (labels['output'] ?? '') === first);
}

function addedUp(entries: readonly (readonly [string, number])[]): Readonly<Record<string, number>> {
  const sums = new Map<string, number>();
  for (const [key, value] of entries) sums.set(key, (sums.get(key) ?? 0) + value);
  return Object.fromEntries(sums);
}
