import { expect, test } from 'vitest';
import { Sample } from './sample.ts';

test('a sample holds all up to its limit, in the order they came', () => {
  const sample = new Sample(5000);
  for (let index = 0; index < 5000; index++) sample.add(index);
  expect(Array.from(sample.values())).toEqual(Array.from({ length: 5000 }, (_, index) => index));
});

test('beyond its limit a sample is no larger, and every part of what came is in it alike', () => {
  const sample = new Sample(2000);
  for (let index = 0; index < 100_000; index++) sample.add(index);
  const values = sample.values();
  expect(values).toHaveLength(2000);
  expect(sample.count).toBe(100_000);
  // Each quarter has 500 of 2000 on average, with a standard deviation of 19.
  for (let quarter = 0; quarter < 4; quarter++) {
    const within = values.filter((value) => Math.floor(value / 25_000) === quarter).length;
    expect(Math.abs(within - 500)).toBeLessThan(100);
  }
});
