import { type DataCheckOptions, policyDefaults } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';

/** Values that only go one way, from row to row in file order. Rows without a value are passed over. */
export function monotonic(options: DataCheckOptions<'monotonic'>, { table, where }: Subject): readonly Demand[] {
  const { direction, strict = policyDefaults.strict, mostly = 1 } = options;
  return eachColumn('monotonic', [options.column], table, (column, plain) => {
    const name = `${plain}[${direction}]`;
    const title = `${excerpt(column.name, 60)} ${strict ? 'strictly ' : ''}${direction}`;
    if (column.type === 'other' || column.type === 'boolean')
      return mistyped({ name, title, column, rows: table.rows, wanted: 'numbers' });
    const wrong = direction === 'increasing' ? 'smaller than' : 'larger than';
    const how = strict ? `${wrong} or equal to` : wrong;
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'disordered', column, direction, strict },
        among: 'values',
        mostly,
        where,
        holds: 'follows the one before it',
        broken: `are ${how} the one before`,
        brokenOne: `is ${how} the one before`,
      },
      table.rows,
    );
  });
}
