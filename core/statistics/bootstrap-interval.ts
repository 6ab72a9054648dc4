import type { Interval } from './interval.ts';
import { assertLevel } from './level.ts';
import { quantileOfSorted } from './quantile.ts';
import { type Resampling, resample, type Statistic } from './resample.ts';

/**
 * - `percentile`: the quantiles of the resampled values as they are. For means and most metrics.
 * - `basic`: mirrored at the estimate, which takes out a bias that the statistic has in every sample (a calibration error, which
 *   noise can only raise).
 * - `cautious`: the outer of both on each side. For the largest difference between groups, which noise raises too, but which
 *   is folded at 0, where the mirrored upper bound would be too low.
 */
export type BootstrapMethod = 'percentile' | 'basic' | 'cautious';

export interface BootstrapOptions extends Resampling {
  readonly level: number;
  readonly method?: BootstrapMethod;
}

/** One-sample bootstrap of one statistic. NaN bounds when the statistic is undefined on more than half of the resamples. */
export function bootstrapInterval(statistic: Statistic, options: BootstrapOptions): Interval {
  const [values] = resample(options, [statistic]);
  return intervalOfResamples(statistic(options.weights), values ?? new Float64Array(), {
    level: options.level,
    method: options.method ?? 'percentile',
    n: rowsOf(options),
  });
}

/**
 * Paired bootstrap of `candidate − baseline` on the same rows: what both get right or wrong together cancels, so a small
 * difference shows on far fewer rows than two separate intervals would need. `relative` divides by the baseline's value.
 */
export function pairedBootstrap(
  candidate: Statistic,
  baseline: Statistic,
  options: BootstrapOptions & { readonly relative?: boolean },
): Interval {
  const difference: Statistic = (weights) => {
    const of = baseline(weights);
    const change = candidate(weights) - of;
    return options.relative === true ? change / Math.abs(of) : change;
  };
  const interval = bootstrapInterval(difference, options);
  return { ...interval, method: `paired ${interval.method}` };
}

/** The interval that a statistic's resampled values make. Undefined (NaN) resamples are left out. */
export function intervalOfResamples(
  estimate: number,
  resampled: Float64Array,
  options: { readonly level: number; readonly method: BootstrapMethod; readonly n: number },
): Interval {
  assertLevel(options.level);
  const sorted = resampled.filter((value) => !Number.isNaN(value)).sort();
  const enough = sorted.length * 2 > resampled.length;
  const low = enough ? quantileOfSorted(sorted, 1 - options.level) : Number.NaN;
  const high = enough ? quantileOfSorted(sorted, options.level) : Number.NaN;
  const mirroredLow = 2 * estimate - high;
  const mirroredHigh = 2 * estimate - low;
  const [lower, upper] = {
    percentile: [low, high] as const,
    basic: [mirroredLow, mirroredHigh] as const,
    cautious: [Math.min(low, mirroredLow), Math.max(high, mirroredHigh)] as const,
  }[options.method];
  const name = options.method === 'percentile' ? 'bootstrap' : `${options.method} bootstrap`;
  return {
    estimate,
    lower,
    upper,
    level: options.level,
    method: `${name} (${resampled.length} resamples)`,
    n: options.n,
  };
}

function rowsOf({ weights }: Resampling): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}
