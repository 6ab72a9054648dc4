import { metrics } from '../../core/metrics/index.ts';
import type { MetricBound, MetricName } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { benjaminiHochberg, decide, type Interval, pValueOfBroken } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { basesBound } from './base-demands.ts';
import { boundCheck, type Demand, skipped, unjudged } from './bound-check.ts';
import { boundedMetrics, isOfClasses, obstacle, toMeasure, unitOf } from './metric-gate.ts';
import { metricIntervals } from './metric-interval.ts';
import { counted, numberText, pValueText } from './number-text.ts';
import type { Subject } from './subject.ts';

interface ClassDemand {
  readonly demand: Demand;
  readonly against: { readonly kind: 'min' | 'max'; readonly value: number };
  readonly interval: Interval;
  readonly label: string;
  /** Rows that are of the class. */
  readonly rows: number;
  readonly name: MetricName;
}

/**
 * Holds every class against the `min` and `max` of the metrics with `average: none`. All classes of all of them are one family, as slices are:
 * one fails only where the Benjamini-Hochberg q-value says that its bound is broken. A class that no row is of is skipped: nothing is known of it.
 */
export function classChecks(subject: Subject): readonly Check[] {
  const judged: ClassDemand[] = [];
  const left: Check[] = [];
  const sample = subject.pair.candidate;
  for (const { name, bound } of boundedMetrics(subject).filter(isOfClasses)) {
    const why = obstacle(name, bound, subject);
    const classes = classesOf(sample);
    if (classes.length === 0 || why !== undefined) {
      const demands = demandsOf(name, bound, undefined, subject);
      left.push(...demands.map(({ demand }) => unjudged(demand, why ?? `${name} is a metric of classes`)));
      continue;
    }
    for (const [index, { label, rows }] of classes.entries()) {
      const demands = demandsOf(name, bound, label, subject);
      if (rows === 0) {
        left.push(...demands.map(({ demand }) => skipped(demand, 'No row is of this class')));
        continue;
      }
      const interval = intervalOf({ name, bound }, { index, label }, subject);
      judged.push(...demands.map((each) => ({ ...each, interval, label, rows, name })));
    }
  }
  // What the base's policy alone would judge is a family of its own.
  const { base } = subject.policy;
  const isBases = ({ name, against }: ClassDemand) =>
    base === undefined || basesBound(base, { name, id: `gate/${name}` })?.[against.kind] !== undefined;
  const families = [judged.filter(isBases), judged.filter((each) => !isBases(each))];
  return [...families.flatMap((family) => decidedTogether(family, subject.level)), ...left];
}

/** Every class, or label, and the rows that it is true of; none of a regression or a ranking. */
function classesOf(sample: Subject['pair']['candidate']): readonly { readonly label: string; readonly rows: number }[] {
  if (sample.task === 'regression' || sample.task === 'ranking') return [];
  const counts = new Map<number, number>();
  if (sample.task === 'classification') {
    for (const actual of sample.actual) counts.set(actual, (counts.get(actual) ?? 0) + 1);
    return sample.classes.map((label, index) => ({ label, rows: counts.get(index) ?? 0 }));
  }
  for (const [at, isTrue] of sample.actual.entries()) {
    const label = at % sample.labels.length;
    counts.set(label, (counts.get(label) ?? 0) + isTrue);
  }
  return sample.labels.map((label, index) => ({ label, rows: counts.get(index) ?? 0 }));
}

function intervalOf(
  of: { readonly name: MetricName; readonly bound: MetricBound },
  { index: ofClass, label }: { readonly index: number; readonly label: string },
  subject: Subject,
): Interval {
  const { metric, options } = toMeasure(of, subject);
  const { candidate } = subject.pair;
  const certainty = { level: subject.level, seed: `${subject.seed}/class ${label}` };
  const toMeasureIt = [{ metric, options: { ...options, ofClass } }];
  const measured = metricIntervals(toMeasureIt, { candidate }, certainty).get(of.name);
  if (measured === undefined) throw new TypeError(`${of.name} was not measured`);
  return measured.candidate;
}

function demandsOf(name: MetricName, bound: MetricBound, label: string | undefined, { policy }: Subject) {
  return (['min', 'max'] as const).flatMap((kind): readonly Pick<ClassDemand, 'demand' | 'against'>[] => {
    const value = bound[kind];
    if (value === undefined) return [];
    const shown = label === undefined ? 'every class' : `class "${excerpt(label, 40)}"`;
    const demand = {
      id: `gate/${name}/${kind}${label === undefined ? '' : `[class=${label}]`}`,
      title: `${name} ${kind === 'min' ? '≥' : '≤'} ${value} of ${shown}`,
      bound: { kind, value },
      unit: unitOf(name),
      severity: bound.severity,
      reason: bound.reason,
      place: policy.placeOf(['gates', name, kind]),
    };
    return [{ demand, against: { kind, value } }];
  });
}

function decidedTogether(judged: readonly ClassDemand[], level: number | 'off'): readonly Check[] {
  const pValues = judged.map(({ against, interval }) => pValueOfBroken(against, interval));
  const qValues = benjaminiHochberg(pValues);
  return judged.map(({ demand, against, interval, label, rows, name }, index) => {
    const own = decide(against, interval);
    const [p, q] = [pValues[index] ?? 1, qValues[index] ?? 1];
    const broken = level === 'off' ? own === 'fail' : q <= 1 - level;
    // Broken on its own, but not among so many: its p-value has to fall to this.
    const needed = level !== 'off' && own === 'fail' ? 1 - ((1 - level) * p) / q : undefined;
    return boundCheck(demand, {
      observed: interval.estimate,
      interval,
      rows,
      status: broken ? 'fail' : own === 'pass' ? 'pass' : 'inconclusive',
      ...(needed === undefined ? {} : { needed }),
      said: `${metrics[name].name} of class "${excerpt(label, 40)}" is ${numberText(interval.estimate, against.value)}, and ${counted(rows, 'row')} ${rows === 1 ? 'is' : 'are'} of it`,
      note:
        level === 'off'
          ? undefined
          : `Among ${counted(judged.length, 'class check')}: ${pValueText('p', p)}, ${pValueText('q', q)}`,
    });
  });
}
