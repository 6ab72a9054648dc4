import { boundTexts, literal, quoted } from './promql-text.ts';
import {
  aggregated,
  isNoQuery,
  type NoQuery,
  ownErrors,
  perSecond,
  type Query,
  type QueryScope,
  type ScopeText,
  scopeText,
  totalRate,
} from './query.ts';
import type { Distribution, ErrorClass, Gauge, MeasureUnit, ServingProfile, Signal } from './serving-profile.ts';

/** Requests per second, failed ones too. */
export function requestRate(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  const text = scopeText(profile, scope);
  if (isNoQuery(text)) return text;
  return answer(text, 'requests per second', totalRate(text, profile.requests));
}

/**
 * The share of requests that failed, 0 to 1. No answer when there are no requests: no traffic is neither good nor bad.
 * @param options.faults whose errors count; by default all but the client's
 * @param options.scope `server` asks the counters of the whole server, where a server tells more there
 */
export function errorRatio(
  profile: ServingProfile,
  scope: QueryScope,
  options: { readonly faults?: readonly ErrorClass[]; readonly scope?: 'model' | 'server' } = {},
): Query | NoQuery {
  const { faults = ownErrors } = options;
  if (faults.length === 0)
    return { reason: 'no fault counts as an error', fix: 'Name at least one of client, server, unclear.' };
  const wide = options.scope === 'server' || (options.scope === undefined && profile.outcomes === undefined);
  const counters = wide ? profile.serverOutcomes : profile.outcomes;
  if (counters === undefined)
    return wide && options.scope === 'server'
      ? { reason: `${profile.title} has no counters of the whole server`, fix: 'Ask for the model.' }
      : missing(profile, 'outcomes');
  const text = scopeText(profile, scope, wide);
  if (isNoQuery(text)) return text;
  const errors = totalRate(text, counters, faults);
  const all = totalRate(text, counters);
  // Without errors there may be no series to count them; without requests there is no ratio.
  return answer(text, 'ratio', `(${errors} or ${all} * 0) / (${all} > 0)`);
}

/**
 * Failed requests per second; nought where there are requests and no errors. Its sum over a long time, divided by that of `requestRate`, is
 * the error ratio of that time, read from far fewer series.
 * @param options.faults whose errors count; by default all but the client's
 */
export function errorRate(
  profile: ServingProfile,
  scope: QueryScope,
  options: { readonly faults?: readonly ErrorClass[] } = {},
): Query | NoQuery {
  const { faults = ownErrors } = options;
  if (profile.outcomes === undefined) return missing(profile, 'outcomes');
  const text = scopeText(profile, scope);
  if (isNoQuery(text)) return text;
  const expr = `${totalRate(text, profile.outcomes, faults)} or ${totalRate(text, profile.outcomes)} * 0`;
  return answer(text, 'requests per second', expr);
}

/**
 * A latency such that this share of requests was as fast, in seconds. Prometheus interpolates inside a bucket: near a bound it is
 * good, far from one it is a guess within the bucket.
 * @param quantile 0 to 1
 * @param options.native the series is a native histogram (Prometheus 3): no buckets in the query
 */
export function latencyQuantile(
  profile: ServingProfile,
  quantile: number,
  scope: QueryScope,
  options: { readonly native?: boolean } = {},
): Query | NoQuery {
  return quantileOf(profile, profile.latency, 'buckets', quantile, scope, options);
}

/** Time in the queue such that this share of requests waited no longer, in seconds. */
export function queueQuantile(
  profile: ServingProfile,
  quantile: number,
  scope: QueryScope,
  options: { readonly native?: boolean } = {},
): Query | NoQuery {
  return quantileOf(profile, profile.queue === undefined ? [] : [profile.queue], 'queue', quantile, scope, options);
}

