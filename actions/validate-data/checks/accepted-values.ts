import type { Column, Table } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';

type Values = DataCheckOptions<'accepted_values'>['values'];

/** Values of a list, compared by type: text with text, numbers with numbers. Missing values are left to `not_null`. */
export function acceptedValues(options: DataCheckOptions<'accepted_values'>, table: Table): readonly Demand[] {
  const { values, mostly = 1 } = options;
  return eachColumn('accepted_values', [options.column], table, (column, name) => {
    const list = values.slice(0, 6).map((value) => excerpt(String(value), 20));
    const title = `${excerpt(column.name, 60)} in ${list.join(', ')}${values.length > list.length ? `, … (${values.length})` : ''}`;
    const misfit = misfitOf(column, values);
    if (misfit !== undefined) return mistyped({ name, title, column, rows: table.rows, ...misfit });
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: 'unaccepted', column, values },
        among: 'values',
        mostly,
        holds: 'is accepted',
        broken: 'are not accepted',
        brokenOne: 'is not accepted',
      },
      table.rows,
    );
  });
}

type Wanted = 'numbers' | 'text' | 'true and false';

/** Why the values can never equal the column's; undefined when they can. */
function misfitOf(column: Column, values: Values): { readonly wanted: Wanted; readonly fix?: string } | undefined {
  const fitting: Readonly<Record<Column['type'], string>> = {
    integer: 'number',
    number: 'number',
    string: 'string',
    date: 'string',
    boolean: 'boolean',
    timestamp: '',
    other: '',
  };
  const odd = values.find((value) => typeof value !== fitting[column.type]);
  if (odd === undefined) return undefined;
  const shown = excerpt(String(odd), 40);
  if (typeof odd === 'number') {
    return {
      wanted: 'numbers',
      ...(column.type === 'string' ? { fix: `Write the accepted value in quotes: "${shown}".` } : {}),
    };
  }
  if (typeof odd === 'boolean') {
    return {
      wanted: 'true and false',
      ...(column.type === 'string' ? { fix: `Write the accepted value in quotes: "${shown}".` } : {}),
    };
  }
  return {
    wanted: 'text',
    ...(column.type === 'integer' || column.type === 'number'
      ? {
          fix: Number.isFinite(Number(odd))
            ? `Write the accepted value without quotes: ${shown}.`
            : `Remove "${shown}" from the accepted values.`,
        }
      : {}),
  };
}
