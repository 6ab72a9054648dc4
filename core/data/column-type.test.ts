import { describe, expect, it } from 'vitest';
import { columnTypeOf } from './column-type.ts';

describe('columnTypeOf', () => {
  it.each([
    ['UBIGINT', 'integer'],
    ['DECIMAL(18,0)', 'number'],
    ["ENUM('a', 'b')", 'string'],
    ['TIMESTAMP WITH TIME ZONE', 'timestamp'],
    ['TIMESTAMP_NS', 'timestamp'],
    ['INTEGER[]', 'other'],
    ['DECIMAL(9,2)[]', 'other'],
    ['STRUCT(a INTEGER)', 'other'],
    ['BLOB', 'other'],
    ['TIME', 'other'],
  ])('calls %s %s', (sqlType, type) => {
    expect(columnTypeOf(sqlType)).toBe(type);
  });
});
