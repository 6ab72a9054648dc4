import type { Column, SelectedRows, Table } from '../../core/data/index.ts';
import type { DataCheckOptions } from '../../core/policy/index.ts';
import type { Chosen } from './measure.ts';
import type { SkewedColumn } from './skews.ts';

/** What a check is planned on. */
export interface Subject {
  readonly table: Table;
  /** The rows it is about. */
  readonly where: Chosen;
  /** Another file that the policy names, opened. */
  other(file: string): Table;
  /** What the SELECT of a check found. */
  selected(check: DataCheckOptions<'sql'>): SelectedRows | { readonly refused: string };
  /** How far columns are from those of another file. */
  skewed(check: DataCheckOptions<'skew'>): readonly SkewedColumn[];
  /** Whether no value of the column may be shown. */
  isSensitive(column: Column): boolean;
  /** `YYYY-MM-DD` in UTC. */
  readonly today: string;
}

/** Stands for a value that is not shown. */
export const masked = '•••';

/** The rows of a measure: nothing where those are all. */
export function ofRows(where: Chosen): { readonly where?: Chosen } {
  return where.length === 0 ? {} : { where };
}
