import { describe, expect, it } from 'vitest';
import { drawnClasses } from './fixtures/drawn-classes.ts';
import {
  anytimePValue,
  learnHistogram,
  randomOf,
  startHistogramTest,
  strongestEdge,
  updateHistogramTest,
} from './index.ts';

describe('a shift of latency', () => {
  const edges = [0.05, 0.1, 0.25, 0.5, 1, Number.POSITIVE_INFINITY];
  const usual = [0.3, 0.4, 0.2, 0.06, 0.03, 0.01];
  const slower = [0.3, 0.4, 0.12, 0.08, 0.07, 0.03];

  it('is found, with the bucket where it shows; and not where there is none', () => {
    const run = (shares: readonly number[]) => {
      const random = randomOf('latency');
      let test = startHistogramTest({ edges });
      for (let look = 0; look < 5; look++) test = learnHistogram(test, drawnClasses(random, 900, usual));
      for (let look = 0; look < 40; look++) {
        const window = { canary: drawnClasses(random, 100, shares), baseline: drawnClasses(random, 900, usual) };
        test = updateHistogramTest(test, window);
      }
      return test;
    };
    const faulty = run(slower);
    expect(anytimePValue(faulty.highestLogE)).toBeLessThan(0.01);
    expect(strongestEdge(faulty).edge).toBe(0.25);
    expect(strongestEdge(faulty).canaryShare).toBeGreaterThan(strongestEdge(faulty).baselineShare);
    expect(anytimePValue(run(usual).highestLogE)).toBeGreaterThan(0.01);
    expect(JSON.parse(JSON.stringify(faulty))).toEqual(faulty);
  });

  it('is not evident from no traffic, and refuses histograms that do not fit', () => {
    const start = startHistogramTest({ edges });
    const idle = updateHistogramTest(start, { canary: [0, 0, 0, 0, 0, 0], baseline: [0, 0, 0, 0, 0, 0] });
    expect(idle.logE).toBeCloseTo(0, 12);
    expect(() => updateHistogramTest(start, { canary: [1, 2], baseline: [1, 2] })).toThrow(RangeError);
    expect(() => updateHistogramTest(start, { canary: [0, 0, 0, 0, 0, -1], baseline: [0, 0, 0, 0, 0, 0] })).toThrow(
      RangeError,
    );
    expect(() => startHistogramTest({ edges: [1, 1] })).toThrow(RangeError);
    expect(() => startHistogramTest({ edges: [Number.POSITIVE_INFINITY] })).toThrow(RangeError);
    expect(() => startHistogramTest({ edges: [1, 2], weights: [1] })).toThrow(RangeError);
  });
});
