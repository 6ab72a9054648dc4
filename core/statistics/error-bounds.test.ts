import { describe, expect, it } from 'vitest';
import { drawBinomial } from './binomial-draw.ts';
import { windowOf } from './fixtures/window-of.ts';
import {
  errorLowerBound,
  errorUpperBound,
  noHarmEvidence,
  randomOf,
  startErrorBounds,
  updateErrorBounds,
  type WindowCounts,
} from './index.ts';
import type { Prediction } from './two-arm-bet.ts';

const independent: Prediction = { rate: 0.01, variance: 0 };

describe('bounds on how much worse the canary can be', () => {
  const history = (seed: string, canaryRate: number, baselineRate: number, looks: number): WindowCounts[] => {
    const random = randomOf(seed);
    return Array.from({ length: looks }, () =>
      windowOf(200, drawBinomial(random, 200, canaryRate), 800, drawBinomial(random, 800, baselineRate)),
    );
  };

  it('close in on the truth from both sides, and leave it out in few rollouts', () => {
    for (const comparison of ['ratio', 'difference'] as const) {
      let wrong = 0;
      for (let rollout = 0; rollout < 20; rollout++) {
        let bounds = startErrorBounds(comparison);
        for (const window of history(`${comparison} ${rollout}`, 0.02, 0.01, 60)) {
          bounds = updateErrorBounds(bounds, window, independent);
        }
        const truth = comparison === 'ratio' ? 2 : 0.01;
        if (errorUpperBound(bounds, 0.05) < truth || errorLowerBound(bounds, 0.05) > truth) wrong++;
        expect(errorUpperBound(bounds, 0.05)).toBeLessThanOrEqual(4 * truth);
        expect(errorLowerBound(bounds, 0.05)).toBeGreaterThanOrEqual(truth / 4);
      }
      expect(wrong).toBeLessThanOrEqual(4);
    }
  });

  it('show no harm after enough good windows, and never without traffic', () => {
    let bounds = startErrorBounds('ratio');
    expect(noHarmEvidence(bounds, 20, 0.05)).toBe(false);
    for (let look = 0; look < 1000; look++) bounds = updateErrorBounds(bounds, windowOf(0, 0, 1000, 10), independent);
    expect(errorUpperBound(bounds, 0.05)).toBe(Number.POSITIVE_INFINITY);
    expect(noHarmEvidence(bounds, 20, 0.05)).toBe(false);
    for (const window of history('good', 0.01, 0.01, 80)) bounds = updateErrorBounds(bounds, window, independent);
    expect(noHarmEvidence(bounds, 1.5, 0.05)).toBe(true);
    expect(JSON.parse(JSON.stringify(bounds))).toEqual(bounds);
  });

  it('know nothing at the start: no ratio, and any difference', () => {
    expect(errorUpperBound(startErrorBounds('difference'), 0.05)).toBe(1);
    expect(errorLowerBound(startErrorBounds('difference'), 0.05)).toBe(-1);
    expect(errorLowerBound(startErrorBounds('ratio'), 0.05)).toBe(0);
    expect(() => startErrorBounds('difference', [0.1, 1])).toThrow(RangeError);
    expect(() => startErrorBounds('ratio', [2, 1])).toThrow(RangeError);
    expect(() => errorUpperBound(startErrorBounds('ratio'), 0)).toThrow(RangeError);
  });
});
