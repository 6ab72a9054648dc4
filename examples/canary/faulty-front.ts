/**
 * Stands in front of a model server and spoils a share of its answers, as a bad release does: `faulty-front.ts URL ERRORS SLOW`, shares
 * from 0 to 1. Which requests suffer is drawn from a fixed seed.
 */
import { request as ask, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What a slow answer takes longer, in milliseconds. */
const delay = 250;

const [target = '', errors = '0', slow = '0'] = process.argv.slice(2);
let drawn = 1;

/** Park and Miller's generator: uniform enough for faults. */
function chance(): number {
  drawn = (drawn * 48_271) % 2_147_483_647;
  return drawn / 2_147_483_647;
}

const server = createServer(async (incoming, response) => {
  if (chance() < Number(errors)) {
    incoming.resume();
    response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"out of memory"}');
    return;
  }
  if (chance() < Number(slow)) await sleep(delay);
  const outgoing = ask(new URL(incoming.url ?? '/', target), { method: incoming.method, headers: incoming.headers });
  outgoing.on('error', () => response.destroy());
  outgoing.on('response', (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(response);
  });
  incoming.pipe(outgoing);
});
server.listen(0, '127.0.0.1', () => {
  console.error(`Ready on http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
