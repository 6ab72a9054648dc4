import type { ColumnValues } from '../../core/data/index.ts';

/** A named part of the evaluation rows. */
export interface Subset {
  /** `country=KR`, `age=[25, 65)`, `sex=1, country=KR`. Holds data's text: renderers escape it. */
  readonly name: string;
  /** From 0. */
  readonly rows: Int32Array;
}

/** The most values a column may be split into: more is no list that anyone reads, and no evidence in any part. */
export const mostSubsets = 100;

/** One subset for each distinct value, or combination of values, in the order of the values. Empty values are a subset too. */
export function subsetsByValue(columns: readonly (readonly [name: string, values: ColumnValues])[]): readonly Subset[] {
  const rows = columns[0]?.[1].values.length ?? 0;
  const parts = new Map<string, { key: readonly (string | number | null)[]; rows: number[] }>();
  for (let row = 0; row < rows; row++) {
    const key = columns.map(([, column]) => valueAt(column, row));
    const id = JSON.stringify(key);
    const part = parts.get(id);
    if (part === undefined) parts.set(id, { key, rows: [row] });
    else part.rows.push(row);
  }
  return [...parts.values()]
    .sort((left, right) => compare(left.key, right.key))
    .map((part) => ({
      name: columns.map(([name], index) => `${name}=${part.key[index] ?? 'empty'}`).join(', '),
      rows: Int32Array.from(part.rows),
    }));
}

/** The subsets between edges: `(−∞, a)`, `[a, b)`, ..., `[z, ∞)`, those without rows left out; empty values are a subset. */
export function subsetsByEdges(name: string, column: ColumnValues, edges: readonly number[]): readonly Subset[] {
  const ascending = [...new Set(edges)].sort((left, right) => left - right);
  const parts = Array.from({ length: ascending.length + 2 }, (): number[] => []);
  for (const [row, value] of column.values.entries()) {
    const number = typeof value === 'number' ? value : Number.NaN;
    const above = ascending.findLastIndex((edge) => number >= edge) + 1;
    parts[Number.isNaN(number) ? ascending.length + 1 : above]?.push(row);
  }
  return parts.flatMap((rows, part) => {
    if (rows.length === 0) return [];
    const from = ascending[part - 1];
    const to = ascending[part];
    const words =
      part === ascending.length + 1
        ? '=empty'
        : from === undefined
          ? `<${to}`
          : to === undefined
            ? `≥${from}`
            : `=[${from}, ${to})`;
    return [{ name: `${name}${words}`, rows: Int32Array.from(rows) }];
  });
}

function valueAt(column: ColumnValues, row: number): string | number | null {
  const value = column.values[row] ?? null;
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

function compare(left: readonly (string | number | null)[], right: readonly (string | number | null)[]): number {
  for (const [index, one] of left.entries()) {
    const other = right[index] ?? null;
    if (one === other) continue;
    if (one === null) return 1;
    if (other === null) return -1;
    return one < other ? -1 : 1;
  }
  return 0;
}
