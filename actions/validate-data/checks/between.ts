import { type Column, isMoment } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';

/** Numbers, dates or times from `min` to `max`, both included. Missing values are left to `not_null`; infinities are numbers. */
export function between(options: DataCheckOptions<'between'>, { table, where }: Subject): readonly Demand[] {
  const { min, max, mostly = 1 } = options;
  const range = min === undefined ? `≤ ${max}` : max === undefined ? `≥ ${min}` : `between ${min} and ${max}`;
  const outside = min === undefined ? `above ${max}` : max === undefined ? `below ${min}` : `outside ${min} to ${max}`;
  return eachColumn('between', [options.column], table, (column, name) => {
    const title = `${excerpt(column.name, 60)} ${range}`;
    const misfit = misfitOf(column, [min, max]);
    if (misfit !== undefined) return mistyped({ name, title, column, rows: table.rows, ...misfit });
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'outside', column, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
        among: 'values',
        mostly,
        where,
        holds: `is ${range}`,
        broken: `are ${outside}`,
        brokenOne: `is ${outside}`,
      },
      table.rows,
    );
  });
}

type End = number | string | undefined;

/** Why the ends can never be held against the column's values; undefined when they can. */
export function misfitOf(
  column: Column,
  ends: readonly End[],
): { readonly wanted: 'numbers' | 'dates and times'; readonly fix?: string } | undefined {
  const text = ends.find((end) => typeof end === 'string');
  if (text === undefined) {
    if (column.type === 'integer' || column.type === 'number') return undefined;
    if (column.type !== 'date' && column.type !== 'timestamp') return { wanted: 'numbers' };
    return { wanted: 'numbers', fix: 'Write the ends as dates: "2026-08-01".' };
  }
  if (column.type !== 'date' && column.type !== 'timestamp') return { wanted: 'dates and times' };
  const bad = ends.find((end) => typeof end === 'string' && !isMoment(end));
  return bad === undefined
    ? undefined
    : { wanted: 'dates and times', fix: `"${excerpt(String(bad), 30)}" is no day of the calendar: correct it.` };
}