function quantileOf(
  profile: ServingProfile,
  distributions: readonly Distribution[],
  signal: Signal,
  quantile: number,
  scope: QueryScope,
  { native = false }: { readonly native?: boolean },
): Query | NoQuery {
  if (!(quantile >= 0 && quantile <= 1))
    return { reason: `${quantile} is no quantile`, fix: 'Give a share from 0 to 1: 0.95 for the 95th percentile.' };
  const histogram = distributions.find(({ kind }) => kind === 'histogram');
  if (histogram?.kind === 'histogram') {
    const text = scopeText(profile, scope, histogram.scope === 'server');
    if (isNoQuery(text)) return text;
    const matchers = text.matchers(histogram.where);
    const rates = native
      ? aggregated('sum', text.by, `rate(${histogram.series}${matchers}[${text.range}])`)
      : aggregated('sum', [...text.by, 'le'], `rate(${histogram.series}_bucket${matchers}[${text.range}])`);
    return answer(text, 'seconds', `histogram_quantile(${quantile}, ${rates})${perSecond(histogram.unit)}`, histogram);
  }
  const summary = distributions.find(({ kind }) => kind === 'summary');
  if (summary?.kind === 'summary' && summary.quantiles.includes(quantile)) {
    const text = scopeText(profile, scope, summary.scope === 'server');
    if (isNoQuery(text)) return text;
    const matchers = text.matchers(summary.where, [`quantile=${quoted(String(quantile))}`]);
    const worst = 'Quantiles of several processes cannot be put together: this is the worst of them.';
    return answer(
      text,
      'seconds',
      `${aggregated('max', text.by, `${summary.series}${matchers}`)}${perSecond(summary.unit)}`,
      summary,
      [worst],
    );
  }
  return missing(profile, signal);
}

/** A share of requests, with the threshold it is really about. */
export interface ShareQuery extends Query {
  /** Seconds: the bucket's bound that was counted to. */
  readonly threshold: number;
  /** Whether that is the threshold asked for. */
  readonly exact: boolean;
}

/**
 * The share of requests answered within a threshold, 0 to 1: what an SLO on latency counts. Exact if the threshold is a bound of a
 * bucket; else the next lower bound is taken, so that the share is never flattered, and `notes` says so.
 * @param threshold seconds
 * @param options.buckets the bounds the server really has, in seconds, where they differ from its defaults
 * @param options.native the series is a native histogram: any threshold will do, interpolated
 */
export function shareWithin(
  profile: ServingProfile,
  threshold: number,
  scope: QueryScope,
  options: { readonly buckets?: readonly number[]; readonly native?: boolean } = {},
): ShareQuery | NoQuery {
  const histogram = profile.latency.find(({ kind }) => kind === 'histogram');
  if (histogram?.kind !== 'histogram') return missing(profile, 'buckets');
  if (!(threshold > 0) || !Number.isFinite(threshold))
    return { reason: `${threshold} is no threshold`, fix: 'Give a positive number of seconds.' };
  const text = scopeText(profile, scope, histogram.scope === 'server');
  if (isNoQuery(text)) return text;
  const matchers = text.matchers(histogram.where);
  const divisor = inSecond(histogram.unit);
  if (options.native === true) {
    const rates = aggregated('sum', text.by, `rate(${histogram.series}${matchers}[${text.range}])`);
    const expr = `histogram_fraction(-Inf, ${rounded(threshold * divisor)}, ${rates})`;
    return { ...answer(text, 'ratio', expr, histogram), threshold, exact: true };
  }
  const bounds = options.buckets ?? histogram.buckets?.map((bound) => bound / divisor);
  if (bounds === undefined)
    return {
      reason: `the buckets of ${histogram.series} differ from server to server`,
      fix: 'Give their bounds in seconds (buckets).',
    };
  const bound = bounds.findLast((each) => each <= threshold * (1 + 1e-9));
  if (bound === undefined)
    return {
      reason: `${threshold} s is below the lowest bucket, ${bounds[0]} s`,
      fix: `Take a threshold from ${bounds[0]} s, or give the server finer buckets.`,
    };
  const exact = bound >= threshold * (1 - 1e-9);
  const told = [bound, ...bounds].map((each) => Number(each.toPrecision(4)));
  const note = `Counted to ${told[0]} s, the next bound below ${threshold} s; the bounds are ${told.slice(1).join(', ')} s.`;
  const within = text.matchers(histogram.where, [boundMatcher(bound, divisor)]);
  const good = aggregated('sum', text.by, `rate(${histogram.series}_bucket${within}[${text.range}])`);
  const all = aggregated('sum', text.by, `rate(${histogram.series}_count${matchers}[${text.range}])`);
  return {
    ...answer(text, 'ratio', `${good} / (${all} > 0)`, histogram, exact ? [] : [note]),
    threshold: bound,
    exact,
  };
}

