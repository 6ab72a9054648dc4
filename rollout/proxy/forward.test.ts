import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type AddressInfo, createServer as createPlainServer, type Server } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { askWhole, Copy, headersOnward, isStale, Upstream } from './forward.ts';

let undo: (() => void)[] = [];
afterEach(() => {
  for (const step of undo) step();
  undo = [];
});

async function listen(server: Server, host = '127.0.0.1'): Promise<number> {
  server.listen(0, host);
  await once(server, 'listening');
  undo.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

async function upstream(listener: RequestListener, path = ''): Promise<Upstream> {
  const server = createServer(listener);
  const port = await listen(server);
  const opened = new Upstream(`http://127.0.0.1:${port}${path}`);
  undo.push(() => {
    opened.close();
    server.closeAllConnections();
  });
  return opened;
}

const plain = { method: 'POST', path: '/x?y=1', headers: { 'x-own': '1' }, body: Buffer.from('body') };
const wide = { timeoutMs: 20_000, bytes: 1000 };

describe('headers that are handed on', () => {
  test('are all but those that speak of one connection, and those that Connection names', () => {
    expect(
      headersOnward({
        accept: 'a',
        connection: 'Keep-Alive, X-Private ,close',
        'keep-alive': 'timeout=5',
        'proxy-authorization': 'secret',
        'proxy-connection': 'keep-alive',
        te: 'trailers',
        trailer: 'x',
        'transfer-encoding': 'chunked',
        upgrade: 'websocket',
        expect: '100-continue',
        'x-private': 'p',
        close: 'named, too',
        'content-length': '4',
        'set-cookie': ['a', 'b'],
      }),
    ).toEqual({ accept: 'a', 'content-length': '4', 'set-cookie': ['a', 'b'] });
    expect(headersOnward({})).toEqual({});
  });
});

describe('a copy of what passes', () => {
  test('is whole up to its limit, and nothing beyond', () => {
    const copy = new Copy(4);
    expect(copy.whole()?.toString()).toBe('');
    copy.add(Buffer.from('ab'));
    copy.add(Buffer.from('cd'));
    expect(copy.whole()?.toString()).toBe('abcd');
    copy.add(Buffer.from('e'));
    expect(copy.whole()).toBeUndefined();
    copy.add(Buffer.from('f'));
    expect(copy.whole()).toBeUndefined();
  });
});

describe('a question whose answer is wanted whole', () => {
  test('is sent with the path of the server before its own, and its answer read', async () => {
    const seen: (string | undefined)[] = [];
    const to = await upstream(async (request, response) => {
      seen.push(request.method, request.url, request.headers['content-length'], request.headers.host);
      response.writeHead(201, { 'x-a': 'b' }).end((await request.toArray()).join(''));
    }, '/base/');
    const answer = await askWhole(to, plain, wide);
    expect(answer).toMatchObject({ status: 201, headers: { 'x-a': 'b' } });
    expect(answer?.body.toString()).toBe('body');
    expect(seen).toEqual(['POST', '/base/x?y=1', '4', to.url.host]);
  });

  test('has no answer when that is too long, breaks off, is too slow or never comes', async () => {
    const long = await upstream((_, response) => response.end('x'.repeat(1001)));
    expect(await askWhole(long, plain, wide)).toBeUndefined();
    const broken = await upstream((_, response) => {
      response.writeHead(200, { 'content-length': '10' }).write('half');
      setTimeout(() => response.destroy(), 5);
    });
    expect(await askWhole(broken, plain, wide)).toBeUndefined();
    const slow = await upstream((request) => request.resume());
    expect(await askWhole(slow, plain, { ...wide, timeoutMs: 30 })).toBeUndefined();
    const closed = new Upstream('http://127.0.0.1:9');
    expect(await askWhole(closed, plain, wide)).toBeUndefined();
    closed.close();
  });

  test('is asked once more on a fresh connection when a kept one was reset, and only then', async () => {
    let requests = 0;
    const server = createPlainServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', () => {
        requests++;
        // The second request is the first on a kept connection.
        if (requests === 2) socket.resetAndDestroy();
        else socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      });
    });
    const to = new Upstream(`http://127.0.0.1:${await listen(server)}`);
    undo.push(() => to.close());
    const small = { ...plain, body: Buffer.alloc(0) };
    expect((await askWhole(to, small, wide))?.status).toBe(200);
    expect((await askWhole(to, small, wide))?.status).toBe(200);
    expect(requests).toBe(3);

    const always = createPlainServer((socket) =>
      socket.on('error', () => {}).on('data', () => socket.resetAndDestroy()),
    );
    const other = new Upstream(`http://127.0.0.1:${await listen(always)}`);
    undo.push(() => other.close());
    expect(await askWhole(other, small, wide)).toBeUndefined();
  });

  test('reaches a server at an IPv6 address', async ({ skip }) => {
    const server = createServer((_, response) => response.end('six'));
    const port = await listen(server, '::1').catch(() => undefined);
    if (port === undefined) return skip('no IPv6 here');
    const to = new Upstream(`http://[::1]:${port}`);
    undo.push(() => to.close());
    expect((await askWhole(to, plain, wide))?.body.toString()).toBe('six');
  });
});

test('an error is taken for a stale connection only on one that was used before', async () => {
  const to = await upstream((_, response) => response.end());
  const outgoing = to.open('GET', '/', {});
  outgoing.on('error', () => {});
  outgoing.destroy();
  expect(isStale(outgoing, Object.assign(new Error('x'), { code: 'ECONNRESET' }))).toBe(false);
});
