import { expect, it } from 'vitest';
import { numberText, pValueText } from './number-text.ts';

it.each([
  [0.871234, undefined, '0.8712'],
  [0.899996, 0.9, '0.899996'],
  [0.9, 0.9, '0.9'],
  [-0.021929, undefined, '−0.02193'],
  [Number.NaN, undefined, 'not a number'],
  [Number.POSITIVE_INFINITY, undefined, '∞'],
])('writes %d so that it never reads as a bound (%s) it is not', (value, bound, text) => {
  expect(numberText(value, bound)).toBe(text);
});

it.each([
  [0.01234, 'p 0.012'],
  [0.000001484, 'p < 0.0001'],
  [0, 'p < 0.0001'],
  [1, 'p 1'],
])('writes the p-value %d as statisticians do', (value, text) => {
  expect(pValueText('p', value)).toBe(text);
});
