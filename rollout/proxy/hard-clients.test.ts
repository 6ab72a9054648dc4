import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, get, type IncomingMessage, type RequestListener, request as send } from 'node:http';
import { type AddressInfo, connect, createServer as createPlainServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openProxyMetrics } from '../metrics/proxy.ts';
import { openLocalTraffic } from '../traffic/local.ts';
import { type RunningProxy, startProxy } from './reverse-proxy.ts';

// What old, rude and unlucky clients and servers do to the proxy.

let directory: string;
let undo: (() => Promise<unknown> | unknown)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-hard-clients-'));
  undo = [() => rm(directory, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const step of undo.toReversed()) await step();
});

async function listen(server: Server): Promise<string> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  undo.push(() => server.closeAllConnections());
  return listen(server);
}

/** A server that does with its connections what it likes. */
async function rude(behave: (socket: Socket) => void): Promise<string> {
  return listen(
    createPlainServer((socket) => {
      socket.on('error', () => {});
      behave(socket);
    }),
  );
}

async function proxyTo(baseline: string): Promise<RunningProxy> {
  const proxy = await startProxy({ state: join(directory, 'state'), baseline });
  undo.push(() => proxy.close());
  return proxy;
}

async function baselineCounts() {
  await using source = openProxyMetrics({ state: join(directory, 'state') });
  return (await source.read()).baseline[0];
}

async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await sleep(5);
}

/** Sends these bytes and gives all that comes until the connection is closed. */
async function exchange(port: number, bytes: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(bytes);
  let answer = '';
  for await (const part of socket.setEncoding('utf8')) answer += part;
  return answer;
}

const echo: RequestListener = (request, response) => {
  response.setHeader('x-upgrade', request.headers.upgrade ?? 'none');
  request.pipe(response);
};

