import type { Random } from '../../core/statistics/index.ts';

/**
 * What multiplies the error rate of an arm in a window, with mean 1: nothing; gamma noise, new in each window; or a log-normal factor whose
 * logarithm is autoregressive from window to window. `variance` is that of the factor.
 */
export type RateNoise =
  | { readonly kind: 'none' }
  | { readonly kind: 'gamma'; readonly variance: number }
  | { readonly kind: 'autoregressive'; readonly variance: number; readonly correlation: number };

/** One factor a window. The variance of gamma noise must be in (0, 1]. */
export function rateNoise(noise: RateNoise, random: Random): () => number {
  if (noise.kind === 'none') return () => 1;
  if (noise.kind === 'gamma') return () => noise.variance * gamma(random, 1 / noise.variance);
  const spread = Math.sqrt(Math.log1p(noise.variance));
  const innovation = Math.sqrt(1 - noise.correlation ** 2);
  let state = normal(random);
  return () => {
    state = noise.correlation * state + innovation * normal(random);
    return Math.exp(spread * state - (spread * spread) / 2);
  };
}

/** G. E. P. Box and M. E. Muller, "A note on the generation of random normal deviates", 1958. */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}

/** Of mean and variance `shape`, at least 1. G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000. */
function gamma(random: Random, shape: number): number {
  if (!(shape >= 1)) throw new RangeError(`the shape must be at least 1, not ${shape}`);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const draw = normal(random);
    const cube = (1 + c * draw) ** 3;
    if (cube > 0 && Math.log(1 - random.unit()) < (draw * draw) / 2 + d - d * cube + d * Math.log(cube))
      return d * cube;
  }
}
