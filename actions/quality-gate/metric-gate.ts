import { metricOf, metrics, rowsOf } from '../../core/metrics/index.ts';
import { type MetricBound, type MetricName, metricNames, type PolicyPath } from '../../core/policy/index.ts';
import type { Bound, Check, Unit } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { boundCheck, type Demand, type Measured, skipped, unjudged } from './bound-check.ts';
import { crossCheck } from './mcnemar-cross-check.ts';
import type { MetricIntervals } from './measured-metric.ts';
import { type MetricToMeasure, metricIntervals } from './metric-interval.ts';
import { counted, numberText } from './number-text.ts';
import type { NoBaseline, Subject } from './subject.ts';

/** The checks of every metric that the policy bounds, over all rows. */
export function metricChecks(subject: Subject): readonly Check[] {
  const bounded = boundedMetrics(subject)
    .flatMap(withoutClasses)
    .map(({ name, bound }) => ({ name, bound, why: obstacle(name, bound, subject) }));
  const measurable = bounded.filter(({ why }) => why === undefined);
  const measured = metricIntervals(
    measurable.map((each) => toMeasure(each, subject)),
    subject.pair,
    subject,
  );
  return bounded.flatMap(({ name, bound, why }) => {
    const intervals = measured.get(name);
    if (intervals !== undefined) return checksOfMetric(namedMetric(name), bound, intervals, subject);
    return unjudgedMetric(namedMetric(name), bound, subject, why ?? `${name} was not measured`);
  });
}

/** The metric as the bound wants it, of the subject's task. */
export function toMeasure({ name, bound }: Bounded, { pair }: Pick<Subject, 'pair'>): MetricToMeasure {
  const { average, multi_class: multiClass, weights, k } = bound;
  return {
    metric: metricOf(name, pair.candidate.task),
    options: {
      ...(average === undefined || average === 'none' ? {} : { average }),
      ...(multiClass === undefined ? {} : { multiClass }),
      ...(weights === undefined ? {} : { weights }),
      ...(k === undefined ? {} : { k }),
    },
  };
}

interface Bounded {
  readonly name: MetricName;
  readonly bound: MetricBound;
}

/** A metric as its checks tell of it: one that Sluice knows, or one of the policy's own. */
export interface GatedMetric {
  readonly name: string;
  /** What the ids of its checks begin with. */
  readonly id: string;
  readonly path: PolicyPath;
  readonly better: 'higher' | 'lower';
  readonly unit: Unit;
}

/** What is demanded of it. */
export type Demands = Pick<MetricBound, 'min' | 'max' | 'max_regression' | 'min_improvement' | 'severity' | 'reason'>;

/** A metric that Sluice knows by name. */
export function namedMetric(name: MetricName): GatedMetric {
  return { name, id: `gate/${name}`, path: ['gates', name], better: metrics[name].better, unit: unitOf(name) };
}

/** Every demand of a metric that could not be measured. */
export function unjudgedMetric(
  metric: GatedMetric,
  bound: Demands,
  { policy }: Pick<Subject, 'policy'>,
  why: string,
): readonly Check[] {
  return demandsOf(metric, bound, policy).map(({ demand }) => unjudged(demand, why));
}

/** Whether every class is held to `min` and `max` by itself (`average: none`). */
export function isOfClasses({ bound }: Pick<Bounded, 'bound'>): boolean {
  return bound.average === 'none';
}

/** What is left to judge where classes are judged by themselves: the change of their average. */
function withoutClasses(each: Bounded): readonly Bounded[] {
  if (!isOfClasses(each)) return [each];
  const { min: _, max: __, ...bound } = each.bound;
  return bound.max_regression === undefined && bound.min_improvement === undefined ? [] : [{ ...each, bound }];
}

/** The metrics that the policy bounds, in the schema's order. */
export function boundedMetrics(subject: Pick<Subject, 'policy'>): readonly Bounded[] {
  const gates = subject.policy.policy.gates ?? {};
  return metricNames.flatMap((name) => {
    const bound = gates[name];
    return bound === undefined ? [] : [{ name, bound }];
  });
}

