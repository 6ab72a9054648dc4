import { resolve } from 'node:path';
import type { Engine, SqlEngine, Table } from '../../core/data/index.ts';
import type { SourceOfRows } from '../../core/policy/index.ts';
import { sourceName } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import { type Dialect, duckdbDialect } from './dialect.ts';
import type { TableEngines } from './table-engines.ts';
import { trinoDialect } from './trino-dialect.ts';

/** Rows that can be asked about: who answers, and in which words. */
export interface OpenRows {
  readonly table: Table;
  /** Of the files, where there are any. */
  readonly sha256?: Promise<string>;
  readonly engine: SqlEngine;
  readonly dialect: Dialect;
}

export interface Rooms {
  /** Where files are read. */
  readonly engine: Engine;
  /** Where tables are. */
  readonly engines: TableEngines;
  /** What paths are relative to. */
  readonly directory: string;
  /** Files outside of it are refused. */
  readonly within: string;
}

/** Opens a file on DuckDB, or a table on its engine. `text`: columns of a CSV to keep as written. */
export async function openRows(
  source: SourceOfRows,
  { engine, engines, directory, within }: Rooms,
  { place, text }: { readonly place: Place; readonly text: readonly string[] },
): Promise<OpenRows> {
  if (typeof source === 'string') {
    const { table, sha256 } = await engine.openAhead(resolve(directory, source), { name: source, within, place, text });
    return { table, sha256, engine, dialect: duckdbDialect };
  }
  const tables = await engines.get(source.engine);
  const table = await tables.open(source.table, { place });
  return { table: { ...table, file: sourceName(source) }, engine: tables, dialect: trinoDialect(table.rows) };
}
