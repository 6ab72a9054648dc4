import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';
import { counted } from '../wording.ts';

/** Texts of so many characters (code points, as in Python). Missing values are left to `not_null`; an empty text has none. */
export function length(options: DataCheckOptions<'length'>, { table, where }: Subject): readonly Demand[] {
  const { min, max, mostly = 1 } = options;
  const range =
    min === undefined
      ? `at most ${counted(max ?? 0, 'character')}`
      : max === undefined
        ? `at least ${counted(min, 'character')}`
        : min === max
          ? counted(min, 'character')
          : `${min} to ${counted(max, 'character')}`;
  return eachColumn('length', [options.column], table, (column, name) => {
    const title = `${excerpt(column.name, 60)} ${range} long`;
    if (column.type !== 'string') return mistyped({ name, title, column, rows: table.rows, wanted: 'text' });
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'mislength', column, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
        among: 'values',
        mostly,
        where,
        holds: `is ${range} long`,
        broken: `are not ${range} long`,
        brokenOne: `is not ${range} long`,
      },
      table.rows,
    );
  });
}
