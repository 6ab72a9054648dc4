import { pick, rowsOf, type Sample } from '../../core/metrics/index.ts';
import { policyDefaults } from '../../core/policy/index.ts';
import type { Check, Figure, IntervalsFigure } from '../../core/report/index.ts';
import { benjaminiHochberg, decide, type Interval, pValueOfBroken } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { isBasesSlice } from './base-demands.ts';
import { boundCheck, type Demand, skipped } from './bound-check.ts';
import { type CustomMeasurement, measureCustom } from './custom-metric.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import {
  boundedMetrics,
  type Demands,
  type GatedMetric,
  isOfClasses,
  namedMetric,
  obstacle,
  toMeasure,
} from './metric-gate.ts';
import { metricIntervals } from './metric-interval.ts';
import { counted, numberText, pValueText } from './number-text.ts';
import type { DeclaredSlice } from './slices/declared-slices.ts';
import type { Subject } from './subject.ts';
import type { Subset } from './subsets.ts';

export interface SliceJudgement {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
}

/**
 * Holds every declared slice against the `min` and `max` of every metric. All slices of all metrics are one family: a slice fails only where the
 * Benjamini-Hochberg q-value says that the bound is broken, so that among many slices chance alone fails none; it passes
 * where its own interval says that the bound holds. What the base's policy alone would judge is one family, what a pull request adds another.
 */
export function sliceChecks(
  subject: Subject,
  rows: EvaluationRows,
  slices: readonly DeclaredSlice[],
  custom: readonly CustomMeasurement[] = [],
): SliceJudgement {
  // A policy has no slices of rankings; of two policies together the head's slices may meet the base's query.
  if (subject.pair.candidate.task === 'ranking') return { checks: [], figures: [] };
  if (slices.length === 0) return { checks: [], figures: [] };
  const least = rows.policy.min_rows ?? policyDefaults.min_rows;
  const bounded = boundedMetrics(subject).filter(
    (of) => !isOfClasses(of) && obstacle(of.name, of.bound, subject) === undefined,
  );
  const whole = metricIntervals(
    bounded.map((of) => toMeasure(of, subject)),
    { candidate: subject.pair.candidate },
    subject,
  );
  const parts = slices.map((slice) => ({
    slice,
    small: slice.rows.length < least,
    measured:
      slice.rows.length < least
        ? new Map<string, Interval>()
        : new Map([...measuredOn(slice, bounded, subject), ...customOn(slice, custom, subject)]),
  }));
  const metrics = [
    ...bounded.map(({ name, bound }) => ({ metric: namedMetric(name), bound, whole: whole.get(name)?.candidate })),
    ...custom.map(({ metric, bound, measured }) => ({ metric, bound, whole: measured.candidate })),
  ];
  const judged: Judged[] = [];
  const left: Check[] = [];
  for (const { metric, bound } of metrics) {
    const { name } = metric;
    for (const { slice, small, measured } of parts) {
      const demands = demandsOf(metric, bound, slice, subject);
      const interval = measured.get(metric.id);
      if (interval !== undefined) {
        judged.push(
          ...demands.map(({ key, demand }) => ({
            demand,
            interval,
            slice,
            name,
            ofBase: isBasesSlice(subject.policy, slice, metric, key),
          })),
        );
        continue;
      }
      const why = small
        ? `${counted(slice.rows.length, 'row')}, fewer than min_rows (${least})`
        : `${name} is not defined on the ${counted(slice.rows.length, 'row')} of this slice`;
      left.push(...demands.map(({ demand }) => skipped(demand, why)));
    }
  }
  const all = { name: 'all rows', n: rowsOf(subject.pair.candidate) };
  const figures = metrics.flatMap(({ metric, bound, whole }): readonly IntervalsFigure[] => {
    const { name, id, better } = metric;
    const bars = parts.flatMap(({ slice, measured }) =>
      barOf({ name: slice.name, n: slice.rows.length }, measured.get(id)),
    );
    const line = better === 'higher' ? (bound.min ?? bound.max) : (bound.max ?? bound.min);
    if (bars.length === 0) return [];
    return [
      {
        kind: 'intervals',
        id: `slices/${id.replace(/^gate\//, '')}`,
        title: `${name} by slice`,
        metric: name,
        ...(line === undefined ? {} : { bound: line }),
        rows: [...barOf(all, whole), ...bars],
      },
    ];
  });
  const families = [judged.filter(({ ofBase }) => ofBase), judged.filter(({ ofBase }) => !ofBase)];
  return { checks: [...families.flatMap((family) => decidedTogether(family, subject.level)), ...left], figures };
}

type Bar = IntervalsFigure['rows'][number];

