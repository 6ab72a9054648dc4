/** What a column holds, in words a policy can use. `other`: lists, structs, blobs, times of day... */
export type ColumnType = 'integer' | 'number' | 'string' | 'boolean' | 'date' | 'timestamp' | 'other';

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** DuckDB's name of the type: `BIGINT`, `DECIMAL(18,2)`. */
  readonly sqlType: string;
}

/** A data file that is open for questions. */
export interface Table {
  /** The file as the caller named it. */
  readonly file: string;
  /** A quoted relation to put after FROM. It has every data column and `rowNumberColumn`. */
  readonly sql: string;
  readonly columns: readonly Column[];
  /** Data rows; a CSV's header is not one. */
  readonly rows: number;
  readonly sha256: string;
}

/** Name of the column that counts rows from 1 in file order, in every `Table.sql`. A data file may not have it. */
export const rowNumberColumn = 'sluice row number';
