import { chiSquareQuantile } from './chi-square-quantile.ts';
import type { Prediction } from './two-arm-bet.ts';
import { type ArmCounts, addCounts, assertCounts, nothing } from './window-counts.ts';

/** Sums over the batches of one size (1, 2, 4, ... windows). */
interface BatchLevel {
  readonly batches: number;
  readonly requests: number;
  readonly errors: number;
  /** Sum of errors^2 / requests. */
  readonly squares: number;
  /** Over neighbours, each divided by the root of the product of their requests: errors * errors, the mixed terms, requests * requests. */
  readonly lag: { readonly errors: number; readonly mixed: number; readonly requests: number };
  readonly last: ArmCounts | null;
  /** The first half of a batch of the next size. */
  readonly half: ArmCounts | null;
}

/** What the baseline's windows say of their own noise. Plain JSON; some 15 small levels for any number of windows. */
export interface NoiseRecord {
  readonly windows: number;
  readonly total: ArmCounts;
  readonly levels: readonly BatchLevel[];
}

/** The noise of the baseline against itself. */
export interface NoiseEstimate extends Prediction {
  /** How many times the variance of independent requests, over the long run. 1 for independent requests. */
  readonly inflation: number;
  /** Its upper bound; `variance` is made of it. `Infinity` before there are two windows: then nothing may be staked. */
  readonly upperInflation: number;
  /** From so many windows on batches look uncorrelated. */
  readonly batchWindows: number;
  /** Between neighbouring batches of that size. */
  readonly correlation: number;
}

export const noNoiseRecord: NoiseRecord = { windows: 0, total: nothing, levels: [] };

const highestLevel = 20;
/**
 * Correlated noise can't be seen in fewer windows than it takes to change: a few windows that agree prove nothing. So noise is presumed
 * until there are windows to judge by: a rate that doubles for half a minute now and then (variance 0.5, correlation 0.8 from window to
 * window, hence (1 + 0.8) / (1 - 0.8) * 0.5 over the long run), fading with the cube of the windows.
 */
const presumedVariance = 4.5;
const presumedWindows = 120;
/** Batches are not made larger when fewer than so many would be left. */
const fewestBatches = 15;

/**
 * The record with one more window of the baseline. Windows must be as long as those of the rollout, and follow one another. Windows
 * without requests are left out. Throws a `RangeError` for counts that are none.
 */
export function recordNoise(record: NoiseRecord, window: ArmCounts): NoiseRecord {
  assertCounts(window);
  if (window.requests === 0) return record;
  const levels = [...record.levels];
  let batch: ArmCounts | null = window;
  for (let index = 0; batch !== null && index <= highestLevel; index++) {
    const level: BatchLevel = levels[index] ?? emptyLevel;
    levels[index] = withBatch(level, batch);
    batch = level.half === null ? null : addCounts(level.half, batch);
  }
  return { windows: record.windows + 1, total: addCounts(record.total, window), levels };
}

/**
 * The baseline's rate and a cautious estimate of the noise on it. Pearson's dispersion over batches; batches are doubled while
 * neighbours are correlated beyond 2 standard errors, and what correlation is left is added (variance of a long sum = batch variance *
 * (1 + 2 r)). The upper bound at `confidence` is that of a variance: (M - 1) / chi2. So autocorrelated noise is charged at its
 * **long-run** variance from the first window on, which bounds the variance of any partial sum when correlations are positive; there
 * is no need to wait for a batch before looking.
 * Sources: P. McCullagh and J. A. Nelder, "Generalized Linear Models", 2nd ed. (1989), 4.5; batch means: C. Alexopoulos and A. F. Seila,
 * in "Handbook of Simulation" (1998), 7. A slow change of the rate that both arms share counts as noise here: cautious, not wrong.
 */
export function estimateNoise(record: NoiseRecord, confidence = 0.95): NoiseEstimate {
  const rate = (record.total.errors + 0.5) / (record.total.requests + 1);
  let chosen = 0;
  let found = dispersionOf(record.levels[0]);
  while (
    found.correlation > 2 / Math.sqrt(found.batches) &&
    (record.levels[chosen + 1]?.batches ?? 0) >= fewestBatches
  ) {
    chosen++;
    found = dispersionOf(record.levels[chosen]);
  }
  if (found.batches < 2) {
    const unknown = Number.POSITIVE_INFINITY;
    return { rate, variance: presumedVariance, inflation: 1, upperInflation: unknown, batchWindows: 1, correlation: 0 };
  }
  const inflation = Math.max(1, found.inflation * longRun(Math.max(0, found.correlation)));
  const freedom = found.batches - 1;
  const correlation = Math.min(0.9, Math.max(0, found.correlation) + 1 / Math.sqrt(found.batches));
  const upperInflation = Math.max(
    1,
    (found.inflation * longRun(correlation) * freedom) / chiSquareQuantile(freedom, 1 - confidence),
  );
  const perWindow = (record.total.requests / record.windows) * rate;
  const measured = ((upperInflation - 1) * (1 - rate)) / perWindow;
  return {
    rate,
    variance: Math.max(measured, presumedVariance * Math.min(1, (presumedWindows / record.windows) ** 3)),
    inflation,
    upperInflation,
    batchWindows: 2 ** chosen,
    correlation: found.correlation,
  };
}

/** The variance of a long sum relative to that of independent terms, when correlations fade geometrically from `correlation` on. */
function longRun(correlation: number): number {
  return (1 + correlation) / (1 - correlation);
}

const emptyLevel: BatchLevel = {
  batches: 0,
  requests: 0,
  errors: 0,
  squares: 0,
  lag: { errors: 0, mixed: 0, requests: 0 },
  last: null,
  half: null,
};

function withBatch(level: BatchLevel, batch: ArmCounts): BatchLevel {
  const { last } = level;
  const scale = last === null ? 0 : 1 / Math.sqrt(last.requests * batch.requests);
  const { errors: before, requests: requestsBefore } = last ?? nothing;
  return {
    batches: level.batches + 1,
    requests: level.requests + batch.requests,
    errors: level.errors + batch.errors,
    squares: level.squares + batch.errors ** 2 / batch.requests,
    lag: {
      errors: level.lag.errors + before * batch.errors * scale,
      mixed: level.lag.mixed + (before * batch.requests + batch.errors * requestsBefore) * scale,
      requests: level.lag.requests + requestsBefore * batch.requests * scale,
    },
    last: batch,
    half: level.half === null ? batch : null,
  };
}

interface Dispersion {
  readonly batches: number;
  readonly inflation: number;
  readonly correlation: number;
}

/** Pearson's statistic and lag-1 correlation about the pooled rate, from the sums alone. */
function dispersionOf(level: BatchLevel | undefined): Dispersion {
  if (level === undefined || level.batches < 2) {
    return { batches: level?.batches ?? 0, inflation: 1, correlation: 0 };
  }
  const { batches, requests, errors, squares, lag } = level;
  const rate = errors / requests;
  const unit = rate * (1 - rate);
  // No errors at all, or nothing but errors: no variance to compare with.
  if (!(unit > 0)) return { batches, inflation: 1, correlation: 0 };
  const sum = (squares - 2 * rate * errors + rate * rate * requests) / unit;
  const neighbours = (lag.errors - rate * lag.mixed + rate * rate * lag.requests) / unit;
  return {
    batches,
    inflation: sum / (batches - 1),
    correlation: sum > 0 ? neighbours / sum : 0,
  };
}
