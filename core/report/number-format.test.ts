import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatBound,
  formatBytes,
  formatChange,
  formatDemand,
  formatNumber,
  type Scale,
  scaleOf,
} from './number-format.ts';

const metric: Scale = { unit: 'share', percent: false };
const shareOfRows: Scale = { unit: 'share', percent: true };
const ms: Scale = { unit: 'ms', percent: false };

test.each([
  [0.95123, metric, '0.9512'],
  [1, metric, '1.0000'],
  [53.4567, metric, '53.46'],
  [1234.56, metric, '1,234.6'],
  [0.00001234, metric, '0.0000123'],
  [1e-20, metric, '1.0e−20'],
  [-0.5, metric, '−0.5000'],
  [17, { unit: 'none', percent: false } as Scale, '17'],
  [0.977, shareOfRows, '97.7 %'],
  [1, shareOfRows, '100 %'],
  [12.34, ms, '12.3 ms'],
  [0.04821, ms, '0.0482 ms'],
  [1234.5, ms, '1,235 ms'],
  [4500, { unit: 'rows', percent: false } as Scale, '4,500 rows'],
  [1, { unit: 'rows', percent: false } as Scale, '1 row'],
  [Number.POSITIVE_INFINITY, ms, '∞'],
  [Number.NaN, ms, 'NaN'],
])('%s in %o reads %s', (value, scale, text) => {
  expect(formatNumber(value, scale)).toBe(text);
});

test('shares of rows that are nearly all or nearly none are not rounded to all or none', () => {
  expect(formatNumber(0.99996, shareOfRows)).toBe('99.996 %');
  expect(formatNumber(0.000001, shareOfRows)).toBe('0.0001 %');
});

test('a number never reads like the bound it is not', () => {
  expect(formatNumber(0.8999999, metric, 0.9)).toBe('0.8999999');
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, noNaN: true }).filter((value) => Math.abs(value - 0.9) > 1e-9),
      (value) => Number(formatNumber(value, metric, 0.9).replace('−', '-')) !== 0.9,
    ),
  );
});

describe('demands', () => {
  test.each([
    [{ kind: 'min', value: 0.9 }, metric, '≥ 0.90'],
    [{ kind: 'min', value: 0.905 }, metric, '≥ 0.905'],
    [{ kind: 'max', value: 100 }, ms, '≤ 100 ms'],
    [{ kind: 'min', value: 0.95 }, shareOfRows, '≥ 95 %'],
    [{ kind: 'equal', value: 3 }, { unit: 'count', percent: false }, '= 3'],
    [{ kind: 'max_regression', value: 0.01 }, metric, '≤ 0.01 worse'],
    [{ kind: 'max_regression', value: 0.1, relative: true }, ms, '≤ 10 % worse'],
    [{ kind: 'min_improvement', value: 0.02 }, metric, '≥ 0.02 better'],
    [{ kind: 'must_hold', value: 'columns a, b' }, metric, 'columns a, b'],
  ] as const)('%o reads %s', (bound, scale, text) => {
    expect(formatBound(bound, scale)).toBe(text);
  });

  test('keep what the policy wrote, without the noise of binary fractions', () => {
    expect(formatDemand(0.07, shareOfRows)).toBe('7 %');
    expect(formatDemand(10_000, { unit: 'rows', percent: false })).toBe('10,000 rows');
  });
});

test('a change carries its sign, zero too', () => {
  expect([0.0123, -4.2, 0].map((change) => formatChange(change, ms))).toEqual(['+0.0123 ms', '−4.2 ms', '±0']);
});

test('bytes read in decimal units, as the policy counts megabytes', () => {
  expect([10, 184_320, 500_000_000, 7e14].map(formatBytes)).toEqual(['10 B', '184 kB', '500 MB', '700 TB']);
});

test('a share is a percentage of rows in data checks and a plain number in gates', () => {
  expect(scaleOf({ unit: 'share', section: 'data' }).percent).toBe(true);
  expect(scaleOf({ unit: 'share', section: 'gate' }).percent).toBe(false);
  expect(scaleOf({ unit: 'share', section: 'gate' }, 'share').percent).toBe(true);
});
