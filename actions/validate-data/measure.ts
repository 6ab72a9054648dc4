import type { Column, RowCondition, Table } from '../../core/data/index.ts';

/** The rows a check is about: those that meet every condition. Empty: all rows. */
export type Chosen = readonly { readonly column: Column; readonly condition: RowCondition }[];

/** What makes a row break a check, as data: a dialect writes it in its SQL. Rows without a value never meet any but `missing`. */
export type Condition = PlainCondition | BesideCondition;

/** What can be told of a row by itself. */
export type PlainCondition =
  | { readonly kind: 'missing'; readonly column: Column }
  /** An end is a number or, of dates and times, `2026-08-01` or `2026-08-01 12:30:00` in UTC. */
  | {
      readonly kind: 'outside';
      readonly column: Column;
      readonly min?: number | string;
      readonly max?: number | string;
    }
  | { readonly kind: 'unaccepted' | 'forbidden'; readonly column: Column; readonly values: readonly Value[] }
  | { readonly kind: 'unmatched'; readonly column: Column; readonly pattern: string }
  /** A text of fewer or more characters (code points). */
  | { readonly kind: 'mislength'; readonly column: Column; readonly min?: number; readonly max?: number }
  /** A text that is not a number. */
  | { readonly kind: 'unnumeric'; readonly column: Column };

type Value = string | number | boolean;

/** What needs something beside the row: rows of another table, or the rows before it. */
export type BesideCondition =
  /** No row of the reference is alike (`stranger`), or one is (`known`). */
  { readonly kind: 'stranger' | 'known'; readonly reference: Reference } | Disordered;

/** Which rows of another table are like a row: those that are equal in these columns. */
export interface Reference {
  readonly table: Table;
  readonly pairs: readonly { readonly own: Column; readonly other: Column }[];
  /** `equal`: two missing values are alike. `apart`: a row that misses a value takes no part, as in SQL's foreign keys. */
  readonly missing: 'equal' | 'apart';
}

/** A value that does not follow the nearest earlier one (rows without a value are passed over). */
export interface Disordered {
  readonly kind: 'disordered';
  readonly column: Column;
  readonly direction: 'increasing' | 'decreasing';
  /** Equal values break it. */
  readonly strict: boolean;
}

/** Something to count in a table. A value is missing when it is null or NaN. */
export type Measure = CountMeasure | ClassesMeasure | StatisticMeasure | NewcomersMeasure;

/** What is answered by a number of rows. */
export type CountMeasure =
  /** Rows in which none of the columns is missing. */
  | (OfRows & { readonly kind: 'present'; readonly columns: readonly Column[] })
  | (OfRows & { readonly kind: 'count'; readonly condition: Condition })
  | CopiesMeasure
  | ConflictsMeasure;

interface OfRows {
  readonly where?: Chosen;
}

export interface CopiesMeasure extends OfRows {
  readonly kind: 'copies';
  readonly columns: readonly Column[];
  /**
   * `shared`: rows whose values in the columns another row has too; rows that miss one of them do not take part.
   * `repeats`: rows that equal an earlier row in the columns, where two missing values are equal.
   */
  readonly of: 'shared' | 'repeats';
}

/** Rows that another row equals in the features (where two missing values are equal) but not in the label. Rows without a label do not take part. */
export interface ConflictsMeasure extends OfRows {
  readonly kind: 'conflicts';
  readonly features: readonly Column[];
  readonly label: Column;
}

export interface ClassesMeasure extends OfRows {
  readonly kind: 'classes';
  readonly column: Column;
}

/** One number of a column's values. */
export interface StatisticMeasure extends OfRows {
  readonly kind: 'statistic';
  readonly statistic: Statistic;
}

export type Statistic =
  /** Of dates and times `min` and `max` are seconds since 1970 in UTC. `std`: of a sample (n - 1). `distinct`: different values. */
  | { readonly of: 'mean' | 'std' | 'sum' | 'min' | 'max' | 'distinct'; readonly column: Column }
  /** The least value that at least this share of the values does not exceed. */
  | { readonly of: 'quantile'; readonly column: Column; readonly share: number }
  /** Pearson's correlation of the rows that have both values. */
  | { readonly of: 'correlation'; readonly columns: readonly [Column, Column] };

/** The values of a column that no row of the reference has. */
export interface NewcomersMeasure extends OfRows {
  readonly kind: 'newcomers';
  readonly reference: Reference;
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
  count(measure: CountMeasure): number;
  classes(measure: ClassesMeasure): Classes;
  /** Undefined where there are too few values to tell. */
  statistic(measure: StatisticMeasure): number | undefined;
  /** The new values, the most frequent first; of many some. */
  newcomers(measure: NewcomersMeasure): Classes;
  /** The first rows that were found, in file order. */
  first(measure: CopiesMeasure | ConflictsMeasure): readonly number[];
}

/** Two measures of one key are one question. */
export function keyOf(measure: Measure): string {
  return JSON.stringify(measure, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}
