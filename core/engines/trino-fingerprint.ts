import { type Column, quoteIdentifier } from '../data/index.ts';
import { baseTypeOf } from './trino-column-type.ts';

/**
 * A fingerprint of several columns in the SQL of Trino and Athena, a bigint: equal rows have equal ones, different rows mostly different
 * ones. The rows are written as JSON, which every type can be made to.
 */
export function trinoFingerprint(columns: readonly Column[]): string {
  return `from_big_endian_64(xxhash64(to_utf8(json_format(CAST(ROW(${columns.map(writable).join(', ')}) AS JSON)))))`;
}

/** A fingerprint that fits into a JavaScript number: not negative, of 53 bits. */
export function trinoRowNumber(columns: readonly Column[]): string {
  return `bitwise_and(${trinoFingerprint(columns)}, ${Number.MAX_SAFE_INTEGER})`;
}

const asTheyAre = new Set([
  'boolean',
  'tinyint',
  'smallint',
  'integer',
  'int',
  'bigint',
  'decimal',
  'varchar',
  'string',
  'date',
]);
const nested = new Set(['array', 'map', 'row', 'json']);

function writable(column: Column): string {
  const name = quoteIdentifier(column.name);
  const type = baseTypeOf(column.sqlType);
  if (asTheyAre.has(type) || nested.has(type)) return name;
  // Minus zero equals zero, and JSON would write them differently; what is added makes a zero of it.
  if (type === 'double') return `${name} + DOUBLE '0.0'`;
  if (type === 'real' || type === 'float') return `${name} + REAL '0.0'`;
  if (type === 'varbinary') return `to_hex(${name})`;
  return `CAST(${name} AS VARCHAR)`;
}
