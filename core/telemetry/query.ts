import { isLabelName, isVariable, type Matcher, matcherText, quoted, rangeText } from './promql-text.ts';
import {
  type ErrorClass,
  type MeasureUnit,
  type Outcome,
  type RequestCounter,
  type ServingProfile,
  targetLabels,
  type Where,
} from './serving-profile.ts';
import { regexOf } from './value-pattern.ts';

/** Which requests: those of a model, a version of it, pods. */
export interface Selector<Wanted = Matcher> {
  readonly model?: Wanted;
  readonly version?: Wanted;
  readonly namespace?: Wanted;
  readonly pod?: Wanted;
  /** By the series' own label names; they go before what the profile would ask of the same label. */
  readonly labels?: Readonly<Record<string, Wanted>>;
}

export type Dimension = 'model' | 'version' | 'namespace' | 'pod';

/** What a query covers. */
export interface QueryScope {
  readonly selector?: Selector;
  /** Seconds, a duration of Prometheus (`5m`) or a Grafana variable (`$__rate_interval`). At least four scrapes long, to be safe. */
  readonly window: number | string;
  /** One answer for each, instead of one for all. */
  readonly by?: readonly (Dimension | { readonly label: string })[];
}

/** What the numbers of an answer are. `number`: they have no unit (an index, a count, a reward). */
export type QueryUnit =
  | 'requests per second'
  | 'tokens per second'
  | 'bytes per second'
  | 'ratio'
  | 'seconds'
  | 'rows'
  | 'requests'
  | 'bytes'
  | 'cores'
  | 'celsius'
  | 'nats'
  | 'steps'
  | 'number';

/** A question in PromQL. */
export interface Query {
  readonly expr: string;
  readonly unit: QueryUnit;
  /** The labels of its answers; empty: one answer. */
  readonly labels: readonly string[];
  /** What the number does not say, for whoever reads it. */
  readonly notes: readonly string[];
}

/** There is no such question to ask. */
export interface NoQuery {
  readonly expr?: never;
  /** One sentence. */
  readonly reason: string;
  /** What to do instead. */
  readonly fix: string;
}

/** Whose labels a scope is put into: a server's, or none but those of the target. */
export type Labelled = Pick<ServingProfile, 'title' | 'labels'>;

/** A scope as text, ready to be put together; or why it is none. */
export interface ScopeText {
  readonly range: string;
  readonly by: readonly string[];
  readonly notes: readonly string[];
  /** In braces, for a series with these conditions. */
  matchers(where?: Where, more?: readonly string[]): string;
}

/**
 * Turns names of dimensions into this server's labels.
 * @param wide the series have no label for the model: what the selector says of model and version is left out, and noted
 */
export function scopeText(profile: Labelled, scope: QueryScope, wide = false): ScopeText | NoQuery {
  const range = rangeText(scope.window);
  if (range === undefined)
    return {
      reason: `${shown(String(scope.window))} is no window`,
      fix: 'Give seconds, a duration like "5m", or a Grafana variable like "$__rate_interval".',
    };
  const notes = new Set<string>();
  const wanted = new Map<string, Matcher>();
  for (const dimension of ['model', 'version', 'namespace', 'pod'] as const) {
    const matcher = scope.selector?.[dimension];
    if (matcher === undefined) continue;
    if (wide && isOfModel(profile, dimension)) {
      notes.add(`All models of the server count together: the ${dimension} is not in these series.`);
      continue;
    }
    const label = labelOf(profile, dimension);
    if (label === undefined) return noLabel(profile, dimension);
    if (label.fromTarget) notes.add(targetNote(dimension, label.name));
    wanted.set(label.name, matcher);
  }
  for (const [name, matcher] of Object.entries(scope.selector?.labels ?? {})) wanted.set(name, matcher);
  const by: string[] = [];
  for (const dimension of scope.by ?? []) {
    if (typeof dimension === 'object') by.push(dimension.label);
    else if (wide && isOfModel(profile, dimension))
      return {
        reason: `${profile.title}'s series of the whole server do not tell one ${dimension} from another`,
        fix: 'Group by pod, and run one model or version in a pod.',
      };
    else {
      const label = labelOf(profile, dimension);
      if (label === undefined) return noLabel(profile, dimension);
      if (label.fromTarget) notes.add(targetNote(dimension, label.name));
      by.push(label.name);
    }
  }
  const wrong = [...wanted.keys(), ...by].find((name) => !isLabelName(name));
  if (wrong !== undefined)
    return {
      reason: `${shown(wrong)} is no name of a label`,
      fix: 'Use letters, digits and underscores, and do not begin with a digit.',
    };
  for (const matcher of wanted.values()) {
    if (typeof matcher === 'object' && 'variable' in matcher && !isVariable(matcher.variable))
      return { reason: `${shown(matcher.variable)} is no Grafana variable`, fix: 'Write it like "$version".' };
    if (typeof matcher === 'object' && 'anyOf' in matcher && matcher.anyOf.length === 0)
      return { reason: 'a label may have none of zero values', fix: 'Name at least one value in anyOf.' };
  }
  return {
    range,
    by,
    notes: [...notes],
    matchers(where = {}, more = []) {
      const conditions = [
        ...Object.entries(where)
          .filter(([name]) => !wanted.has(name))
          .map(([name, patterns]) => patternText(name, patterns)),
        ...[...wanted].map(([name, matcher]) => matcherText(name, matcher)),
        ...more,
      ];
      return conditions.length === 0 ? '' : `{${conditions.join(',')}}`;
    },
  };
}