function barOf(head: Pick<Bar, 'name' | 'n'>, interval: Interval | undefined): readonly Bar[] {
  if (interval === undefined) return [];
  return [{ ...head, estimate: interval.estimate, lower: interval.lower, upper: interval.upper }];
}

type Bounded = ReturnType<typeof boundedMetrics>[number];

interface Judged {
  readonly demand: Demand;
  readonly interval: Interval;
  readonly slice: Subset;
  readonly name: string;
  /** Whether the base's policy alone would judge it. */
  readonly ofBase: boolean;
}

function decidedTogether(judged: readonly Judged[], level: number | 'off'): readonly Check[] {
  const against = ({ demand }: Judged) => ({
    kind: demand.bound.kind === 'min' ? ('min' as const) : ('max' as const),
    value: Number(demand.bound.value),
  });
  const pValues = judged.map((each) => pValueOfBroken(against(each), each.interval));
  const qValues = benjaminiHochberg(pValues);
  return judged.map((each, index) => {
    const { demand, interval, slice, name } = each;
    const own = decide(against(each), interval);
    const q = qValues[index] ?? 1;
    const broken = level === 'off' ? own === 'fail' : q <= 1 - level;
    const status = broken ? 'fail' : own === 'pass' ? 'pass' : 'inconclusive';
    // Broken on its own, but not among so many: its p-value has to fall to this.
    const needed = level !== 'off' && own === 'fail' ? 1 - ((1 - level) * (pValues[index] ?? 1)) / q : undefined;
    return boundCheck(demand, {
      observed: interval.estimate,
      interval,
      rows: slice.rows.length,
      status,
      ...(needed === undefined ? {} : { needed }),
      said: `${name} is ${numberText(interval.estimate, Number(demand.bound.value))} on the ${counted(slice.rows.length, 'row')} where ${excerpt(slice.name)}`,
      note:
        level === 'off'
          ? undefined
          : `Among ${counted(judged.length, 'slice check')}: ${pValueText('p', pValues[index] ?? 1)}, ${pValueText('q', q)}`,
    });
  });
}

/** The metrics on the slice; without those that the slice holds nothing to measure by. */
function measuredOn(slice: Subset, bounded: readonly Bounded[], subject: Subject): Map<string, Interval> {
  const { candidate } = subject.pair;
  const part = candidate.task === 'classification' ? pick(candidate, slice.rows) : pick(candidate, slice.rows);
  const defined = bounded.filter((of) => hasRowsFor(of, part));
  const certainty = { level: subject.level, seed: `${subject.seed}/${slice.name}` };
  const measured = metricIntervals(
    defined.map((of) => toMeasure(of, subject)),
    { candidate: part },
    certainty,
  );
  return new Map(
    [...measured].flatMap(([name, { candidate: interval }]) =>
      [interval.estimate, interval.lower, interval.upper].some(Number.isNaN)
        ? []
        : [[`gate/${name}`, interval] as const],
    ),
  );
}

/** The same of the policy's own metrics, by the id that their checks begin with. */
function customOn(
  slice: Subset,
  custom: readonly CustomMeasurement[],
  { level, seed }: Subject,
): readonly (readonly [string, Interval])[] {
  return custom.flatMap(({ metric, candidate }) => {
    const pair = { candidate: pick(candidate, slice.rows) };
    const interval = measureCustom(metric, pair, { level, seed: `${seed}/${slice.name}` })?.candidate;
    return interval === undefined || [interval.estimate, interval.lower, interval.upper].some(Number.isNaN)
      ? []
      : [[metric.id, interval] as const];
  });
}

/** Of no rows, zero_division would make a recall or precision of 0, and a slice without positives would fail. */
function hasRowsFor({ name, bound }: Bounded, part: Sample): boolean {
  if (part.task !== 'classification' || part.classes.length !== 2 || (bound.average ?? 'binary') !== 'binary')
    return true;
  const positive = part.positive ?? 1;
  if (name === 'recall' || name === 'f1') return part.actual.includes(positive);
  return name !== 'precision' || part.predicted.includes(positive);
}

function demandsOf(
  { name, id, path, unit }: GatedMetric,
  bound: Demands,
  slice: Subset,
  { policy }: Subject,
): readonly { readonly key: 'min' | 'max'; readonly demand: Demand }[] {
  return (['min', 'max'] as const).flatMap((key) => {
    const value = bound[key];
    if (value === undefined) return [];
    const demand: Demand = {
      id: `${id}/${key}[${slice.name}]`,
      title: `${name} ${key === 'min' ? '≥' : '≤'} ${value} where ${slice.name}`,
      bound: { kind: key, value },
      unit,
      severity: bound.severity,
      reason: bound.reason,
      place: policy.placeOf([...path, key]),
    };
    return [{ key, demand }];
  });
}
