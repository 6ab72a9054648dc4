import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError, PeerError, type SluiceError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import { HttpAsker } from '../../http-question.ts';
import { fileTrouble } from '../file-trouble.ts';

/** When a server counts as up. */
export interface Health {
  /** Asked with GET; 200 to 299 is well. */
  readonly path: string;
  /** What the answer has to hold: the version, so that a server which was not restarted is not taken for the new one. */
  readonly contains?: string | undefined;
  /** Milliseconds after the restart. */
  readonly withinMs: number;
}

/** Requests that a server gets before users come: caches fill, and a model that cannot answer is found. */
export interface WarmUp {
  readonly path: string;
  /** A file with JSON, sent with POST; GET without it. */
  readonly body?: string | undefined;
  /** @default 1 */
  readonly times?: number | undefined;
}

/** Milliseconds between two questions whether it is up. */
const askAgainMs = 250;

/** Asks the servers on the hosts over HTTP. */
export class HostProbe implements AsyncDisposable {
  readonly #asker = new HttpAsker({ timeoutMs: 10_000, maxAnswerBytes: 2 ** 20 });
  readonly #health: Health;
  readonly #warmUp: readonly WarmUp[];

  constructor(health: Health, warmUp: readonly WarmUp[]) {
    this.#health = health;
    this.#warmUp = warmUp;
  }

  /** Why the server is not well; `undefined` if it is. `version` stands for `{version}` in what the answer has to hold. */
  async trouble(base: string, version: string): Promise<string | undefined> {
    const { path, contains } = this.#health;
    const wanted = contains?.replaceAll('{version}', version);
    try {
      const { status, text } = await this.#asker.ask({ url: urlOf(base, path) });
      if (status < 200 || status > 299) return `${path} answers ${status}`;
      if (wanted !== undefined && !text.includes(wanted))
        return `the answer of ${path} does not hold "${excerpt(wanted)}"`;
      return undefined;
    } catch (error) {
      return reasonOf(error);
    }
  }

  /** Waits until the server is well. Throws a PeerError when that takes too long. */
  async untilWell(name: string, base: string, version: string): Promise<void> {
    const end = performance.now() + this.#health.withinMs;
    for (;;) {
      const trouble = await this.trouble(base, version);
      if (trouble === undefined) return;
      if (performance.now() >= end) {
        throw new PeerError({
          code: 'host-not-well',
          message: `the server on ${name} was not well within ${this.#health.withinMs / 1000} s after it was started with ${version}`,
          found: excerpt(trouble, 200),
          fix: 'Read its log on that host.',
        });
      }
      await sleep(askAgainMs);
    }
  }

  /** Throws a PeerError for the first request that is not answered with 200 to 299. */
  async warmUp(name: string, base: string): Promise<void> {
    for (const { path, body, times = 1 } of this.#warmUp) {
      const json =
        body === undefined ? {} : { body: await bodyOf(body), headers: { 'content-type': 'application/json' } };
      for (let sent = 0; sent < times; sent++) {
        const { status, text } = await this.#asker.ask({ url: urlOf(base, path), ...json });
        if (status >= 200 && status <= 299) continue;
        throw new PeerError({
          code: 'warm-up-failed',
          message: `the server on ${name} answers a warm-up request to ${excerpt(path)} with ${status}`,
          found: excerpt(text, 200),
          fix: 'See whether the model takes this request; correct canary.traffic.warm_up if not.',
        });
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#asker[Symbol.asyncDispose]();
  }
}

async function bodyOf(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new InputError(
      {
        code: 'unreadable-file',
        message: 'a warm-up request cannot be read',
        place: { key: 'canary.traffic.warm_up' },
        found: fileTrouble(cause),
        fix: 'Leave it where it is until the rollout is over.',
      },
      { cause },
    );
  }
}

/** The base may have a path of its own. */
function urlOf(base: string, path: string): URL {
  return new URL(`${base.replace(/\/+$/, '')}/${path.replace(/^\/+/, '')}`);
}

function reasonOf(error: unknown): string {
  const { problems } = error as Partial<SluiceError>;
  return problems?.[0].message ?? (error instanceof Error ? error.message : String(error));
}
