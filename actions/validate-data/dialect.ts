import { type Column, quoteIdentifier, quoteLiteral } from '../../core/data/index.ts';
import type { Condition } from './measure.ts';

/** How one SQL engine says what the checks need. Fragments, so that another engine is another object and nothing else. */
export interface Dialect {
  identifier(name: string): string;
  text(value: string): string;
  /** A number as a literal that compares with the column exactly. */
  number(value: number, column: Column): string;
  /** The column with NaN made null: what is counted, grouped and compared. */
  value(column: Column): string;
  isMissing(column: Column): string;
  countIf(condition: string): string;
  /** True of rows that break a check; null or false of all others. */
  breaks(condition: Condition): string;
  /** A fingerprint of several columns: equal rows have equal ones, different rows mostly different ones. */
  fingerprint(columns: readonly Column[]): string;
  /** The least `count` of a numeric expression, as a list. */
  least(expression: string, count: number, condition?: string): string;
  /** A value as text for a reader, at most `length` characters. */
  shown(column: Column, length: number): string;
}

export const duckdbDialect: Dialect = {
  identifier: quoteIdentifier,
  text: quoteLiteral,
  number: numberLiteral,
  value: (column) => {
    const name = quoteIdentifier(column.name);
    return holdsNaN(column) ? `CASE WHEN isnan(${name}) THEN NULL ELSE ${name} END` : name;
  },
  isMissing: (column) => {
    const name = quoteIdentifier(column.name);
    return holdsNaN(column) ? `(${name} IS NULL OR isnan(${name}))` : `${name} IS NULL`;
  },
  countIf: (condition) => `count(*) FILTER (WHERE ${condition})`,
  breaks: (condition) => {
    const { column } = condition;
    const name = quoteIdentifier(column.name);
    switch (condition.kind) {
      case 'missing':
        return duckdbDialect.isMissing(column);
      case 'outside': {
        const sides = [
          ...(condition.min === undefined ? [] : [`${name} < ${numberLiteral(condition.min, column)}`]),
          ...(condition.max === undefined ? [] : [`${name} > ${numberLiteral(condition.max, column)}`]),
        ];
        // NaN is above every number here.
        return `(${sides.join(' OR ')})${holdsNaN(column) ? ` AND NOT isnan(${name})` : ''}`;
      }
      case 'unaccepted': {
        const values = condition.values.map((value) =>
          typeof value === 'number'
            ? numberLiteral(value, column)
            : typeof value === 'boolean'
              ? String(value)
              : quoteLiteral(value),
        );
        const compared = column.type === 'date' ? `CAST(${name} AS VARCHAR)` : name;
        return `${compared} NOT IN (${values.join(', ')})${holdsNaN(column) ? ` AND NOT isnan(${name})` : ''}`;
      }
      case 'unmatched':
        return `NOT regexp_full_match(${name}, ${quoteLiteral(condition.pattern)})`;
      case 'unnumeric':
        return `${name} IS NOT NULL AND TRY_CAST(${name} AS DOUBLE) IS NULL`;
    }
  },
  fingerprint: (columns) => `hash(${columns.map((column) => quoteIdentifier(column.name)).join(', ')})`,
  least: (expression, count, condition) =>
    `min(${expression}, ${count})${condition === undefined ? '' : ` FILTER (WHERE ${condition})`}`,
  shown: (column, length) => `left(CAST(${quoteIdentifier(column.name)} AS VARCHAR), ${length})`,
};

function holdsNaN(column: Column): boolean {
  return column.sqlType === 'DOUBLE' || column.sqlType === 'FLOAT';
}

/** A bound of 0.1 on a 32-bit column means the 32-bit number nearest to 0.1, which is what its writer stored for 0.1. */
function numberLiteral(value: number, column: Column): string {
  if (column.sqlType === 'FLOAT') return `CAST('${value}' AS FLOAT)`;
  if (column.sqlType === 'DOUBLE') return `CAST('${value}' AS DOUBLE)`;
  if (Number.isInteger(value) && Math.abs(value) < 1e38) return String(BigInt(value));
  // Decimals are compared as decimals; a fraction beside integers as a floating-point number.
  return column.sqlType.startsWith('DECIMAL') && /^-?\d+\.\d+$/.test(String(value))
    ? String(value)
    : `CAST('${value}' AS DOUBLE)`;
}
