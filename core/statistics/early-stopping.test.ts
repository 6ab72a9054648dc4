import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { earlyStoppingEstimate, earlyStoppingQueries, meetsLatencyTarget, randomOf } from './index.ts';

/** By the rule I_p(h, t + 1) <= 1 - c with SciPy's betainc: queries for 0 and for 1 over the percentile. */
const byBeta = [
  [0.5, 7, 11],
  [0.9, 44, 64],
  [0.95, 90, 130],
  [0.97, 152, 219],
  [0.99, 459, 662],
  [0.999, 4603, 6636],
] as const;

/** What LoadGen printed in published SingleStream runs (p90): queries, and how many it discarded. */
const byLoadgen = [
  [100, 2],
  [201, 9],
  [659, 47],
  [708, 51],
  [2048, 172],
  [2116, 178],
  [2145, 181],
  [40_721, 3930],
  [79_944, 7796],
  [4_776_846, 476_158],
] as const;

describe('early stopping', () => {
  test.each(byBeta)('of p = %f needs the queries that the beta function gives', (probability, none, one) => {
    expect(earlyStoppingQueries(0, probability)).toBe(none);
    expect(earlyStoppingQueries(1, probability)).toBe(one);
  });

  test.each(byLoadgen)('of %i queries discards what LoadGen discards', (queries, discarded) => {
    const sorted = Float64Array.from({ length: queries }, (_, index) => index);
    expect(earlyStoppingEstimate(sorted, 0.9)).toEqual({ estimate: queries - discarded - 1, discarded, needed: 64 });
  });

  test('claims nothing from too few', () => {
    expect(earlyStoppingEstimate(new Float64Array(63), 0.9)).toEqual({ estimate: undefined, discarded: 0, needed: 64 });
    expect(earlyStoppingEstimate(new Float64Array(64), 0.9).estimate).toBe(0);
    expect(earlyStoppingEstimate([], 0.99)).toMatchObject({ estimate: undefined, needed: 662 });
  });

  test('lets a target be met by the same rule', () => {
    expect(meetsLatencyTarget(0, 458, 0.99)).toBe(false);
    expect(meetsLatencyTarget(0, 459, 0.99)).toBe(true);
    expect(meetsLatencyTarget(1, 661, 0.99)).toBe(false);
    expect(meetsLatencyTarget(1, 662, 0.99)).toBe(true);
    expect(meetsLatencyTarget(2, 662, 0.99)).toBe(false);
  });

  test('lies above the percentile as often as its confidence says', () => {
    const random = randomOf('early stopping');
    const runs = 1500;
    let below = 0;
    for (let run = 0; run < runs; run++) {
      const sorted = Float64Array.from({ length: 300 }, () => random.unit()).sort();
      if ((earlyStoppingEstimate(sorted, 0.9, 0.95).estimate ?? Number.NaN) < 0.9) below++;
    }
    // 5 in 100 at most, with three standard deviations of the count.
    expect(below).toBeLessThan(runs * 0.05 + 3 * Math.sqrt(runs * 0.05 * 0.95));
    expect(below).toBeGreaterThan(0);
  });

  test('allows no fewer with more queries, and needs just what it allows', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 60 }), fc.constantFrom(0.5, 0.9, 0.95, 0.99), (over, probability) => {
        const needed = earlyStoppingQueries(over, probability);
        expect(meetsLatencyTarget(over, needed, probability)).toBe(true);
        expect(meetsLatencyTarget(over, needed - 1, probability)).toBe(false);
        expect(needed).toBeLessThan(earlyStoppingQueries(over + 1, probability));
      }),
      { numRuns: 40 },
    );
  });

  test.each([
    [0, 0.99],
    [1, 0.99],
    [Number.NaN, 0.99],
    [0.9, 1],
    [0.9, 0.4],
  ])('refuses probability %f at confidence %f', (probability, confidence) => {
    expect(() => earlyStoppingEstimate([1], probability, confidence)).toThrow(RangeError);
  });
});