/** `sum by (a,b) (inner)`, or `sum(inner)`. */
export function aggregated(
  operator: 'sum' | 'max' | 'min' | 'avg' | 'count',
  by: readonly string[],
  inner: string,
): string {
  return by.length === 0 ? `${operator}(${inner})` : `${operator} by (${by.join(',')}) (${inner})`;
}

/**
 * The rate of several counters together. A plain `+` has no answer while one of them has no series yet, so they are put side by side
 * first, each with a label of its own that keeps equal label sets apart.
 */
export function totalRate(
  scope: ScopeText,
  counters: readonly RequestCounter[],
  outcomes?: readonly Outcome[],
): string {
  const rates = counters.flatMap((counter) => {
    const more = outcomes === undefined ? [] : outcomeMatcher(counter, outcomes);
    return more === undefined
      ? []
      : [[counter.series, `rate(${counter.series}${scope.matchers(counter.where, more)}[${scope.range}])`] as const];
  });
  const [only, ...others] = rates;
  if (only === undefined) return aggregated('sum', scope.by, 'vector(0) != 0');
  if (others.length === 0) return aggregated('sum', scope.by, only[1]);
  const apart = rates.map(([series, rate]) => `label_replace(${rate}, "sluice_series", ${quoted(series)}, "", "")`);
  return aggregated('sum', scope.by, apart.join(' or '));
}

/** How a counter's series with one of these outcomes are selected: by nothing more, by its label, or (`undefined`) it has none of them. */
function outcomeMatcher({ outcome }: RequestCounter, wanted: readonly Outcome[]): readonly string[] | undefined {
  if (outcome === undefined) return undefined;
  if (typeof outcome === 'string') return wanted.includes(outcome) ? [] : undefined;
  const all = ['success', 'client', 'server', 'unclear'] as const;
  const patterns = (chosen: (each: Outcome) => boolean) =>
    all.filter(chosen).flatMap((each) => outcome.values[each] ?? []);
  if (wanted.includes(outcome.otherwise)) {
    const others = patterns((each) => !wanted.includes(each));
    return others.length === 0 ? [] : [`${outcome.label}!~${quoted(regexOf(others))}`];
  }
  const these = patterns((each) => wanted.includes(each));
  return these.length === 0 ? undefined : [`${outcome.label}=~${quoted(regexOf(these))}`];
}

/** ` / 1000` and the like: what makes seconds of a unit. */
export function perSecond(unit: MeasureUnit): string {
  return { seconds: '', rows: '', tokens: '', milliseconds: ' / 1000', microseconds: ' / 1e+06' }[unit];
}

/** Errors that speak against a model: all but the client's. */
export const ownErrors = ['server', 'unclear'] as const satisfies readonly ErrorClass[];

/** Whether what came back is a query (or a scope) and not a reason why there is none. */
export function isNoQuery(result: object): result is NoQuery {
  return 'reason' in result;
}

function labelOf(
  { labels }: Labelled,
  dimension: Dimension,
): { readonly name: string; readonly fromTarget: boolean } | undefined {
  const own = dimension === 'pod' ? undefined : labels[dimension];
  if (own !== undefined) return { name: own, fromTarget: false };
  return dimension === 'model' ? undefined : { name: targetLabels[dimension], fromTarget: dimension === 'version' };
}

/** Whether a dimension is only in series with the model's labels. */
function isOfModel({ labels }: Labelled, dimension: Dimension): boolean {
  return dimension === 'model' || (dimension === 'version' && labels.version !== undefined);
}

function noLabel({ title }: Labelled, dimension: Dimension): NoQuery {
  return {
    reason: `${title}'s series have no label for the ${dimension}`,
    fix: 'Select by pod, by namespace, or by a label Prometheus adds to the target (labels).',
  };
}

function targetNote(dimension: Dimension, label: string): string {
  return `The ${dimension} is the label ${label} of the target: it is there when podTargetLabels of the PodMonitor or ServiceMonitor names sluice.dev/model-version.`;
}

function patternText(name: string, patterns: readonly string[]): string {
  const [only = ''] = patterns;
  return patterns.length === 1 && !only.includes('.')
    ? `${name}=${quoted(only)}`
    : `${name}=~${quoted(regexOf(patterns))}`;
}

function shown(text: string): string {
  return quoted(text.length > 60 ? `${text.slice(0, 59)}…` : text);
}
