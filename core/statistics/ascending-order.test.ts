import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ascendingOrder, randomOf } from './index.ts';

/** By definition: a stable sort of indices, NaN last. */
function expected(values: readonly number[]): number[] {
  return values
    .map((_, index) => index)
    .sort((left, right) => {
      const [one = 0, other = 0] = [values[left], values[right]];
      if (Number.isNaN(one) || Number.isNaN(other)) return Number(Number.isNaN(one)) - Number(Number.isNaN(other));
      return one < other ? -1 : one > other ? 1 : 0;
    });
}

describe('the rising order', () => {
  const value = fc.oneof(
    fc.double(),
    fc.integer({ min: -3, max: 3 }),
    fc.constantFrom(0, -0, Number.NaN, Infinity, -Infinity),
  );

  it('is that of a stable sort, of few values and of many', () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 60 }), (values) => {
        expect([...ascendingOrder(values)]).toEqual(expected(values));
        // Beyond what is sorted by comparison: the same values again and again.
        const many = Array.from({ length: values.length * 60 }, (_, index) => values[index % values.length] ?? 0);
        expect([...ascendingOrder(many)]).toEqual(expected(many));
        const singles = Float32Array.from(many);
        expect([...ascendingOrder(singles)]).toEqual(expected(Array.from(singles)));
      }),
      { numRuns: 60 },
    );
  });

  it('is that of a stable sort, of many distinct doubles and floats', () => {
    const random = randomOf('order');
    const doubles = Array.from({ length: 20_000 }, () => (random.unit() - 0.5) * 10 ** (20 * random.unit()));
    expect([...ascendingOrder(doubles)]).toEqual(expected(doubles));
    const floats = Array.from(Float32Array.from(doubles));
    expect([...ascendingOrder(Float64Array.from(floats))]).toEqual(expected(floats));
    expect([...ascendingOrder(Float32Array.from(floats))]).toEqual(expected(floats));
  });

  it('is as it was where all values are alike', () => {
    expect([...ascendingOrder(new Float64Array(5000).fill(0.5))]).toEqual(
      Array.from({ length: 5000 }, (_, index) => index),
    );
    expect([...ascendingOrder(new Float32Array(5000).fill(0.5))]).toEqual(
      Array.from({ length: 5000 }, (_, index) => index),
    );
  });
});
