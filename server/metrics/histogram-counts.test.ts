import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HistogramCounts } from './histogram-counts.ts';

test('a value is counted in the first bucket whose bound it does not pass', () => {
  const histogram = new HistogramCounts([0, 1, 5]);
  for (const value of [-1, 0, 0.5, 1, 1.1, 5, 6, Number.POSITIVE_INFINITY]) histogram.observe(value);
  expect([...histogram.counts]).toEqual([2, 2, 2, 2]);
  expect(histogram.count).toBe(8);
});

test('the counts are those of looking at every bound', () => {
  const bounds = fc
    .uniqueArray(fc.integer({ min: -50, max: 50 }), { maxLength: 12 })
    .map((all) => all.toSorted((a, b) => a - b));
  const values = fc.array(fc.double({ noNaN: true, min: -60, max: 60 }), { maxLength: 50 });
  fc.assert(
    fc.property(bounds, values, (upper, observed) => {
      const histogram = new HistogramCounts(upper);
      for (const value of observed) histogram.observe(value);
      let below = 0;
      upper.forEach((bound, index) => {
        below += histogram.counts[index] ?? 0;
        expect(below).toBe(observed.filter((value) => value <= bound).length);
      });
      expect(histogram.count).toBe(observed.length);
      expect(histogram.sum).toBeCloseTo(
        observed.reduce((sum, value) => sum + value, 0),
        6,
      );
    }),
  );
});
