import { DataError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { Engine } from './engine.ts';
import { missingColumn } from './nearest-columns.ts';
import { quoteIdentifier } from './quoting.ts';
import type { Column, Table } from './table.ts';

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
  const wanted = [...new Set(names)];
  const columns = wanted.map((name) => table.columns.find((column) => column.name === name));
  const [first, ...others] = wanted
    .filter((_, index) => columns[index] === undefined)
    .map((name) => missingColumn(name, table.file, table.columns, { file: table.file }));
  if (first !== undefined) throw new DataError([first, ...others]);

  const found = columns.filter((column) => column !== undefined);
  if (found.length === 0) return new Map();
  const readers = found.map((column) => (isNumeric(column) ? new NumberReader(column, table) : new StringReader()));
  const select = found.map(
    (column) => `CAST(${quoteIdentifier(column.name)} AS ${isNumeric(column) ? 'DOUBLE' : 'VARCHAR'})`,
  );
  let row = 0;
  for await (const chunk of engine.chunks(`SELECT ${select.join(', ')} FROM ${table.sql}`)) {
    const count = chunk.rowCount;
    for (const [index, reader] of readers.entries()) reader.read(chunk.getColumnVector(index), row, count);
    row += count;
  }
  if (row !== table.rows) {
    throw new DataError({
      code: 'row-count-mismatch',
      message: 'the file does not have the rows it says it has',
      place: { file: table.file },
      found: `${row} rows`,
      expected: `${table.rows}`,
      fix: 'Write the file again.',
    });
  }
  return new Map(found.map((column, index) => [column.name, (readers[index] ?? new StringReader()).result()]));
}

function isNumeric(column: Column): boolean {
  return column.type === 'integer' || column.type === 'number' || column.type === 'boolean';
}

interface Vector {
  getItem(index: number): unknown;
}

const firstUnsafe = 2 ** 53;

class NumberReader {
  readonly #column: Column;
  readonly #table: Table;
  readonly #values: Float64Array;
  readonly #wide: boolean;
  #nulls = 0;

  constructor(column: Column, table: Table) {
    this.#column = column;
    this.#table = table;
    this.#values = new Float64Array(table.rows);
    this.#wide = column.type === 'integer' && !/^U?(TINY|SMALL)?INT(EGER)?$/.test(column.sqlType);
  }

  read(vector: Vector, offset: number, count: number): void {
    const values = this.#values;
    let nulls = 0;
    for (let index = 0; index < count; index++) {
      const item = vector.getItem(index);
      const value = typeof item === 'number' ? item : Number.NaN;
      if (Number.isNaN(value)) nulls++;
      values[offset + index] = value;
    }
    this.#nulls += nulls;
    if (!this.#wide) return;
    for (let index = offset; index < offset + count; index++) {
      if (Math.abs(values[index] ?? 0) >= firstUnsafe) throw this.#tooLarge(index + 1);
    }
  }

  result(): NumberValues {
    const integer = this.#column.type !== 'number';
    return { kind: 'number', values: this.#values, nulls: this.#nulls, integer };
  }

  #tooLarge(row: number): DataError {
    return new DataError({
      code: 'integer-too-large',
      message: `column "${excerpt(this.#column.name)}" holds an integer that a number cannot hold exactly`,
      place: { file: this.#table.file },
      found: `about ${this.#values[row - 1]} in row ${row}`,
      expected: 'integers below 2^53 (9,007,199,254,740,992) in magnitude',
      fix: 'Store it as text if it is an identifier, else as a floating-point number.',
    });
  }
}

class StringReader {
  readonly #values: (string | null)[] = [];
  #nulls = 0;

  read(vector: Vector, _offset: number, count: number): void {
    for (let index = 0; index < count; index++) {
      const item = vector.getItem(index);
      if (item === null) this.#nulls++;
      this.#values.push(item === null ? null : String(item));
    }
  }

  result(): StringValues {
    return { kind: 'string', values: this.#values, nulls: this.#nulls };
  }
}
