import type { ColumnValues } from '../../../core/data/index.ts';
import { type Cut, cutByEdges, cutByValue } from './cut.ts';
import { noPart } from './weak-slices.ts';

/** Numbers of more distinct values than this are cut into five bands alike in size. */
const mostNumbers = 10;
/** Text: so many of the most frequent values. */
const mostTexts = 20;
/** Text of more distinct values than this is an id, or free text. */
const mostDistinct = 5_000;

/** A column cut into few parts by itself: text and few numbers by value, many numbers at their quintiles. Rows of rare text are in no part. */
export function bandedColumn(column: string, values: Pick<ColumnValues, 'kind' | 'values'>, minRows: number): Cut {
  if (values.kind === 'number') {
    const distinct = new Set<number>();
    for (const value of values.values as Float64Array) {
      if (distinct.size > mostNumbers) break;
      if (!Number.isNaN(value)) distinct.add(value);
    }
    return distinct.size <= mostNumbers
      ? cutByValue(column, values)
      : cutByEdges(column, values, quintilesOf(values.values as Float64Array));
  }
  const counts = new Map<string | null, number>();
  for (const value of values.values as readonly (string | null)[]) {
    counts.set(value, (counts.get(value) ?? 0) + 1);
    if (counts.size > mostDistinct) return { names: [], parts: new Int32Array(values.values.length).fill(noPart) };
  }
  const kept = [...counts]
    .filter(([, count]) => count >= minRows)
    .sort(([one, ofOne], [other, ofOther]) => ofOther - ofOne || (String(one) < String(other) ? -1 : 1))
    .slice(0, mostTexts)
    .map(([value]) => value);
  const places = new Map(kept.map((value, part) => [value, part]));
  return {
    names: kept.map((value) => `${column}=${value ?? 'empty'}`),
    parts: Int32Array.from(values.values as readonly (string | null)[], (value) => places.get(value) ?? noPart),
  };
}

/** Edges that people can read: three digits, where those keep them apart. */
function quintilesOf(values: Float64Array): readonly number[] {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  const edges = [1, 2, 3, 4].map((fifth) => sorted[Math.floor((fifth * sorted.length) / 5)] ?? 0);
  const rounded = edges.map((edge) => Number(edge.toPrecision(3)));
  return new Set(rounded).size === new Set(edges).size ? rounded : edges;
}
