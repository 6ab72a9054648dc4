import {
  type Column,
  conditionSql,
  duckdbLiterals,
  quoteIdentifier,
  quoteLiteral,
  type SqlLiterals,
} from '../../core/data/index.ts';
import { type BreakingWords, breakingRows } from './breaking-rows.ts';
import type { Chosen, PlainCondition, Statistic } from './measure.ts';

/** How one SQL engine says what the checks need. Fragments, so that another engine is another object and nothing else. */
export interface Dialect extends SqlLiterals {
  /** A number as a literal that compares with the column exactly. */
  number(value: number, column: Column): string;
  /** The column with NaN made null: what is counted, grouped and compared. */
  value(column: Column): string;
  isMissing(column: Column): string;
  countIf(condition: string): string;
  /** True of rows that break a check; null or false of all others. */
  breaks(condition: PlainCondition): string;
  /** A fingerprint of several columns: equal rows have equal ones, different rows mostly different ones. */
  fingerprint(columns: readonly Column[]): string;
  /** An aggregate that counts the different values of an integer column that are all within bounds; where the engine has a cheap one. */
  differentWithin?(column: Column, least: bigint, most: bigint): string;
  /** The least `count` of a numeric expression, as a list. */
  least(expression: string, count: number, condition?: string): string;
  /** An expression of a column's values as text, as it names a class: `1.5`, `2026-08-01`. */
  asText(expression: string, column: Column): string;
  /** How a part of WITH begins that is read more than once and should be worked out once: `AS MATERIALIZED`. */
  readonly asOnce: string;
  /** A statement that gives each entry of the lists in a relation's column, from the given one (the first is 1), as the column `r`. */
  entries(relation: string, list: string, from: number): string;
  /** A value as text for a reader, at most `length` characters. */
  shown(column: Column, length: number): string;
  /** An aggregate that gives a floating-point number, or null where there are too few values; of the rows that meet `condition`. */
  statistic(statistic: Statistic, condition?: string): string;
  /** Whether two values are equal or both null. Neither is NaN; `column` is what the first is of. */
  same(one: string, other: string, column: Column): string;
  /** The value of the nearest row before this one, in the order of `order`, that is not null. */
  previous(value: string, order: string): string;
}

/** True of the rows that a check is about; undefined where those are all. What cannot be asked of a column was refused when the check was planned. */
export function chosenSql(where: Chosen | undefined, dialect: Dialect): string | undefined {
  if (where === undefined || where.length === 0) return undefined;
  return where
    .map(({ column, condition }) => {
      const sql = conditionSql(column, condition, dialect, {});
      if (typeof sql !== 'string') throw new TypeError(sql.message);
      return `(${sql})`;
    })
    .join(' AND ');
}

export const duckdbDialect: Dialect = {
  ...duckdbLiterals,
  number: numberLiteral,
  value: (column) => {
    const name = quoteIdentifier(column.name);
    return holdsNaN(column) ? `CASE WHEN isnan(${name}) THEN NULL ELSE ${name} END` : name;
  },
  isMissing,
  // FILTER would slice every column of the statement for every condition in it.
  countIf: (condition) => `count(CASE WHEN ${condition} THEN 1 END)`,
  breaks: (condition) => breakingRows(condition, breakingWords),
  fingerprint: (columns) => `hash(${columns.map((column) => quoteIdentifier(column.name)).join(', ')})`,
  differentWithin: (column, least, most) => {
    const end = (value: bigint) => `CAST('${value}' AS ${column.sqlType})`;
    return `bit_count(bitstring_agg(${quoteIdentifier(column.name)}, ${end(least)}, ${end(most)}))`;
  },
  least: (expression, count, condition) => `min(${expression}, ${count})${filtered(condition)}`,
  asText: (expression) => `CAST(${expression} AS VARCHAR)`,
  asOnce: 'AS MATERIALIZED',
  entries: (relation, list, from) => `SELECT unnest(${list}[${from}:]) AS r FROM ${relation}`,
  shown: (column, length) => `left(CAST(${quoteIdentifier(column.name)} AS VARCHAR), ${length})`,
  statistic: (statistic, condition) => `CAST(${statisticOf(statistic, filtered(condition))} AS DOUBLE)`,
  same: (one, other) => `${one} IS NOT DISTINCT FROM ${other}`,
  previous: (value, order) => `lag(${value} IGNORE NULLS) OVER (ORDER BY ${order})`,
};

