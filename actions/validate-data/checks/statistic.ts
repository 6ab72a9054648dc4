import type { Column } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import type { Unit } from '../../../core/report/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { allColumns, eachColumn } from '../column-of.ts';
import type { CountMeasure, Statistic, StatisticMeasure } from '../measure.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand, Judgement } from '../planned-check.ts';
import { heldAgainst, rangeWords } from '../range.ts';
import { masked, ofRows, type Subject } from '../subject.ts';
import { counted } from '../wording.ts';
import { misfitOf } from './between.ts';

type Kind = 'mean' | 'std' | 'sum' | 'min' | 'max' | 'distinct_count' | 'distinct_share';

/** One number of a column's values, in a range. NaN is no value, as in pandas. */
export function statistic(kind: Kind, options: DataCheckOptions<Kind>, subject: Subject): readonly Demand[] {
  const { column: named, min, max } = options;
  return eachColumn(kind, [named], subject.table, (column, name) => {
    const title = `${excerpt(column.name, 60)} ${words[kind]} ${rangeWords(min, max)}`;
    const distinct = kind === 'distinct_count' || kind === 'distinct_share';
    const misfit = distinct ? undefined : misfitOf(column, [min, max]);
    if (misfit !== undefined) return mistyped({ name, title, column, rows: subject.table.rows, ...misfit });
    const of: Statistic = { of: distinct ? 'distinct' : kind, column };
    return demandOf({ name, title, columns: [column], statistic: of, kind, min, max }, subject);
  });
}

/** The least value that at least a share of the values does not exceed. */
export function quantile(options: DataCheckOptions<'quantile'>, subject: Subject): readonly Demand[] {
  const { column: named, share, min, max } = options;
  return eachColumn('quantile', [named], subject.table, (column, plain) => {
    const name = `${plain}[${share}]`;
    const title = `${excerpt(column.name, 60)} quantile ${share} ${rangeWords(min, max)}`;
    const misfit = misfitOf(column, [min, max]);
    if (misfit !== undefined) return mistyped({ name, title, column, rows: subject.table.rows, ...misfit });
    return demandOf(
      { name, title, columns: [column], statistic: { of: 'quantile', column, share }, kind: 'quantile', min, max },
      subject,
    );
  });
}

/** Pearson's correlation of the rows that have both values. */
export function correlation(options: DataCheckOptions<'correlation'>, subject: Subject): readonly Demand[] {
  const { columns: named, min, max } = options;
  return allColumns('correlation', named, subject.table, ([one, other], name) => {
    const title = `correlation of ${named.map((column) => excerpt(column, 60)).join(' and ')} ${rangeWords(min, max)}`;
    for (const column of [one, other]) {
      const misfit = column === undefined ? undefined : misfitOf(column, [min, max]);
      if (column !== undefined && misfit !== undefined)
        return mistyped({ name, title, column, rows: subject.table.rows, ...misfit });
    }
    const columns = [one, other ?? one].filter((column) => column !== undefined);
    const [left, right = left] = columns;
    if (left === undefined || right === undefined) throw new RangeError('a correlation without columns');
    return demandOf(
      { name, title, columns, statistic: { of: 'correlation', columns: [left, right] }, kind: 'correlation', min, max },
      subject,
    );
  });
}

const words: Readonly<Record<Kind, string>> = {
  mean: 'mean',
  std: 'standard deviation',
  sum: 'sum',
  min: 'smallest value',
  max: 'largest value',
  distinct_count: 'different values',
  distinct_share: 'share of different values',
};

interface StatisticDemand {
  readonly name: string;
  readonly title: string;
  readonly columns: readonly Column[];
  readonly statistic: Statistic;
  readonly kind: Kind | 'quantile' | 'correlation';
  readonly min: number | string | undefined;
  readonly max: number | string | undefined;
}

function demandOf(demand: StatisticDemand, { table, where, isSensitive }: Subject): Demand {
  const { name, title, columns, statistic: of, kind } = demand;
  const measure: StatisticMeasure = { kind: 'statistic', statistic: of, ...ofRows(where) };
  const present: CountMeasure = { kind: 'present', columns, ...ofRows(where) };
  const unit: Unit = kind === 'distinct_share' ? 'share' : kind === 'distinct_count' ? 'count' : 'none';
  const isTime =
    columns.some(({ type }) => type === 'date' || type === 'timestamp') && (kind === 'min' || kind === 'max');
  // One of the values themselves, where others are numbers of all of them.
  const hidden = (kind === 'min' || kind === 'max' || kind === 'quantile') && columns.some(isSensitive);
  const range = { min: secondsOf(demand.min), max: secondsOf(demand.max) };
  const judge = (values: number, found: number | undefined): Judgement => {
    if (found === undefined || values === 0) {
      const message =
        table.rows === 0
          ? 'The file has no rows, and no rows prove nothing. Check what writes it.'
          : `${counted(values, 'value')}, and nothing can be told of them: they are too few, or one is infinite or too large. Check what writes the file, or leave such rows out ("where").`;
      return { outcome: 'unjudged', message };
    }
    const observed = kind === 'distinct_share' ? found / values : found;
    const { outcome, bound, side } = heldAgainst(observed, range);
    const told = hidden ? masked : isTime ? timeText(observed) : numberText(observed);
    const demanded = side === undefined ? '' : `; ${rangeWords(demand.min, demand.max)} is demanded`;
    return {
      outcome,
      message: `${told} of ${counted(values, 'value')}${outcome === 'holds' ? '' : demanded}.`,
      observed: hidden || isTime ? told : observed,
      ...(isTime && side !== undefined
        ? { bound: { kind: 'must_hold', value: rangeWords(demand.min, demand.max) } as const }
        : bound === undefined
          ? {}
          : { bound }),
      rows: values,
    };
  };
  return {
    name,
    title,
    unit,
    needs: [measure, present],
    judge: (measurements) => judge(measurements.count(present), measurements.statistic(measure)),
  };
}

/** A time as seconds since 1970; a number as it is. */
function secondsOf(end: number | string | undefined): number | undefined {
  if (typeof end !== 'string') return end;
  const [date = '', time = '00:00'] = end.split(/[ T]/);
  return Date.parse(`${date}T${time}Z`) / 1000;
}

/** `2026-08-01`, `2026-08-01 12:30:00`. */
export function timeText(seconds: number): string {
  const time = new Date(seconds * 1000);
  if (Number.isNaN(time.getTime())) return String(seconds);
  return time
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, '')
    .replace(/ 00:00:00$/, '');
}

function numberText(value: number): string {
  return String(Number.isInteger(value) ? value : Number(value.toPrecision(12)));
}