describe('the proxy, for clients of any manners,', () => {
  test('answers one of HTTP/1.0, and closes the connection', async () => {
    const proxy = await proxyTo(await serve(echo));
    const answer = await exchange(proxy.port, 'POST / HTTP/1.0\r\ncontent-length: 5\r\n\r\nhello');
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toMatch(/\r\n\r\nhello$/);
    expect(answer).not.toMatch(/transfer-encoding/i);
  });

  test('answers a wish to upgrade as if there was none', async () => {
    const proxy = await proxyTo(await serve(echo));
    const answer = await exchange(
      proxy.port,
      'GET / HTTP/1.1\r\nhost: a\r\nconnection: upgrade, close\r\nupgrade: websocket\r\nsec-websocket-key: x\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(answer).toContain('x-upgrade: none');
  });

  test('says 100 to one that asks whether it may go on', async () => {
    const proxy = await proxyTo(await serve(echo));
    const outgoing = send(proxy.url, { method: 'POST', headers: { expect: '100-continue', 'content-length': 2 } });
    outgoing.flushHeaders();
    await once(outgoing, 'continue');
    outgoing.end('ok');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect((await incoming.toArray()).join('')).toBe('ok');
  });

  test('answers HEAD, 204 and 304 without a body, and goes on with the connection', async () => {
    const proxy = await proxyTo(
      await serve((request, response) => {
        const status = Number(request.url?.slice(1));
        response.writeHead(status, request.method === 'HEAD' ? { 'content-length': '10' } : {}).end();
      }),
    );
    const answer = await exchange(
      proxy.port,
      'HEAD /200 HTTP/1.1\r\nhost: a\r\n\r\nGET /204 HTTP/1.1\r\nhost: a\r\n\r\nGET /304 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    expect(answer.match(/^HTTP\/1\.1 \d+/gm)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 204', 'HTTP/1.1 304']);
    expect(answer).toContain('content-length: 10');
  });

  test('carries large bodies both ways, whole', async () => {
    const proxy = await proxyTo(await serve(echo));
    const size = 40 * 2 ** 20;
    const outgoing = send(proxy.url, { method: 'POST' });
    const piece = Buffer.alloc(2 ** 20, 'abc');
    const [received] = await Promise.all([
      once(outgoing, 'response').then(async ([incoming]) => {
        let [bytes, right] = [0, true];
        for await (const part of incoming as IncomingMessage) {
          const each = part as Buffer;
          right &&= each[0] === piece[bytes % piece.length];
          bytes += each.length;
        }
        return { bytes, right };
      }),
      (async () => {
        for (let written = 0; written < size; written += piece.length) {
          if (!outgoing.write(piece)) await once(outgoing, 'drain');
        }
        outgoing.end();
      })(),
    ]);
    expect(received).toEqual({ bytes: size, right: true });
  });

  test('lets the server know when a client leaves in the middle of its request, and blames nobody', async () => {
    let aborted = 0;
    const proxy = await proxyTo(
      await serve((request) => {
        request.resume();
        request.on('error', () => aborted++);
      }),
    );
    const socket = connect(proxy.port, '127.0.0.1');
    socket.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n${'x'.repeat(50)}`);
    await sleep(50);
    socket.resetAndDestroy();
    await until(async () => aborted === 1 && (await baselineCounts())?.requests === 1);
    expect(await baselineCounts()).toMatchObject({ requests: 1, errors: 0 });
  });

  test('refuses what is no HTTP, and two lengths for one body, before any server sees it', async () => {
    let seen = 0;
    const proxy = await proxyTo(
      await serve((_, response) => {
        seen++;
        response.end();
      }),
    );
    expect(await exchange(proxy.port, 'hello\r\n\r\n')).toMatch(/^HTTP\/1\.1 400/);
    const smuggled =
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 4\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\nGET /admin HTTP/1.1\r\n\r\n';
    expect(await exchange(proxy.port, smuggled)).toMatch(/^HTTP\/1\.1 400/);
    expect(seen).toBe(0);
  });
});

describe('the proxy, before servers of any manners,', () => {
  test.each([
    ['resets the connection at once', (socket: Socket) => socket.resetAndDestroy()],
    ['resets it when it has the request', (socket: Socket) => socket.on('data', () => socket.resetAndDestroy())],
    ['closes without an answer', (socket: Socket) => socket.on('data', () => socket.end())],
    ['does not speak HTTP', (socket: Socket) => socket.on('data', () => socket.end('hello\r\n\r\n'))],
  ])('answers 502 for one that %s, and counts it as its error', async (_what, behave) => {
    const proxy = await proxyTo(await rude(behave));
    const response = await fetch(proxy.url, { method: 'POST', body: 'x' });
    expect(response.status).toBe(502);
    expect(await response.json()).toEqual({ error: 'the server did not answer' });
    expect(await baselineCounts()).toMatchObject({ requests: 1, errors: 1 });
  });

  test('breaks its own answer off where one breaks off, so that nobody takes half for all', async () => {
    const proxy = await proxyTo(
      await rude((socket) =>
        socket.on('data', () => {
          socket.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n');
          setTimeout(() => socket.resetAndDestroy(), 20);
        }),
      ),
    );
    const incoming = await new Promise<IncomingMessage>((resolve) => get(proxy.url, resolve));
    await expect(incoming.toArray()).rejects.toThrow();
    expect(await baselineCounts()).toMatchObject({ requests: 1, errors: 1 });
  });

  test('never sends a request twice that is too large to be kept', async () => {
    let requests = 0;
    const proxy = await proxyTo(
      await rude((socket) => {
        let first = true;
        socket.on('data', (part: Buffer) => {
          if (!first) return;
          first = false;
          requests++;
          if (part.toString('latin1').startsWith('GET')) {
            first = true;
            socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
          } else setTimeout(() => socket.resetAndDestroy(), 50);
        });
      }),
    );
    // Now there is a kept connection.
    expect((await fetch(proxy.url)).status).toBe(200);
    const outgoing = send(proxy.url, { method: 'POST' });
    outgoing.on('error', () => {});
    outgoing.end(Buffer.alloc(3 * 2 ** 20));
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(incoming.statusCode).toBe(502);
    expect(requests).toBe(2);
  });
});

describe('the proxy, with a state of any condition,', () => {
  test('goes on with the last that was whole, and follows again when it is', async () => {
    const [old, fresh] = [
      await serve((_, response) => response.end('old')),
      await serve((_, response) => response.end('new')),
    ];
    const state = join(directory, 'state');
    const told: string[] = [];
    const proxy = await startProxy({ state, baseline: old, canary: fresh, tell: (message) => told.push(message) });
    undo.push(() => proxy.close());
    await using provider = openLocalTraffic({ state });
    const after = await provider.move({
      record: 'r',
      traffic: { canaryWeight: 100, mirrorPercent: 0 },
      after: undefined,
    });
    await until(async () => (await provider.read()).settled);
    // A writer died between its bytes, which no writer of ours can; and the disk kept half of a revision.
    await writeFile(join(state, '1-1.tmp'), '{"version"');
    const broken = join(state, '99999999.json');
    await writeFile(broken, '{"version":1,"baseli');
    await until(async () => told.length > 0);
    expect(told[0]).toContain('cannot be understood');
    expect(await (await fetch(proxy.url)).text()).toBe('new');
    await rm(broken);
    await provider.move({ record: 'r', traffic: { canaryWeight: 0, mirrorPercent: 0 }, after });
    await until(async () => (await (await fetch(proxy.url)).text()) === 'old');
  });

  test('does not begin on a state that it cannot read', async () => {
    const state = join(directory, 'state');
    const first = await startProxy({ state, baseline: 'http://127.0.0.1:9' });
    await first.close();
    await writeFile(join(state, '99999999.json'), 'half');
    await expect(startProxy({ state, baseline: 'http://127.0.0.1:9' })).rejects.toMatchObject({
      problems: [{ code: 'unreadable-state' }],
    });
  });
});
