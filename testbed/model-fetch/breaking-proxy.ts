import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';

/** A line to a server of loopback that breaks. */
export interface BreakingProxy extends AsyncDisposable {
  readonly port: number;
  /** The next so many connections break once so many bytes have come from the server. */
  breakNext(connections: number, bytes: number): void;
  /** How many were broken. */
  broken(): number;
  /** Bytes that came from the server, by all connections. */
  bytes(): number;
}

/** Starts one in front of a port. */
export async function breakingProxy(target: number): Promise<BreakingProxy> {
  let toBreak = 0;
  let limit = 0;
  let broken = 0;
  let bytes = 0;
  const open = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      open.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        open.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    let received = 0;
    client.pipe(upstream);
    upstream.on('data', (chunk) => {
      received += chunk.length;
      bytes += chunk.length;
      if (toBreak > 0 && received > limit) {
        toBreak--;
        broken++;
        client.resetAndDestroy();
        return;
      }
      if (!client.write(chunk)) {
        upstream.pause();
        client.once('drain', () => upstream.resume());
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    breakNext: (connections, after) => {
      toBreak = connections;
      limit = after;
    },
    broken: () => broken,
    bytes: () => bytes,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
