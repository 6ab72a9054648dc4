import type { Place } from '../../core/problem/index.ts';
import type { Bound, Check, Status, Unit } from '../../core/report/index.ts';
import { decide, type Interval, rowsToSettle } from '../../core/statistics/index.ts';
import { counted, numberText } from './number-text.ts';

/** What one bound of a gate asks, before anything is measured. */
export interface Demand {
  readonly id: string;
  readonly title: string;
  readonly bound: Bound;
  readonly unit: Unit;
  readonly severity?: 'error' | 'warn' | undefined;
  /** Why the policy's author set the bound. */
  readonly reason?: string | undefined;
  readonly place: Place;
}

/** What was measured for it. */
export interface Measured {
  readonly observed: number;
  readonly baseline?: number | undefined;
  /** What is decided on: of the value itself, or of the difference or ratio to the baseline. */
  readonly interval: Interval;
  /** The comparison on the interval's scale; the bound itself when not given. */
  readonly against?: { readonly kind: 'min' | 'max'; readonly value: number };
  /** The interval's unit where it is not the demand's. */
  readonly intervalUnit?: Unit;
  /** What was measured, as the beginning of a sentence: `accuracy is 0.871 on 228 rows`. */
  readonly said: string;
  /** Takes the place of the decision by `decide`: slices are decided together. */
  readonly status?: 'pass' | 'fail' | 'inconclusive';
  /** How sure a bound must be for that decision, where it is more than the interval's level. */
  readonly needed?: number;
  /** A sentence to add. */
  readonly note?: string | undefined;
  /**
   * Evaluation rows behind the measurement. More of them may settle it; an interval that rests on a part of them (the rows predicted
   * positive) counts less. Not given where rows would not help.
   */
  readonly rows?: number;
  /** What a row is called, where it is none. */
  readonly unit?: string | undefined;
}

/** The check that a demand and a measurement make. Fails closed: a number that is none gives `error`. */
export function boundCheck(demand: Demand, measured: Measured): Check {
  const { interval } = measured;
  const against = measured.against ?? ownBound(demand.bound);
  const numbers = [measured.observed, interval.estimate, interval.lower, interval.upper, against.value];
  if (numbers.some(Number.isNaN)) return unjudged(demand, `${measured.said}, which is no number to judge by`);
  const decision = measured.status ?? decide(against, interval);
  const settle = decision === 'inconclusive' ? moreRows(against, measured) : undefined;
  return {
    ...head(demand),
    status: statusOf(decision, demand),
    message: [
      `${measured.said}${intervalWords(measured, against)}; ${verdictWords[decision]}`,
      ...(decision === 'inconclusive' && measured.rows !== undefined ? [settlingWords(settle, measured.unit)] : []),
      ...(measured.note === undefined ? [] : [measured.note]),
      ...(demand.reason === undefined ? [] : [`The bound's reason: ${demand.reason}`]),
    ]
      .map((sentence) => (/[.!?]$/.test(sentence) ? sentence : `${sentence}.`))
      .join(' '),
    observed: measured.observed,
    ...(measured.baseline === undefined ? {} : { baseline: measured.baseline }),
    evidence: {
      ...interval,
      ...(measured.against === undefined ? {} : { against: measured.against }),
      ...(measured.intervalUnit === undefined ? {} : { unit: measured.intervalUnit }),
    },
    ...(settle === undefined || settle === 0 ? {} : { rowsToSettle: settle }),
  };
}

/** A demand that could not be judged: never a pass. */
export function unjudged(demand: Demand, why: string): Check {
  return { ...head(demand), status: 'error', message: `${why}.` };
}

/** A demand that is deliberately not judged, and why. */
export function skipped(demand: Demand, why: string): Check {
  return { ...head(demand), status: 'skipped', message: `${why}.` };
}

const verdictWords = {
  pass: 'the bound holds',
  fail: 'the bound is broken',
  inconclusive: 'that does not settle it',
} as const;

function head(demand: Demand): Pick<Check, 'id' | 'title' | 'section' | 'bound' | 'unit' | 'place'> {
  return {
    id: demand.id,
    title: demand.title,
    section: 'gate',
    bound: demand.bound,
    unit: demand.unit,
    place: demand.place,
  };
}

function statusOf(decision: 'pass' | 'fail' | 'inconclusive', demand: Demand): Status {
  return decision === 'fail' && demand.severity === 'warn' ? 'warn' : decision;
}

/** Evaluation rows, of which an interval may use a part only; `undefined` where no number of them within reason would do. */
function moreRows(against: ReturnType<typeof ownBound>, { interval, rows, needed }: Measured): number | undefined {
  const more = rows === undefined ? undefined : rowsToSettle(against, interval, needed);
  if (more === undefined || rows === undefined || interval.n === rows) return more;
  return Number(((more * rows) / interval.n).toPrecision(2));
}

function settlingWords(settle: number | undefined, unit = 'row'): string {
  if (settle === undefined)
    return `It lies so close to the bound that not even a thousand times the ${unit}s would settle it`;
  return settle === 0
    ? `Some more ${unit}s like these would settle it`
    : `About ${counted(settle, `more ${unit}`)} like these would settle it`;
}

function ownBound(bound: Bound): { kind: 'min' | 'max'; value: number } {
  if ((bound.kind !== 'min' && bound.kind !== 'max') || typeof bound.value !== 'number') {
    throw new TypeError(`a bound of kind ${bound.kind} needs a comparison of its own`);
  }
  return { kind: bound.kind, value: bound.value };
}

function intervalWords({ interval, intervalUnit, against }: Measured, bound: { readonly value: number }): string {
  if (interval.lower === interval.upper) return '';
  // Changes in percent of the baseline are said in percent.
  const [scale, sign] = intervalUnit === 'share' ? [100, ' %'] : [1, intervalUnit === 'ratio' ? ' times' : ''];
  const text = (value: number) => numberText(value * scale, bound.value * scale);
  const what = against === undefined || intervalUnit === 'ratio' ? '' : 'a change ';
  return ` (${what}between ${text(interval.lower)} and ${text(interval.upper)}${sign}, each bound sure to ${numberText(interval.level * 100)} %)`;
}
