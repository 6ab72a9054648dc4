import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';

/** Text that an RE2 expression matches as a whole. Missing values are left to `not_null`. */
export function regex(options: DataCheckOptions<'regex'>, { table, where }: Subject): readonly Demand[] {
  const { pattern, mostly = 1 } = options;
  return eachColumn('regex', [options.column], table, (column, name) => {
    const title = `${excerpt(column.name, 60)} matches ${excerpt(pattern, 60)}`;
    if (column.type !== 'string') return mistyped({ name, title, column, rows: table.rows, wanted: 'text' });
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'unmatched', column, pattern },
        among: 'values',
        mostly,
        where,
        holds: `matches ${excerpt(pattern, 60)}`,
        broken: `do not match ${excerpt(pattern, 60)}`,
        brokenOne: `does not match ${excerpt(pattern, 60)}`,
      },
      table.rows,
    );
  });
}
