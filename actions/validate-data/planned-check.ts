import type { Column } from '../../core/data/index.ts';
import type { DataCheck, DataCheckName } from '../../core/policy/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Bound, Check, Unit } from '../../core/report/index.ts';
import type { Chosen, Condition, ConflictsMeasure, CopiesMeasure, Measure, Measurements } from './measure.ts';

/** Rows that show a failure: how many, and what to look for. */
export interface Failing {
  readonly total: number;
  readonly columns: readonly Column[];
  readonly by: FailingBy;
  /** Of which rows, where the condition does not say so itself. */
  readonly where?: Chosen;
}

/** `listed`: rows that are known already, in file order. */
export type FailingBy =
  | Condition
  | CopiesMeasure
  | ConflictsMeasure
  | { readonly kind: 'listed'; readonly rows: readonly number[] }
  | AnswerRows;

/** Rows that are no rows of the table. */
export interface AnswerRows {
  readonly kind: 'answer';
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | null)[])[];
}

/** What the measurements say of one check. */
export interface Judgement {
  /** `unsettled`: the evidence says neither. `left`: deliberately not judged. */
  readonly outcome: 'holds' | 'broken' | 'unjudged' | 'unsettled' | 'left';
  readonly message: string;
  readonly observed?: number | string;
  readonly bound?: Bound;
  /** Rows that show it. */
  readonly failing?: Failing;
  /** How many rows the answer rests on. */
  readonly rows?: number;
  /** How sure it is, where it is estimated. */
  readonly evidence?: Check['evidence'];
  readonly rowsToSettle?: number;
}

/** What the policy demands: the list entry a check comes from, and, where one entry is a check for each column, of which. */
export interface Asked {
  readonly kind: DataCheckName;
  readonly check: DataCheck;
  readonly column?: string;
}

/** One check before anything is counted: what it needs to know, and how it judges then. */
export interface PlannedCheck {
  readonly asked: Asked;
  /** Without what tells two equal checks apart: `data/train.csv/not_null[age]`. */
  readonly id: string;
  readonly title: string;
  readonly place: Place;
  readonly severity: 'error' | 'warn';
  readonly reason?: string;
  readonly unit: Unit;
  readonly needs: readonly Measure[];
  judge(measurements: Measurements): Judgement;
}

/** What a kind of check makes of its options; the plan adds place, severity and the rest. */
export type Demand = Pick<PlannedCheck, 'title' | 'unit' | 'needs' | 'judge'> & {
  /** What the check's id ends with: `not_null[age]`. */
  readonly name: string;
  /** The column, where the list entry is a check for each of several. */
  readonly column?: string;
};

/** A demand that is answered without counting. */
export function settled(name: string, title: string, judgement: Judgement): Demand {
  return { name, title, unit: 'none', needs: [], judge: () => judgement };
}