/** Why the metric cannot be measured on these rows at all; undefined when it can. */
export function obstacle(name: MetricName, bound: MetricBound, subject: Subject): string | undefined {
  const sample = subject.pair.candidate;
  const metric = metricOf(name, sample.task);
  if (subject.broken !== undefined) return subject.broken;
  if (metric.task !== sample.task)
    return `${name} is a metric of ${metric.task}, and the model is one of ${sample.task}`;
  if (sample.task !== 'classification') return undefined;
  if (metric.needs === 'probabilities' && sample.probabilities === undefined) {
    return `${name} needs class probabilities, and the model has no output of them`;
  }
  if (['log_loss', 'brier', 'ece', 'calibration_slope'].includes(name) && subject.notProbabilities !== undefined) {
    return `${name} needs probabilities: ${subject.notProbabilities}`;
  }
  if (bound.average === 'binary' && sample.classes.length > 2) {
    return `average: binary needs two classes, and there are ${sample.classes.length}; write macro, micro or weighted`;
  }
  if (name === 'calibration_slope' && sample.classes.length > 2) {
    return `${name} is one of two classes, and there are ${sample.classes.length}`;
  }
  const k = bound.k ?? 2;
  if (name === 'top_k_accuracy' && k >= sample.classes.length) {
    return `the class is always among the best ${k} of ${counted(sample.classes.length, 'class', 'classes')}; write a smaller k`;
  }
  return undefined;
}

/** What the unit of a metric is called in a report. */
export function unitOf(name: MetricName): Unit {
  return metrics[name].unit === 'share' ? 'share' : 'none';
}

/** What a metric was measured on. */
type Judged = Pick<Subject, 'policy' | 'pair' | 'noBaseline'> & {
  /** What a row is called, where it is none: `episode`. */
  readonly unit?: string;
};

/** Holds a metric that was measured against everything that is demanded of it. */
export function checksOfMetric(
  metric: GatedMetric,
  bound: Demands,
  measured: MetricIntervals,
  subject: Judged,
): readonly Check[] {
  const { name } = metric;
  const demands = demandsOf(metric, bound, subject.policy);
  const rows = rowsOf(subject.pair.candidate);
  if (Number.isNaN(measured.candidate.estimate)) {
    return demands.map(({ demand }) =>
      unjudged(demand, `${name} is not defined on these rows${undefinedBecause(subject)}`),
    );
  }
  return demands.map(({ demand, key, change }) =>
    key === 'min' || key === 'max'
      ? boundCheck(demand, {
          observed: measured.candidate.estimate,
          baseline: measured.baseline,
          interval: measured.candidate,
          rows,
          unit: subject.unit,
          said: `${name} is ${numberText(measured.candidate.estimate, bound[key])} on ${rowsText(subject)}`,
        })
      : compared(
          metric,
          demand,
          { key, change: change ?? 0, rows, unit: subject.unit },
          measured,
          noBaselineFor(name, subject),
        ),
  );
}

/** What is known of a metric whose rows nobody has. */
export interface NumberAlone {
  readonly policy: Subject['policy'];
  readonly noBaseline: NoBaseline;
  /** Where the number is from, as the end of a sentence: `in the run brave-owl-7`. */
  readonly from: string;
}

/** Holds a metric that somebody else has measured against everything that is demanded of it. */
export function checksOfNumber(
  metric: GatedMetric,
  bound: Demands,
  measured: MetricIntervals,
  { policy, noBaseline, from }: NumberAlone,
): readonly Check[] {
  return demandsOf(metric, bound, policy).map(({ demand, key, change }) =>
    key === 'min' || key === 'max'
      ? boundCheck(demand, {
          observed: measured.candidate.estimate,
          baseline: measured.baseline,
          interval: measured.candidate,
          // A point has nothing that more rows could settle.
          ...(measured.candidate.lower === measured.candidate.upper ? {} : { rows: measured.candidate.n }),
          said: `${metric.name} is ${numberText(measured.candidate.estimate, bound[key])} ${from}`,
        })
      : compared(metric, demand, { key, change: change ?? 0 }, measured, noBaseline, 'where it was logged'),
  );
}

/** `240 rows`; of rankings, `12 queries`. */
function rowsText({ pair: { candidate }, unit }: Judged): string {
  const rows = rowsOf(candidate);
  if (unit !== undefined) return counted(rows, unit);
  return candidate.task === 'ranking' ? counted(rows, 'query', 'queries') : counted(rows, 'row');
}

/** Why the metric has no value of the baseline. */
function noBaselineFor(name: string, { pair: { baseline }, noBaseline }: Judged): NoBaseline {
  if (baseline?.task !== 'classification' || baseline.probabilities !== undefined) return noBaseline;
  return { kind: 'unusable', why: `${name} needs class probabilities, and the baseline has no output of them` };
}

