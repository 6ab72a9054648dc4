/**
 * Data files as tables: CSV, JSON lines and Parquet on DuckDB, with one clear error for whatever is wrong with a file.
 * @module
 */
export {
  type BatchColumn,
  type BatchOptions,
  type ColumnBatch,
  firstUnsafe,
  integerTooLarge,
  isNumeric,
  isWide,
  readBatches,
} from './column-batches.ts';
export { type ColumnValues, type NumberValues, readColumns, type StringValues } from './column-values.ts';
export { type DvcPointer, md5Of, readDvcPointer } from './dvc-pointer.ts';
export { type DvcStore, findDvcData } from './dvc-store.ts';
export { type Engine, type EngineOptions, type OpenOptions, openEngine } from './engine.ts';
export { missingColumn, nearestColumns } from './nearest-columns.ts';
export { quoteIdentifier, quoteLiteral } from './quoting.ts';
export { conditionSql, duckdbLiterals, isMoment, type RowCondition, type SqlLiterals } from './row-condition.ts';
export {
  type ExpressionColumn,
  type ExpressionSandbox,
  openExpressionSandbox,
} from './row-expression.ts';
export { openSelectSandbox, type SandboxLimits, type SelectedRows, type SelectSandbox } from './select-sandbox.ts';
export type { Format } from './source-format.ts';
export type { SqlEngine } from './sql-engine.ts';
export {
  type Column,
  type ColumnType,
  type DigestedTable,
  fileOfRow,
  rowNumberColumn,
  type Table,
  type TableFile,
} from './table.ts';