/** Requests per second whose latency was measured, and how many of them took longer than a threshold. */
export interface SlowRates {
  readonly timed: Query;
  readonly slow: Query;
  /** Seconds: the bucket's bound that was counted to. */
  readonly threshold: number;
}

/**
 * What `shareWithin` divides, apart: to be recorded and added up over long times.
 * @param threshold seconds; exact or not as in `shareWithin`
 */
export function slowRates(
  profile: ServingProfile,
  threshold: number,
  scope: QueryScope,
  options: { readonly buckets?: readonly number[] } = {},
): SlowRates | NoQuery {
  const share = shareWithin(profile, threshold, scope, options);
  if (isNoQuery(share)) return share;
  const histogram = profile.latency.find(({ kind }) => kind === 'histogram');
  if (histogram?.kind !== 'histogram') return missing(profile, 'buckets');
  const text = scopeText(profile, scope, histogram.scope === 'server');
  if (isNoQuery(text)) return text;
  const rate = (series: string, more: readonly string[] = []) =>
    aggregated('sum', text.by, `rate(${series}${text.matchers(histogram.where, more)}[${text.range}])`);
  const timed = rate(`${histogram.series}_count`);
  const within = rate(`${histogram.series}_bucket`, [boundMatcher(share.threshold, inSecond(histogram.unit))]);
  const query = (expr: string) => ({ ...share, unit: 'requests per second' as const, expr });
  return { timed: query(timed), slow: query(`${timed} - ${within}`), threshold: share.threshold };
}

/** The mean latency in seconds. No answer when there are no requests. */
export function meanLatency(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  // Of the model rather than of the server, always there rather than after a setting.
  const [best] = profile.latency.toSorted((one, other) => hindrance(one) - hindrance(other));
  return best === undefined ? missing(profile, 'latency') : meanOf(profile, best, scope);
}

/** The mean time in the queue, in seconds. */
export function meanQueueTime(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return profile.queue === undefined ? missing(profile, 'queue') : meanOf(profile, profile.queue, scope);
}

/** The mean number of rows that ran together. */
export function meanBatchRows(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return profile.batch === undefined ? missing(profile, 'batch') : meanOf(profile, profile.batch, scope);
}

function hindrance({ scope, setting }: Distribution): number {
  return (scope === undefined ? 0 : 2) + (setting === undefined ? 0 : 1);
}

function meanOf(profile: ServingProfile, distribution: Distribution, scope: QueryScope): Query | NoQuery {
  const text = scopeText(profile, scope, distribution.scope === 'server');
  if (isNoQuery(text)) return text;
  const matchers = text.matchers(distribution.where);
  const [sum, count] =
    distribution.kind === 'total'
      ? [distribution.sum, distribution.count]
      : [`${distribution.series}_sum`, `${distribution.series}_count`];
  const rate = (series: string) => aggregated('sum', text.by, `rate(${series}${matchers}[${text.range}])`);
  const mean = `${rate(sum)} / (${rate(count)} > 0)`;
  const expr = perSecond(distribution.unit) === '' ? mean : `(${mean})${perSecond(distribution.unit)}`;
  return answer(text, distribution.unit === 'rows' ? 'rows' : 'seconds', expr, distribution);
}

/** Requests that are being answered now. */
export function requestsInFlight(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return levelOf(profile, profile.inFlight, 'inFlight', 'requests', scope);
}

