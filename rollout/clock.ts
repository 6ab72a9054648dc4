import { performance } from 'node:perf_hooks';
import { setTimeout as wait } from 'node:timers/promises';

/** The time of a rollout. */
export interface Clock {
  /** Milliseconds of the epoch; never goes back. */
  now(): number;
  /** Another's clock, to agree with from now on. Only forward. */
  follow(time: number): void;
  /** Ends early, without an error, when `signal` says so. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/**
 * A clock that runs by the machine's monotonic counter: setting the machine's time while a rollout is on neither ends its lease nor lengthens
 * it. It starts at the machine's time, or at the provider's where that tells (`TrafficProvider.now`), which every run of every machine
 * shares. What the counter misses (a laptop asleep) the compare-and-set of the record catches: who was away too long finds it changed.
 */
export function steadyClock(start: number = Date.now()): Clock {
  let offset = start - performance.now();
  return {
    now: () => Math.round(offset + performance.now()),
    follow(time) {
      offset = Math.max(offset, time - performance.now());
    },
    async sleep(milliseconds, signal) {
      if (signal?.aborted === true) return;
      await wait(Math.max(0, milliseconds), undefined, signal === undefined ? {} : { signal }).catch(() => {});
    },
  };
}
