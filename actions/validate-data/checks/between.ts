import type { Column, Table } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';

/** Numbers from `min` to `max`, both included. Missing values are left to `not_null`; infinities are numbers. */
export function between(options: DataCheckOptions<'between'>, table: Table): readonly Demand[] {
  const { min, max, mostly = 1 } = options;
  const range = min === undefined ? `≤ ${max}` : max === undefined ? `≥ ${min}` : `between ${min} and ${max}`;
  const outside = min === undefined ? `above ${max}` : max === undefined ? `below ${min}` : `outside ${min} to ${max}`;
  return eachColumn('between', [options.column], table, (column, name) => {
    const title = `${excerpt(column.name, 60)} ${range}`;
    if (!isNumeric(column)) return mistyped({ name, title, column, rows: table.rows, wanted: 'numbers' });
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'outside', column, ...(min === undefined ? {} : { min }), ...(max === undefined ? {} : { max }) },
        among: 'values',
        mostly,
        holds: `is ${range}`,
        broken: `are ${outside}`,
        brokenOne: `is ${outside}`,
      },
      table.rows,
    );
  });
}

function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number';
}
