import { drawBinomial } from '../../core/statistics/binomial-draw.ts';
import type { ArmCounts, Random, WindowCounts } from '../../core/statistics/index.ts';

/**
 * What multiplies an arm's error rate in a window, with mean 1: nothing; gamma noise, new in each window; or a log-normal factor whose
 * logarithm is autoregressive. `variance` is that of the factor.
 */
export type RateNoise =
  | { readonly kind: 'none' }
  | { readonly kind: 'gamma'; readonly variance: number }
  | { readonly kind: 'autoregressive'; readonly variance: number; readonly correlation: number };

export interface Traffic {
  readonly requestsPerSecond: number;
  readonly secondsALook: number;
  /** The canary's share of the requests at a look, 0 for the first. */
  readonly weightAt: (look: number) => number;
  readonly baselineRate: number;
  /** The canary's error rate at a look. */
  readonly canaryRateAt: (look: number) => number;
  readonly noise: RateNoise;
}

/** An arm's noise, one factor a window. */
export function noiseStream(noise: RateNoise, random: Random): () => number {
  if (noise.kind === 'gamma') return () => noise.variance * drawGamma(random, 1 / noise.variance);
  if (noise.kind === 'none') return () => 1;
  const spread = Math.sqrt(Math.log1p(noise.variance));
  const innovation = Math.sqrt(1 - noise.correlation ** 2);
  let state = drawNormal(random);
  return () => {
    state = noise.correlation * state + innovation * drawNormal(random);
    return Math.exp(spread * state - (spread * spread) / 2);
  };
}

/** An endless stream of windows, each arm with noise of its own. */
export function* windowsOf(traffic: Traffic, random: Random): Generator<WindowCounts, never> {
  const canaryNoise = noiseStream(traffic.noise, random);
  const baselineNoise = noiseStream(traffic.noise, random);
  const requests = traffic.requestsPerSecond * traffic.secondsALook;
  for (let look = 0; ; look++) {
    const canary = Math.round(requests * traffic.weightAt(look));
    yield {
      canary: drawArm(random, canary, traffic.canaryRateAt(look) * canaryNoise()),
      baseline: drawArm(random, Math.round(requests) - canary, traffic.baselineRate * baselineNoise()),
    };
  }
}

/** Windows of the baseline before the rollout, when it had all requests. */
export function* historyOf(traffic: Traffic, random: Random, windows: number): Generator<ArmCounts> {
  const noise = noiseStream(traffic.noise, random);
  const requests = Math.round(traffic.requestsPerSecond * traffic.secondsALook);
  for (let window = 0; window < windows; window++) yield drawArm(random, requests, traffic.baselineRate * noise());
}

function drawArm(random: Random, requests: number, rate: number): ArmCounts {
  return { requests, errors: drawBinomial(random, requests, Math.min(1, rate)) };
}

/** Box and Muller, 1958. */
export function drawNormal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.unit())) * Math.cos(2 * Math.PI * random.unit());
}

/** Of mean and variance `shape`, at least 1. G. Marsaglia and W. W. Tsang, "A simple method for generating gamma variables", 2000. */
export function drawGamma(random: Random, shape: number): number {
  if (!(shape >= 1)) throw new RangeError(`the shape must be at least 1, not ${shape}`);
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = drawNormal(random);
    const cube = (1 + c * normal) ** 3;
    if (cube > 0 && Math.log(1 - random.unit()) < (normal * normal) / 2 + d - d * cube + d * Math.log(cube)) {
      return d * cube;
    }
  }
}
