import { normalQuantile } from '../../../core/statistics/index.ts';

/**
 * Kayenta's judge for one metric, `NetflixACAJudge.scala` and `MannWhitneyClassifier.scala` at a69573be, direction "increase" (errors), effect
 * size "meanRatio".
 */
export interface KayentaSettings {
  /** 0.98 in the judge. */
  readonly confidence: number;
  /** The interval must clear this fraction of the Hodges-Lehmann estimate: 0.25. */
  readonly fraction: number;
  /** The ratio of means from which an increase is High; default 1. */
  readonly allowedIncrease: number;
}

export const kayentaDefaults: KayentaSettings = { confidence: 0.98, fraction: 0.25, allowedIncrease: 1 };

export type KayentaClass = 'Pass' | 'High' | 'Nodata';

/** One judgement of two time series, a point an interval. Without points there is no data, and the metric does not count. */
export function classifyKayenta(
  canary: readonly number[],
  baseline: readonly number[],
  settings: KayentaSettings = kayentaDefaults,
): KayentaClass {
  if (canary.length === 0 || baseline.length === 0) return 'Nodata';
  const same = canary.length === baseline.length && canary.every((value, index) => value === baseline[index]);
  if (same || new Set([...canary, ...baseline]).size === 1) return 'Pass';
  const { estimate, lower } = mannWhitney(canary, baseline, settings.confidence);
  const ratio = meanOf(canary) / meanOf(baseline);
  return lower > settings.fraction * Math.abs(estimate) && ratio >= settings.allowedIncrease ? 'High' : 'Pass';
}

export interface Shift {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
}

/**
 * The shift of location and its interval as R's `wilcox.test(x, y, conf.int = TRUE, exact = FALSE)` has them, from which Kayenta's was
 * derived: where the standardised rank sum of x - d, with continuity and tie corrections, crosses the normal quantiles. (R solves to
 * 1e-4; here by bisection to the same end.)
 */
export function mannWhitney(x: readonly number[], y: readonly number[], confidence: number): Shift {
  const quantile = normalQuantile(1 - (1 - confidence) / 2);
  const lowest = Math.min(...x) - Math.max(...y);
  const highest = Math.max(...x) - Math.min(...y);
  const solve = (target: number, correct: boolean): number => {
    let [low, high] = [lowest, highest];
    if (standardised(x, y, low, correct) <= target) return low;
    if (standardised(x, y, high, correct) >= target) return high;
    for (let step = 0; step < 50; step++) {
      const middle = (low + high) / 2;
      if (standardised(x, y, middle, correct) > target) low = middle;
      else high = middle;
    }
    return (low + high) / 2;
  };
  return { estimate: solve(0, false), lower: solve(quantile, true), upper: solve(-quantile, true) };
}

/** Falls as `shift` rises. */
function standardised(x: readonly number[], y: readonly number[], shift: number, correct: boolean): number {
  const values = [
    ...x.map((value) => ({ value: value - shift, ours: true })),
    ...y.map((value) => ({ value, ours: false })),
  ];
  values.sort((one, other) => one.value - other.value);
  let rankSum = 0;
  let ties = 0;
  for (let from = 0; from < values.length; ) {
    let to = from;
    while (to < values.length && values[to]?.value === values[from]?.value) to++;
    const size = to - from;
    const rank = (from + 1 + to) / 2;
    for (let index = from; index < to; index++) if (values[index]?.ours) rankSum += rank;
    ties += size ** 3 - size;
    from = to;
  }
  const [n, m] = [x.length, y.length];
  const difference = rankSum - (n * (n + 1)) / 2 - (n * m) / 2;
  const spread = Math.sqrt(((n * m) / 12) * (n + m + 1 - ties / ((n + m) * (n + m - 1))));
  // All values tied: no spread, and no difference either.
  if (spread === 0) return 0;
  return (difference - (correct ? Math.sign(difference) * 0.5 : 0)) / spread;
}

function meanOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
