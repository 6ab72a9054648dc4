import { type Column, quoteIdentifier, quoteLiteral } from '../../core/data/index.ts';
import { baseTypeOf, trinoFingerprint } from '../../core/engines/index.ts';
import { type BreakingWords, breakingRows } from './breaking-rows.ts';
import type { Dialect } from './dialect.ts';
import { joniPattern } from './joni-pattern.ts';
import type { Statistic } from './measure.ts';

/** Above this many rows a quantile is Trino's approximation: the exact one sorts all values in the memory of one machine. */
const exactQuantileRows = 10_000_000;

/** The SQL of Trino, which Athena (engine version 3) speaks too. `rows`: how many the table has. */
export function trinoDialect(rows: number): Dialect {
  return { ...dialect, statistic: (statistic, condition) => statisticOf(statistic, filtered(condition), rows) };
}

const dialect: Dialect = {
  identifier: quoteIdentifier,
  text: quoteLiteral,
  double,
  timestamp,
  number: numberLiteral,
  value,
  isMissing,
  countIf: (condition) => `count(*) FILTER (WHERE ${condition})`,
  breaks: (condition) => breakingRows(condition, breakingWords),
  fingerprint: trinoFingerprint,
  least: (expression, count, condition) => `min(${expression}, ${count})${filtered(condition)}`,
  asText,
  // Trino works a part of WITH out again wherever it is read.
  asOnce: 'AS',
  entries: (relation, list, from) =>
    `SELECT r FROM ${relation} CROSS JOIN UNNEST(slice(${list}, ${from}, greatest(cardinality(${list}) - ${from - 1}, 0))) AS entry (r)`,
  shown: (column, length) => `substr(${asText(quoteIdentifier(column.name), column)}, 1, ${length})`,
  statistic: (statistic, condition) => statisticOf(statistic, filtered(condition), 0),
  // Not IS NOT DISTINCT FROM alone: a join on it compares every row with every other.
  same: (one, other, column) => {
    const filler = fillers[column.type];
    return filler === undefined
      ? `${one} IS NOT DISTINCT FROM ${other}`
      : `coalesce(${one}, ${filler}) = coalesce(${other}, ${filler}) AND (${one} IS NULL) = (${other} IS NULL)`;
  },
  previous: (expression, order) => `lag(${expression}) IGNORE NULLS OVER (ORDER BY ${order})`,
};

const breakingWords: BreakingWords = {
  isMissing,
  isNaN: (column) => (holdsNaN(column) ? `is_nan(${quoteIdentifier(column.name)})` : undefined),
  number: numberLiteral,
  timestamp,
  compared: (column) => {
    const name = quoteIdentifier(column.name);
    return column.type === 'date' || baseTypeOf(column.sqlType) === 'char' ? `CAST(${name} AS VARCHAR)` : name;
  },
  unmatched: (name, pattern) => `NOT regexp_like(${name}, ${quoteLiteral(joniPattern(pattern))})`,
  tryNumber: (name) => `TRY_CAST(trim(${name}) AS DOUBLE)`,
};

function timestamp(value: string): string {
  return `TIMESTAMP ${quoteLiteral(value)}`;
}

function isMissing(column: Column): string {
  const name = quoteIdentifier(column.name);
  return holdsNaN(column) ? `(${name} IS NULL OR is_nan(${name}))` : `${name} IS NULL`;
}

const fillers: Readonly<Partial<Record<Column['type'], string>>> = {
  integer: '0',
  number: '0',
  string: "''",
  boolean: 'false',
  date: "DATE '1970-01-01'",
  timestamp: "TIMESTAMP '1970-01-01'",
};

function value(column: Column): string {
  const name = quoteIdentifier(column.name);
  return holdsNaN(column) ? `CASE WHEN is_nan(${name}) THEN NULL ELSE ${name} END` : name;
}

