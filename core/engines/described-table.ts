import { type Column, quoteIdentifier, rowNumberColumn, type Table } from '../data/index.ts';
import { columnTypeOfTrino } from './trino-column-type.ts';
import { trinoRowNumber } from './trino-fingerprint.ts';

/** A table of Trino or Athena: its rows have no order, so a fingerprint stands where a file's rows have their numbers. */
export function describedTable(
  file: string,
  reference: string,
  described: readonly { readonly name: string; readonly type: string }[],
  rows: number,
): Table {
  const columns = described.map(
    ({ name, type }): Column => ({
      name,
      type: columnTypeOfTrino(type),
      sqlType: type.replace(/^([a-z]+)/i, (word) => word.toLowerCase()),
    }),
  );
  const number = `${trinoRowNumber(columns)} AS ${quoteIdentifier(rowNumberColumn)}`;
  return { file, sql: `(SELECT *, ${number} FROM ${reference})`, columns, rows, ordered: false };
}
