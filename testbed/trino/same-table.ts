import type { Engine, Table } from '../../core/data/index.ts';
import type { TableEngine } from '../../core/engines/index.ts';

/** DuckDB's types in Trino's words. */
const types: Readonly<Record<string, string>> = {
  BIGINT: 'bigint',
  INTEGER: 'integer',
  SMALLINT: 'smallint',
  TINYINT: 'tinyint',
  DOUBLE: 'double',
  FLOAT: 'real',
  VARCHAR: 'varchar',
  BOOLEAN: 'boolean',
  DATE: 'date',
  TIMESTAMP: 'timestamp(6)',
};

const rowsAStatement = 500;

/**
 * Copies a table of DuckDB into Trino's memory, value by value: doubles by their bits, so that minus zero, NaN and the last digits arrive.
 * (Trino's readers of Parquet, trino-parquet and trino-filesystem, are in no registry; else it would read the same file.)
 */
export async function copyIntoTrino(duckdb: Engine, table: Table, trino: TableEngine, name: string): Promise<void> {
  const columns = table.columns.map((column) => ({
    ...column,
    trino: types[column.sqlType] ?? column.sqlType.toLowerCase(),
    quoted: `"${column.name}"`,
  }));
  const rows = await duckdb.query(
    `SELECT ${columns.map(({ quoted, sqlType }) => exactText(quoted, sqlType)).join(', ')} FROM ${table.sql}`,
  );
  await trino.query(`CREATE TABLE ${name} (${columns.map((column) => `${column.quoted} ${column.trino}`).join(', ')})`);
  for (let from = 0; from < rows.length; from += rowsAStatement) {
    const values = rows.slice(from, from + rowsAStatement).map((row) => {
      const texts: readonly unknown[] = Object.values(row);
      return `(${columns.map((column, index) => literal(texts[index], column.trino)).join(', ')})`;
    });
    await trino.query(`INSERT INTO ${name} VALUES ${values.join(', ')}`);
  }
}

/** Text that loses nothing: the number in 17 digits, or its name. */
function exactText(quoted: string, sqlType: string): string {
  return sqlType === 'FLOAT' ? `CAST(CAST(${quoted} AS DOUBLE) AS VARCHAR)` : `CAST(${quoted} AS VARCHAR)`;
}

function literal(value: unknown, type: string): string {
  if (value === null || value === undefined) return `CAST(NULL AS ${type})`;
  const text = String(value);
  if (type === 'double' || type === 'real') {
    const special: Readonly<Record<string, string>> = { nan: 'nan()', inf: 'infinity()', '-inf': '-infinity()' };
    return `CAST(${special[text] ?? `DOUBLE '${text}'`} AS ${type})`;
  }
  if (type === 'varchar') return `'${text.replaceAll("'", "''")}'`;
  return `CAST('${text}' AS ${type})`;
}
