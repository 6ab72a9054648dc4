import { describePlace } from '../problem/index.ts';
import type { Check } from './check.ts';
import { decidedBound, isInterval } from './interval-scale.ts';
import { formatBound, formatChange, formatDemand, formatNumber, scaleOf } from './number-format.ts';
import { grouped } from './vocabulary.ts';

/** A check's numbers as words, the same in every renderer. Texts may hold data's names: the renderer escapes them. */
export interface CheckFacts {
  readonly observed: string;
  readonly bound: string;
  readonly baseline: string;
  /** Candidate minus baseline. */
  readonly change: string;
  /** `0.8612 – 0.8790`; empty without an interval. */
  readonly interval: string;
  /** `n = 569, Wilson, each bound at 0.9`. */
  readonly method: string;
  /** The bound of the interval that decided: `upper bound 0.879`. */
  readonly decisive: string;
  readonly place: string;
}

export function factsOf(check: Check): CheckFacts {
  const scale = scaleOf(check);
  const target =
    typeof check.bound?.value === 'number' && check.bound.relative !== true ? check.bound.value : undefined;
  const observed = check.observed;
  return {
    observed: typeof observed === 'number' ? formatNumber(observed, scale, target) : (observed ?? ''),
    bound: check.bound === undefined ? '' : formatBound(check.bound, scale),
    baseline: check.baseline === undefined ? '' : formatNumber(check.baseline, scale),
    change: changeText(check),
    interval: intervalText(check),
    method: methodText(check),
    decisive: decisiveText(check),
    place: describePlace(check.place),
  };
}

/** `accuracy ≥ 0.90: 0.8710 (upper bound 0.8790)`: a check and what came of it, in one line. */
export function describeOutcome(check: Check): string {
  if (check.status === 'error') return check.message === '' ? check.title : `${check.title}: ${check.message}`;
  const { observed, decisive } = factsOf(check);
  if (observed === '') return check.message === '' ? check.title : `${check.title}: ${check.message}`;
  return `${check.title}: ${observed}${decisive === '' ? '' : ` (${decisive})`}`;
}

function changeText(check: Check): string {
  if (typeof check.observed !== 'number' || check.baseline === undefined) return '';
  const change = check.observed - check.baseline;
  return Number.isFinite(change) ? formatChange(change, scaleOf(check)) : '';
}

function intervalText(check: Check): string {
  const evidence = check.evidence;
  if (!isInterval(evidence)) return '';
  const scale = scaleOf(check, evidence.unit);
  const bound = decidedBound(check)?.value;
  return `${formatNumber(evidence.lower, scale, bound)} – ${formatNumber(evidence.upper, scale, bound)}`;
}

function methodText({ evidence }: Check): string {
  if (evidence === undefined) return '';
  const known = `n = ${grouped(String(evidence.n))}, ${evidence.method}`;
  const level = formatDemand(evidence.level, { unit: 'share', percent: true });
  return isInterval(evidence) ? `${known}, each bound at ${level}` : known;
}

function decisiveText(check: Check): string {
  const evidence = check.evidence;
  const bound = decidedBound(check);
  if (!isInterval(evidence) || bound === undefined) return intervalText(check);
  const scale = scaleOf(check, evidence.unit);
  const { lower, upper } = evidence;
  // A pass at `min` and a failure at `max` are settled by the lower bound; their mirror images by the upper one.
  if (bound.kind === 'min' ? lower >= bound.value : lower > bound.value) {
    return `lower bound ${formatNumber(lower, scale, bound.value)}`;
  }
  if (bound.kind === 'min' ? upper < bound.value : upper <= bound.value) {
    return `upper bound ${formatNumber(upper, scale, bound.value)}`;
  }
  return `between ${intervalText(check).replace(' – ', ' and ')}`;
}
