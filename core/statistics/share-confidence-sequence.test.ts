import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawBinomial } from './binomial-draw.ts';
import { randomOf, shareConfidenceSequence } from './index.ts';
import { logGamma } from './log-gamma.ts';

const reference: {
  readonly share: readonly [number, number, number, number, number][];
  readonly logGamma: readonly [number, number][];
} = JSON.parse(readFileSync(new URL('./reference/sequential/reference.json', import.meta.url), 'utf8'));

describe('a share at every look', () => {
  it("has SciPy's beta-binomial bounds", () => {
    for (const [sum, trials, alpha, lower, upper] of reference.share) {
      const interval = shareConfidenceSequence(sum, trials, alpha);
      expect(interval.lower).toBeCloseTo(lower, 8);
      expect(interval.upper).toBeCloseTo(upper, 8);
    }
  });

  it('is unknown without trials', () => {
    expect(shareConfidenceSequence(0, 0, 0.05)).toMatchObject({ lower: 0, upper: 1, n: 0 });
    expect(() => shareConfidenceSequence(3, 2, 0.05)).toThrow(RangeError);
    expect(() => shareConfidenceSequence(1, 2, 1)).toThrow(RangeError);
  });

  it('leaves out the truth at some look in at most alpha of the runs', () => {
    let wrong = 0;
    for (let run = 0; run < 300; run++) {
      const random = randomOf(`agreement ${run}`);
      let sum = 0;
      for (let trials = 10; trials <= 2000; trials += 10) {
        sum += drawBinomial(random, 10, 0.97);
        const { lower, upper } = shareConfidenceSequence(sum, trials, 0.1);
        if (lower > 0.97 || upper < 0.97) {
          wrong++;
          break;
        }
      }
    }
    expect(wrong).toBeLessThanOrEqual(36);
  });
});

describe('the logarithm of the gamma function', () => {
  it("is SciPy's", () => {
    for (const [x, log] of reference.logGamma) {
      expect(Math.abs(logGamma(x) - log)).toBeLessThan(1e-12 * Math.max(1, Math.abs(log)));
    }
    expect(() => logGamma(0)).toThrow(RangeError);
  });
});
