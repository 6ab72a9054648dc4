import type { Column } from '../../../core/data/index.ts';
import type { DataCheckOptions } from '../../../core/policy/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { eachColumn } from '../column-of.ts';
import { mistyped } from '../mistyped.ts';
import type { Demand } from '../planned-check.ts';
import { rowShare } from '../row-share.ts';
import type { Subject } from '../subject.ts';
import { counted } from '../wording.ts';

type Values = DataCheckOptions<'accepted_values'>['values'];

/** No value of a list, compared in the same way. */
export function notAcceptedValues(
  options: DataCheckOptions<'not_accepted_values'>,
  subject: Subject,
): readonly Demand[] {
  return valuesOfList('not_accepted_values', options, subject);
}

/** Values of a list, compared by type: text with text, numbers with numbers. Missing values are left to `not_null`. */
export function acceptedValues(options: DataCheckOptions<'accepted_values'>, subject: Subject): readonly Demand[] {
  return valuesOfList('accepted_values', options, subject);
}

function valuesOfList(
  kind: 'accepted_values' | 'not_accepted_values',
  { column: named, values, mostly = 1 }: DataCheckOptions<'accepted_values'>,
  { table, where, isSensitive }: Subject,
): readonly Demand[] {
  const accepts = kind === 'accepted_values';
  return eachColumn(kind, [named], table, (column, name) => {
    const list = values.slice(0, 6).map((value) => excerpt(String(value), 20));
    const shown = isSensitive(column)
      ? counted(values.length, 'listed value')
      : `${list.join(', ')}${values.length > list.length ? `, … (${values.length})` : ''}`;
    const title = `${excerpt(column.name, 60)} ${accepts ? '' : 'not '}in ${shown}`;
    const misfit = misfitOf(column, values);
    if (misfit !== undefined) {
      const { fix, ...rest } = misfit;
      const told = fix === undefined || isSensitive(column) ? {} : { fix };
      return mistyped({ name, title, column, rows: table.rows, ...rest, ...told });
    }
    return rowShare(
      {
        name,
        title,
        columns: [column],
        by: { kind: accepts ? 'unaccepted' : 'forbidden', column, values },
        among: 'values',
        mostly,
        where,
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
