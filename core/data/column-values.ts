import { isNumeric, readBatches } from './column-batches.ts';
import type { Engine } from './engine.ts';
import type { Table } from './table.ts';

/** A whole column in memory. */
export type ColumnValues = NumberValues | StringValues;

/** Of integer, number and boolean columns; true is 1. */
export interface NumberValues {
  readonly kind: 'number';
  /** NaN where there is no value. */
  readonly values: Float64Array;
  /** Rows without a value: null or NaN. */
  readonly nulls: number;
  /** The column's type allows whole numbers only (booleans included). */
  readonly integer: boolean;
}

/** Of every other type, as text: dates as `2024-12-31`, timestamps as `2024-12-31 23:59:59`. */
export interface StringValues {
  readonly kind: 'string';
  readonly values: readonly (string | null)[];
  readonly nulls: number;
}

/**
 * Reads columns into memory, each once, in file order. Throws a `DataError` that names every column the table lacks, or the column and
 * row of an integer that a double cannot hold exactly (beyond 2^53).
 */
export async function readColumns(
  engine: Engine,
  table: Table,
  names: readonly string[],
): Promise<ReadonlyMap<string, ColumnValues>> {
  const found = new Map<string, ColumnValues>();
  // All rows are one batch.
  for await (const { columns } of readBatches(engine, table, names, { rows: table.rows, doubles: true })) {
    for (const [name, { values }] of columns) found.set(name, columnOf(table, name, values));
  }
  for (const name of table.rows === 0 ? names : []) found.set(name, columnOf(table, name, []));
  return found;
}

function columnOf(
  table: Table,
  name: string,
  values: Float64Array | Float32Array | readonly (string | null)[],
): ColumnValues {
  const column = table.columns.find((each) => each.name === name);
  if (column === undefined || !isNumeric(column)) {
    const texts = ArrayBuffer.isView(values) ? [] : values;
    let nulls = 0;
    for (const text of texts) if (text === null) nulls++;
    return { kind: 'string', values: texts, nulls };
  }
  const numbers = values instanceof Float64Array ? values : new Float64Array();
  let nulls = 0;
  for (let row = 0; row < numbers.length; row++) if (Number.isNaN(numbers[row])) nulls++;
  return { kind: 'number', values: numbers, nulls, integer: column.type !== 'number' };
}
