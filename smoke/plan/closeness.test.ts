import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Tensor } from '../../core/onnx/index.ts';
import { compareTensors, isClose } from './closeness.ts';

const tolerance = { absolute: 1e-5, relative: 1e-4 };
const floats = (...data: readonly number[]): Tensor => ({
  type: 'float32',
  dims: [data.length],
  data: Float32Array.from(data),
});

describe('numbers are close as numpy.allclose has it', () => {
  // What numpy.isclose(served, expected, rtol=1e-4, atol=1e-5, equal_nan=True) gives.
  test.each([
    [1, 1.00005, true],
    [1, 1.0002, false],
    [0, 1e-5, true],
    [1e-5, 0, true],
    [1.1e-5, 0, false],
    // The rule is not symmetric: the tolerance is a share of the second number.
    [1.0001100055, 1, false],
    [1, 1.0001100055, true],
    [1e10, 1.00009e10, true],
    [Number.NaN, Number.NaN, true],
    [Number.NaN, 1, false],
    [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, true],
    [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, false],
    [1e308, Number.POSITIVE_INFINITY, false],
  ])('%d for %d: %s', (served, expected, close) => {
    expect(isClose(served, expected, tolerance)).toBe(close);
  });

  test('the tolerance belongs to the expected number', () => {
    expect(isClose(10, 11, { absolute: 0, relative: 0.095 })).toBe(true);
    expect(isClose(11, 10, { absolute: 0, relative: 0.095 })).toBe(false);
  });
});

describe('tensors', () => {
  test('every number is close to itself', () => {
    fc.assert(
      fc.property(fc.array(fc.float()), (values) => {
        expect(compareTensors(floats(...values), floats(...values), { absolute: 0, relative: 0 }).mismatches).toEqual(
          [],
        );
      }),
    );
  });

  test('a shift beyond the tolerance is found in every element', () => {
    fc.assert(
      fc.property(fc.array(fc.float({ min: -100, max: 100, noNaN: true }), { minLength: 1 }), (values) => {
        const shifted = values.map((value) => value + 1);
        const { mismatches, worst } = compareTensors(floats(...shifted), floats(...values), tolerance);
        expect(mismatches).toHaveLength(values.length);
        expect(worst).toBeCloseTo(1, 3);
      }),
    );
  });

  test('the worst difference is told also where all are within the tolerance', () => {
    expect(compareTensors(floats(1, 2.0001), floats(1, 2), tolerance)).toMatchObject({ mismatches: [] });
    expect(compareTensors(floats(1, 2.0001), floats(1, 2), tolerance).worst).toBeCloseTo(1e-4, 6);
  });

  test('64-bit integers are compared exactly, beyond what a double holds', () => {
    const whole = (value: bigint): Tensor => ({ type: 'int64', dims: [1], data: BigInt64Array.of(value) });
    expect(compareTensors(whole(2n ** 53n + 1n), whole(2n ** 53n), tolerance).mismatches).toEqual([
      { index: 0, served: '9007199254740993', expected: '9007199254740992', difference: 1 },
    ]);
  });

  test('integers that came as JSON numbers count by their value, without a tolerance', () => {
    const labels: Tensor = { type: 'int64', dims: [2], data: BigInt64Array.of(1n, 0n) };
    expect(compareTensors(floats(1, 0), labels, tolerance).mismatches).toEqual([]);
    expect(compareTensors(floats(1.00001, 0), labels, tolerance).mismatches).toHaveLength(1);
  });

  test('texts are equal or not', () => {
    const text = (...data: readonly string[]): Tensor => ({ type: 'string', dims: [data.length], data });
    expect(compareTensors(text('a', 'b'), text('a', 'c'), tolerance).mismatches).toEqual([
      { index: 1, served: 'b', expected: 'c' },
    ]);
    expect(compareTensors(text('1'), floats(1), tolerance).misfit).toBe('it is string, and the model gives float32');
  });

  test('another shape is no comparison', () => {
    expect(
      compareTensors(floats(1, 2), { type: 'float32', dims: [1, 2], data: Float32Array.of(1, 2) }, tolerance).misfit,
    ).toBe('its shape is [2], and the model gives [1, 2]');
  });
});
