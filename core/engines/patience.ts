import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds of the first and of the longest pause. */
const shortest = 50;
const longest = 5000;

/** Pauses that double, each between half and all of it by chance, until so much time went by without a success. */
export class Patience {
  readonly #milliseconds: number;
  #next = shortest;
  #since: number | undefined;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
  }

  /** It went well: the time begins anew. */
  renew(): void {
    this.#next = shortest;
    this.#since = undefined;
  }

  /** Waits, at least so many milliseconds; throws what `failure` makes when that would be too long. */
  async wait(atLeast: number, failure: () => Error): Promise<void> {
    this.#since ??= performance.now();
    const pause = Math.max(atLeast, this.#next * (0.5 + Math.random() / 2));
    this.#next = Math.min(longest, this.#next * 2);
    if (performance.now() - this.#since + pause > this.#milliseconds) throw failure();
    await sleep(pause);
  }
}
