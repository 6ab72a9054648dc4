import type { Column } from '../../core/data/index.ts';
import type { Place } from '../../core/problem/index.ts';
import type { Bound, Unit } from '../../core/report/index.ts';
import type { Condition, CopiesMeasure, Measure, Measurements } from './measure.ts';

/** What the measurements say of one check. */
export interface Judgement {
  readonly outcome: 'holds' | 'broken' | 'unjudged';
  readonly message: string;
  readonly observed?: number | string;
  readonly bound?: Bound;
  /** Rows that show it: how many, and what to look for. */
  readonly failing?: {
    readonly total: number;
    readonly columns: readonly Column[];
    readonly by: Condition | CopiesMeasure;
  };
  /** How many rows the answer rests on. */
  readonly rows?: number;
}

/** One check before anything is counted: what it needs to know, and how it judges then. */
export interface PlannedCheck {
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
};

/** A demand that is answered without counting. */
export function settled(name: string, title: string, judgement: Judgement): Demand {
  return { name, title, unit: 'none', needs: [], judge: () => judgement };
}