/** Requests that wait now: the length of the queue, which autoscalers look at. */
export function requestsQueued(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return levelOf(profile, profile.queued, 'queued', 'requests', scope);
}

/** The mean load of the GPUs, 0 to 1. */
export function gpuUtilization(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return levelOf(profile, profile.gpu?.utilization, 'gpu', 'ratio', scope);
}

/** Bytes of GPU memory in use. */
export function gpuMemoryUsed(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return levelOf(profile, profile.gpu?.memoryUsed, 'gpu', 'bytes', scope);
}

/** The mean share of the key-value caches in use, 0 to 1. */
export function tokenCacheUsed(profile: ServingProfile, scope: QueryScope): Query | NoQuery {
  return levelOf(profile, profile.tokens?.cacheUsed, 'tokens', 'ratio', scope);
}

/** Shares are averaged, counts and bytes added up. */
function levelOf(
  profile: ServingProfile,
  gauge: Gauge | undefined,
  signal: Signal,
  unit: 'requests' | 'ratio' | 'bytes',
  scope: QueryScope,
): Query | NoQuery {
  if (gauge === undefined) return missing(profile, signal);
  const text = scopeText(profile, scope, gauge.scope === 'server');
  if (isNoQuery(text)) return text;
  const level = aggregated(unit === 'ratio' ? 'avg' : 'sum', text.by, `${gauge.series}${text.matchers(gauge.where)}`);
  return answer(text, unit, gauge.scale === undefined ? level : `${level} * ${gauge.scale}`);
}

/** Tokens per second, read or written. */
export function tokenRate(profile: ServingProfile, which: 'prompt' | 'generated', scope: QueryScope): Query | NoQuery {
  if (profile.tokens === undefined) return missing(profile, 'tokens');
  const text = scopeText(profile, scope);
  if (isNoQuery(text)) return text;
  return answer(text, 'tokens per second', totalRate(text, [{ series: profile.tokens[which] }]));
}

/** A quantile of the time to the first token, or between two, in seconds. */
export function tokenTimeQuantile(
  profile: ServingProfile,
  which: 'timeToFirst' | 'between',
  quantile: number,
  scope: QueryScope,
  options: { readonly native?: boolean } = {},
): Query | NoQuery {
  return quantileOf(
    profile,
    [profile.tokens?.[which]].filter((each) => each !== undefined),
    'tokens',
    quantile,
    scope,
    options,
  );
}

function answer(
  text: ScopeText,
  unit: Query['unit'],
  expr: string,
  distribution?: Distribution,
  more: readonly string[] = [],
): Query {
  const { note, setting, scope } = distribution ?? {};
  return {
    expr,
    unit,
    labels: text.by,
    notes: [
      ...text.notes,
      ...(scope === 'server' && text.notes.length === 0 ? ['All models of the server count together.'] : []),
      ...(setting === undefined ? [] : [`Only shown when the server is set so: ${setting}.`]),
      ...(note === undefined ? [] : [note]),
      ...more,
    ],
  };
}

function missing({ title, absent }: ServingProfile, signal: Signal): NoQuery {
  return {
    reason: `${title} does not show this`,
    fix: absent[signal] ?? 'Take it from the mesh in front of the server (the profile "istio").',
  };
}

/** How many of a unit are in a second. */
function inSecond(unit: MeasureUnit): number {
  return unit === 'milliseconds' ? 1000 : unit === 'microseconds' ? 1e6 : 1;
}

/** @param bound seconds, of which the server's unit has `divisor` in one */
function boundMatcher(bound: number, divisor: number): string {
  const texts = boundTexts(divisor === 1 ? bound : rounded(bound * divisor));
  const [only = ''] = texts;
  return texts.length === 1 ? `le=${quoted(only)}` : `le=~${quoted(texts.map(literal).join('|'))}`;
}

/** Seconds that were divided by 1000 and multiplied again: 0.3 is 300 milliseconds, not 299.99999999999994. */
function rounded(bound: number): number {
  return Number(bound.toPrecision(12));
}
