import type { DriftBound, DriftMeasure } from '../policy/index.ts';
import type { Check } from '../report/index.ts';
import { benjaminiHochberg, decide, pValueOfBroken, rowsToSettle } from '../statistics/index.ts';
import { counted, excerpt } from '../text/index.ts';
import type { ComparedColumn } from './compared-column.ts';
import type { Measured } from './drift-measures.ts';
import { type BoundOutcome, judgeTwoBounds, type TwoBoundsOutcome } from './two-bounds.ts';

/** A column measured against a bound of the policy. */
export interface MeasuredBound {
  readonly column: ComparedColumn;
  readonly measure: DriftMeasure;
  readonly bound: DriftBound;
  readonly measured: Measured;
  /** `numbers by 10 bins`, `4 classes`. */
  readonly counted: string;
}

/** What the evidence says of one column by one measure. */
export interface DriftJudgement {
  readonly of: MeasuredBound;
  /** Above it for sure; the worst bound counts. */
  readonly broken: 'warn' | 'fail' | undefined;
  /** Every bound holds for sure. */
  readonly holds: boolean;
  /** What a report says of it. */
  readonly found: Found;
}

type Found = { readonly status: TwoBoundsOutcome['status'] } & Pick<
  Check,
  'message' | 'observed' | 'bound' | 'unit' | 'evidence' | 'rowsToSettle'
>;

interface Side extends BoundOutcome {
  readonly q: number;
}

/**
 * Holds every column against its bounds. All columns and measures are one family for `fail`, and one for `warn`: a bound is broken only where
 * the Benjamini-Hochberg q-value says so, so that among many columns chance alone breaks none; it holds where the column's own interval says so.
 */
export function judgeDrift(
  measured: readonly MeasuredBound[],
  level: number | 'off',
  noun: 'drift' | 'skew',
): readonly DriftJudgement[] {
  const [warns, fails] = (['warn', 'fail'] as const).map((key) => sidesOf(measured, key, level));
  return measured.map((of, index) => {
    const warn = warns?.[index];
    const fail = fails?.[index];
    const broken = fail?.broken === true ? 'fail' : warn?.broken === true ? 'warn' : undefined;
    const holds = (warn?.holds ?? true) && (fail?.holds ?? true);
    return { of, broken, holds, found: foundOf(of, { warn, fail }, { level, noun, family: measured.length }) };
  });
}

function sidesOf(
  measured: readonly MeasuredBound[],
  key: 'warn' | 'fail',
  level: number | 'off',
): readonly (Side | undefined)[] {
  const judged = measured.flatMap(({ bound, measured: found }, index) => {
    const value = bound[key];
    return value === undefined ? [] : [{ index, against: { kind: 'max', value } as const, interval: found.interval }];
  });
  const qValues = benjaminiHochberg(judged.map(({ against, interval }) => pValueOfBroken(against, interval)));
  const sides = new Map(
    judged.map(({ index, against, interval }, at): [number, Side] => {
      const own = decide(against, interval);
      const q = qValues[at] ?? 1;
      const broken = level === 'off' ? own === 'fail' : q <= 1 - level && interval.estimate > against.value;
      return [index, { broken, holds: own === 'pass' && !broken, q }];
    }),
  );
  return measured.map((_, index) => sides.get(index));
}

function foundOf(
  of: MeasuredBound,
  { warn, fail }: { readonly warn: Side | undefined; readonly fail: Side | undefined },
  { level, noun, family }: { readonly level: number | 'off'; readonly noun: 'drift' | 'skew'; readonly family: number },
): Found {
  const { measure, bound, measured } = of;
  const { status, decisive: key } = judgeTwoBounds(warn, fail);
  const decisive = bound[key];
  const value = decisive ?? Number.NaN;
  const against = { kind: 'max', value } as const;
  const settle = status === 'inconclusive' ? rowsToSettle(against, measured.interval) : undefined;
  const q = (key === 'fail' ? fail : warn)?.q;
  return {
    status,
    message: [
      `${measure} is ${text(measured.observed)} (${of.counted})${beyondChance(measured)}; ${outcome(status, noun, against.value, warn?.broken === true, fail?.holds === false)}.`,
      ...(settle === undefined || settle === 0
        ? []
        : [`About ${counted(settle, 'more row')} like these would settle it.`]),
      ...(measured.pValue === undefined
        ? []
        : [`The test's p-value, which decides nothing: ${probability(measured.pValue)}.`]),
      ...(level === 'off' || q === undefined || family === 1
        ? []
        : [`Among ${counted(family, 'measurement')}: q ${probability(q)}.`]),
      ...(bound.reason === undefined ? [] : [`The bound's reason: ${excerpt(bound.reason, 300)}`]),
    ].join(' '),
    observed: measured.observed,
    bound: against,
    unit: 'none',
    evidence: measured.interval,
    ...(settle === undefined || settle === 0 ? {} : { rowsToSettle: settle }),
  };
}

function outcome(status: Check['status'], noun: string, bound: number, watched: boolean, unsettled: boolean): string {
  if (status === 'fail') return `that is ${noun}: above ${bound} also when chance is taken out`;
  if (status === 'warn') return `worth watching: above ${bound} also when chance is taken out`;
  if (status === 'pass') return `at most ${bound}`;
  return watched && unsettled
    ? `worth watching for sure; whether it is above ${bound} is not settled`
    : `whether it is above ${bound} is not settled`;
}

function beyondChance({ interval }: Measured): string {
  if (interval.method === 'point') return '';
  return `, ${text(interval.estimate)} of it beyond chance (between ${text(interval.lower)} and ${text(interval.upper)}, each bound sure to ${Number((interval.level * 100).toPrecision(4))} %)`;
}

function text(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'not a number' : '∞';
  return String(Number(value.toPrecision(3)));
}

function probability(value: number): string {
  return value < 0.0001 ? '< 0.0001' : String(Number(value.toPrecision(2)));
}
