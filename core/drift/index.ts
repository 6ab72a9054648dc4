/**
 * How far the columns of two tables are apart: counted by the same bins, measured beyond chance, held against bounds.
 * @module
 */
export type { BinnedColumn } from './bins.ts';
export { type ColumnChoice, type ComparedColumn, chooseColumns, type LeftColumn, titleOf } from './compared-column.ts';
export type { CountedColumn } from './counted-columns.ts';
export type { DriftRows } from './drift-rows.ts';
export { type DriftJudgement, judgeDrift, type MeasuredBound } from './judge-drift.ts';
export { type ColumnsToMeasure, measureColumns, type UnmeasuredColumn } from './measure-columns.ts';
export { judgeTwoBounds } from './two-bounds.ts';
