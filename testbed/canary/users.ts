import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodeInferRequest } from '../../core/inference/index.ts';
import { loadHttp, type WireRequest } from '../../smoke/index.ts';
import type { LoadFailure } from '../../smoke/load/index.ts';

const example = join(import.meta.dirname, '..', '..', 'examples', 'breast-cancer');

/** The name of the model that all servers here have. */
export const modelName = 'tumour';

/** What users saw. */
export interface Asked {
  readonly sent: number;
  readonly answered: number;
  readonly failures: readonly LoadFailure[];
}

/** Users who ask for predictions about one patient after the other, as chance sends them, until they are told to stop. */
export class Users implements AsyncDisposable {
  #sent = 0;
  #answered = 0;
  readonly #failures: LoadFailure[] = [];
  #asking = true;
  readonly #done: Promise<void>;

  constructor(url: URL, requestsPerSecond: number) {
    this.#done = this.#ask(url, requestsPerSecond);
  }

  get asked(): Asked {
    return { sent: this.#sent, answered: this.#answered, failures: this.#failures };
  }

  /** Waits for the last answer. */
  async stop(): Promise<Asked> {
    this.#asking = false;
    await this.#done;
    return this.asked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #ask(url: URL, rate: number): Promise<void> {
    const requests = patientRequests();
    const target = { url, headers: {}, timeoutMs: 20_000, maxAnswerBytes: 1_000_000 };
    const shape = { mode: 'open', rate, durationMs: 1000, arrivals: 'poisson' } as const;
    for (let round = 0; this.#asking; round++) {
      const { sent, answered, failures } = await loadHttp(target, requests, shape, {
        warmUpMs: 0,
        seed: `users ${round}`,
      });
      this.#sent += sent;
      this.#answered += answered;
      this.#failures.push(...failures);
    }
  }
}

/** A request for each patient of the example's test data: thirty measurements. */
export function patientRequests(): readonly WireRequest[] {
  const [, ...rows] = readFileSync(join(example, 'data', 'test.csv'), 'utf8')
    .trim()
    .split('\n');
  return rows.map((row) => {
    const data = Float32Array.from(row.split(',').slice(0, 30), Number);
    const { body, headers } = encodeInferRequest({ feeds: { features: { type: 'float32', data, dims: [1, 30] } } });
    // The header of the tenant that some routes ask for.
    return { method: 'POST', path: `/v2/models/${modelName}/infer`, headers: { ...headers, 'x-tenant': 'a' }, body };
  });
}
