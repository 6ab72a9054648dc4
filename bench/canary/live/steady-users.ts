import { setTimeout as sleep } from 'node:timers/promises';
import { Agent } from 'undici';

/** Milliseconds between two looks at who is due. */
const tickMs = 20;

/** Users who come evenly and do not wait for one another. Light: many of them run side by side, and nobody measures their latency. */
export class SteadyUsers implements AsyncDisposable {
  answered = 0;
  /** No answer at all, or one that is no 200 and no 500. */
  lost = 0;
  #asking = true;
  readonly #agent = new Agent({ connections: 16 });
  readonly #done: Promise<void>;
  readonly #underWay = new Set<Promise<void>>();

  constructor(url: URL, requestsPerSecond: number) {
    this.#done = this.#ask(url, requestsPerSecond);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#asking = false;
    await this.#done;
    await Promise.all(this.#underWay);
    await this.#agent.close();
  }

  async #ask(url: URL, rate: number): Promise<void> {
    const began = performance.now();
    for (let sent = 0; this.#asking; await sleep(tickMs)) {
      const due = Math.floor(((performance.now() - began) / 1000) * rate);
      for (; sent < due; sent++) {
        const one: Promise<void> = this.#one(url).finally(() => this.#underWay.delete(one));
        this.#underWay.add(one);
      }
    }
  }

  async #one(url: URL): Promise<void> {
    try {
      const answer = await this.#agent.request({ origin: url.origin, path: '/v2/models/m/infer', method: 'GET' });
      await answer.body.dump();
      if (answer.statusCode === 200 || answer.statusCode === 500) this.answered++;
      else this.lost++;
    } catch {
      this.lost++;
    }
  }
}
