import type { DriftBound, DriftMeasure, EffectivePolicy } from '../../core/policy/index.ts';
import type { Check } from '../../core/report/index.ts';
import { benjaminiHochberg, decide, pValueOfBroken, rowsToSettle } from '../../core/statistics/index.ts';
import { counted, excerpt } from '../../core/text/index.ts';
import { type ComparedColumn, titleOf } from './compared-column.ts';
import type { Measured } from './drift-measures.ts';
import { type BoundOutcome, judgeTwoBounds } from './two-bounds.ts';

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
  readonly check: Check;
}

interface Side extends BoundOutcome {
  readonly q: number;
}

/**
 * Holds every column against its bounds. All columns and measures are one family for `fail`, and one for `warn`: a bound is broken only where
 * the Benjamini-Hochberg q-value says so, so that among many columns chance alone breaks none; it holds where the column's own interval says so.
 */
export function judgeDrift(
  measured: readonly MeasuredBound[],
  policy: EffectivePolicy,
  level: number | 'off',
): readonly DriftJudgement[] {
  const [warns, fails] = (['warn', 'fail'] as const).map((key) => sidesOf(measured, key, level));
  return measured.map((of, index) => {
    const warn = warns?.[index];
    const fail = fails?.[index];
    const broken = fail?.broken === true ? 'fail' : warn?.broken === true ? 'warn' : undefined;
    const holds = (warn?.holds ?? true) && (fail?.holds ?? true);
    return { of, broken, holds, check: checkOf(of, policy, { warn, fail }, level, measured.length) };
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

function checkOf(
  of: MeasuredBound,
  policy: EffectivePolicy,
  { warn, fail }: { readonly warn: Side | undefined; readonly fail: Side | undefined },
  level: number | 'off',
  family: number,
): Check {
  const { column, measure, bound, measured } = of;
  const { status, decisive: key } = judgeTwoBounds(warn, fail);
  const decisive = bound[key];
  const value = decisive ?? Number.NaN;
  const against = { kind: 'max', value } as const;
  const settle = status === 'inconclusive' ? rowsToSettle(against, measured.interval) : undefined;
  const q = (key === 'fail' ? fail : warn)?.q;
  const role = column.role === 'feature' ? '' : `${column.role}/`;
  return {
    id: `drift/${role}${measure}[${excerpt(column.name)}]`,
    title: `${titleOf(column)} ${measure} ≤ ${[bound.warn, bound.fail].filter((one) => one !== undefined).join(', ')}`,
    section: 'drift',
    status,
    message: [
      `${measure} is ${text(measured.observed)} (${of.counted})${beyondChance(measured)}; ${outcome(status, against.value, warn?.broken === true, fail?.holds === false)}.`,
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
    place: policy.placeOf(['drift', measure]),
  };
}

function outcome(status: Check['status'], bound: number, watched: boolean, unsettled: boolean): string {
  if (status === 'fail') return `that is drift: above ${bound} also when chance is taken out`;
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
