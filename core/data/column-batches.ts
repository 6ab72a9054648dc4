import { DataError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { Engine } from './engine.ts';
import { missingColumn } from './nearest-columns.ts';
import { quoteIdentifier } from './quoting.ts';
import type { Column, Table } from './table.ts';
import { type CellVector, copyNumbers } from './vector-values.ts';

/** Some consecutive rows of some columns. */
export interface ColumnBatch {
  /** The first row, from 0. */
  readonly from: number;
  /** The row after the last. */
  readonly to: number;
  readonly columns: ReadonlyMap<string, BatchColumn>;
}

/** The cells of a column in some rows. */
export type BatchColumn = BatchNumbers | BatchTexts;

/** Of integer, number and boolean columns; true is 1. Single precision where the file holds that. */
export interface BatchNumbers {
  readonly kind: 'number';
  /** NaN where there is no value. */
  readonly values: Float64Array | Float32Array;
}

/** Of every other type, as text: dates as `2024-12-31`, timestamps as `2024-12-31 23:59:59`. */
export interface BatchTexts {
  readonly kind: 'string';
  readonly values: readonly (string | null)[];
}

export interface BatchOptions {
  /** Rows a batch; the last has what is left. */
  readonly rows: number;
  /** Numbers in double precision, whatever the file holds. @default false */
  readonly doubles?: boolean;
}

/**
 * Reads columns batch by batch, in file order, each in arrays of its own; no more than a batch is in memory. Throws a `DataError` that
 * names every column the table lacks, the column and row of an integer that a double cannot hold exactly (beyond 2^53), or a file that has
 * not the rows it says it has.
 */
export async function* readBatches(
  engine: Engine,
  table: Table,
  names: readonly string[],
  { rows, doubles = false }: BatchOptions,
): AsyncGenerator<ColumnBatch> {
  const columns = columnsOf(table, names);
  if (columns.length === 0) return;
  const select = columns.map((column) => `CAST(${quoteIdentifier(column.name)} AS ${sqlTypeOf(column, doubles)})`);
  let from = 0;
  let filled = 0;
  let size = Math.min(rows, table.rows);
  const begin = () => columns.map((column) => readerOf(column, table, size, doubles));
  let readers = begin();
  for await (const chunk of engine.chunks(`SELECT ${select.join(', ')} FROM ${table.sql}`)) {
    const count = chunk.rowCount;
    if (from + filled + count > table.rows) throw wrongCount(table, from + filled + count);
    const vectors = columns.map((_, index): CellVector => chunk.getColumnVector(index));
    for (let at = 0; at < count; ) {
      const some = Math.min(count - at, size - filled);
      for (const [index, vector] of vectors.entries()) readers[index]?.read(vector, at, some, from + filled);
      at += some;
      filled += some;
      if (filled < size) continue;
      yield {
        from,
        to: from + size,
        columns: new Map(columns.map(({ name }, index) => [name, readers[index]?.column() ?? noCells])),
      };
      from += size;
      filled = 0;
      size = Math.min(rows, table.rows - from);
      readers = begin();
    }
  }
  if (from < table.rows) throw wrongCount(table, from + filled);
}

const noCells: BatchColumn = { kind: 'string', values: [] };

/** The columns of these names, each once. */
function columnsOf(table: Table, names: readonly string[]): readonly Column[] {
  const wanted = [...new Set(names)];
  const columns = wanted.map((name) => table.columns.find((column) => column.name === name));
  const [first, ...others] = wanted
    .filter((_, index) => columns[index] === undefined)
    .map((name) => missingColumn(name, table.file, table.columns, { file: table.file }));
  if (first !== undefined) throw new DataError([first, ...others]);
  return columns.filter((column) => column !== undefined);
}

/** Whether a column is read as numbers. */
export function isNumeric({ type }: Column): boolean {
  return type === 'integer' || type === 'number' || type === 'boolean';
}

/** Whether an integer of the column may be one that a double cannot hold exactly. */
export function isWide({ type, sqlType }: Column): boolean {
  return type === 'integer' && !/^U?(TINY|SMALL)?INT(EGER)?$/.test(sqlType);
}

function isSingle({ type, sqlType }: Column): boolean {
  return type === 'number' && sqlType === 'FLOAT';
}

function sqlTypeOf(column: Column, doubles: boolean): string {
  if (!isNumeric(column)) return 'VARCHAR';
  return isSingle(column) && !doubles ? 'FLOAT' : 'DOUBLE';
}

function wrongCount(table: Table, rows: number): DataError {
  return new DataError({
    code: 'row-count-mismatch',
    message: 'the file does not have the rows it says it has',
    place: { file: table.file },
    found: rows > table.rows ? `more than ${table.rows} rows` : `${rows} rows`,
    expected: `${table.rows}`,
    fix: 'Write the file again.',
  });
}

/** The first integer that is not told from its neighbours. */
export const firstUnsafe = 2 ** 53;

export function integerTooLarge({ name }: Column, table: Table, value: number | undefined, row: number): DataError {
  return new DataError({
    code: 'integer-too-large',
    message: `column "${excerpt(name)}" holds an integer that a number cannot hold exactly`,
    place: { file: table.file },
    found: `about ${value} in row ${row}`,
    expected: 'integers below 2^53 (9,007,199,254,740,992) in magnitude',
    fix: 'Store it as text if it is an identifier, else as a floating-point number.',
  });
}

interface Reader {
  /** Cells `at` to `at + count` of a vector; `row`, from 0, is the first one's in the file. */
  read(vector: CellVector, at: number, count: number, row: number): void;
  column(): BatchColumn;
}

function readerOf(column: Column, table: Table, size: number, doubles: boolean): Reader {
  if (!isNumeric(column)) return textReader();
  const values = isSingle(column) && !doubles ? new Float32Array(size) : new Float64Array(size);
  const wide = isWide(column);
  let filled = 0;
  return {
    read(vector, at, count, row) {
      copyNumbers(vector, at, values, filled, count);
      if (wide) {
        for (let index = filled; index < filled + count; index++) {
          const value = values[index] ?? 0;
          if (Math.abs(value) >= firstUnsafe) throw integerTooLarge(column, table, value, row + index - filled + 1);
        }
      }
      filled += count;
    },
    column: () => ({ kind: 'number', values }),
  };
}

/** Texts of which a column has more are not likely to come again. */
const mostKnown = 10_000;

function textReader(): Reader {
  const values: (string | null)[] = [];
  // Equal cells share one string, however many rows there are.
  const known = new Map<string, string>();
  const shared = (text: string): string => {
    const found = known.get(text);
    if (found !== undefined) return found;
    if (known.size < mostKnown) known.set(text, text);
    return text;
  };
  return {
    read(vector, at, count) {
      for (let index = at; index < at + count; index++) {
        const item = vector.getItem(index);
        values.push(item === null ? null : shared(String(item)));
      }
    },
    column: () => ({ kind: 'string', values }),
  };
}