function statisticOf(statistic: Statistic, filter: string, rows: number): string {
  if (statistic.of === 'correlation') {
    const [one, other] = statistic.columns.map((column) => `CAST(${value(column)} AS DOUBLE)`);
    return `corr(${one}, ${other})${filter}`;
  }
  const { column } = statistic;
  const own = value(column);
  const number = column.type === 'boolean' ? `CAST(${own} AS INTEGER)` : `CAST(${own} AS DOUBLE)`;
  switch (statistic.of) {
    case 'distinct':
      return `count(DISTINCT ${own})${filter}`;
    case 'mean':
      return `avg(CAST(${number} AS DOUBLE))${filter}`;
    case 'sum':
      // A sum of bigint overflows; a decimal of 38 digits does not.
      return column.type === 'integer'
        ? `CAST(sum(CAST(${own} AS DECIMAL(38, 0)))${filter} AS DOUBLE)`
        : `sum(CAST(${number} AS DOUBLE))${filter}`;
    case 'std':
      return `stddev_samp(${number})${filter}`;
    case 'quantile':
      return quantileOf(own, statistic.share, filter, rows);
    case 'min':
    case 'max': {
      const end = `${statistic.of}(${own})${filter}`;
      if (column.type === 'date') return `CAST(date_diff('day', DATE '1970-01-01', ${end}) * 86400 AS DOUBLE)`;
      return column.type === 'timestamp' ? `to_unixtime(${end})` : `CAST(${end} AS DOUBLE)`;
    }
  }
}

function quantileOf(own: string, share: number, filter: string, rows: number): string {
  if (rows > exactQuantileRows)
    return `CAST(approx_percentile(CAST(${own} AS DOUBLE), ${double(share)})${filter} AS DOUBLE)`;
  // Nulls are last of the sorted values, and beyond those that are counted.
  const sorted = `array_sort(array_agg(${own})${filter})`;
  const count = `count(${own})${filter}`;
  // As DuckDB counts: from the end, so that 0.5 of 4 values is the second.
  const place = `greatest(1, CAST(${count} - floor(${count} - ${double(share)} * ${count}) AS BIGINT))`;
  return `CAST(element_at(${sorted}, ${place}) AS DOUBLE)`;
}

function filtered(condition: string | undefined): string {
  return condition === undefined ? '' : ` FILTER (WHERE ${condition})`;
}

function holdsNaN(column: Column): boolean {
  return isDouble(column) || isReal(column);
}

function isDouble(column: Column): boolean {
  return baseTypeOf(column.sqlType) === 'double';
}

function isReal(column: Column): boolean {
  return ['real', 'float'].includes(baseTypeOf(column.sqlType));
}

function double(number: number): string {
  return `DOUBLE '${number}'`;
}

/** A bound of 0.1 on a 32-bit column means the 32-bit number nearest to 0.1, which is what its writer stored for 0.1. */
function numberLiteral(number: number, column: Column): string {
  if (isReal(column)) return `REAL '${number}'`;
  if (isDouble(column)) return double(number);
  if (Number.isInteger(number) && Math.abs(number) < 1e38) {
    return Number.isSafeInteger(number) ? String(number) : `DECIMAL '${BigInt(number)}'`;
  }
  // Decimals are compared as decimals; a fraction beside integers as a floating-point number.
  return column.sqlType.startsWith('decimal') && /^-?\d+\.\d+$/.test(String(number))
    ? `DECIMAL '${number}'`
    : double(number);
}

/** As DuckDB writes it where people read it: `1.5`, not `1.5E0`. */
function asText(expression: string, column: Column): string {
  const type = baseTypeOf(column.sqlType);
  if (holdsNaN(column)) {
    return `CASE WHEN is_finite(${expression}) THEN json_format(CAST(${expression} AS JSON)) ELSE CAST(${expression} AS VARCHAR) END`;
  }
  if (type === 'timestamp') {
    // Without the noughts at the end of its seconds.
    return `regexp_replace(regexp_replace(CAST(${expression} AS VARCHAR), '(\\.\\d*?)0+(?=$| )', '$1'), '\\.(?=$| )', '')`;
  }
  if (type === 'varbinary') return `to_hex(${expression})`;
  if (['array', 'map', 'row', 'json'].includes(type)) return `json_format(CAST(${expression} AS JSON))`;
  return `CAST(${expression} AS VARCHAR)`;
}
