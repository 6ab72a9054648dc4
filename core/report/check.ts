import type { Place } from '../problem/index.ts';
import type { Interval } from '../statistics/index.ts';

/**
 * - `pass`: the evidence says the bound holds. `fail`: it says the bound is broken.
 * - `warn`: broken, but the policy's severity for it is `warn`. `inconclusive`: the evidence does not settle it.
 * - `waived`: broken (or not settled, where the policy asks for proof), and a waiver in force covers it. `skipped`: deliberately not judged (a slice below `min_rows`).
 * - `error`: could not be judged (a missing metric, NaN, an unreadable file). Never counts as a pass.
 */
export type Status = 'pass' | 'fail' | 'warn' | 'inconclusive' | 'waived' | 'skipped' | 'error';

export const statuses: readonly Status[] = ['error', 'fail', 'inconclusive', 'warn', 'waived', 'skipped', 'pass'];

/** `share` and `ratio` are plain numbers (0.05); a renderer may show a share as a percentage. */
export type Unit = 'share' | 'rows' | 'ms' | 'MB' | 'ratio' | 'count' | 'none';

/** What the policy demands. `max_regression` is relative to the baseline, in the metric's unit or, with `relative`, a share of it. */
export interface Bound {
  readonly kind: 'min' | 'max' | 'equal' | 'max_regression' | 'min_improvement' | 'must_hold';
  /** A number, or words where the demand is not a number ("columns age, tenure present"). */
  readonly value: number | string;
  readonly relative?: boolean;
}

/** What stands behind the observed value: an interval over `n` rows, pairs or rounds, each bound one-sided at `level` (0.9: wrong one time in ten). */
export interface Evidence extends Interval {
  /**
   * The comparison that was decided, on the interval's own scale, where that is not the check's `bound`: with
   * `max_regression: 0.01` the interval is of a difference and `against` is `{ kind: 'min', value: -0.01 }`; of a latency
   * ratio, `{ kind: 'max', value: 1.1 }`. Renderers draw the bound here; without it only `min` and `max` bounds are drawn.
   */
  readonly against?: { readonly kind: 'min' | 'max'; readonly value: number };
  /** The unit of the interval's numbers, where it is not the check's `unit`. */
  readonly unit?: Unit;
}

/** Rows that show a failure, in file order; of a table without an order in no order. Values are raw: a renderer escapes and cuts them. */
export interface FailingRows {
  /** How many rows fail in all; `rows` is a sample of them. */
  readonly total: number;
  readonly columns: readonly string[];
  readonly rows: readonly {
    /** Counts from 1 for the first data row (a CSV's header is not counted). Absent of rows that have no numbers: those of an engine's table. */
    readonly row?: number;
    /** Which of the files of the source the row number counts in, where the source has several. */
    readonly file?: string;
    readonly values: readonly (string | null)[];
  }[];
}

/** One assertion and what came of it. */
export interface Check {
  /**
   * Stable across runs, unique in a report; waivers name it. `data/<source>/<check>[<columns>]`, the source as the policy writes
   * it: `data/data/train.csv/not_null[age]`. `gate/<gate>/<bound>[<slice>]`: `gate/accuracy/max_regression`,
   * `gate/recall/min[sex=f]`, `gate/fairness/accuracy_ratio/min`; of a further set of rows `gate[edge]/recall/min`, of rows at the base
   * commit that a pull request changed `gate[@base]/recall/min`. `<section>/error/<code>` for what kept a phase from judging.
   * The second of two alike ends with `#2`.
   */
  readonly id: string;
  /** `accuracy ≥ 0.90`: short, for a table's first column. May hold names from data: renderers escape it. */
  readonly title: string;
  /** The section of the report it stands in. */
  readonly section: 'data' | 'gate' | 'drift' | 'smoke' | 'rollout';
  readonly status: Status;
  /** One sentence: what was observed, against what, why this status. No line breaks. */
  readonly message: string;
  readonly observed?: number | string;
  readonly bound?: Bound;
  readonly unit?: Unit;
  /** The baseline's value of the same thing, where there is a baseline. */
  readonly baseline?: number;
  readonly evidence?: Evidence;
  /** With `inconclusive`: about how many more rows like these would settle it. */
  readonly rowsToSettle?: number;
  readonly failing?: FailingRows;
  readonly waiver?: { readonly reason: string; readonly expires: string };
  /** The policy line it comes from. */
  readonly place?: Place;
}
