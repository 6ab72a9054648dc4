import type { Check, FailingRows } from '../../core/report/index.ts';
import type { Judgement, PlannedCheck } from './planned-check.ts';

/** The check of a report, from its plan and what was judged. */
export function conclude(planned: PlannedCheck, judgement: Judgement, failing: FailingRows | undefined): Check {
  const { outcome, observed, bound, rows } = judgement;
  const status =
    outcome === 'holds' ? 'pass' : outcome === 'unjudged' ? 'error' : planned.severity === 'warn' ? 'warn' : 'fail';
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
    // Every row was counted: nothing is estimated.
    ...(typeof observed === 'number' && rows !== undefined
      ? { evidence: { estimate: observed, lower: observed, upper: observed, level: 1, method: 'exact', n: rows } }
      : {}),
    ...(failing === undefined ? {} : { failing }),
  };
}
