import type { Check, FailingRows } from '../../core/report/index.ts';
import type { Judgement, PlannedCheck } from './planned-check.ts';

const statusOf = { holds: 'pass', unjudged: 'error', unsettled: 'inconclusive', left: 'skipped' } as const;

/** The check of a report, from its plan and what was judged. */
export function conclude(planned: PlannedCheck, judgement: Judgement, failing: FailingRows | undefined): Check {
  const { outcome, observed, bound, rows, evidence, rowsToSettle } = judgement;
  const status = outcome === 'broken' ? (planned.severity === 'warn' ? 'warn' : 'fail') : statusOf[outcome];
  const reason = planned.reason === undefined ? '' : ` The bound's reason: ${planned.reason}`;
  return {
    id: planned.id,
    title: planned.title,
    section: 'data',
    status,
    message: `${judgement.message}${reason}`,
    unit: planned.unit,
    place: planned.place,
    ...(observed === undefined ? {} : { observed }),
    ...(bound === undefined ? {} : { bound }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(rowsToSettle === undefined ? {} : { rowsToSettle }),
    // Every row was counted: nothing is estimated.
    ...(typeof observed === 'number' && rows !== undefined
      ? { evidence: { estimate: observed, lower: observed, upper: observed, level: 1, method: 'exact', n: rows } }
      : {}),
    ...(failing === undefined ? {} : { failing }),
  };
}
