import type { Column, Engine, Table } from '../../core/data/index.ts';
import { chosenValue } from './beside.ts';
import { chosenSql, type Dialect } from './dialect.ts';
import type { CopiesMeasure } from './measure.ts';

/** Smallest and largest integer of columns, by name. */
export type Bounds = ReadonlyMap<string, readonly [least: bigint, most: bigint]>;

/** Integers from so far apart are not marked in a row of bits but put into a table. In bits: 62 MB for each thread. */
const widestRange = 500_000_000n;

/** The bounds of the integer columns that alone must not repeat, where marking bits counts their different values. */
export async function boundsOf(
  engine: Pick<Engine, 'query'>,
  table: Table,
  measures: readonly CopiesMeasure[],
  dialect: Dialect,
): Promise<Bounds> {
  const columns = measures.flatMap(({ columns: [column, ...others], of, where }) =>
    column !== undefined && others.length === 0 && of === 'shared' && (where ?? []).length === 0 && isCountable(column)
      ? [column]
      : [],
  );
  if (dialect.differentWithin === undefined || columns.length === 0) return new Map();
  const ends = columns.map((column, index) => {
    const name = dialect.identifier(column.name);
    return `CAST(min(${name}) AS VARCHAR) AS a${index}, CAST(max(${name}) AS VARCHAR) AS z${index}`;
  });
  const [row = {}] = await engine.query(`SELECT ${ends.join(', ')} FROM ${table.sql}`);
  return new Map(
    columns.flatMap((column, index): [string, readonly [bigint, bigint]][] => {
      const [least, most] = [row[`a${index}`], row[`z${index}`]];
      if (typeof least !== 'string' || typeof most !== 'string') return [];
      const range = BigInt(most) - BigInt(least);
      // Sparse values leave most of the bits unused: then a table of them is smaller.
      if (range > widestRange || range > BigInt(table.rows) * 64n + 1_000_000n) return [];
      return [[column.name, [BigInt(least), BigInt(most)]]];
    }),
  );
}

function isCountable(column: Column): boolean {
  return /^U?(TINYINT|SMALLINT|INTEGER)$|^BIGINT$/.test(column.sqlType);
}

/** Rows that are held against others; undefined for all. */
export function takingPart({ columns, of, where }: CopiesMeasure, dialect: Dialect): string | undefined {
  const conditions = [
    chosenSql(where, dialect),
    ...(of === 'repeats' ? [] : columns.map((column) => `NOT ${dialect.isMissing(column)}`)),
  ].filter((condition) => condition !== undefined);
  return conditions.length === 0 ? undefined : conditions.join(' AND ');
}

/**
 * Counts different rows among those that take part. As many as these: no two are equal. Fewer: some are, or have the same fingerprint by
 * chance.
 */
export function different(measure: CopiesMeasure, bounds: Bounds, dialect: Dialect): string {
  const { columns, of, where } = measure;
  const [column, ...others] = columns;
  if (of === 'shared' && column !== undefined && others.length === 0) {
    const range = bounds.get(column.name);
    if (range !== undefined && dialect.differentWithin !== undefined) return dialect.differentWithin(column, ...range);
    // Texts are held by their fingerprints, which are smaller.
    if (column.type !== 'string') return `count(DISTINCT ${chosenValue(dialect.value(column), where, dialect)})`;
  }
  const part = takingPart(measure, dialect);
  const fingerprint = dialect.fingerprint(columns);
  return `count(DISTINCT ${part === undefined ? fingerprint : `CASE WHEN ${part} THEN ${fingerprint} ELSE NULL END`})`;
}

/**
 * Whether rows cannot repeat each other because some of their columns are known to differ in all rows: then nothing has to be read to say
 * so. `isUnique` answers for measures that are counted already.
 */
export function cannotRepeat(
  measure: CopiesMeasure,
  counted: readonly CopiesMeasure[],
  isUnique: (measure: CopiesMeasure) => boolean,
): boolean {
  const names = new Set(measure.columns.map((column) => column.name));
  return counted.some(
    (other) =>
      other.of === 'shared' &&
      (other.where ?? []).length === 0 &&
      other.columns.every((column) => names.has(column.name)) &&
      isUnique(other),
  );
}
