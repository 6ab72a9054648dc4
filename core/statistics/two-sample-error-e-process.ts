import { harmGain } from './harm-bet.ts';
import { logSum } from './log-sum.ts';
import type { Prediction, Tolerance } from './two-arm-bet.ts';
import { type ArmCounts, addCounts, assertCounts, hasTraffic, nothing, type WindowCounts } from './window-counts.ts';

/** A stake's multiplier of the boundary's odds, and its weight in the mixture. */
export interface GridPoint {
  readonly multiplier: number;
  readonly weight: number;
}

/**
 * Where the canary's odds of an error may lie, as multiples of what is tolerated. Wider than one wants to find: a fault of 1.5x is found
 * by the point next to it at little cost, and weights cost only their logarithm. What it costs is measured by
 * `bench/canary-statistics.ts`.
 */
export const harmGrid: readonly GridPoint[] = [
  { multiplier: 1.35, weight: 0.16 },
  { multiplier: 1.6, weight: 0.22 },
  { multiplier: 2.1, weight: 0.24 },
  { multiplier: 3, weight: 0.14 },
  { multiplier: 5, weight: 0.14 },
  { multiplier: 12, weight: 0.1 },
];

export interface ErrorTestOptions {
  /** Default: ratio 1, difference 0, "not worse than the baseline". */
  readonly tolerance?: Tolerance;
  readonly grid?: readonly GridPoint[];
  /**
   * How much of the evidence, in [0, 1), is kept back for faults that begin later than the first window. Without it an hour of good
   * windows becomes a debt that a late fault must pay first. Default 0.2, which costs log(1/0.8) = 0.22 where the fault is there at
   * once; with 0 the order of the windows does not matter.
   */
  readonly lateShare?: number;
}

/** The evidence so far. Plain JSON, to be persisted at each look and replayed. */
export interface ErrorTest {
  readonly tolerance: Tolerance;
  readonly grid: readonly GridPoint[];
  readonly lateShare: number;
  /** Windows with traffic in both arms. */
  readonly windows: number;
  readonly canary: ArmCounts;
  readonly baseline: ArmCounts;
  /** By grid point: the logarithm of what its stakes have become, without its weight. */
  readonly logs: readonly number[];
  /** The logarithm of the evidence now, and the highest it ever was (at least 0). */
  readonly logE: number;
  readonly highestLogE: number;
}

/** Where half of the late share would be spent, in windows. The spending has a heavy tail, so that no length of the rollout is assumed. */
const lateHalf = 200;

/**
 * The two-sample e-process on errors: a mixture over a grid of how much worse the canary could be, each point a product of the bets of
 * `two-arm-bet.ts`. Under "rate(canary) <= ratio * rate(baseline) + difference in every window" the chance that it **ever** reaches
 * 1/alpha is at most alpha (Ville, 1939), however often one looks, whatever the weights were and whenever one stops.
 * Late faults: capital s_t, summing to `lateShare`, joins at window t; a mixture over start times is an e-process too (Shin, Ramdas and
 * Rinaldo, "E-detectors: a nonparametric framework for sequential change detection", NEJSDS 2, 2024, of which it is the bounded-error
 * version).
 * Throws a `RangeError` for a tolerance or grid out of range.
 */
export function startErrorTest(options: ErrorTestOptions = {}): ErrorTest {
  const { tolerance = { ratio: 1, difference: 0 }, grid = harmGrid, lateShare = 0.2 } = options;
  assertTolerance(tolerance);
  if (!(lateShare >= 0 && lateShare < 1)) throw new RangeError(`a late share must be in [0, 1), not ${lateShare}`);
  assertGrid(grid);
  return {
    tolerance,
    grid,
    lateShare,
    windows: 0,
    canary: nothing,
    baseline: nothing,
    logs: grid.map(() => Math.log1p(-lateShare)),
    logE: 0,
    highestLogE: 0,
  };
}

/**
 * The evidence after one more window. `prediction` may use only what was known before the window. A window without traffic in both
 * arms changes nothing. Throws a `RangeError` for counts that are none.
 */
export function updateErrorTest(test: ErrorTest, window: WindowCounts, prediction: Prediction): ErrorTest {
  assertCounts(window.canary);
  assertCounts(window.baseline);
  if (!hasTraffic(window)) return test;
  const joining = test.windows === 0 ? 0 : joiningAt(test.lateShare, test.windows - 1);
  const logs = test.logs.map((log, index) => {
    const capital = joining > 0 ? logSum([log, Math.log(joining)]) : log;
    const { multiplier = 1 } = test.grid[index] ?? {};
    return capital + harmGain(window, test.tolerance, multiplier, prediction);
  });
  const waiting = (test.lateShare * lateHalf) / (lateHalf + test.windows);
  const logE = logSum([...logs.map((log, index) => log + Math.log(test.grid[index]?.weight ?? 0)), Math.log(waiting)]);
  return {
    ...test,
    windows: test.windows + 1,
    canary: addCounts(test.canary, window.canary),
    baseline: addCounts(test.baseline, window.baseline),
    logs,
    logE,
    highestLogE: Math.max(test.highestLogE, logE),
  };
}

/** The p-value that holds at all times: 1 / the highest evidence ever, at most 1. Harm is shown at level alpha where it is <= alpha. */
export function anytimePValue(highestLogE: number): number {
  return Math.min(1, Math.exp(-highestLogE));
}

/** c / ((j + c)(j + c + 1)) sums to 1 over j = 0, 1, ...; after j it has c / (j + 1 + c) left. */
function joiningAt(lateShare: number, after: number): number {
  return (lateShare * lateHalf) / ((after + lateHalf) * (after + lateHalf + 1));
}

function assertTolerance({ ratio, difference }: Tolerance): void {
  if (!(ratio >= 0 && Number.isFinite(ratio) && difference >= 0 && difference < 1 && ratio + difference > 0)) {
    throw new RangeError(`a tolerance of ratio ${ratio} and difference ${difference} is out of range`);
  }
}

function assertGrid(grid: readonly GridPoint[]): void {
  const total = grid.reduce((sum, { weight }) => sum + weight, 0);
  if (!grid.every(({ multiplier, weight }) => multiplier > 1 && weight > 0) || Math.abs(total - 1) > 1e-9) {
    throw new RangeError('a grid needs multipliers above 1 and weights above 0 that sum to 1');
  }
}
