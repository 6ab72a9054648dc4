import type { Column } from '../../core/data/index.ts';

/** What makes a row break a check, as data: a dialect writes it in its SQL. Rows without a value never meet any but `missing`. */
export type Condition =
  | { readonly kind: 'missing'; readonly column: Column }
  | { readonly kind: 'outside'; readonly column: Column; readonly min?: number; readonly max?: number }
  | { readonly kind: 'unaccepted'; readonly column: Column; readonly values: readonly (string | number | boolean)[] }
  | { readonly kind: 'unmatched'; readonly column: Column; readonly pattern: string }
  /** A text that is not a number. */
  | { readonly kind: 'unnumeric'; readonly column: Column };

/** Something to count in a table. A value is missing when it is null or NaN. */
export type Measure =
  /** Rows in which none of the columns is missing. */
  | { readonly kind: 'present'; readonly columns: readonly Column[] }
  | { readonly kind: 'count'; readonly condition: Condition }
  | CopiesMeasure
  | ClassesMeasure;

export interface CopiesMeasure {
  readonly kind: 'copies';
  readonly columns: readonly Column[];
  /**
   * `shared`: rows whose values in the columns another row has too; rows that miss one of them do not take part.
   * `repeats`: rows that equal an earlier row in the columns, where two missing values are equal.
   */
  readonly of: 'shared' | 'repeats';
}

export interface ClassesMeasure {
  readonly kind: 'classes';
  readonly column: Column;
}

/** The classes of a column: its values, missing ones left out. */
export interface Classes {
  readonly count: number;
  /** Rows with a value. */
  readonly rows: number;
  /** All classes, or, of many, the rarest and the most frequent; the rarest first. */
  readonly listed: readonly { readonly name: string; readonly rows: number }[];
}

/** What was counted. */
export interface Measurements {
  count(measure: Exclude<Measure, ClassesMeasure>): number;
  classes(measure: ClassesMeasure): Classes;
  /** The first rows that `copies` found, in file order. */
  copies(measure: CopiesMeasure): readonly number[];
}

/** Two measures of one key are one question. */
export function keyOf(measure: Measure): string {
  return JSON.stringify(measure, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
