import { acceleration } from './acceleration.ts';
import { correctedLevel } from './influence-interval.ts';
import type { Interval } from './interval.ts';
import { assertLevel } from './level.ts';
import { normalQuantile } from './normal.ts';
import { quantileOfSorted } from './quantile.ts';
import { type Resampling, resample, type Statistic } from './resample.ts';

/**
 * - `bca`: the quantiles that are right for a statistic whose resamples are biased (more than half of them on one side of the estimate)
 *   and whose spread changes with its value. For means and most metrics. Source: B. Efron, JASA 82 (1987).
 * - `percentile`: the quantiles of the resampled values as they are.
 * - `basic`: mirrored at the estimate, which takes out a bias that the statistic has in every sample (a calibration error, which
 *   noise can only raise).
 * - `cautious`: the outer of both on each side. For the largest difference between groups, which noise raises too, but which
 *   is folded at 0, where the mirrored upper bound would be too low.
 */
export type BootstrapMethod = 'bca' | 'percentile' | 'basic' | 'cautious';

export interface BootstrapOptions extends Resampling {
  readonly level: number;
  /** `percentile` when not given. */
  readonly method?: BootstrapMethod;
  /** Of `bca`; by the jackknife when not given, which measures the statistic once a unit more. */
  readonly acceleration?: number;
}

/** One-sample bootstrap of one statistic. NaN bounds when the statistic is undefined on more than half of the resamples. */
export function bootstrapInterval(statistic: Statistic, options: BootstrapOptions): Interval {
  const [values] = resample(options, [statistic]);
  const method = options.method ?? 'percentile';
  return intervalOfResamples(statistic(options.weights), values ?? new Float64Array(), {
    level: options.level,
    method,
    n: rowsOf(options),
    ...(method === 'bca'
      ? {
          acceleration:
            options.acceleration ?? acceleration(jackknifeInfluences(statistic, options.weights), options.weights),
        }
      : {}),
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

/**
 * How much each unit moves a statistic: what it would lose without one of the unit's rows. Measures the statistic once a unit, so for
 * units that are few.
 */
export function jackknifeInfluences(statistic: Statistic, weights: Float64Array): Float64Array {
  const whole = statistic(weights);
  const without = Float64Array.from(weights);
  return Float64Array.from(weights, (weight, unit) => {
    if (weight === 0) return 0;
    without[unit] = weight - 1;
    const value = statistic(without);
    without[unit] = weight;
    return Number.isNaN(value) ? 0 : whole - value;
  });
}

/** The interval that a statistic's resampled values make. Undefined (NaN) resamples are left out. */
export function intervalOfResamples(
  estimate: number,
  resampled: Float64Array,
  options: {
    readonly level: number;
    readonly method: BootstrapMethod;
    readonly n: number;
    /** Of `bca`; 0 when not given, which leaves the correction of bias. */
    readonly acceleration?: number;
  },
): Interval {
  const { level, method, n } = options;
  assertLevel(level);
  const sorted = resampled.filter((value) => !Number.isNaN(value)).sort();
  const enough = sorted.length * 2 > resampled.length;
  const at = (of: number) => (enough ? quantileOfSorted(sorted, of) : Number.NaN);
  const name = {
    bca: 'BCa bootstrap',
    percentile: 'bootstrap',
    basic: 'basic bootstrap',
    cautious: 'cautious bootstrap',
  };
  const rest = { level, method: `${name[method]} (${resampled.length} resamples)`, n };
  if (method === 'bca') {
    const bias = biasOf(sorted, estimate);
    const of = (wanted: number) => at(correctedLevel(wanted, bias, options.acceleration ?? 0));
    // A strong correction may step over the estimate; an interval that leaves out what was observed is none.
    return { estimate, lower: Math.min(estimate, of(1 - level)), upper: Math.max(estimate, of(level)), ...rest };
  }
  const low = at(1 - level);
  const high = at(level);
  const mirroredLow = 2 * estimate - high;
  const mirroredHigh = 2 * estimate - low;
  const [lower, upper] = {
    percentile: [low, high] as const,
    basic: [mirroredLow, mirroredHigh] as const,
    cautious: [Math.min(low, mirroredLow), Math.max(high, mirroredHigh)] as const,
  }[method];
  return { estimate, lower, upper, ...rest };
}

/** The normal quantile of the share of resamples below the estimate, those equal to it counted half; never quite 0 or all. */
function biasOf(sorted: Float64Array, estimate: number): number {
  if (sorted.length === 0) return 0;
  let below = 0;
  let equal = 0;
  for (const value of sorted) {
    if (value < estimate) below++;
    else if (value === estimate) equal++;
  }
  const share = (below + equal / 2) / sorted.length;
  const least = 0.5 / sorted.length;
  return normalQuantile(Math.min(1 - least, Math.max(least, share)));
}

function rowsOf({ weights }: Resampling): number {
  return weights.reduce((sum, weight) => sum + weight, 0);
}
