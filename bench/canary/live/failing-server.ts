import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { randomOf } from '../../../core/statistics/index.ts';

/** A server that answers whatever arrives, a share of it with 500, drawn from a seed. */
export async function startFailingServer(
  errors: number,
  seed: string,
): Promise<{ readonly url: URL } & AsyncDisposable> {
  const random = randomOf(seed);
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    request.resume();
    response.writeHead(random.unit() < errors ? 500 : 200).end();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((closed) => server.close(closed));
    },
  };
}
