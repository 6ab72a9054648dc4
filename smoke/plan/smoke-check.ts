import type { Place } from '../../core/problem/index.ts';
import type { Bound, Check, Evidence, FailingRows, Status, Unit } from '../../core/report/index.ts';
import { decide, type Interval } from '../../core/statistics/index.ts';

/** What one part of the plan asks, before the server was asked. */
export interface Demand {
  /** Without the section: `golden/probabilities`. */
  readonly id: string;
  readonly title: string;
  readonly place: Place;
  readonly bound?: Bound;
  readonly unit?: Unit;
  readonly severity?: 'error' | 'warn' | undefined;
  /** Why the policy's author set the bound. */
  readonly reason?: string | undefined;
}

/** What came of it. */
export interface Outcome {
  readonly status: Status;
  /** Sentences; a missing full stop is added. */
  readonly said: readonly string[];
  readonly observed?: number | string;
  readonly evidence?: Evidence;
  readonly failing?: FailingRows;
}

/** The check of a demand and its outcome. What fails with severity `warn` only warns. */
export function checkOf(demand: Demand, outcome: Outcome): Check {
  const status = outcome.status === 'fail' && demand.severity === 'warn' ? 'warn' : outcome.status;
  const told = status === 'pass' || demand.reason === undefined ? [] : [`The bound's reason: ${demand.reason}`];
  return {
    id: `smoke/${demand.id}`,
    title: demand.title,
    section: 'smoke',
    status,
    message: [...outcome.said, ...told]
      .map((sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`))
      .join(' '),
    ...(outcome.observed === undefined ? {} : { observed: outcome.observed }),
    ...(demand.bound === undefined ? {} : { bound: demand.bound }),
    ...(demand.unit === undefined ? {} : { unit: demand.unit }),
    ...(outcome.evidence === undefined ? {} : { evidence: outcome.evidence }),
    ...(outcome.failing === undefined ? {} : { failing: outcome.failing }),
    place: demand.place,
  };
}

/** A bound of kind `min` or `max` decided on an interval. A number that is none gives `error`. */
export function boundCheck(
  demand: Demand & { readonly bound: Bound },
  interval: Interval,
  said: readonly string[],
): Check {
  const { kind, value } = demand.bound;
  if ((kind !== 'min' && kind !== 'max') || typeof value !== 'number') {
    throw new TypeError(`a bound of kind ${kind} is not decided on an interval`);
  }
  if ([interval.estimate, interval.lower, interval.upper].some(Number.isNaN)) {
    return checkOf(demand, { status: 'error', said: [...said, 'That is no number to judge by'] });
  }
  return checkOf(demand, {
    status: decide({ kind, value }, interval),
    said,
    observed: interval.estimate,
    evidence: interval,
  });
}
