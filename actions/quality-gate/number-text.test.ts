import { expect, it } from 'vitest';
import { pValueText } from './number-text.ts';

it.each([
  [0.01234, 'p 0.012'],
  [0.000001484, 'p < 0.0001'],
  [0, 'p < 0.0001'],
  [1, 'p 1'],
])('writes the p-value %d as statisticians do', (value, text) => {
  expect(pValueText('p', value)).toBe(text);
});
