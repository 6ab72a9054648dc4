import { averaged } from './averaged.ts';

/** The harmonic mean of precision and recall. */
export const f1 = averaged({ name: 'f1' }, ({ hits, actual, predicted }) => ({
  numerator: 2 * hits,
  denominator: actual + predicted,
}));
