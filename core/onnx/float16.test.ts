import { expect, test } from 'vitest';
import { float16ToNumber, numberToFloat16 } from './float16.ts';

test('every float16 survives the way to a number and back', () => {
  for (let bits = 0; bits < 0x1_0000; bits++) {
    const value = float16ToNumber(bits);
    if (Number.isNaN(value)) expect(float16ToNumber(numberToFloat16(value))).toBeNaN();
    else if (numberToFloat16(value) !== bits) expect.fail(`${bits} became ${numberToFloat16(value)}`);
  }
});

test.each([
  [1, 0x3c00],
  [-2, 0xc000],
  [65504, 0x7bff],
  [65519.99, 0x7bff],
  [65520, 0x7c00],
  [1e9, 0x7c00],
  [2 ** -24, 1],
  [2 ** -25, 0],
  [2 ** -25 * 1.001, 1],
  [3 * 2 ** -25, 2],
  [1 + 2 ** -11, 0x3c00],
  [1 + 3 * 2 ** -11, 0x3c02],
  [-0, 0x8000],
  [Number.NEGATIVE_INFINITY, 0xfc00],
])('%f rounds to the nearest float16, ties to even', (value, bits) => {
  expect(numberToFloat16(value)).toBe(bits);
});
