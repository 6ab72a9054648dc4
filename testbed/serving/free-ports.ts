import { createServer, type Server } from 'node:net';

/** So many different ports of loopback that nobody listens on. All are held until all are known. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held = await Promise.all(Array.from({ length: count }, () => listenOn(0)));
  const ports = held.map(portOf);
  await Promise.all(held.map(close));
  return ports;
}

/** The same, each one above the one before, as servers with several ports have them by default. */
export async function portsInARow(count: number): Promise<readonly number[]> {
  for (;;) {
    const first = await listenOn(0);
    const ports = Array.from({ length: count }, (_, index) => portOf(first) + index);
    const others = await Promise.allSettled(ports.slice(1).map(listenOn));
    const held = others.filter((each) => each.status === 'fulfilled').map(({ value }) => value);
    await Promise.all([first, ...held].map(close));
    if (held.length === count - 1) return ports;
  }
}

function listenOn(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The system gave no port on loopback.');
  return address.port;
}

function close(server: Server): Promise<unknown> {
  return new Promise((resolve) => server.close(resolve));
}
