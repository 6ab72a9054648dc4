import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';

/** A value in every row of each column: one check a column. NaN is no value, as in pandas and Great Expectations. */
export function notNull(
  { columns, mostly = 1 }: DataCheckOptions<'not_null'>,
  { table, where }: Subject,
): readonly Demand[] {
  const names = columns === 'all' ? table.columns.map((column) => column.name) : columns;
  return eachColumn('not_null', names, table, (column, name) =>
    rowShare(
      {
        name,
        title: `${excerpt(column.name, 60)} not null`,
        columns: [column],
        by: { kind: 'missing', column },
        among: 'rows',
        mostly,
        where,
        holds: 'has a value',
        broken: 'have no value',
        brokenOne: 'has no value',
      },
      table.rows,
    ),
  );
}
