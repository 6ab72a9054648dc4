import type { Analysed } from '../analyst.ts';
import type { Traffic, TrafficState } from '../traffic-provider.ts';
import type { Command } from './record.ts';

/** What a run saw at one look, all at once: the provider, the metrics, an approval. */
export interface Observed {
  readonly kind: 'observed';
  readonly traffic: Pick<TrafficState, 'desired' | 'settled' | 'notReady' | 'takenBack'>;
  /** Absent: the metrics could not be asked, or there is nothing to look at in this phase. */
  readonly analysed?: Analysed;
  /** The metrics could not be asked. */
  readonly blind: boolean;
  /** Of both arms, since the look before. */
  readonly requestsPerSecond: number;
  /** Milliseconds since the look before in which the provider was at work on this run's own move. That is no silence. */
  readonly movedFor: number;
  readonly approved: boolean;
  /** This run has to end soon: stop at the next safe point. */
  readonly stop: boolean;
}

/** What can happen to a rollout. `now`: milliseconds of the epoch by the rollout's clock. */
export type RolloutEvent = { readonly now: number } & (
  | Observed
  /** A person, through a second process. */
  | { readonly kind: 'ordered'; readonly command: Command; readonly by: string }
  /** The run has to go back now: cancelled, broken, told to by a signal, its record removed. */
  | { readonly kind: 'cancelled'; readonly why: string }
  /** Another run goes on with it: after a stop, after a crash, or to clear up what another rollout left. */
  | { readonly kind: 'resumed'; readonly holder: string; readonly plan?: string }
  /** The provider's objects are as the effect `finish` wanted them. */
  | { readonly kind: 'finished' }
);

/** What has to be done once the record is persisted, in this order. Each may be repeated after a crash. */
export type Effect =
  | { readonly kind: 'tell'; readonly message: string; readonly warn?: boolean }
  /** The objects of the provider, for good. Leads to the event `finished`. */
  | { readonly kind: 'finish'; readonly outcome: 'promoted' | 'rolled-back' };

/** Whether two say the same of every request. */
export function sameTraffic(one: Traffic, other: Traffic): boolean {
  return (
    one.canaryWeight === other.canaryWeight &&
    one.mirrorPercent === other.mirrorPercent &&
    one.header?.name === other.header?.name &&
    one.header?.value === other.header?.value
  );
}
