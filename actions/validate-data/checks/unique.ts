import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { allColumns } from '../column-of.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';

/**
 * Values (of several columns together) that no other row has. Every row of a repeated value counts as failing, as in Great
 * Expectations; rows that miss one of the columns do not take part, as in SQL and dbt.
 */
export function unique(
  { columns: names, mostly = 1 }: DataCheckOptions<'unique'>,
  { table, where }: Subject,
): readonly Demand[] {
  return allColumns('unique', names, table, (columns, name) =>
    rowShare(
      {
        name,
        title: `${columns.map((column) => excerpt(column.name, 60)).join(', ')} unique`,
        columns,
        by: { kind: 'copies', columns, of: 'shared' },
        among: 'values',
        mostly,
        where,
        holds: 'is there once',
        broken: 'are there more than once',
        brokenOne: 'is there more than once',
      },
      table.rows,
    ),
  );
}
