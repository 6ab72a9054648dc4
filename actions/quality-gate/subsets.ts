import type { ColumnValues } from '../../core/data/index.ts';
import { cutByValue, intersectionOf, subsetsOf } from './slices/cut.ts';

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
  return columns.length === 0 ? [] : subsetsOf(intersectionOf(columns.map((column) => cutByValue(...column))));
}
