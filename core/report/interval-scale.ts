import type { Check, Evidence } from './check.ts';

/** Where an interval and the bound it is held against lie on one line from 0 (left) to 1 (right). */
export interface IntervalScale {
  readonly lower: number;
  readonly estimate: number;
  readonly upper: number;
  readonly bound?: { readonly at: number; readonly value: number; readonly kind: 'min' | 'max' };
  /** The values at 0 and at 1. */
  readonly from: number;
  readonly to: number;
}

/** The comparison the interval was decided by, where it is a number on the interval's scale. */
export function decidedBound(check: Check): { readonly kind: 'min' | 'max'; readonly value: number } | undefined {
  if (check.evidence?.against !== undefined) return check.evidence.against;
  const bound = check.bound;
  if (bound === undefined || typeof bound.value !== 'number' || bound.relative === true) return undefined;
  return bound.kind === 'min' || bound.kind === 'max' ? { kind: bound.kind, value: bound.value } : undefined;
}

/** Uncertain enough to draw: a file's size or `evidence: off` is a point, not an interval. */
export function isInterval(evidence: Evidence | undefined): evidence is Evidence {
  return evidence !== undefined && Number.isFinite(evidence.estimate) && evidence.lower !== evidence.upper;
}

/** The line that shows a check's interval and bound with a margin at both ends; nothing where there is no uncertainty. */
export function intervalScaleOf(check: Check): IntervalScale | undefined {
  const evidence = check.evidence;
  if (!isInterval(evidence)) return undefined;
  const bound = decidedBound(check);
  const values = [evidence.lower, evidence.estimate, evidence.upper, bound?.value ?? evidence.estimate].filter(
    Number.isFinite,
  );
  const least = Math.min(...values);
  const most = Math.max(...values);
  const margin = most > least ? (most - least) * 0.12 : Math.abs(most) * 0.1 || 1;
  const from = least - margin;
  const to = most + margin;
  // An unbounded side (too few samples for a percentile's upper bound) runs to the edge.
  const at = (value: number) => (value === Infinity ? 1 : value === -Infinity ? 0 : (value - from) / (to - from));
  return {
    lower: at(evidence.lower),
    estimate: at(evidence.estimate),
    upper: at(evidence.upper),
    ...(bound === undefined ? {} : { bound: { at: at(bound.value), value: bound.value, kind: bound.kind } }),
    from,
    to,
  };
}
