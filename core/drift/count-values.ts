import { type Engine, quoteIdentifier, rowNumberColumn } from '../data/index.ts';
import { type CountedSamples, countSamples } from '../statistics/index.ts';
import type { DriftRows } from './drift-rows.ts';

/** Rows of both sides up to which every value is counted; above, numbers are counted by cells. */
const mostExact = 250_000;
/** Quantiles of a sample of each side that are the cells of many rows. */
const cellsASide = 256;
const sampledRows = 100_000;
/** Values in memory at a time. */
const valuesAtOnce = 8_000_000;
/** Histograms in one statement. */
const histogramsPerScan = 24;
/** The most frequent classes that are counted one by one. */
export const mostClasses = 100;

/** What a column of numbers holds on both sides. */
export interface CountedNumbers {
  readonly counts: CountedSamples;
  /** Every value stands for itself; else for all up to it, down to the next lower one. */
  readonly exact: boolean;
  /** Rows without a finite number: null, NaN, infinities. */
  readonly missing: Sides;
}

/** What a column of classes holds on both sides. */
export interface CountedClasses {
  /** The most frequent ones on either side. */
  readonly listed: readonly ({ readonly name: string } & Sides)[];
  /** Rows of all other classes. */
  readonly others: Sides;
  readonly missing: Sides;
  /** How many classes the reference has. */
  readonly referenceClasses: number;
}

export interface Sides {
  readonly reference: number;
  readonly current: number;
}

/**
 * Counts the values of number columns on both sides, one column after the other, each read once. Memory is bounded whatever the rows and columns:
 * up to a quarter of a million rows values are read some columns at a time; of more, the engine counts them by about 500 cells whose ends
 * are values of the data, found on a sample of both sides (by a hash of the row's number, so the same every time).
 */
export async function* countNumbers(
  engine: Engine,
  reference: DriftRows,
  current: DriftRows,
  names: readonly string[],
): AsyncGenerator<CountedNumbers> {
  const rows = reference.rows + current.rows;
  const exact = rows <= mostExact;
  const atOnce = exact ? Math.max(1, Math.floor(valuesAtOnce / rows)) : histogramsPerScan;
  const count = exact ? readValues : countByCells;
  for (let from = 0; from < names.length; from += atOnce) {
    for (const counts of await count(engine, reference, current, names.slice(from, from + atOnce))) {
      const missing = {
        reference: reference.rows - sumOf(counts.reference),
        current: current.rows - sumOf(counts.current),
      };
      yield { counts, exact, missing };
    }
  }
}

/** A value as a finite double, else null. */
function finite(name: string): string {
  const value = `CAST(${quoteIdentifier(name)} AS DOUBLE)`;
  return `CASE WHEN isfinite(${value}) THEN ${value} END`;
}

async function readValues(
  engine: Engine,
  reference: DriftRows,
  current: DriftRows,
  names: readonly string[],
): Promise<readonly CountedSamples[]> {
  const sides = [];
  for (const side of [reference, current]) {
    const values = names.map(() => ({ held: new Float64Array(side.rows), count: 0 }));
    for await (const chunk of engine.chunks(`SELECT ${names.map(finite).join(', ')} FROM ${side.sql}`)) {
      for (const [index, column] of values.entries()) {
        const vector = chunk.getColumnVector(index);
        for (let row = 0; row < chunk.rowCount; row++) {
          const item = vector.getItem(row);
          if (typeof item === 'number') column.held[column.count++] = item;
        }
      }
    }
    sides.push(values.map(({ held, count }) => held.subarray(0, count)));
  }
  const [one = [], other = []] = sides;
  return names.map((_, index) => countSamples(one[index] ?? [], other[index] ?? []));
}