const breakingWords: BreakingWords = {
  isMissing,
  isNaN: (column) => (holdsNaN(column) ? `isnan(${quoteIdentifier(column.name)})` : undefined),
  number: numberLiteral,
  timestamp: duckdbLiterals.timestamp,
  compared: (column) => {
    const name = quoteIdentifier(column.name);
    return column.type === 'date' ? `CAST(${name} AS VARCHAR)` : name;
  },
  // Of a column that is stored as a dictionary a function is asked once for each entry, IN for each row.
  isListed: ({ name, sqlType }, values) =>
    sqlType === 'VARCHAR'
      ? `list_contains([${values.map(quoteLiteral).join(', ')}], ${quoteIdentifier(name)})`
      : undefined,
  unmatched: (name, pattern) => `NOT regexp_full_match(${name}, ${quoteLiteral(pattern)})`,
  tryNumber: (name) => `TRY_CAST(${name} AS DOUBLE)`,
};

function isMissing(column: Column): string {
  const name = quoteIdentifier(column.name);
  return holdsNaN(column) ? `(${name} IS NULL OR isnan(${name}))` : `${name} IS NULL`;
}

function filtered(condition: string | undefined): string {
  return condition === undefined ? '' : ` FILTER (WHERE ${condition})`;
}

function statisticOf(statistic: Statistic, filter: string): string {
  if (statistic.of === 'correlation') {
    const both = statistic.columns.map((column) => `CAST(${duckdbDialect.value(column)} AS DOUBLE)`);
    return ofSquarable(both, (values) => `corr(${values.join(', ')})`, filter);
  }
  const { column } = statistic;
  const value = duckdbDialect.value(column);
  const number = column.type === 'boolean' ? `CAST(${value} AS INTEGER)` : `CAST(${value} AS DOUBLE)`;
  switch (statistic.of) {
    case 'distinct':
      return `count(DISTINCT ${value})${filter}`;
    case 'mean':
      // Compensated sums: the same to the last digits whatever the number of threads.
      return `favg(${number})${filter}`;
    case 'sum':
      return column.type === 'integer' ? `sum(${value})${filter}` : `fsum(${number})${filter}`;
    case 'std':
      return ofSquarable([number], ([value = '']) => `stddev_samp(${value})`, filter);
    case 'quantile':
      return `quantile_disc(${value}, ${numberOf(statistic.share)})${filter}`;
    case 'min':
    case 'max': {
      const end = `${statistic.of}(${value})${filter}`;
      return column.type === 'date' || column.type === 'timestamp' ? `epoch(${end})` : end;
    }
  }
}

/**
 * An aggregate that squares its values; NULL where one of them is infinite or has no square. DuckDB refuses the whole statement for one such value, and
 * with it every other check.
 */
export function ofSquarable(
  values: readonly string[],
  aggregate: (values: readonly string[]) => string,
  filter = '',
): string {
  const fits = values.map((value) => `abs(${value}) < 1e150`).join(' AND ');
  const kept = values.map((value) => `CASE WHEN ${fits} THEN ${value} ELSE NULL END`);
  return `CASE WHEN bool_or(NOT (${fits}))${filter} THEN NULL ELSE ${aggregate(kept)}${filter} END`;
}

function numberOf(value: number): string {
  return `CAST('${value}' AS DOUBLE)`;
}

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
