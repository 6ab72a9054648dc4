import { randomOf } from '../../core/statistics/index.ts';

/**
 * When requests are due, in nanoseconds from the start, without end and ascending. `rate` is requests a second. Poisson arrivals have
 * gaps of an exponential distribution, the same ones for the same seed.
 */
export function* arrivalTimes(rate: number, kind: 'uniform' | 'poisson', seed: string): Generator<number, never> {
  const gap = 1e9 / rate;
  if (kind === 'uniform') for (let index = 0; ; index++) yield index * gap;
  const random = randomOf(seed);
  for (let due = 0; ; ) {
    due -= Math.log1p(-random.unit()) * gap;
    yield due;
  }
}
