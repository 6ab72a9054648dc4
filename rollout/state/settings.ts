import type { Strategy } from '../strategy/strategy.ts';

/** How a rollout is to be run; from the policy, never persisted. Times in milliseconds. */
export interface RolloutSettings {
  readonly strategy: Strategy;
  /** How often both arms are looked at. */
  readonly lookEvery: number;
  /** After the canary's first request: nothing is judged. */
  readonly warmUp: number;
  /** A stage lasts at least this long. */
  readonly minStage: number;
  /** And at most this long: what is not shown to be harmless by then is rolled back. `undefined`: until the deadline. */
  readonly maxStage?: number;
  /** From the first claim to the promotion, waits and pauses included. */
  readonly deadline: number;
  /** A canary that cannot take its traffic, or a provider that does not follow, for longer than this is rolled back. */
  readonly readyDeadline: number;
  /**
   * How long the holder may be silent. Metrics that cannot be asked for as long are the same silence. A move of its own that takes longer is
   * none to the holder, but it is to a guard or another rollout.
   */
  readonly lease: number;
  /** A rollout that stopped at a safe point is gone on with within this time. */
  readonly resumeWithin: number;
  /** Whether a person has to agree before all traffic goes to the canary. */
  readonly approval: boolean;
}