interface MetricDemand {
  readonly demand: Demand;
  readonly key: 'min' | 'max' | 'max_regression' | 'min_improvement';
  /** The change asked for, as a number; of the baseline's value where the bound is relative. */
  readonly change?: number;
}

function demandsOf(
  { name, id, path, unit }: GatedMetric,
  bound: Demands,
  policy: Subject['policy'],
): readonly MetricDemand[] {
  const of = (key: MetricDemand['key'], demanded: Bound, title: string): Demand => ({
    id: `${id}/${key}`,
    title,
    bound: demanded,
    unit,
    severity: bound.severity,
    reason: bound.reason,
    place: policy.placeOf([...path, key]),
  });
  const { min, max } = bound;
  const demands: MetricDemand[] = [];
  if (min !== undefined)
    demands.push({ key: 'min', demand: of('min', { kind: 'min', value: min }, `${name} ≥ ${min}`) });
  if (max !== undefined)
    demands.push({ key: 'max', demand: of('max', { kind: 'max', value: max }, `${name} ≤ ${max}`) });
  for (const key of ['max_regression', 'min_improvement'] as const) {
    const written = bound[key];
    if (written === undefined) continue;
    const { change, relative } = changeOf(written);
    const title = `${name} ${key === 'max_regression' ? `at most ${written} worse` : `at least ${written} better`}`;
    demands.push({
      key,
      change,
      demand: of(key, { kind: key, value: change, ...(relative ? { relative } : {}) }, title),
    });
  }
  return demands;
}

/** `0.01` and `"5%"` as the policy writes them. */
export function changeOf(written: number | string): { readonly change: number; readonly relative: boolean } {
  return typeof written === 'number'
    ? { change: written, relative: false }
    : { change: Number(written.slice(0, -1)) / 100, relative: true };
}

/** How much worse or better than the baseline, on the same rows. */
function compared(
  { name, better }: GatedMetric,
  demand: Demand,
  {
    key,
    change,
    rows,
    unit,
  }: {
    readonly key: 'max_regression' | 'min_improvement';
    readonly change: number;
    readonly rows?: number;
    readonly unit?: string | undefined;
  },
  measured: MetricIntervals,
  noBaseline: NoBaseline,
  from?: string,
): Check {
  const { difference, baseline } = measured;
  if (difference === undefined || baseline === undefined) {
    return noBaseline.kind === 'absent' ? skipped(demand, noBaseline.why) : unjudged(demand, noBaseline.why);
  }
  if (Number.isNaN(baseline)) return unjudged(demand, `${name} of the baseline is not defined on these rows`);
  const relative = demand.bound.relative === true;
  const interval = relative ? (measured.relative ?? difference) : difference;
  // Worse is down where higher is better, up where lower is.
  const higher = better === 'higher';
  const floor = key === 'max_regression' ? -change : change;
  const against: Measured['against'] = higher ? { kind: 'min', value: floor } : { kind: 'max', value: -floor };
  const moved = interval.estimate;
  const worse = higher ? moved < 0 : moved > 0;
  const amount =
    relative && measured.relative !== undefined
      ? `${numberText(Math.abs(moved) * 100)} %`
      : numberText(Math.abs(moved));
  const test = crossCheck(against, interval, measured.pairs);
  return boundCheck(demand, {
    observed: measured.candidate.estimate,
    baseline,
    interval,
    against,
    ...(rows === undefined ? {} : { rows }),
    unit,
    ...test?.override,
    ...(relative && measured.relative !== undefined ? { intervalUnit: 'share' as const } : {}),
    said: `${name} is ${numberText(measured.candidate.estimate)}, the baseline's ${numberText(baseline)} ${from ?? `on the same ${unit ?? 'row'}s`}: ${
      moved === 0 ? 'no change' : `${amount} ${worse ? 'worse' : 'better'}`
    }`,
    note:
      relative && measured.relative === undefined
        ? `The baseline's value is 0, so ${numberText(change * 100)} % of it would be nothing: the change itself is held against ${numberText(change)}`
        : test?.words,
  });
}

function undefinedBecause({ pair: { candidate } }: Judged): string {
  if (candidate.task !== 'classification') return '';
  const present = new Set(candidate.actual);
  const absent = candidate.classes.filter((_, index) => !present.has(index));
  return absent.length === 0
    ? ''
    : `: no row is of class ${absent
        .slice(0, 5)
        .map((name) => `"${excerpt(name, 40)}"`)
        .join(', ')}`;
}
