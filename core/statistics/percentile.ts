import type { Interval } from './interval.ts';
import { assertLevel } from './level.ts';
import { quantileOfSorted } from './quantile.ts';

/**
 * Samples below which a tail percentile is not claimed. MLPerf's early-stopping rule at 99 % confidence asks 64 for p90, 662
 * for p99 and 6636 for p99.9; 200 for p95 is Sluice's own choice (the rule alone gives 130). Percentiles not listed take the next higher one's count.
 * Source: MLCommons inference rules, "Early stopping criterion".
 */
const minimums: readonly (readonly [probability: number, samples: number])[] = [
  [0.5, 11],
  [0.9, 64],
  [0.95, 200],
  [0.99, 662],
  [0.999, 6636],
];

/** How many samples a claim about this percentile (0.95 for p95) needs. Beyond p99.9 it grows with the rarity of the tail. */
export function minimumSamples(probability: number): number {
  const listed = minimums.find(([of]) => probability <= of);
  return listed === undefined ? Math.ceil(6636 * (0.001 / (1 - probability))) : listed[1];
}

/**
 * A percentile with bounds that assume nothing about the distribution: order statistics between which the true percentile lies
 * by the binomial distribution. `undefined` below `minimumSamples`: too few calls prove nothing about a tail.
 */
export function percentileInterval(
  samples: ArrayLike<number>,
  probability: number,
  level: number,
): Interval | undefined {
  assertLevel(level);
  if (!(probability > 0 && probability < 1)) throw new RangeError(`no percentile is at ${probability}`);
  const n = samples.length;
  if (n < minimumSamples(probability)) return undefined;
  const sorted = Float64Array.from(samples).sort();
  const [below, above] = orderStatistics(n, probability, level);
  return {
    estimate: quantileOfSorted(sorted, probability),
    lower: below === 0 ? Number.NEGATIVE_INFINITY : (sorted[below - 1] ?? Number.NaN),
    upper: above > n ? Number.POSITIVE_INFINITY : (sorted[above - 1] ?? Number.NaN),
    level,
    method: 'binomial',
    n,
  };
}

/**
 * Ranks (from 1) whose order statistics bound the percentile, each one-sided at `level`: 0 or n + 1 where no sample does.
 * The count of samples at or below the percentile is binomial(n, probability).
 */
export function orderStatistics(n: number, probability: number, level: number): readonly [number, number] {
  // Lower: the largest rank l with P(count >= l) >= level. Upper: the smallest rank u with P(count <= u - 1) >= level.
  let lower = 0;
  let upper = n + 1;
  let cumulative = 0;
  const odds = Math.log(probability) - Math.log1p(-probability);
  let logChance = n * Math.log1p(-probability);
  for (let count = 0; count <= n; count++) {
    if (1 - cumulative >= level) lower = count;
    cumulative += Math.exp(logChance);
    if (cumulative >= level) {
      upper = count + 1;
      break;
    }
    logChance += Math.log(n - count) - Math.log(count + 1) + odds;
  }
  return [lower, upper];
}
