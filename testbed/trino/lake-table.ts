import { mkdir, symlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Table } from '../../core/data/index.ts';
import type { TableEngine } from '../../core/engines/index.ts';

/** DuckDB's types in Trino's words. */
const types: Readonly<Record<string, string>> = { FLOAT: 'real', TIMESTAMP: 'timestamp(6)' };

/**
 * Makes a Parquet file that DuckDB opened a table of Trino's lake: the same bytes, read by Trino's own reader.
 * @param lake the folder of the lake, absolute
 * @param name of the table: `rows` is `lake.default.rows`
 * @param file in the lake; the table is what is in a folder of its own
 */
export async function addToLake(
  trino: TableEngine,
  lake: string,
  name: string,
  file: string,
  table: Table,
): Promise<void> {
  const folder = join(lake, 'tables', name);
  await mkdir(folder, { recursive: true });
  await symlink(file, join(folder, basename(file)));
  const columns = table.columns.map(
    (column) => `"${column.name}" ${types[column.sqlType] ?? column.sqlType.toLowerCase()}`,
  );
  await trino.query('CREATE SCHEMA IF NOT EXISTS lake.default');
  await trino.query(
    `CREATE TABLE lake.default.${name} (${columns.join(', ')}) WITH (format = 'PARQUET', external_location = 'local:///tables/${name}')`,
  );
}
