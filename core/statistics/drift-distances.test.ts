import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chiSquareTail } from './chi-square-tail.ts';
import {
  chiSquareTest,
  countSamples,
  hellingerDistance,
  jensenShannonDistance,
  kolmogorovSmirnov,
  kolmogorovSmirnovPValue,
  kullbackLeiblerDivergence,
  populationStabilityIndex,
  totalVariation,
  wassersteinDistance,
} from './index.ts';
import { kolmogorovTail } from './kolmogorov-tail.ts';

const reference: {
  readonly counts: readonly {
    readonly reference: readonly number[];
    readonly current: readonly number[];
    readonly psi: number;
    readonly kl: number;
    readonly jensenShannon: number;
    readonly hellinger: number;
    readonly totalVariation: number;
    readonly chiSquare: {
      readonly statistic: number;
      readonly degrees: number;
      readonly p: number;
      readonly cramersV: number;
    } | null;
  }[];
  readonly samples: readonly {
    readonly reference: readonly number[];
    readonly current: readonly number[];
    readonly ks: number;
    readonly p: number;
    readonly wasserstein: number;
  }[];
  readonly pValues: readonly (readonly [statistic: number, n: number, m: number, p: number])[];
  readonly tails: readonly (readonly [n: number, distance: number, p: number])[];
  readonly chiSquareTail: readonly (readonly [degrees: number, value: number, p: number])[];
} = JSON.parse(readFileSync(new URL('./reference/drift/reference.json', import.meta.url), 'utf8'));

/** To 1e-9 of the number itself where it is large. */
function expectNear(found: number, expected: number, what: string, tolerance = 1e-9): void {
  const off = Math.abs(found - expected) / Math.max(1, Math.abs(expected));
  expect(off, `${what}: ${found}, not ${expected}`).toBeLessThan(tolerance);
}

describe('distances of counts by bin', () => {
  it("are SciPy's and Evidently's, also with bins that only one side has", () => {
    for (const { reference: q, current: p, ...expected } of reference.counts) {
      const what = `${q} and ${p}`;
      expectNear(populationStabilityIndex(q, p), expected.psi, `psi of ${what}`);
      expectNear(kullbackLeiblerDivergence(q, p), expected.kl, `kl of ${what}`);
      expectNear(jensenShannonDistance(q, p), expected.jensenShannon, `jensen-shannon of ${what}`);
      expectNear(hellingerDistance(q, p), expected.hellinger, `hellinger of ${what}`);
      expectNear(totalVariation({ baseline: q, canary: p }), expected.totalVariation, `total variation of ${what}`);
    }
    expect(reference.counts.length).toBeGreaterThan(15);
  });

  it('are 0 for equal shares whatever the totals, and never below', () => {
    const counts = fc
      .array(fc.nat(1000), { minLength: 2, maxLength: 12 })
      .filter((bins) => bins.some((count) => count > 0));
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 50 }), (bins, times) => {
        const more = bins.map((count) => count * times);
        for (const distance of [
          populationStabilityIndex,
          jensenShannonDistance,
          hellingerDistance,
          kullbackLeiblerDivergence,
          (q: readonly number[], p: readonly number[]) => chiSquareTest(q, p).cramersV,
        ]) {
          expect(distance(bins, more)).toBeCloseTo(0, 7);
        }
      }),
    );
    fc.assert(
      fc.property(counts, fc.array(fc.nat(1000), { minLength: 12, maxLength: 12 }), (q, long) => {
        const p = q.map((_, index) => (long[index] ?? 0) + 1);
        for (const distance of [populationStabilityIndex, jensenShannonDistance, hellingerDistance]) {
          expect(distance(q, p)).toBeGreaterThanOrEqual(0);
          expect(distance(q, p)).toBeCloseTo(distance(p, q), 12);
        }
        expect(hellingerDistance(q, p)).toBeLessThanOrEqual(1);
        expect(jensenShannonDistance(q, p)).toBeLessThanOrEqual(Math.sqrt(Math.LN2) + 1e-12);
      }),
    );
  });

  it('are refused where there is nothing to compare', () => {
    expect(() => populationStabilityIndex([0, 0], [1, 2])).toThrow(RangeError);
    expect(() => jensenShannonDistance([1, 2], [1, 2, 3])).toThrow(RangeError);
    expect(() => hellingerDistance([1, Number.NaN], [1, 2])).toThrow(RangeError);
    expect(() => chiSquareTest([0, 0], [1, 2])).toThrow(RangeError);
  });
});

