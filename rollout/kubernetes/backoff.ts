import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds of the first and of the longest pause. */
const shortest = 25;
const longest = 5_000;

/** Pauses that double, each between half and all of it by chance, so that many who were refused together do not come back together. */
export class Backoff {
  #next = shortest;

  /** Waits, at least so many milliseconds. Ends early, and throws, when the signal aborts. */
  async wait(atLeast = 0, signal?: AbortSignal): Promise<void> {
    const pause = this.#next * (0.5 + Math.random() / 2);
    this.#next = Math.min(longest, this.#next * 2);
    await sleep(Math.max(atLeast, pause), undefined, signal === undefined ? {} : { signal });
  }
}
