import { decide, type Interval, mcnemar, type PairedCounts } from '../../core/statistics/index.ts';
import type { Measured } from './bound-check.ts';
import { counted, pValueText } from './number-text.ts';

/**
 * Of the risk that `evidence` leaves (0.1 at 0.9), the part a block may take: a model that is as good as the baseline is blocked at most 2 times
 * in 100 at 0.9, exactly so for any number of rows and any share of them that changes. An open check warns; a block stops somebody.
 */
export const partOfRisk = 1 / 5;

/** What the exact test says, and what it makes of the decision where that does not stand. */
export interface CrossCheck {
  readonly words: string;
  readonly override?: Pick<Measured, 'status' | 'needed'>;
}

/**
 * McNemar's exact test beside the interval of a change in a share of rows. What the interval calls better than before must be so by the
 * exact test at the same evidence; what it calls worse, at a fifth of the risk. Else the check is left open. Undefined where there are no pairs
 * of rows behind the interval.
 */
export function crossCheck(
  against: NonNullable<Measured['against']>,
  interval: Interval,
  pairs: PairedCounts | undefined,
): CrossCheck | undefined {
  if (pairs === undefined || interval.level === 1) return undefined;
  const { won, lost } = pairs;
  if (won + lost === 0) return { words: 'No row is right in one of the two models only' };
  const { worse, better } = mcnemar(won, lost);
  const [side, p] = lost > won ? (['worse', worse] as const) : (['better', better] as const);
  const words = `Of ${counted(won + lost, 'row')} that only one of them has right it won ${won} and lost ${lost}; McNemar's exact test of “not ${side}”: ${pValueText('p', p)}`;
  const risk = 1 - interval.level;
  const decision = decide(against, interval);
  if (decision === 'fail' && against.value <= 0 && worse > risk * partOfRisk) {
    return { words: `${words}, too much to block`, override: open(risk, worse / (risk * partOfRisk)) };
  }
  if (decision === 'pass' && against.value >= 0 && better > risk) return { words, override: open(risk, better / risk) };
  return { words };
}

/** Inconclusive until the p-value is so many times smaller. */
function open(risk: number, times: number): NonNullable<CrossCheck['override']> {
  return { status: 'inconclusive', needed: 1 - risk / times };
}
