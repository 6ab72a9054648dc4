import { assertCounts } from './paired-share-interval.ts';

/** What McNemar's exact test says of two models on the same rows. */
export interface McNemar {
  /** One-sided: how often chance alone would lose as many rows, were both models right equally often. */
  readonly worse: number;
  /** One-sided, of as many rows won. */
  readonly better: number;
  /** Two-sided, as SciPy's `binomtest(won, won + lost)` gives it. */
  readonly different: number;
}

/**
 * McNemar's test in its exact form: of the rows that only one of two models got right, each is a fair coin under "no difference".
 * `won`: right now and wrong before; `lost`: the reverse. Rows on which both agree say nothing.
 * Source: Q. McNemar, Psychometrika 12 (1947); exact by the binomial distribution. Throws a `RangeError` for counts that are none.
 */
export function mcnemar(won: number, lost: number): McNemar {
  assertCounts(won, lost);
  const worse = halfOrFewer(won, won + lost);
  const better = halfOrFewer(lost, won + lost);
  return { worse, better, different: Math.min(1, 2 * Math.min(worse, better)) };
}

/** P(heads <= most) of `flips` fair coins, summed from the largest term downwards so that nothing underflows on the way. */
function halfOrFewer(most: number, flips: number): number {
  if (most >= flips) return 1;
  // Beyond half, the other tail is the small one and the exact one to sum.
  if (2 * most > flips) return 1 - halfOrFewer(flips - most - 1, flips);
  let logChance = -flips * Math.LN2;
  for (let heads = 1; heads <= most; heads++) logChance += Math.log((flips - heads + 1) / heads);
  let relative = 1;
  let sum = 1;
  for (let heads = most; heads > 0 && relative > 1e-18; heads--) {
    relative *= heads / (flips - heads + 1);
    sum += relative;
  }
  return Math.min(1, sum * Math.exp(logChance));
}
