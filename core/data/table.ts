import type { Format } from './source-format.ts';

/** What a column holds, in words a policy can use. `other`: lists, structs, blobs, times of day... */
export type ColumnType = 'integer' | 'number' | 'string' | 'boolean' | 'date' | 'timestamp' | 'other';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** The engine's name of the type: `BIGINT`, `DECIMAL(18,2)`. */
  readonly sqlType: string;
}

/** A data file, or a table of an engine, that is open for questions. */
export interface Table {
  /** The file as the caller named it; of an engine's table `trino:hive.sales.orders`. */
  readonly file: string;
  /** A quoted relation to put after FROM. It has every data column and `rowNumberColumn`. */
  readonly sql: string;
  /**
   * False of a table whose rows have no order. `rowNumberColumn` then holds a fingerprint of the whole row (of 53 bits): it chooses the
   * same rows whenever it is asked, and is shown to nobody. @default true
   */
  readonly ordered?: boolean;
  readonly columns: readonly Column[];
  /** Data rows; a CSV's header is not one. */
  readonly rows: number;
  /** How the source is stored: `csv`. Absent where no file was opened. */
  readonly format?: Format;
  /** How a CSV is written: `commas between values, quoted by ", header in line 1, UTF-8, LF`. Of several files that of the first. */
  readonly dialect?: string;
  /** The files a source consists of, in the order of their rows, where they are several. */
  readonly files?: readonly TableFile[];
}

/** One of the files of a table. */
export interface TableFile {
  readonly file: string;
  readonly rows: number;
}

/** A table of files whose bytes were all read once. */
export interface DigestedTable extends Table {
  /** Of the file as stored; of several files, of the lines `<sha256>  <file>` that `sha256sum` would print. */
  readonly sha256: string;
}

/** Where a row of a table lies: its number in its own file, and the file where the table has several. */
export function fileOfRow(table: Table, row: number): { readonly row: number; readonly file?: string } {
  let before = 0;
  for (const { file, rows } of table.files ?? []) {
    if (row <= before + rows) return { file, row: row - before };
    before += rows;
  }
  return { row };
}

/** Name of the column that counts rows from 1 in file order, in every `Table.sql`. A data file may not have it. */
export const rowNumberColumn = 'sluice row number';
