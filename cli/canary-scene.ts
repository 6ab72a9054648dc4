import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openLocalTraffic, parseRecord, type RolloutRecord, type RunningProxy, startProxy } from '../rollout/index.ts';
import { main } from './main.ts';
import type { Recording } from './recorded-streams.ts';

// For tests: two versions of a server, a proxy before them, users who ask it, and a policy that is quick.

const policy = (more: string) => `version: 1
name: churn
canary:
  traffic: { provider: local, state: proxy }
  metrics: { source: proxy }
  strategy: { kind: steps, weights: [50], min_step: 1s }
  analysis: { look_every: 1s, warm_up: 1s, min_requests: 20, errors: { detect_increase: 0.3 } }
  deadline: 10m
${more}`;

/** A canary on this machine. Users ask as fast as they are answered. */
export class CanaryScene implements AsyncDisposable {
  readonly directory: string;
  readonly #proxy: RunningProxy;
  readonly #servers: readonly Server[];
  readonly #users: Promise<void>;
  #asking = true;

  private constructor(directory: string, proxy: RunningProxy, servers: readonly Server[]) {
    this.directory = directory;
    this.#proxy = proxy;
    this.#servers = servers;
    this.#users = this.#ask();
  }

  /** @param errorShare of the canary's answers. @param more lines of the policy, below `canary`. */
  static async open({ errorShare = 0, more = '' } = {}): Promise<CanaryScene> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-canary-'));
    await writeFile(join(directory, 'sluice.yaml'), policy(more));
    const servers = await Promise.all([version('old', 0), version('new', errorShare)]);
    const [old, young] = servers.map((server) => `http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const proxy = await startProxy({ state: join(directory, 'proxy'), baseline: old ?? '', canary: young ?? '' });
    return new CanaryScene(directory, proxy, servers);
  }

  /** Which version answers. */
  async answer(): Promise<string> {
    return (await fetch(this.#proxy.url)).text();
  }

  async record(): Promise<RolloutRecord | undefined> {
    await using provider = openLocalTraffic({ state: join(this.directory, 'proxy') });
    const stored = await provider.record();
    return stored === undefined ? undefined : parseRecord(stored.text);
  }

  async weight(): Promise<number> {
    await using provider = openLocalTraffic({ state: join(this.directory, 'proxy') });
    return (await provider.read()).desired.canaryWeight;
  }

  /** Waits until the rollout's record is as wanted. */
  async until(wanted: (record: RolloutRecord) => boolean): Promise<RolloutRecord> {
    for (;;) {
      const record = await this.record();
      if (record !== undefined && wanted(record)) return record;
      await sleep(20);
    }
  }

  /** `sluice canary ...` in this process, which may be sent a signal. */
  start(...argv: readonly string[]): { readonly ended: Promise<Recording>; signal(name: 'SIGINT' | 'SIGTERM'): void } {
    const written = { stdout: '', stderr: '' };
    let take: ((signal: 'SIGINT' | 'SIGTERM') => void) | undefined;
    const ended = main(['canary', ...argv], {
      stdout: { write: (text) => (written.stdout += text) },
      stderr: { write: (text) => (written.stderr += text) },
      environment: {},
      directory: this.directory,
      takeSignals: (taker) => {
        take = taker;
      },
    });
    return {
      ended: ended.then((exitCode) => ({ exitCode, ...written })),
      signal: (name) => take?.(name),
    };
  }

  run(...argv: readonly string[]): Promise<Recording> {
    return this.start(...argv).ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#asking = false;
    await this.#users;
    await this.#proxy.close();
    for (const server of this.#servers) {
      server.closeAllConnections();
      server.close();
    }
    await rm(this.directory, { recursive: true, force: true });
  }

  async #ask(): Promise<void> {
    const user = async () => {
      while (this.#asking) {
        await fetch(this.#proxy.url).then(
          (response) => response.arrayBuffer(),
          () => {},
        );
        await sleep(4);
      }
    };
    await Promise.all([user(), user()]);
  }
}

async function version(name: string, errorShare: number): Promise<Server> {
  let asked = 0;
  const server = createServer((_, response) => {
    // Evenly spread, so that no run of luck decides a test.
    const fails = Math.floor((asked + 1) * errorShare) > Math.floor(asked * errorShare);
    asked++;
    response.writeHead(fails ? 500 : 200).end(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
