import type { ColumnType } from '../data/index.ts';

const typesOfName: Readonly<Record<string, ColumnType>> = {
  tinyint: 'integer',
  smallint: 'integer',
  integer: 'integer',
  int: 'integer',
  bigint: 'integer',
  real: 'number',
  float: 'number',
  double: 'number',
  decimal: 'number',
  varchar: 'string',
  char: 'string',
  string: 'string',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
};

/** Sluice's word for a type of Trino or Athena: `decimal(18, 2)`, `timestamp(3) with time zone`. */
export function columnTypeOfTrino(sqlType: string): ColumnType {
  return typesOfName[baseTypeOf(sqlType)] ?? 'other';
}

/** `decimal` of `decimal(18, 2)`, `timestamp` of `timestamp(3) with time zone`. */
export function baseTypeOf(sqlType: string): string {
  return /^[a-z]+/.exec(sqlType.toLowerCase())?.[0] ?? '';
}