describe('the chi-square test', () => {
  it("is SciPy's on unequal totals and on classes that one side lacks", () => {
    for (const { reference: q, current: p, chiSquare } of reference.counts) {
      const found = chiSquareTest(q, p);
      if (chiSquare === null) {
        expect(found).toEqual({ statistic: 0, degrees: 0, pValue: 1, cramersV: 0 });
        continue;
      }
      expect(found.degrees).toBe(chiSquare.degrees);
      expectNear(found.statistic, chiSquare.statistic, `statistic of ${q} and ${p}`);
      expectNear(found.pValue, chiSquare.p, `p of ${q} and ${p}`);
      expectNear(found.cramersV, chiSquare.cramersV, `V of ${q} and ${p}`);
    }
  });

  it('has the tail of its distribution, near and far', () => {
    for (const [degrees, value, p] of reference.chiSquareTail) {
      expectNear(chiSquareTail(degrees, value), p, `tail of ${degrees} at ${value}`);
    }
  });
});

describe('distances of values', () => {
  it("are SciPy's, with ties and with samples of other sizes", () => {
    for (const { reference: one, current: other, ks, wasserstein, p } of reference.samples) {
      const counted = countSamples(one, other);
      expectNear(kolmogorovSmirnov(counted), ks, 'ks');
      expectNear(wassersteinDistance(counted), wasserstein, 'wasserstein');
      expectNear(kolmogorovSmirnovPValue(ks, one.length, other.length), p, `p of ${ks}`);
    }
  });

  it("have SciPy's exact p-values, the smallest to their own digits", () => {
    for (const [statistic, n, m, p] of reference.pValues) {
      const found = kolmogorovSmirnovPValue(statistic, n, m);
      expectNear(found, p, `p of ${statistic} at ${n}, ${m}`);
      if (p > 1e-250) expect(found / p, `p of ${statistic} at ${n}, ${m}`).toBeCloseTo(1, 8);
    }
  });

  it('have the p-values of the one-sample distribution where samples are large', () => {
    for (const [n, distance, p] of reference.tails) {
      // Of millions SciPy leaves out that both sides may be far off at once, which Pelz and Good's series counts: up to 3e-8.
      expectNear(kolmogorovTail(n, distance), p, `tail of ${n} at ${distance}`, n > 1_000_000 ? 1e-7 : 1e-9);
    }
    const [n, m] = [20_000, 60_000];
    expect(kolmogorovSmirnovPValue(0.02, n, m)).toBe(kolmogorovTail(15_000, 0.02));
  });

  it('move with the values: all shifted by one is a Wasserstein distance of one', () => {
    const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 1, maxLength: 50 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 20 }), (sample, shift) => {
        const counted = countSamples(
          sample,
          sample.map((value) => value + shift),
        );
        expect(wassersteinDistance(counted)).toBeCloseTo(shift, 9);
        const together = [...counted.reference.keys()].map(
          (index) => (counted.reference[index] ?? 0) + (counted.current[index] ?? 0),
        );
        expect(together.reduce((sum, count) => sum + count, 0)).toBe(2 * sample.length);
      }),
    );
  });

  it('are refused for empty samples and for NaN', () => {
    expect(() => kolmogorovSmirnov(countSamples([], [1]))).toThrow(RangeError);
    expect(() => wassersteinDistance(countSamples([1], []))).toThrow(RangeError);
    expect(() => countSamples([1, Number.NaN], [1])).toThrow(RangeError);
  });
});
