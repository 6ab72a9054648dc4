import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { drawBinomial } from './binomial-draw.ts';
import { chiSquareQuantile } from './chi-square-quantile.ts';
import { estimateNoise, noNoiseRecord, randomOf, recordNoise } from './index.ts';

const reference: {
  readonly dispersion: {
    readonly requests: readonly number[];
    readonly errors: readonly number[];
    readonly batches: readonly { readonly windows: number; readonly inflation: number; readonly correlation: number }[];
  }[];
  readonly chiSquare: readonly [number, number, number][];
} = JSON.parse(readFileSync(new URL('./reference/sequential/reference.json', import.meta.url), 'utf8'));

describe('the noise of the baseline', () => {
  it("is Pearson's dispersion and the lag-1 correlation of NumPy, by batch size", () => {
    for (const { requests, errors, batches } of reference.dispersion) {
      let record = noNoiseRecord;
      requests.forEach((count, index) => {
        record = recordNoise(record, { requests: count, errors: errors[index] ?? 0 });
      });
      const estimate = estimateNoise(record);
      const expected = batches.find(({ windows }) => windows === estimate.batchWindows);
      expect(estimate.correlation).toBeCloseTo(expected?.correlation ?? Number.NaN, 9);
      const correlation = Math.max(0, expected?.correlation ?? 0);
      const longRun = ((expected?.inflation ?? 0) * (1 + correlation)) / (1 - correlation);
      expect(estimate.inflation).toBeCloseTo(Math.max(1, longRun), 9);
      expect(estimate.upperInflation).toBeGreaterThan(estimate.inflation);
      expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    }
  });

  it('is charged at its long-run variance when windows are correlated', () => {
    const random = randomOf('correlated');
    let record = noNoiseRecord;
    for (let period = 0; period < 200; period++) {
      const rate = random.unit() < 0.5 ? 0.01 : 0.03;
      for (let window = 0; window < 8; window++) {
        record = recordNoise(record, { requests: 500, errors: drawBinomial(random, 500, rate) });
      }
    }
    const estimate = estimateNoise(record);
    // Independent periods of 8 windows: 1 + 8 * (0.01 / 0.02)^2 * 10 errors = 21.
    expect(estimate.batchWindows).toBeGreaterThanOrEqual(4);
    expect(estimate.inflation).toBeGreaterThan(13);
    expect(estimate.inflation).toBeLessThan(33);
  });

  it('is presumed until there are windows to judge by, and near 0 after an hour of independent requests', () => {
    const random = randomOf('independent');
    let record = noNoiseRecord;
    const presumed = estimateNoise(record).variance;
    expect(presumed).toBeGreaterThan(1);
    for (let window = 0; window < 720; window++) {
      record = recordNoise(record, { requests: 500, errors: drawBinomial(random, 500, 0.01) });
      if (window === 5) expect(estimateNoise(record).variance).toBeGreaterThanOrEqual(presumed);
    }
    expect(estimateNoise(record).variance).toBeLessThan(0.1);
    expect(estimateNoise(record).rate).toBeCloseTo(0.01, 2);
    expect(recordNoise(record, { requests: 0, errors: 0 })).toEqual(record);
  });
});

describe('the chi-square quantile', () => {
  it("is near SciPy's, and never above in the lower tail of few degrees", () => {
    for (const [degrees, probability, value] of reference.chiSquare) {
      const found = chiSquareQuantile(degrees, probability);
      if (degrees >= 7) expect(Math.abs(found / value - 1)).toBeLessThan(0.05);
      if (degrees <= 2 && probability <= 0.05) expect(found).toBeLessThanOrEqual(value);
    }
  });
});
