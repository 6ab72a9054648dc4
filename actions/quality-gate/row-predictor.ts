import type { ColumnBatch } from '../../core/data/index.ts';
import type { Policy } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';

export type Task = 'classification' | 'regression' | 'multilabel' | 'ranking';

/**
 * Something that says something of every evaluation row: an ONNX model (`model-run.ts`), or whatever else gives labels, scores or values
 * for rows. `predictAll` reads the file once and hands the batches to candidate and baseline alike.
 */
export interface RowPredictor {
  readonly task: Task;
  /** As messages call it: the model's file. Untrusted text. */
  readonly path: string;
  /** The policy line that brought it. */
  readonly place: Place;
  /** The columns of the evaluation file that it looks at: those that `predict` is given. */
  readonly columns: readonly string[];
  /** Rows that every batch but the last is a multiple of, where it takes no other number of rows a call. */
  readonly batch?: number;
  /** How the policy that came with it reads its classes. */
  readonly classes?: NonNullable<Policy['model']>['classes'];
  readonly threshold?: number | undefined;
  /** What it is, and how it is fed and read: two whose identities are deeply equal are one and the same. */
  readonly identity?: unknown;
  /**
   * What it says of some rows. Called in file order, the next batch possibly before the last one is answered. A `SluiceError` ends its part:
   * of the candidate it ends the run, of the baseline it leaves the candidate alone.
   */
  predict(batch: ColumnBatch): Promise<PredictedRows>;
}

/** What is said of the rows of a batch, in their order. The same parts in every batch. */
export interface PredictedRows {
  /** One a row. */
  readonly labels?: ArrayLike<string | number | bigint>;
  /** `width` a row, row by row; of the same width in every batch. In single precision where the predictor works in it. */
  readonly scores?: { readonly values: ArrayLike<number | bigint>; readonly width: number };
  /** One a row: of a regression, or how high a ranking places the row. */
  readonly values?: ArrayLike<number | bigint>;
}
