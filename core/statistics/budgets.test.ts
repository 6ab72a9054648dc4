import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { averageEvidence, nextWeight, splitErrorBudget } from './index.ts';

describe('budgets', () => {
  it('of error sum to alpha in proportion to the weights', () => {
    const split = splitErrorBudget(0.01, { errors: 2, latency: 1, agreement: 1, ignored: 0 });
    expect(split).toEqual({ errors: 0.005, latency: 0.0025, agreement: 0.0025, ignored: 0 });
    expect(() => splitErrorBudget(0, { errors: 1 })).toThrow(RangeError);
    expect(() => splitErrorBudget(0.01, { errors: 0 })).toThrow(RangeError);
    expect(() => splitErrorBudget(0.01, { errors: -1, latency: 2 })).toThrow(RangeError);
  });

  it('average evidence: a mean of e-values, not below the strongest with its weight', () => {
    expect(averageEvidence([Math.log(8), Math.log(2)])).toBeCloseTo(Math.log(5), 12);
    expect(averageEvidence([1000, -1000])).toBeCloseTo(1000 - Math.LN2, 9);
    expect(averageEvidence([Math.log(8), 50], [1, 0])).toBeCloseTo(Math.log(8), 12);
    expect(() => averageEvidence([])).toThrow(RangeError);
    expect(() => averageEvidence([1], [1, 1])).toThrow(RangeError);
  });

  const limits = { lowest: 0.01, highest: 0.5, growth: 2 };
  const situation = { canaryRequests: 0, excessUpper: 1, requestsPerSecond: 100, secondsExposed: 10, weight: 0.05 };

  it('of risk buy more traffic as the bound on the harm falls', () => {
    expect(nextWeight({ harmedRequests: 60 }, situation, limits)).toEqual({ weight: 0.06, spent: 0, atRisk: 60 });
    const known = { ...situation, canaryRequests: 1000, excessUpper: 0.01 };
    expect(nextWeight({ harmedRequests: 60 }, known, limits)).toEqual({ weight: 0.1, spent: 10, atRisk: 1 });
    expect(nextWeight({ harmedRequests: 5 }, known, limits).weight).toBe(0.01);
    expect(nextWeight({ harmedRequests: 60 }, { ...known, weight: 0.4 }, limits).weight).toBe(0.5);
    expect(nextWeight({ harmedRequests: 60 }, { ...situation, weight: 0 }, limits).weight).toBe(0.01);
  });

  it('of risk move nothing without traffic, and are never exceeded where more than the lowest weight is chosen', () => {
    const idle = { ...situation, requestsPerSecond: 0 };
    expect(nextWeight({ harmedRequests: 60 }, idle, limits).weight).toBe(0.05);
    fc.assert(
      fc.property(
        fc.double({ min: 0.1, max: 1e4, noNaN: true }),
        fc.integer({ min: 0, max: 1e6 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (harmedRequests, canaryRequests, excessUpper, weight) => {
          const chosen = nextWeight({ harmedRequests }, { ...situation, canaryRequests, excessUpper, weight }, limits);
          expect(chosen.weight).toBeGreaterThanOrEqual(limits.lowest);
          expect(chosen.weight).toBeLessThanOrEqual(limits.highest);
          if (chosen.weight > limits.lowest) {
            expect(chosen.spent + chosen.atRisk).toBeLessThanOrEqual(harmedRequests * (1 + 1e-9));
          }
        },
      ),
    );
    expect(() => nextWeight({ harmedRequests: 0 }, situation, limits)).toThrow(RangeError);
    expect(() => nextWeight({ harmedRequests: 1 }, { ...situation, excessUpper: 2 }, limits)).toThrow(RangeError);
  });
});
