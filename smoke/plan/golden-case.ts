import type { Feeds, Outputs } from '../../core/onnx/index.ts';

/** One request whose right answer is known. */
export interface GoldenCase {
  /** Row of the data file, from 1; else the number of the input. */
  readonly row: number;
  readonly feeds: Feeds;
}

/** Where the cases come from, in words: `32 of the 228 rows of data/test.csv`. */
export interface GoldenCases {
  readonly cases: readonly GoldenCase[];
  readonly origin: string;
  /** The data file, where there is one. */
  readonly source?: { readonly path: string; readonly sha256: string; readonly rows: number };
}

/** A case and what the ONNX file, run here, makes of it. */
export interface JudgedCase extends GoldenCase {
  readonly expected: Outputs;
}

/** Rows spread evenly over a file, in file order: a prefix would often be one class only. From 0. */
export function spread(rows: number, wanted: number): readonly number[] {
  if (rows <= wanted) return Array.from({ length: rows }, (_, index) => index);
  return Array.from({ length: wanted }, (_, index) => Math.floor((index * rows) / wanted));
}
