import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { windowOf } from './fixtures/window-of.ts';
import { harmGain, noHarmGain } from './harm-bet.ts';
import { harmGrid, startErrorTest, updateErrorTest, type WindowCounts } from './index.ts';
import { logGamma } from './log-gamma.ts';
import type { Prediction, Tolerance } from './two-arm-bet.ts';

const reference: {
  readonly conditionalBinomial: {
    readonly ratio: number;
    readonly grid: readonly [number, number][];
    readonly windows: readonly [number, number, number, number][];
    readonly logE: readonly number[];
  }[];
  readonly turner: {
    readonly rate: number;
    readonly odds: number;
    readonly window: [number, number, number, number];
    readonly log: number;
  }[];
  readonly gammaNodes: {
    readonly variance: number;
    readonly nodes: readonly number[];
    readonly weights: readonly number[];
  }[];
} = JSON.parse(readFileSync(new URL('./reference/sequential/reference.json', import.meta.url), 'utf8'));

const independent: Prediction = { rate: 0.01, variance: 0 };
const notWorse: Tolerance = { ratio: 1, difference: 0 };

function binomial(trials: number, successes: number, rate: number): number {
  if (rate <= 0 || rate >= 1) return successes === (rate <= 0 ? 0 : trials) ? 1 : 0;
  return Math.exp(
    logGamma(trials + 1) -
      logGamma(successes + 1) -
      logGamma(trials - successes + 1) +
      successes * Math.log(rate) +
      (trials - successes) * Math.log1p(-rate),
  );
}

/** The mean of exp(gain) over every pair of counts. */

function meanBet(
  canary: number,
  canaryRate: number,
  baseline: number,
  baselineRate: number,
  gain: (window: WindowCounts) => number,
): number {
  let mean = 0;
  for (let c = 0; c <= canary; c++) {
    for (let b = 0; b <= baseline; b++) {
      mean +=
        binomial(canary, c, canaryRate) *
        binomial(baseline, b, baselineRate) *
        Math.exp(gain(windowOf(canary, c, baseline, b)));
    }
  }
  return mean;
}

describe('the bet of one window', () => {
  it('is the conditional binomial likelihood ratio where errors are rare', () => {
    for (const { ratio, grid, windows, logE } of reference.conditionalBinomial) {
      let test = startErrorTest({
        tolerance: { ratio, difference: 0 },
        grid: grid.map(([multiplier, weight]) => ({ multiplier, weight })),
        lateShare: 0,
      });
      windows.forEach((counts, index) => {
        test = updateErrorTest(test, windowOf(...counts), independent);
        expect(test.logE).toBeCloseTo(logE[index] ?? Number.NaN, 9);
      });
    }
  });

  it('is the e-variable of Turner, Ly and Grünwald where errors are common', () => {
    for (const { rate, odds, window, log } of reference.turner) {
      const gain = harmGain(windowOf(...window), notWorse, odds, { rate, variance: 0 });
      expect(Math.abs(gain - log)).toBeLessThan(0.02 * Math.max(1, Math.abs(log)));
    }
  });

  it('gains nothing on average at the boundary, whatever the true rate is and whatever was predicted', () => {
    const tolerances: Tolerance[] = [
      notWorse,
      { ratio: 1.5, difference: 0 },
      { ratio: 1, difference: 0.05 },
      { ratio: 1.2, difference: 0.02 },
      { ratio: 0, difference: 0.1 },
    ];
    for (const tolerance of tolerances) {
      for (const predicted of [0.001, 0.04, 0.1, 0.4]) {
        for (const rate of [0, 0.01, 0.1, 0.3, 0.55]) {
          const canaryRate = Math.min(1, tolerance.ratio * rate + tolerance.difference);
          for (const { multiplier } of harmGrid) {
            const prediction = { rate: predicted, variance: 0 };
            const mean = meanBet(6, canaryRate, 15, rate, (window) =>
              harmGain(window, tolerance, multiplier, prediction),
            );
            expect(mean).toBeLessThanOrEqual(1 + 1e-9);
          }
        }
      }
    }
  });

  it('is fair where it is exact: equal Bernoulli rates as predicted gain exactly nothing on average at equal rates', () => {
    // At the pooled centre itself each arm's bet has mean 1.
    const rate = 0.3;
    const alternative = (rate * 2) / (1 - rate + rate * 2);
    const pooled = (6 * alternative + 15 * rate) / 21;
    const mean = meanBet(6, pooled, 15, pooled, (window) => harmGain(window, notWorse, 2, { rate, variance: 0 }));
    expect(mean).toBeCloseTo(1, 10);
  });

  it('gains nothing on average against harm that is there, when it bets that there is none', () => {
    for (const tolerance of [
      { ratio: 1.5, difference: 0 },
      { ratio: 1, difference: 0.05 },
    ]) {
      for (const predicted of [0.001, 0.04, 0.3]) {
        for (const rate of [0.01, 0.1, 0.4]) {
          for (const extra of [0, 0.1]) {
            const canaryRate = Math.min(1, tolerance.ratio * rate + tolerance.difference + extra);
            const mean = meanBet(6, canaryRate, 15, rate, (window) =>
              noHarmGain(window, tolerance, 1.8, { rate: predicted, variance: 0 }),
            );
            expect(mean).toBeLessThanOrEqual(1 + 1e-9);
          }
        }
      }
    }
  });

  it('stays fair when gamma noise multiplies each rate: exactly 1 for Poisson counts, at most 1 for requests', () => {
    for (const { variance, nodes, weights } of reference.gammaNodes) {
      for (const rate of [0.01, 0.03]) {
        const prediction = { rate, variance };
        for (const multiplier of [1.5, 3]) {
          const [canary, baseline] = [30, 300];
          let poisson = 0;
          const shape = 1 / variance;
          const negativeBinomial = (mean: number, count: number): number =>
            Math.exp(
              logGamma(count + shape) -
                logGamma(shape) -
                logGamma(count + 1) +
                shape * Math.log(shape / (shape + mean)) +
                count * Math.log(mean / (shape + mean)),
            );
          for (let c = 0; c <= 30; c++) {
            for (let b = 0; b <= 150; b++) {
              poisson +=
                negativeBinomial(canary * rate, c) *
                negativeBinomial(baseline * rate, b) *
                Math.exp(harmGain(windowOf(canary, c, baseline, b), notWorse, multiplier, prediction));
            }
          }
          expect(poisson).toBeGreaterThan(0.999);
          expect(poisson).toBeLessThanOrEqual(1 + 1e-9);
        }
      }
      const tolerances = [notWorse, { ratio: 1, difference: 0.05 }, { ratio: 0, difference: 0.1 }];
      for (const tolerance of tolerances) {
        const rate = 0.08;
        const canaryRate = tolerance.ratio * rate + tolerance.difference;
        const gain = (window: WindowCounts): number => harmGain(window, tolerance, 2, { rate, variance });
        let mean = 0;
        nodes.forEach((one, i) => {
          nodes.forEach((other, j) => {
            const weight = (weights[i] ?? 0) * (weights[j] ?? 0);
            if (weight < 1e-12) return;
            mean += weight * meanBet(5, Math.min(1, canaryRate * one), 12, Math.min(1, rate * other), gain);
          });
        });
        expect(mean).toBeGreaterThan(0.5);
        expect(mean).toBeLessThanOrEqual(1 + 1e-6);
      }
    }
  });
});
