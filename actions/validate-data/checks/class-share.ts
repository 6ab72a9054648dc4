import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import type { Classes, ClassesMeasure, Measurements } from '../measure.ts';
import type { Demand, Judgement } from '../planned-check.ts';
import type { Subject } from '../subject.ts';
import { ofRows } from '../subject.ts';
import { counted, demanded, percent } from '../wording.ts';

/** Every class's share of the rows that have one, at least `min` and at most `max`. */
export function classShare(options: DataCheckOptions<'class_share'>, { table, where }: Subject): readonly Demand[] {
  const { min, max } = options;
  const range = [min === undefined ? '' : `≥ ${demanded(min)}`, max === undefined ? '' : `≤ ${demanded(max)}`];
  return eachColumn('class_share', [options.column], table, (column, name) => {
    const measure: ClassesMeasure = { kind: 'classes', column, ...ofRows(where) };
    return {
      name,
      title: `${excerpt(column.name, 60)} class share ${range.filter((side) => side !== '').join(', ')}`,
      unit: 'share',
      needs: [measure],
      judge: (measurements: Measurements) =>
        judge(measurements.classes(measure), options, where.length === 0 ? table.rows : undefined),
    };
  });
}

function judge(
  classes: Classes,
  { column, min, max }: DataCheckOptions<'class_share'>,
  rows: number | undefined,
): Judgement {
  const smallest = classes.listed[0];
  const largest = classes.listed.at(-1);
  if (smallest === undefined || largest === undefined) {
    const message =
      rows === 0
        ? 'The file has no rows, and no rows prove nothing. Check what writes it.'
        : `${rows === undefined ? 'No row that is meant' : `None of ${counted(rows, 'row')}`} has a value in "${excerpt(column)}", so there are no classes to judge.`;
    return { outcome: 'unjudged', message };
  }
  const least = smallest.rows / classes.rows;
  const most = largest.rows / classes.rows;
  const tooRare = min !== undefined && least < min;
  const tooFrequent = max !== undefined && most > max;
  const outside = classes.listed.filter(
    ({ rows: count }) =>
      (min !== undefined && count / classes.rows < min) || (max !== undefined && count / classes.rows > max),
  );
  const verdict =
    outside.length === 0
      ? ''
      : ` Out of bounds: ${outside
          .slice(0, 5)
          .map(({ name }) => className(name))
          .join(', ')}${outside.length > 5 ? ', …' : ''}.`;
  const left = rows === undefined ? 0 : rows - classes.rows;
  return {
    outcome: tooRare || tooFrequent ? 'broken' : 'holds',
    message: `${listOf(classes)}.${verdict}${left === 0 ? '' : ` ${counted(left, 'row')} without a class ${left === 1 ? 'is' : 'are'} not counted.`}`,
    rows: classes.rows,
    ...(max !== undefined && (min === undefined || (tooFrequent && !tooRare))
      ? { observed: most, bound: { kind: 'max', value: max } as const }
      : { observed: least, bound: { kind: 'min', value: min ?? 0 } as const }),
  };
}

function listOf(classes: Classes): string {
  const shares = classes.listed.map(({ name, rows }) => `${className(name)} ${percent(rows / classes.rows)}`);
  if (classes.listed.length === classes.count) return shares.join(', ');
  const half = Math.ceil(shares.length / 2);
  return `${counted(classes.count, 'class', 'classes')}: ${shares.slice(0, half).join(', ')}, …, ${shares.slice(half).join(', ')}`;
}

function className(name: string): string {
  return name === '' ? '""' : excerpt(name, 40);
}
