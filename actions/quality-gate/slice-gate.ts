import { metrics, pick } from '../../core/metrics/index.ts';
import { type MetricName, policyDefaults } from '../../core/policy/index.ts';
import { DataError } from '../../core/problem/index.ts';
import type { Check, Figure, IntervalsFigure } from '../../core/report/index.ts';
import { benjaminiHochberg, decide, type Interval, pValueOfBroken } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { boundCheck, type Demand, skipped } from './bound-check.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { boundedMetrics, obstacle, optionsOf, unitOf } from './metric-gate.ts';
import { metricIntervals, type Pair } from './metric-interval.ts';
import { counted, numberText } from './number-text.ts';
import type { Subject } from './subject.ts';
import { mostSubsets, type Subset, subsetsByEdges, subsetsByValue } from './subsets.ts';

export interface SliceJudgement {
  readonly checks: readonly Check[];
  readonly figures: readonly Figure[];
}

/**
 * Holds every declared slice against the `min` and `max` of every metric. All slices of all metrics are one family: a slice fails only where the
 * Benjamini-Hochberg q-value says that the bound is broken, so that among many slices chance alone fails none; it passes
 * where its own interval says that the bound holds.
 */
export async function sliceChecks(subject: Subject, rows: EvaluationRows): Promise<SliceJudgement> {
  const slices = await slicesOf(subject, rows);
  if (slices.length === 0) return { checks: [], figures: [] };
  const least = rows.policy.min_rows ?? policyDefaults.min_rows;
  const judged: Judged[] = [];
  const figures: IntervalsFigure[] = [];
  const left: Check[] = [];
  for (const { name, bound } of boundedMetrics(subject)) {
    if (obstacle(name, bound, subject) !== undefined) continue;
    const bars: IntervalsFigure['rows'][number][] = [];
    for (const slice of slices) {
      const demands = demandsOf(name, bound, slice, subject);
      const small = slice.rows.length < least;
      const of = small ? undefined : intervalOf(name, bound, slice, subject);
      if (of === undefined) {
        const why = small
          ? `${counted(slice.rows.length, 'row')}, fewer than min_rows (${least})`
          : `${name} is not defined on the ${counted(slice.rows.length, 'row')} of this slice`;
        left.push(...demands.map((demand) => skipped(demand, why)));
        continue;
      }
      bars.push({ name: slice.name, n: slice.rows.length, estimate: of.estimate, lower: of.lower, upper: of.upper });
      judged.push(...demands.map((demand) => ({ demand, interval: of, slice, name })));
    }
    if (bars.length === 0) continue;
    const whole = metricIntervals(
      metrics[name],
      { candidate: subject.pair.candidate } as Pair,
      optionsOf(bound),
      subject,
    );
    const { estimate, lower, upper } = whole.candidate;
    const line = metrics[name].better === 'higher' ? (bound.min ?? bound.max) : (bound.max ?? bound.min);
    figures.push({
      kind: 'intervals',
      id: `slices/${name}`,
      title: `${name} by slice`,
      metric: name,
      ...(line === undefined ? {} : { bound: line }),
      rows: [{ name: 'all rows', n: subject.pair.candidate.actual.length, estimate, lower, upper }, ...bars],
    });
  }
  return { checks: [...decidedTogether(judged, subject.level), ...left], figures };
}

interface Judged {
  readonly demand: Demand;
  readonly interval: Interval;
  readonly slice: Subset;
  readonly name: MetricName;
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
    return boundCheck(demand, {
      observed: interval.estimate,
      interval,
      rows: slice.rows.length,
      status,
      said: `${name} is ${numberText(interval.estimate, Number(demand.bound.value))} on the ${counted(slice.rows.length, 'row')} where ${excerpt(slice.name)}`,
      note:
        level === 'off'
          ? undefined
          : `Among ${counted(judged.length, 'slice check')}: p ${numberText(pValues[index] ?? 1)}, q ${numberText(q)}`,
    });
  });
}

/** The metric on the slice; undefined where the slice holds nothing to measure it by. */
function intervalOf(
  name: MetricName,
  bound: Parameters<typeof optionsOf>[0],
  slice: Subset,
  subject: Subject,
): Interval | undefined {
  const { candidate } = subject.pair;
  const part = candidate.task === 'classification' ? pick(candidate, slice.rows) : pick(candidate, slice.rows);
  if (part.task === 'classification' && part.classes.length === 2 && (bound.average ?? 'binary') === 'binary') {
    const positive = part.positive ?? 1;
    // Of no rows, zero_division would make a recall or precision of 0, and a slice without positives would fail.
    if ((name === 'recall' || name === 'f1') && !part.actual.includes(positive)) return undefined;
    if (name === 'precision' && !part.predicted.includes(positive)) return undefined;
  }
  const seed = `${subject.seed}/${slice.name}`;
  const { candidate: interval } = metricIntervals(metrics[name], { candidate: part } as Pair, optionsOf(bound), {
    level: subject.level,
    seed,
  });
  return [interval.estimate, interval.lower, interval.upper].some(Number.isNaN) ? undefined : interval;
}

function demandsOf(
  name: MetricName,
  bound: Parameters<typeof optionsOf>[0],
  slice: Subset,
  { policy }: Subject,
): readonly Demand[] {
  return (['min', 'max'] as const).flatMap((key) => {
    const value = bound[key];
    if (value === undefined) return [];
    return [
      {
        id: `gate/${name}/${key}[${slice.name}]`,
        title: `${name} ${key === 'min' ? '≥' : '≤'} ${value} where ${slice.name}`,
        bound: { kind: key, value },
        unit: unitOf(name),
        severity: bound.severity,
        reason: bound.reason,
        place: policy.placeOf(['gates', name, key]),
      },
    ];
  });
}

async function slicesOf(subject: Subject, rows: EvaluationRows): Promise<readonly Subset[]> {
  const slices: Subset[] = [];
  for (const [index, declared] of (rows.policy.slices ?? []).entries()) {
    const place = subject.policy.placeOf(['evaluation', 'slices', index]);
    const [name, edges] =
      typeof declared === 'string' ? [declared, undefined] : (Object.entries(declared)[0] ?? ['', []]);
    const [column] = await rows.columns([name], place);
    if (column === undefined) continue;
    if (edges !== undefined && column.kind === 'string') {
      throw new DataError({
        code: 'slice-type',
        message: `the slice column "${excerpt(name)}" holds text, and edges cut numbers`,
        place,
        fix: `Write the column alone ("- ${excerpt(name, 40)}"): each of its values is a slice then.`,
      });
    }
    const parts = edges === undefined ? subsetsByValue([[name, column]]) : subsetsByEdges(name, column, edges);
    if (parts.length > mostSubsets) {
      throw new DataError({
        code: 'too-many-slices',
        message: `the slice column "${excerpt(name)}" has ${counted(parts.length, 'value')}`,
        place,
        expected: `at most ${mostSubsets}`,
        fix:
          column.kind === 'number'
            ? `Cut it with edges: "- { ${excerpt(name, 40)}: [0, 25, 65] }".`
            : 'Slice by a coarser column.',
      });
    }
    // Two declarations may cut the same column: the same slice is judged once.
    slices.push(...parts.filter((part) => !slices.some((known) => known.name === part.name)));
  }
  return slices;
}
