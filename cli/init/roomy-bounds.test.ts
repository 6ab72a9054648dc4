import fc from 'fast-check';
import { expect, test } from 'vitest';
import { roomyBounds } from './roomy-bounds.ts';

test('bounds are round numbers around the range', () => {
  expect(roomyBounds(6.981, 28.11)).toEqual({ min: 4, max: 31 });
  expect(roomyBounds(0.05263, 0.1447)).toEqual({ min: 0.043, max: 0.154 });
});

test('what was never negative stays so, and what was never positive too', () => {
  expect(roomyBounds(0, 0.4268).min).toBe(0);
  expect(roomyBounds(-5, -0.1).max).toBe(0);
});

test('every range lies inside its bounds', () => {
  const value = fc.double({ min: -1e12, max: 1e12, noNaN: true });
  fc.assert(
    fc.property(value, value, (a, b) => {
      const [least, greatest] = a < b ? [a, b] : [b, a];
      const { min, max } = roomyBounds(least, greatest);
      expect(min).toBeLessThanOrEqual(least);
      expect(max).toBeGreaterThanOrEqual(greatest);
    }),
  );
});