async function countByCells(
  engine: Engine,
  reference: DriftRows,
  current: DriftRows,
  names: readonly string[],
): Promise<readonly CountedSamples[]> {
  const shares = Array.from({ length: cellsASide }, (_, index) => index / cellsASide);
  const edges: Set<number>[] = names.map(() => new Set());
  for (const side of [reference, current]) {
    const step = Math.max(1, Math.floor(side.rows / sampledRows));
    const row = quoteIdentifier(rowNumberColumn);
    const quantiles = names.map((name, index) => `quantile_disc(${finite(name)}, [${shares.join(', ')}]) AS q${index}`);
    const [sample = {}] = await engine.query(
      `SELECT ${quantiles.join(', ')} FROM ${side.sql} WHERE hash(${row}) % ${step} = 0`,
    );
    const ends = names.flatMap((name, index) => [
      `min(${finite(name)}) AS l${index}`,
      `max(${finite(name)}) AS h${index}`,
    ]);
    const [extremes = {}] = await engine.query(`SELECT ${ends.join(', ')} FROM ${side.sql}`);
    for (const [index, of] of edges.entries()) {
      const list = sample[`q${index}`];
      for (const edge of [...(Array.isArray(list) ? list : []), extremes[`l${index}`], extremes[`h${index}`]]) {
        if (typeof edge === 'number') of.add(edge);
      }
    }
  }
  const sorted = edges.map((of) => Float64Array.from(of).sort());
  const counted: Float64Array[][] = [];
  for (const side of [reference, current]) {
    const histograms = names.map((name, index) => {
      const list = Array.from(sorted[index] ?? [], (edge) => `CAST('${edge}' AS DOUBLE)`).join(', ');
      // It counts each edge's cell in order, and beyond the last, where nothing is: the maximum is an edge.
      return list === '' ? `[] AS c${index}` : `map_values(histogram(${finite(name)}, [${list}])) AS c${index}`;
    });
    const [answer = {}] = await engine.query(`SELECT ${histograms.join(', ')} FROM ${side.sql}`);
    counted.push(
      names.map((_, index) => {
        const list = answer[`c${index}`];
        const length = sorted[index]?.length ?? 0;
        return Float64Array.from({ length }, (_each, at) => (Array.isArray(list) ? Number(list[at] ?? 0) : 0));
      }),
    );
  }
  return names.map((_, index) => ({
    values: sorted[index] ?? new Float64Array(),
    reference: counted[0]?.[index] ?? new Float64Array(),
    current: counted[1]?.[index] ?? new Float64Array(),
  }));
}

/** Counts the classes of a column on both sides in one statement; missing values are no class. */
export async function countClasses(
  engine: Engine,
  reference: DriftRows,
  current: DriftRows,
  name: string,
): Promise<CountedClasses> {
  const value = `CAST(${quoteIdentifier(name)} AS VARCHAR)`;
  const of = (side: DriftRows) => `SELECT ${value} AS v, count(*) AS n FROM ${side.sql} GROUP BY 1`;
  const rows = await engine.query(`
    WITH one AS (${of(reference)}), other AS (${of(current)}),
    together AS (
      SELECT coalesce(one.v, other.v) AS v, coalesce(one.n, 0) AS r, coalesce(other.n, 0) AS c
      FROM (SELECT * FROM one WHERE v IS NOT NULL) AS one
      FULL JOIN (SELECT * FROM other WHERE v IS NOT NULL) AS other ON one.v = other.v
    )
    SELECT v, r, c, sum(r) OVER () AS rt, sum(c) OVER () AS ct, count(*) FILTER (WHERE r > 0) OVER () AS classes
    FROM together
    ORDER BY greatest(r / ${reference.rows}, c / ${current.rows}) DESC, v
    LIMIT ${mostClasses}`);
  const total = { reference: Number(rows[0]?.['rt'] ?? 0), current: Number(rows[0]?.['ct'] ?? 0) };
  const listed = rows.map((row) => ({
    name: String(row['v']),
    reference: Number(row['r']),
    current: Number(row['c']),
  }));
  const shown = (side: keyof Sides) => listed.reduce((sum, one) => sum + one[side], 0);
  return {
    listed,
    others: { reference: total.reference - shown('reference'), current: total.current - shown('current') },
    missing: { reference: reference.rows - total.reference, current: current.rows - total.current },
    referenceClasses: Number(rows[0]?.['classes'] ?? 0),
  };
}

function sumOf(counts: Float64Array): number {
  return counts.reduce((sum, count) => sum + count, 0);
}
