import type { ColumnValues } from '../../core/data/index.ts';
import type { RankingSample } from '../../core/metrics/index.ts';
import { DataError, type Place } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import type { Predictions } from './predictions.ts';

/** The documents of each query, whichever rows they are in, and how relevant each is. */
export interface Queries {
  readonly starts: Int32Array;
  /** The row of each document, query by query. */
  readonly rows: Int32Array;
  readonly relevance: Float64Array;
}

export interface QueryPlaces {
  readonly query: Place;
  readonly target: Place;
}

/** Groups the rows by `evaluation.query`. Throws a `DataError` for an empty query, or a relevance that is no number from 0 on. */
export async function queriesOf(rows: EvaluationRows, query: string, places: QueryPlaces): Promise<Queries> {
  const [column] = await rows.columns([query], places.query);
  if (column === undefined) throw new TypeError('the query column was not read');
  const { target, targets, policy } = rows;
  const name = targets[0]?.name ?? '';
  const { starts, rows: order } = documentsOf(column, (row) => {
    throw new DataError({
      code: 'missing-query',
      message: `column "${excerpt(query)}" of ${excerpt(policy.source)} does not say which query a row is of`,
      place: places.query,
      found: `nothing in row ${row + 1}`,
      expected: 'a query in every row',
      fix: 'Leave those rows out of the evaluation file, or fill them in.',
    });
  });
  const relevance = Float64Array.from(order, (row) => {
    const value = target.values[row];
    if (typeof value === 'number' && value >= 0 && Number.isFinite(value)) return value;
    throw new DataError({
      code: 'target-type',
      message: `column "${excerpt(name)}" of ${excerpt(policy.source)} does not say how relevant a row is`,
      place: places.target,
      found: `${excerpt(String(value))} in row ${row + 1}`,
      expected: 'a number from 0 on, 0 for not at all',
      fix: 'Write the relevance as 0, 1, 2, ...',
    });
  });
  return { starts, rows: order, relevance };
}

/** What a model scores the documents. */
export function rankingSample({ starts, rows, relevance }: Queries, { values }: Predictions): RankingSample {
  const scores = Float64Array.from(rows, (row) => values?.[row] ?? Number.NaN);
  return { task: 'ranking', queries: starts.length - 1, starts, relevance, scores };
}

/** The rows of each query, the queries in the order in which the file first has them. */
function documentsOf({ values }: ColumnValues, refuse: (row: number) => never): Omit<Queries, 'relevance'> {
  const numbers = new Map<string | number, number>();
  const queries = new Int32Array(values.length);
  for (let row = 0; row < queries.length; row++) {
    const value = values[row] ?? null;
    if (value === null || Number.isNaN(value)) refuse(row);
    let number = numbers.get(value);
    if (number === undefined) {
      number = numbers.size;
      numbers.set(value, number);
    }
    queries[row] = number;
  }
  const starts = new Int32Array(numbers.size + 1);
  for (const query of queries) starts[query + 1] = (starts[query + 1] ?? 0) + 1;
  for (let query = 0; query < numbers.size; query++)
    starts[query + 1] = (starts[query + 1] ?? 0) + (starts[query] ?? 0);
  const next = starts.slice();
  const rows = new Int32Array(queries.length);
  for (let row = 0; row < rows.length; row++) {
    const query = queries[row] ?? 0;
    const at = next[query] ?? 0;
    rows[at] = row;
    next[query] = at + 1;
  }
  return { starts, rows };
}
