import {
  type Disparity,
  disparities,
  disparityOf,
  type RateName,
  ratesByGroup,
  rowsOf,
} from '../../core/metrics/index.ts';
import { type FairnessMetric, fairnessMetrics, type Gates, policyDefaults } from '../../core/policy/index.ts';
import { DataError } from '../../core/problem/index.ts';
import type { Check, IntervalsFigure, Unit } from '../../core/report/index.ts';
import {
  exactInterval,
  type Interval,
  intervalOfResamples,
  resample,
  type Weights,
} from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { boundCheck, type Demand, unjudged } from './bound-check.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { cellsOf } from './metric-cells.ts';
import { counted, numberText } from './number-text.ts';
import type { SliceJudgement } from './slice-gate.ts';
import type { Subject } from './subject.ts';
import { mostSubsets, type Subset, subsetsByValue } from './subsets.ts';

type Fairness = NonNullable<Gates['fairness']>;

/** Holds the disparities between groups against their bounds; groups below `min_rows` are listed and left out. */
export async function fairnessChecks(subject: Subject, rows: EvaluationRows): Promise<SliceJudgement> {
  const fairness = subject.policy.policy.gates?.fairness;
  if (fairness === undefined) return { checks: [], figures: [] };
  const names = [fairness.group].flat();
  const groups = await groupsOf(names, subject, rows);
  const least = fairness.min_rows ?? policyDefaults.min_rows;
  const large = groups.filter((group) => group.rows.length >= least);
  const small = groups.filter((group) => group.rows.length < least);
  const demands = demandsOf(fairness, names, subject);
  const why =
    subject.broken ??
    (large.length < 2
      ? `fewer than two groups of ${names.map((name) => excerpt(name, 40)).join(', ')} have ${least} rows or more, so there is nothing to compare`
      : undefined);
  const checks =
    why === undefined
      ? demands.map(({ demand, name }) => judged(demand, disparities[name], large, subject))
      : demands.map(({ demand }) => unjudged(demand, why));
  return {
    checks: [...checks, ...small.map((group) => tooSmall(group, least, subject))],
    figures: why === undefined ? figuresOf(demands, large, subject) : [],
  };
}

interface FairnessDemand {
  readonly demand: Demand;
  readonly name: FairnessMetric;
}

function demandsOf(fairness: Fairness, groups: readonly string[], { policy }: Subject): readonly FairnessDemand[] {
  return fairnessMetrics.flatMap((name) => {
    const bound = fairness[name];
    if (bound === undefined) return [];
    return (['min', 'max'] as const).flatMap((key) => {
      const value = bound[key];
      if (value === undefined) return [];
      const demand: Demand = {
        id: `gate/fairness/${name}/${key}`,
        title: `${name} over ${groups.join(' × ')} ${key === 'min' ? '≥' : '≤'} ${value}`,
        bound: { kind: key, value },
        unit: unitOf(disparities[name]),
        severity: bound.severity,
        reason: bound.reason,
        place: policy.placeOf(['gates', 'fairness', name, key]),
      };
      return [{ demand, name }];
    });
  });
}

function unitOf({ unit }: Disparity): Unit {
  return unit === 'target' ? 'none' : unit;
}

function judged(demand: Demand, disparity: Disparity, groups: readonly Subset[], subject: Subject): Check {
  const { candidate } = subject.pair;
  if (disparity.task !== candidate.task) {
    return unjudged(demand, `${disparity.name} is for ${disparity.task}, and the model is one of ${candidate.task}`);
  }
  if (disparity.needsPositive && candidate.task === 'classification' && candidate.positive === undefined) {
    return unjudged(
      demand,
      `${disparity.name} needs a positive class among ${candidate.classes.length}; set evaluation.positive`,
    );
  }
  const { interval, rates } = disparityInterval(disparity, groups, subject);
  if (Number.isNaN(interval.estimate)) {
    return unjudged(demand, `${disparity.name} is not defined: fewer than two groups have rows to measure it by`);
  }
  return boundCheck(demand, {
    observed: interval.estimate,
    interval,
    rows: interval.n,
    said: `${disparity.name} is ${numberText(interval.estimate, Number(demand.bound.value))} over ${counted(groups.length, 'group')}: ${described(disparity, rates, groups)}`,
  });
}

/** The disparity with its interval: rows redrawn within each group, so that every group keeps its size. */
function disparityInterval(
  disparity: Disparity,
  groups: readonly Subset[],
  subject: Subject,
): { readonly interval: Interval; readonly rates: readonly Float64Array[] } {
  const of = unitsByGroup(groups, subject);
  const rates = ratesByGroup(of.sample, of.groups, groups.length, disparity.rates);
  const statistic = (weights: Weights) => disparityOf(disparity, rates(weights));
  const measured = rates(of.weights);
  const estimate = disparityOf(disparity, measured);
  const n = groups.reduce((sum, { rows }) => sum + rows.length, 0);
  if (subject.level === 'off') return { interval: exactInterval(estimate, n, 'point'), rates: measured };
  const [values = new Float64Array()] = resample(
    { weights: of.weights, strata: of.groups, seed: `${subject.seed}/${disparity.name}` },
    [statistic],
  );
  const interval = intervalOfResamples(estimate, values, { level: subject.level, method: 'cautious', n });
  const least = 0;
  const most = disparity.compare === 'ratio' ? 1 : Number.POSITIVE_INFINITY;
  return {
    interval: { ...interval, lower: Math.max(least, interval.lower), upper: Math.min(most, interval.upper) },
    rates: measured,
  };
}

