import type { Interval } from './interval.ts';
import { assertLevel } from './level.ts';
import { normalQuantile } from './normal.ts';

/** Rows that two models were both run on: what only the candidate got right, what only the baseline did, and all of them. */
export interface PairedCounts {
  readonly won: number;
  readonly lost: number;
  readonly rows: number;
}

/**
 * The difference of two shares of the same rows (two models' accuracies): Wilson's interval for pairs. Tango's score interval, with
 * Edwards' correction for counts that move in whole rows, so that each bound is wrong at most as often as it says and agrees with the
 * exact McNemar test at 0. Closed to resampling: two models that never disagree on 50 rows may well disagree on the next, which no
 * resample of the 50 can show; there the bound is the exact one of 0 of n.
 * Sources: T. Tango, Statist. Med. 17 (1998); A. Edwards, Psychometrika 13 (1948); C. Clopper, E. Pearson, Biometrika 26 (1934).
 * Throws a `RangeError` for counts that are none.
 */
export function pairedShareInterval({ won, lost, rows }: PairedCounts, level: number): Interval {
  assertLevel(level);
  assertCounts(won, lost, rows);
  if (rows === 0) throw new RangeError('no rows make no share');
  return {
    estimate: (won - lost) / rows,
    lower: -upperBound(lost, won, rows, level),
    upper: upperBound(won, lost, rows, level),
    level,
    method: 'paired score',
    n: rows,
  };
}

/** The largest difference that the counts do not refute. */
function upperBound(won: number, lost: number, rows: number, level: number): number {
  const z = normalQuantile(level);
  const estimate = (won - lost) / rows;
  let [refuted, kept] = [1, estimate];
  // The score falls as the difference asked about grows: halved until the doubles have no room left.
  for (let step = 0; step < 60; step++) {
    const middle = (refuted + kept) / 2;
    if (pairedScore({ won, lost, rows }, middle) < -z) refuted = middle;
    else kept = middle;
  }
  // No row won: the gain is at most the share of rows that could be won, whose exact bound is that of 0 of n.
  const exact = won === 0 ? 1 - (1 - level) ** (1 / rows) : 1;
  return Math.max(estimate, Math.min(1, refuted, exact));
}

/**
 * Tango's statistic of "the difference is `difference`", with Edwards' correction: 0 within one row of it, and of standard normal
 * size beyond.
 */
function pairedScore({ won, lost, rows }: PairedCounts, difference: number): number {
  const away = won - lost - rows * difference;
  const corrected = Math.sign(away) * Math.max(0, Math.abs(away) - 1);
  if (corrected === 0) return 0;
  // The likeliest share of lost rows under that difference, from its quadratic.
  const a = 2 * rows;
  const b = -won - lost + (2 * rows - won + lost) * difference;
  const c = -lost * difference * (1 - difference);
  const likeliest = (Math.sqrt(Math.max(0, b * b - 4 * a * c)) - b) / (2 * a);
  const variance = rows * (2 * likeliest + difference * (1 - difference));
  return variance > 0 ? corrected / Math.sqrt(variance) : corrected * Number.POSITIVE_INFINITY;
}

export function assertCounts(won: number, lost: number, rows = won + lost): void {
  const whole = [won, lost, rows].every((count) => Number.isInteger(count) && count >= 0);
  if (whole && won + lost <= rows) return;
  throw new RangeError(`${won} won and ${lost} lost of ${rows} rows are no counts`);
}
