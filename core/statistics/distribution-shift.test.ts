import { describe, expect, it } from 'vitest';
import { drawnClasses } from './fixtures/drawn-classes.ts';
import {
  distanceLowerBound,
  distanceUpperBound,
  randomOf,
  startDistributionTest,
  totalVariation,
  updateDistributionTest,
} from './index.ts';

describe('a shift of predictions', () => {
  const usual = [0.4, 0.3, 0.2, 0.1];
  const run = (shares: readonly number[], looks: number) => {
    const random = randomOf('predictions');
    let test = startDistributionTest(4);
    for (let look = 0; look < looks; look++) {
      const window = { canary: drawnClasses(random, 100, shares), baseline: drawnClasses(random, 900, usual) };
      test = updateDistributionTest(test, window);
    }
    return test;
  };

  it('is bounded from below by what was shown and from above by what is left', () => {
    const shifted = run([0.3, 0.4, 0.2, 0.1], 100);
    expect(distanceLowerBound(shifted, 0.01)).toBeGreaterThanOrEqual(0.03);
    expect(distanceLowerBound(shifted, 0.01)).toBeLessThanOrEqual(0.1);
    expect(distanceUpperBound(shifted, 0.05)).toBeGreaterThanOrEqual(0.1);
    expect(totalVariation(shifted)).toBeCloseTo(0.1, 1);
    expect(JSON.parse(JSON.stringify(shifted))).toEqual(shifted);
  });

  it('smaller than the tolerance is no reason to roll back, however many predictions there are', () => {
    const slight = run([0.41, 0.29, 0.2, 0.1], 1500);
    expect(distanceLowerBound(slight, 0.01)).toBeLessThanOrEqual(0.01);
    expect(distanceUpperBound(slight, 0.05)).toBeLessThan(0.05);
  });

  it('is not evident from no traffic', () => {
    const start = startDistributionTest(3);
    const idle = updateDistributionTest(start, { canary: [0, 0, 0], baseline: [500, 300, 200] });
    expect(distanceLowerBound(idle, 0.01)).toBe(0);
    expect(distanceUpperBound(idle, 0.05)).toBe(1);
    expect(() => updateDistributionTest(start, { canary: [1], baseline: [1] })).toThrow(RangeError);
    expect(() => startDistributionTest(1)).toThrow(RangeError);
  });
});
