import { describe, expect, it } from 'vitest';
import {
  meanLowerBound,
  meanUpperBound,
  type Random,
  randomOf,
  scaleSums,
  startMeanBounds,
  updateMeanBounds,
} from './index.ts';
import { logGamma } from './log-gamma.ts';

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

describe('the difference of two means', () => {
  const sumsOf = (random: Random, count: number, shift: number) => {
    let [sum, squares] = [0, 0];
    for (let value = 0; value < count; value++) {
      const drawn = Math.min(1, Math.max(0, (random.unit() + random.unit()) / 2 + shift));
      sum += drawn;
      squares += drawn * drawn;
    }
    return { count, sum, squares };
  };

  it('is bounded on both sides, and the truth is left out in few rollouts', () => {
    for (const shift of [0, -0.05]) {
      let wrong = 0;
      for (let rollout = 0; rollout < 20; rollout++) {
        const random = randomOf(`mean ${shift} ${rollout}`);
        let bounds = startMeanBounds();
        for (let look = 0; look < 80; look++) {
          const window = { canary: sumsOf(random, 50, shift), baseline: sumsOf(random, 200, 0) };
          bounds = updateMeanBounds(bounds, window);
        }
        if (meanUpperBound(bounds, 0.05) < shift - 0.001 || meanLowerBound(bounds, 0.05) > shift + 0.001) wrong++;
        expect(meanUpperBound(bounds, 0.05) - meanLowerBound(bounds, 0.05)).toBeLessThan(0.1);
      }
      expect(wrong).toBeLessThanOrEqual(4);
    }
  });

  it('has bets whose mean over all outcomes is at most 1 at the null', () => {
    // Two values, 0.2 and 0.9, with the mean of the canary above the baseline's by exactly the parameter.
    const [low, high] = [0.2, 0.9];
    const seen = { count: 100, sum: 55, squares: 42.75 };
    const difference = 0.1;
    const baselineChance = 0.4;
    const canaryChance = baselineChance + difference / (high - low);
    const sums = (count: number, highs: number) => ({
      count,
      sum: highs * high + (count - highs) * low,
      squares: highs * high * high + (count - highs) * low * low,
    });
    for (const side of ['above', 'below'] as const) {
      const mean = [0, 0, 0, 0, 0];
      const start = { ...startMeanBounds([difference]), canary: seen, baseline: seen };
      for (let c = 0; c <= 5; c++) {
        for (let b = 0; b <= 12; b++) {
          const chance = binomial(5, c, canaryChance) * binomial(12, b, baselineChance);
          const after = updateMeanBounds(start, { canary: sums(5, c), baseline: sums(12, b) });
          after[side].logs[0]?.forEach((log, index) => {
            mean[index] = (mean[index] ?? 0) + chance * Math.exp(log);
          });
        }
      }
      for (const value of mean) {
        expect(value).toBeGreaterThan(0);
        expect(value).toBeLessThanOrEqual(1 + 1e-9);
      }
    }
  });

  it('is unknown without traffic, and refuses sums that values in [0, 1] cannot have', () => {
    let bounds = startMeanBounds();
    const none = { count: 0, sum: 0, squares: 0 };
    const some = { count: 100, sum: 50, squares: 40 };
    for (let look = 0; look < 50; look++) bounds = updateMeanBounds(bounds, { canary: none, baseline: some });
    expect([meanLowerBound(bounds, 0.05), meanUpperBound(bounds, 0.05)]).toEqual([-1, 1]);
    const bad = { count: 2, sum: 3, squares: 3 };
    expect(() => updateMeanBounds(bounds, { canary: bad, baseline: some })).toThrow(RangeError);
    expect(() => updateMeanBounds(bounds, { canary: some, baseline: some }, 0.5)).toThrow(RangeError);
    expect(scaleSums({ count: 2, sum: 30, squares: 500 }, 0, 100)).toEqual({ count: 2, sum: 0.3, squares: 0.05 });
    expect(() => scaleSums({ count: 1, sum: 200, squares: 40000 }, 0, 100)).toThrow(RangeError);
    expect(() => scaleSums(some, 1, 1)).toThrow(RangeError);
  });
});
