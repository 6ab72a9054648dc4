import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { excessRank, excessShare, midranks } from './excess-tests.ts';

describe('excessShare', () => {
  it('is the upper tail of the hypergeometric distribution, counted out', () => {
    const choose = (n: number, k: number): number => {
      let ways = 1;
      for (let at = 0; at < k; at++) ways = (ways * (n - at)) / (at + 1);
      return k < 0 || k > n ? 0 : ways;
    };
    const table = fc.record({ a: fc.nat(12), b: fc.nat(12), c: fc.nat(12), d: fc.nat(12) });
    fc.assert(
      fc.property(table, ({ a, b, c, d }) => {
        const [n, K, N] = [a + b, a + c, a + b + c + d];
        fc.pre(N > 0);
        let tail = 0;
        for (let k = a; k <= Math.min(n, K); k++) tail += (choose(K, k) * choose(N - K, n - k)) / choose(N, n);
        expect(excessShare({ rows: n, marked: a }, { rows: N, marked: K }).p).toBeCloseTo(tail, 11);
      }),
    );
  });

  it('equals the sum in exact integers, of many rows too', () => {
    // Python: sum(comb(K, i) * comb(N - K, n - i) for i in range(k, n + 1)) / comb(N, n)
    const p = (k: number, N: number, K: number, n: number) =>
      excessShare({ rows: n, marked: k }, { rows: N, marked: K }).p;
    expect(p(12, 100, 30, 20)).toBeCloseTo(0.0018306094247240057, 12);
    expect(p(300, 100_000, 10_000, 2_500)).toBeCloseTo(0.0005528333537002234, 11);
    expect(p(100_000, 1_000_000, 100_000, 1_000_000)).toBeCloseTo(1, 9);
  });
});

describe('excessRank', () => {
  it('does not depend on the scale of the values, and parts that are drawn at random have a p below 0.05 one time in twenty', () => {
    let below = 0;
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return (state >>> 8) / 2 ** 24;
    };
    for (let round = 0; round < 2_000; round++) {
      const values = Float64Array.from({ length: 120 }, () => Math.exp(3 * random() ** 3));
      const { ranks, variance } = midranks(values);
      const rankSum = ranks.subarray(0, 30).reduce((sum, rank) => sum + rank, 0);
      if (excessRank({ rows: 30, rankSum }, { rows: 120, varianceOfRanks: variance }).p <= 0.05) below++;
    }
    expect(below).toBeGreaterThan(60);
    expect(below).toBeLessThan(140);
  });

  it('ranks equal values alike', () => {
    const { ranks, variance } = midranks(Float64Array.of(3, 1, 3, 2));
    expect([...ranks]).toEqual([3.5, 1, 3.5, 2]);
    expect(variance).toBeCloseTo((2 * 1 + 1.5 ** 2 + 0.5 ** 2) / 4, 12);
    expect(excessRank({ rows: 2, rankSum: 5 }, { rows: 4, varianceOfRanks: 0 }).p).toBe(1);
  });
});
