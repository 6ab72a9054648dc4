import { drawBinomial, normalCdf, type Random, randomOf } from '../../core/statistics/index.ts';
import type { HistogramCounts, Reading, SeriesCounts } from '../metrics-source.ts';
import { rateNoise } from './rate-noise.ts';
import type { TrafficShape } from './traffic-shape.ts';

type Arm = 'canary' | 'baseline';

/** What happened between two looks, as nobody but the simulator knows it. */
export interface TrueWindow {
  readonly canary: { readonly requests: number; readonly errors: number };
  readonly baseline: { readonly requests: number; readonly errors: number };
  /** Requests of the canary that would not have failed, or not been slow, at the baseline: by expectation. */
  readonly harmed: number;
}

/** Seconds. */
const edges: readonly number[] = [0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, Number.POSITIVE_INFINITY];
const sloSeconds = 0.1;

interface Pod {
  readonly id: string;
  requests: number;
  errors: number;
  buckets: number[];
  told: SeriesCounts | undefined;
}

/** Traffic of a shape, look by look; the same seed gives the same traffic. */
export class SimulatedTraffic {
  readonly #shape: TrafficShape;
  readonly #random: Random;
  readonly #pods: Readonly<Record<Arm, readonly Pod[]>>;
  readonly #noise: Readonly<Record<Arm, () => number>>;
  /** Parts of requests that are still to come. */
  readonly #carried = { canary: 0, baseline: 0 };

  constructor(shape: TrafficShape, seed: string) {
    this.#shape = shape;
    this.#random = randomOf(`${shape.name} ${seed}`);
    const podsOf = (arm: Arm): readonly Pod[] =>
      Array.from({ length: shape.pods[arm] }, (_, index) => ({
        id: `${arm}-${index}`,
        requests: 0,
        errors: 0,
        buckets: edges.map(() => 0),
        told: undefined,
      }));
    this.#pods = { canary: podsOf('canary'), baseline: podsOf('baseline') };
    const { noise } = shape;
    this.#noise = { canary: rateNoise(noise, this.#random), baseline: rateNoise(noise, this.#random) };
  }

  /**
   * The next window.
   * @param seconds how long it is
   * @param since seconds from the canary's first request to its beginning; below 0: from before the rollout
   * @param weight the canary's, in percent
   */
  advance(seconds: number, since: number, weight: number): TrueWindow {
    const { requestsPerSecond, canaryErrors, baselineErrors, latency, noCanaryTraffic } = this.#shape;
    const total = requestsPerSecond * seconds;
    const sent = { canary: (total * weight) / 100, baseline: total * (1 - weight / 100) };
    const healthy = baselineErrors(since);
    const faulty = since < 0 ? healthy : canaryErrors(since);
    const factor = latency === undefined || since < 0 ? 1 : latency.canaryFactor(since);
    const canary = this.#serve('canary', noCanaryTraffic === true ? 0 : sent.canary, faulty, factor);
    const baseline = this.#serve('baseline', sent.baseline, healthy, 1);
    const slower = latency === undefined ? 0 : this.#slow(factor) - this.#slow(1);
    return { canary, baseline, harmed: canary.requests * (Math.max(0, faulty - healthy) + Math.max(0, slower)) };
  }

  /** What a metrics source would tell now. */
  read(at: number): Reading {
    return { canary: this.#told('canary', at), baseline: this.#told('baseline', at), remarks: [] };
  }

  #serve(arm: Arm, requests: number, rate: number, factor: number): { requests: number; errors: number } {
    const wanted = requests + this.#carried[arm];
    const whole = Math.floor(wanted + 1e-9);
    this.#carried[arm] = wanted - whole;
    const failing = Math.min(1, rate * this.#noise[arm]());
    const pods = this.#pods[arm];
    const first = whole === 0 ? 0 : this.#random.bits() % pods.length;
    let errors = 0;
    for (const [index, pod] of pods.entries()) {
      const turn = (index + first) % pods.length;
      const own = Math.floor(whole / pods.length) + (turn < whole % pods.length ? 1 : 0);
      const failed = drawBinomial(this.#random, own, failing);
      pod.requests += own;
      pod.errors += failed;
      errors += failed;
      if (this.#shape.latency !== undefined) this.#time(pod, own, factor);
    }
    return { requests: whole, errors };
  }

  #time(pod: Pod, requests: number, factor: number): void {
    let left = requests;
    let leftChance = 1;
    for (const [index, edge] of edges.entries()) {
      const below = this.#faster(edges[index - 1], factor);
      const chance = this.#faster(edge, factor) - below;
      const drawn = leftChance <= 0 ? 0 : drawBinomial(this.#random, left, Math.min(1, chance / leftChance));
      pod.buckets[index] = (pod.buckets[index] ?? 0) + drawn;
      left -= drawn;
      leftChance -= chance;
    }
  }

  #faster(edge: number | undefined, factor: number): number {
    const { latency } = this.#shape;
    if (edge === undefined || latency === undefined) return 0;
    if (edge === Number.POSITIVE_INFINITY) return 1;
    return normalCdf(Math.log((edge * 1000) / (latency.medianMs * factor)) / latency.spread);
  }

  #slow(factor: number): number {
    return 1 - this.#faster(sloSeconds, factor);
  }

  #told(arm: Arm, at: number): readonly SeriesCounts[] {
    const { missing = 0, late = 0, restartEverySeconds, latency } = this.#shape;
    return this.#pods[arm].flatMap((pod): readonly SeriesCounts[] => {
      if (missing > 0 && this.#random.unit() < missing) return [];
      if (pod.told !== undefined && late > 0 && this.#random.unit() < late) return [pod.told];
      const seconds = pod.told === undefined ? 0 : (at - pod.told.at) / 1000;
      const told: SeriesCounts = {
        id: pod.id,
        requests: pod.requests,
        errors: pod.errors,
        ...(latency === undefined ? {} : { latency: histogramOf(pod.buckets) }),
        at,
      };
      pod.told = told;
      if (restartEverySeconds !== undefined && this.#random.unit() < seconds / restartEverySeconds) {
        pod.requests = 0;
        pod.errors = 0;
        pod.buckets = edges.map(() => 0);
      }
      return [told];
    });
  }
}

function histogramOf(buckets: readonly number[]): HistogramCounts {
  let below = 0;
  const cumulative = buckets.map((count) => {
    below += count;
    return below;
  });
  return { edges, cumulative };
}