/** The rows that are in a group, those alike counted together where only labels matter. */
function unitsByGroup(groups: readonly Subset[], { pair }: Subject) {
  const { candidate } = pair;
  const groupOf = new Int32Array(rowsOf(candidate)).fill(-1);
  for (const [group, { rows }] of groups.entries()) for (const row of rows) groupOf[row] = group;
  if (candidate.task === 'classification') {
    // Rows without a group are a cell of their own number; no group's rate looks at them.
    const shifted = groupOf.map((group) => group + 1);
    const cells = cellsOf({ candidate }, shifted);
    return { sample: cells.pair.candidate, weights: cells.weights, groups: cells.groups.map((group) => group - 1) };
  }
  return { sample: candidate, weights: new Float64Array(groupOf.length).fill(1), groups: groupOf };
}

function described(disparity: Disparity, rates: readonly Float64Array[], groups: readonly Subset[]): string {
  return disparity.rates
    .map((rate, index) => {
      const known = [...(rates[index] ?? [])]
        .map((value, group) => ({ value, name: groups[group]?.name ?? '' }))
        .filter(({ value }) => !Number.isNaN(value))
        .sort((left, right) => left.value - right.value);
      const [lowest] = known;
      const highest = known.at(-1);
      if (lowest === undefined || highest === undefined) return `${rate} is not defined`;
      const words = `${rate} ${numberText(lowest.value)} for ${excerpt(lowest.name, 60)}, ${numberText(highest.value)} for ${excerpt(highest.name, 60)}`;
      const left = groups.length - known.length;
      return left === 0 ? words : `${words} (${counted(left, 'group')} left out: no rows for it)`;
    })
    .join('; ');
}

function figuresOf(
  demands: readonly FairnessDemand[],
  groups: readonly Subset[],
  subject: Subject,
): readonly IntervalsFigure[] {
  const { candidate } = subject.pair;
  const rates = new Set<RateName>();
  for (const { name } of demands) {
    const { task, rates: of, needsPositive } = disparities[name];
    const positive = candidate.task !== 'classification' || candidate.positive !== undefined;
    if (task === candidate.task && (positive || !needsPositive)) for (const rate of of) rates.add(rate);
  }
  return [...rates].flatMap((rate) => {
    const of = unitsByGroup(groups, subject);
    const measure = ratesByGroup(of.sample, of.groups, groups.length, [rate]);
    const [values = new Float64Array()] = measure(of.weights);
    const resampled =
      subject.level === 'off'
        ? []
        : resample(
            { weights: of.weights, strata: of.groups, seed: `${subject.seed}/${rate}` },
            groups.map((_, group) => (weights: Weights) => measure(weights)[0]?.[group] ?? Number.NaN),
          );
    const rows = groups.flatMap((group, index) => {
      const estimate = values[index] ?? Number.NaN;
      const n = group.rows.length;
      const { lower, upper } =
        subject.level === 'off'
          ? exactInterval(estimate, n)
          : intervalOfResamples(estimate, resampled[index] ?? new Float64Array(), {
              level: subject.level,
              method: 'percentile',
              n,
            });
      return [estimate, lower, upper].some(Number.isNaN) ? [] : [{ name: group.name, n, estimate, lower, upper }];
    });
    if (rows.length === 0) return [];
    return [{ kind: 'intervals', id: `groups/${rate}`, title: `${rate} by group`, metric: rate, rows }];
  });
}

/** The groups that these columns make, with their rows. */
export async function groupsOf(
  names: readonly string[],
  subject: Pick<Subject, 'policy'>,
  rows: EvaluationRows,
): Promise<readonly Subset[]> {
  const place = subject.policy.placeOf(['gates', 'fairness', 'group']);
  const columns = await rows.columns(names, place);
  const groups = subsetsByValue(
    names.flatMap((name, index) => {
      const column = columns[index];
      return column === undefined ? [] : [[name, column] as const];
    }),
  );
  if (groups.length <= mostSubsets) return groups;
  throw new DataError({
    code: 'too-many-groups',
    message: `${names.map((name) => `"${excerpt(name, 40)}"`).join(' and ')} make${names.length === 1 ? 's' : ''} ${counted(groups.length, 'group')}`,
    place,
    expected: `at most ${mostSubsets}`,
    fix: 'Group by a column with few values, such as an age band in place of the age.',
  });
}

function tooSmall(group: Subset, least: number, { policy }: Subject): Check {
  return {
    id: `gate/fairness/group[${group.name}]`,
    title: `fairness of ${group.name}`,
    section: 'gate',
    status: 'skipped',
    message: `${counted(group.rows.length, 'row')}, fewer than min_rows (${least}): left out of the comparison.`,
    observed: group.rows.length,
    unit: 'rows',
    place: policy.placeOf(['gates', 'fairness', 'group']),
  };
}
