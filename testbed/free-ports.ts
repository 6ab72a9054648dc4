import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Where ports are looked for: below those the kernel gives to outgoing connections and to servers on port 0 (32768 and up on Linux, `ip(7)`; 49152 on
 * macOS), so that nothing takes one between our look and the server's start; and above the ports of Ray's workers, 10002 to 19999.
 */
const first = 20_000;
const last = 32_767;

/** Ports that tests of this run were given, a file each: test files run side by side, and a server takes seconds until it listens on its port. */
const claims = join(tmpdir(), 'sluice-ports');

/** So many different ports of loopback that nobody listens on, and that no other test gets before this process ends. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const ports: number[] = [];
  while (ports.length < count) ports.push(...(await portsInARow(1)));
  return ports;
}

/** The same, each one above the one before, as servers with several ports have them by default. */
export async function portsInARow(count: number): Promise<readonly number[]> {
  for (;;) {
    const start = first + Math.floor(Math.random() * (last - first - count + 2));
    const ports = Array.from({ length: count }, (_, index) => start + index);
    if (await takeEach(ports)) return ports;
  }
}

/** What this process has claimed; it lets go of it when it ends. */
const held = new Set<number>();
process.once('exit', () => held.forEach(release));

async function takeEach(ports: readonly number[]): Promise<boolean> {
  const taken: number[] = [];
  for (const port of ports) {
    const mine = claim(port);
    if (mine) taken.push(port);
    if (mine && (await isFree(port))) continue;
    taken.forEach(release);
    return false;
  }
  return true;
}

/** Whether the port was nobody's. Two processes that ask at the same time do not both get it: the file is made by one of them. */
function claim(port: number): boolean {
  mkdirSync(claims, { recursive: true });
  try {
    writeFileSync(join(claims, String(port)), '', { flag: 'wx' });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false;
    throw error;
  }
  held.add(port);
  return true;
}

function release(port: number): void {
  held.delete(port);
  rmSync(join(claims, String(port)), { force: true });
}

/** Whether a server could listen there, on every address: some of the peers do not ask for loopback alone. */
function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
