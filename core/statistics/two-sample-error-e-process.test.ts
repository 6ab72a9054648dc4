import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawBinomial } from './binomial-draw.ts';
import { windowOf } from './fixtures/window-of.ts';
import {
  anytimePValue,
  type ErrorTest,
  randomOf,
  startErrorTest,
  updateErrorTest,
  type WindowCounts,
} from './index.ts';
import type { Prediction } from './two-arm-bet.ts';

const independent: Prediction = { rate: 0.01, variance: 0 };

const someWindow: fc.Arbitrary<WindowCounts> = fc
  .record({
    canary: fc.integer({ min: 0, max: 200 }),
    baseline: fc.integer({ min: 0, max: 2000 }),
    canaryShare: fc.double({ min: 0, max: 1, noNaN: true }),
    baselineShare: fc.double({ min: 0, max: 1, noNaN: true }),
  })
  .map(({ canary, baseline, canaryShare, baselineShare }) =>
    windowOf(canary, Math.floor(canary * canaryShare), baseline, Math.floor(baseline * baselineShare)),
  );
const somePrediction: fc.Arbitrary<Prediction> = fc.record({
  rate: fc.double({ min: 0, max: 0.99, noNaN: true }),
  variance: fc.double({ min: 0, max: 5, noNaN: true }),
});

describe('the e-process on errors', () => {
  it('does not depend on the order of the windows when nothing is kept back for late faults', () => {
    fc.assert(
      fc.property(fc.array(someWindow, { maxLength: 12 }), somePrediction, (windows, prediction) => {
        const run = (ordered: readonly WindowCounts[]): number =>
          ordered.reduce<ErrorTest>(
            (test, window) => updateErrorTest(test, window, prediction),
            startErrorTest({ lateShare: 0 }),
          ).logE;
        const forwards = run(windows);
        expect(Math.abs(run([...windows].reverse()) - forwards)).toBeLessThan(1e-9 * Math.max(1, Math.abs(forwards)));
      }),
    );
  });

  it('is finite, and survives being written as JSON and read', () => {
    fc.assert(
      fc.property(fc.array(someWindow, { maxLength: 8 }), somePrediction, (windows, prediction) => {
        let test = startErrorTest();
        for (const window of windows) test = updateErrorTest(JSON.parse(JSON.stringify(test)), window, prediction);
        expect(Number.isFinite(test.logE)).toBe(true);
        expect(test.highestLogE).toBeGreaterThanOrEqual(Math.max(0, test.logE));
        expect(JSON.parse(JSON.stringify(test))).toEqual(test);
      }),
    );
  });

  it('takes no traffic in an arm, and no errors in both, as no evidence of harm', () => {
    const start = startErrorTest();
    expect(updateErrorTest(start, windowOf(0, 0, 500, 400), independent)).toEqual(start);
    expect(updateErrorTest(start, windowOf(50, 50, 0, 0), independent)).toEqual(start);
    expect(updateErrorTest(start, windowOf(0, 0, 0, 0), independent)).toEqual(start);
    const quiet = updateErrorTest(startErrorTest({ lateShare: 0 }), windowOf(50, 0, 450, 0), independent);
    expect(quiet.logE).toBeCloseTo(0, 12);
    expect(anytimePValue(quiet.highestLogE)).toBe(1);
  });

  it('grows with each error of the canary and shrinks with each of the baseline', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 99 }),
        somePrediction,
        (c, b, prediction) => {
          const evidence = (canary: number, baseline: number): number =>
            updateErrorTest(startErrorTest(), windowOf(10, canary, 100, baseline), prediction).logE;
          expect(evidence(c + 1, b)).toBeGreaterThanOrEqual(evidence(c, b) - 1e-12);
          expect(evidence(c, b + 1)).toBeLessThanOrEqual(evidence(c, b) + 1e-12);
        },
      ),
    );
  });

  it('stakes nothing while the noise is unknown without bound', () => {
    const test = updateErrorTest(startErrorTest({ lateShare: 0 }), windowOf(50, 50, 450, 0), {
      rate: 0.01,
      variance: Number.POSITIVE_INFINITY,
    });
    expect(test.logE).toBeCloseTo(0, 12);
  });

  it('finds a fault that begins after an hour sooner when evidence is kept back for it', () => {
    const looksNeeded = (lateShare: number): number => {
      let test = startErrorTest({ lateShare });
      for (let look = 0; look < 400; look++) test = updateErrorTest(test, windowOf(100, 1, 900, 9), independent);
      let looks = 0;
      while (test.logE < Math.log(100)) {
        test = updateErrorTest(test, windowOf(100, 3, 900, 9), independent);
        looks++;
      }
      return looks;
    };
    expect(looksNeeded(0.2)).toBeLessThan(looksNeeded(0) / 2);
  });

  it('rolls back few healthy rollouts, and all with doubled errors', () => {
    const rolledBack = (canaryRate: number): number => {
      let rolled = 0;
      for (let rollout = 0; rollout < 100; rollout++) {
        const random = randomOf(`rollout ${rollout}`);
        let test = startErrorTest();
        for (let look = 0; look < 200; look++) {
          const window = windowOf(50, drawBinomial(random, 50, canaryRate), 450, drawBinomial(random, 450, 0.01));
          test = updateErrorTest(test, window, independent);
        }
        if (anytimePValue(test.highestLogE) <= 0.01) rolled++;
      }
      return rolled;
    };
    expect(rolledBack(0.01)).toBeLessThanOrEqual(3);
    expect(rolledBack(0.02)).toBeGreaterThanOrEqual(95);
  });

  it('refuses counts that are none, and tolerances, grids and shares out of range', () => {
    const start = startErrorTest();
    for (const bad of [
      windowOf(1, 2, 5, 0),
      windowOf(1, -1, 5, 0),
      windowOf(1, Number.NaN, 5, 0),
      windowOf(Number.POSITIVE_INFINITY, 0, 5, 0),
    ]) {
      expect(() => updateErrorTest(start, bad, independent)).toThrow(RangeError);
    }
    expect(() => startErrorTest({ tolerance: { ratio: 0, difference: 0 } })).toThrow(RangeError);
    expect(() => startErrorTest({ tolerance: { ratio: 1, difference: -0.1 } })).toThrow(RangeError);
    expect(() => startErrorTest({ grid: [{ multiplier: 2, weight: 0.5 }] })).toThrow(RangeError);
    expect(() => startErrorTest({ grid: [{ multiplier: 1, weight: 1 }] })).toThrow(RangeError);
    expect(() => startErrorTest({ lateShare: 1 })).toThrow(RangeError);
  });
});
