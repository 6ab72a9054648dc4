import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomOf } from '../../../core/statistics/index.ts';

export interface FailingServer extends AsyncDisposable {
  readonly url: URL;
  /** From now on so large a share of the answers fails, drawn from a seed. */
  fail(share: number, seed: string): void;
}

/** A server that answers whatever arrives, a share of it with 500. */
export async function startFailingServer(share: number, seed: string): Promise<FailingServer> {
  let errors = share;
  let random = randomOf(seed);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    response.writeHead(random.unit() < errors ? 500 : 200).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    fail(next, nextSeed) {
      errors = next;
      random = randomOf(nextSeed);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
