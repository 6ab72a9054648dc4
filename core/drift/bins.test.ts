import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { countSamples, quantileOfSorted } from '../statistics/index.ts';
import { binClasses, binNumbers, quantileEnds } from './bins.ts';

const none = { reference: 0, current: 0 };
const numbersOf = (reference: readonly number[], current: readonly number[], missing = none) => ({
  counts: countSamples(reference, current),
  exact: true,
  missing,
});
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index);

describe('bins of numbers', () => {
  it("end at NumPy's quantiles of the reference, each once", () => {
    const values = fc.array(fc.integer({ min: -20, max: 20 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(values, values, fc.integer({ min: 2, max: 20 }), (reference, current, bins) => {
        const sorted = [...reference].sort((one, other) => one - other);
        const expected = range(1, bins).map((part) => quantileOfSorted(sorted, part / bins));
        const found = quantileEnds(countSamples(reference, current), bins);
        const distinct = expected.filter((end, index) => index === 0 || end !== expected[index - 1]);
        expect(found.length).toBeGreaterThan(0);
        for (const end of found) expect(distinct.some((one) => Math.abs(one - end) < 1e-9)).toBe(true);
        for (const end of distinct) expect(found.some((one) => Math.abs(one - end) < 1e-9)).toBe(true);
      }),
    );
  });

  it('hold every row of both sides, also beyond the range of the reference', () => {
    const values = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), { minLength: 1, maxLength: 200 });
    fc.assert(
      fc.property(values, values, fc.nat(9), (reference, current, missing) => {
        const found = binNumbers(numbersOf(reference, current, { reference: missing, current: 1 }), 10);
        const sum = (counts: Float64Array) => counts.reduce((all, count) => all + count, 0);
        expect([sum(found.reference), sum(found.current)]).toEqual([reference.length + missing, current.length + 1]);
        expect(found.labels).toHaveLength(found.reference.length);
      }),
    );
  });

  it('are of equal shares in the reference, open at both ends, and fewer where rows are few', () => {
    const found = binNumbers(numbersOf(range(0, 1000), [-5, 0, 999, 5000]), 10);
    // Four rows now: two bins are the fewest.
    expect(found.labels).toEqual(['≤ 499.5', '> 499.5']);
    expect(Array.from(found.current)).toEqual([2, 2]);
    const many = binNumbers(numbersOf(range(0, 1000), range(500, 2500)), 10);
    expect(Array.from(many.reference)).toEqual(new Array(10).fill(100));
    expect(Array.from(many.current)).toEqual([0, 0, 0, 0, 0, 100, 100, 100, 100, 1600]);
  });

  it('with equal ends are one', () => {
    const zeros = [...new Array<number>(600).fill(0), ...range(1, 401)];
    const found = binNumbers(numbersOf(zeros, zeros), 10);
    expect(Array.from(found.reference)).toEqual([600, 100, 100, 100, 100]);
  });

  it('of few different values are the values, and what is none of them is one bin', () => {
    const reference = range(0, 300).map((index) => index % 3);
    const found = binNumbers(numbersOf(reference, [...reference, ...new Array<number>(50).fill(1.5)]), 10);
    expect([found.labels, Array.from(found.current)]).toEqual([
      ['0', '1', '2', '(other)'],
      [100, 100, 100, 50],
    ]);
  });
});

describe('bins of classes', () => {
  it('hold rare classes together, and rows without one apart', () => {
    const listed = [
      { name: 'KR', reference: 50, current: 20 },
      { name: 'new', reference: 0, current: 30 },
      { name: 'rare', reference: 3, current: 2 },
    ];
    const found = binClasses({
      listed,
      others: { reference: 4, current: 0 },
      missing: { reference: 1, current: 0 },
      referenceClasses: 5,
    });
    expect(found.labels).toEqual(['KR', 'new', '(other)', '(no value)']);
    expect(Array.from(found.reference)).toEqual([50, 0, 7, 1]);
    expect(Array.from(found.current)).toEqual([20, 30, 2, 0]);
  });
});
