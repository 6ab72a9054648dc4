import type { ColumnType } from './table.ts';

const typesOfName: Readonly<Record<string, ColumnType>> = {
  TINYINT: 'integer',
  SMALLINT: 'integer',
  INTEGER: 'integer',
  BIGINT: 'integer',
  HUGEINT: 'integer',
  UTINYINT: 'integer',
  USMALLINT: 'integer',
  UINTEGER: 'integer',
  UBIGINT: 'integer',
  UHUGEINT: 'integer',
  FLOAT: 'number',
  DOUBLE: 'number',
  VARCHAR: 'string',
  BOOLEAN: 'boolean',
  DATE: 'date',
};

/** Sluice's word for a DuckDB type name as `DESCRIBE` prints it. */
export function columnTypeOf(sqlType: string): ColumnType {
  if (/[[\]]|^(STRUCT|MAP|UNION)\b/.test(sqlType)) return 'other';
  if (sqlType.startsWith('DECIMAL')) return 'number';
  if (sqlType.startsWith('TIMESTAMP')) return 'timestamp';
  if (sqlType.startsWith('ENUM')) return 'string';
  return typesOfName[sqlType] ?? 'other';
}
