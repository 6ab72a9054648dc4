import { expect, test } from 'vitest';
import { arrivalTimes } from './arrivals.ts';

function first(count: number, ...of: Parameters<typeof arrivalTimes>): number[] {
  const times = arrivalTimes(...of);
  return Array.from({ length: count }, () => times.next().value);
}

test('uniform arrivals are a gap apart', () => {
  expect(first(4, 500, 'uniform', 'a')).toEqual([0, 2e6, 4e6, 6e6]);
});

test('Poisson arrivals ascend at the rate, with gaps of an exponential distribution', () => {
  const times = first(20_001, 100, 'poisson', 'a');
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(gaps.every((gap) => gap >= 0)).toBe(true);
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
  const variance = gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length;
  expect(mean / 1e7).toBeCloseTo(1, 1);
  // Of an exponential distribution the standard deviation is the mean, and e^-1 of the gaps are longer.
  expect(Math.sqrt(variance) / mean).toBeCloseTo(1, 1);
  expect(gaps.filter((gap) => gap > mean).length / gaps.length).toBeCloseTo(Math.exp(-1), 1);
});

test('the same seed gives the same arrivals, another one others', () => {
  expect(first(5, 10, 'poisson', 'a')).toEqual(first(5, 10, 'poisson', 'a'));
  expect(first(5, 10, 'poisson', 'a')).not.toEqual(first(5, 10, 'poisson', 'b'));
});
