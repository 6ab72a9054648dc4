import type { DigestedTable } from '../data/index.ts';

/** The rows of one side: a file, or those of its rows that meet conditions. */
export interface DriftRows {
  readonly table: DigestedTable;
  /** A relation to put after FROM. */
  readonly sql: string;
  readonly rows: number;
  /** Columns that chose the rows: they differ by construction. */
  readonly chosenBy: readonly string[];
}
