import { expect, it } from 'vitest';
import { numberText } from './number-text.ts';

it.each([
  [0.871234, undefined, '0.8712'],
  [0.899996, 0.9, '0.899996'],
  [-0.899996, -0.9, '−0.899996'],
  [0.9, 0.9, '0.9'],
  [-0.021929, undefined, '−0.02193'],
  [-0, undefined, '0'],
  [Number.NaN, undefined, 'not a number'],
  [Number.POSITIVE_INFINITY, undefined, '∞'],
])('writes %d so that it never reads as a bound (%s) it is not', (value, bound, text) => {
  expect(numberText(value, bound)).toBe(text);
});
