import type { Analysed, LookStage } from '../analyst.ts';
import { settingsDigest } from '../settings-digest.ts';
import type { Traffic } from '../traffic-provider.ts';

/** What traffic the canary is to have next. */
export interface Stage {
  readonly kind: LookStage['kind'];
  readonly traffic: Traffic;
}

/** Marked requests, whatever the weight. */
export interface HeaderRoute {
  readonly name: string;
  readonly value: string;
}

/** What comes before the first weight. Times in milliseconds. */
export interface Prelude {
  /** Copies of so many percent of the requests, until the analysis is satisfied. */
  readonly shadow?: { readonly percent: number };
  /** Only requests with the header; they are few, so they need not settle anything: so many without harm, for so long. */
  readonly header?: HeaderRoute & { readonly minRequests: number };
}

/** Weights in whole percent, rising, each above 0 and at most 100. */
export interface StepsStrategy extends Prelude {
  readonly kind: 'steps';
  readonly weights: readonly [number, ...number[]];
}

export interface AdaptiveStrategy extends Prelude {
  readonly kind: 'adaptive';
  /** How many requests the rollout may harm in expectation, in all. */
  readonly risk: number;
  /** Percent. */
  readonly startWeight: number;
  readonly maxWeight: number;
  /** A weight is at most so many times the one before. */
  readonly growth: number;
}

export type Strategy = StepsStrategy | AdaptiveStrategy;

/** What a strategy knows when it is asked for the next stage. */
export interface StageSituation {
  /** How many stages are behind, and the traffic of the one that is on. */
  readonly passed: number;
  readonly traffic: Traffic;
  readonly analysed: Analysed;
  /** Of both arms, since the look before. */
  readonly requestsPerSecond: number;
  /** Until the next weight can be taken back. */
  readonly secondsExposed: number;
}

/** A digest: two runs with one digest open the traffic in the same way. */
export function planDigest(strategy: Strategy): string {
  return settingsDigest(strategy);
}
