import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { type AddressInfo, connect, createServer as createTcpServer, type Server as TcpServer } from 'node:net';
import { generate } from 'selfsigned';
import { afterEach, describe, expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import type { WireRequest } from '../protocol.ts';
import type { Target } from '../target.ts';
import { type LoadOptions, type LoadResult, loadHttp } from './index.ts';
import type { LoadShape } from './load-shape.ts';

const started: TcpServer[] = [];

afterEach(async () => {
  for (const server of started.splice(0)) {
    if ('closeAllConnections' in server) (server as Server).closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
});

async function listening(server: TcpServer, scheme = 'http'): Promise<URL> {
  started.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return new URL(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`);
}

const serve = (listener: RequestListener): Promise<URL> => listening(createServer(listener));

function post(body = '{}', path = '/infer'): WireRequest {
  return { method: 'POST', path, headers: { 'content-type': 'application/json' }, body: Buffer.from(body) };
}

const closed = (more: Partial<LoadShape> = {}): LoadShape =>
  ({ mode: 'closed', concurrency: 2, durationMs: 200, ...more }) as LoadShape;
const open = (more: Partial<LoadShape> = {}): LoadShape =>
  ({ mode: 'open', rate: 200, durationMs: 400, ...more }) as LoadShape;

function load(
  url: URL,
  shape: LoadShape,
  options: LoadOptions & { readonly target?: Partial<Target>; readonly requests?: readonly WireRequest[] } = {},
): Promise<LoadResult> {
  const target = { url, headers: {}, timeoutMs: 10_000, maxAnswerBytes: 100_000, ...options.target };
  return loadHttp(target, options.requests ?? [post()], shape, { warmUpMs: 0, ...options });
}

describe.each([
  ['closed', closed()],
  ['open, evenly', open()],
  ['open, by chance', open({ arrivals: 'poisson' })],
] as const)('load that is %s', (_, shape) => {
  test('sends the requests in turn, whole, and counts their answers', async () => {
    const seen: string[] = [];
    const url = await serve((request, response) => {
      let body = '';
      request
        .on('data', (part) => (body += part))
        .on('end', () => {
          seen.push(`${request.method} ${request.url} ${request.headers['content-type']} ${body}`);
          response.end(body);
        });
    });
    const result = await load(url, shape, { requests: [post('[1]', '/a?b=c'), post('"ä"')] });
    expect(result.sent).toBe(seen.length);
    expect(result).toMatchObject({ answered: result.sent, failures: [], statuses: { 200: result.sent } });
    expect(result.latenciesMs).toHaveLength(result.sent);
    expect(result.latenciesMs.every((latency) => latency > 0)).toBe(true);
    expect(result.seconds).toBeGreaterThan(0);
    expect(new Set(seen)).toEqual(new Set(['POST /a?b=c application/json [1]', 'POST /infer application/json "ä"']));
    expect(result.sent).toBeGreaterThan(result.connections);
  });

  test('counts each way to fail by itself, and takes no time from it', async () => {
    let calls = 0;
    const url = await serve((_request, response) => {
      calls++;
      if (calls % 3 === 1) response.writeHead(503).end('{"error":"queue full"}');
      else if (calls % 3 === 2) response.destroy();
      else response.end();
    });
    const result = await load(url, shape);
    expect(result.answered).toBe(result.latenciesMs.length);
    expect(result.failures.map(({ code }) => code).toSorted()).toEqual(['connection-lost', 'status']);
    expect(result.failures.find(({ code }) => code === 'status')?.said).toBe('503 queue full');
    const failed = result.failures.reduce((sum, { count }) => sum + count, 0);
    expect(failed + result.answered).toBe(result.sent);
    expect(result.statuses[503]).toBe(result.failures.find(({ code }) => code === 'status')?.count);
  });

  test('holds every answer to a check', async () => {
    const url = await serve((_request, response) => response.end('right'));
    const seen = new Set<number>();
    const result = await load(url, shape, {
      requests: [post(), post()],
      check: ({ status, body }, index) => {
        seen.add(index);
        expect(`${status} ${Buffer.from(body)}`).toBe('200 right');
        return index === 1 ? 'row 1 is wrong' : undefined;
      },
    });
    expect(seen).toEqual(new Set([0, 1]));
    expect(result.failures).toEqual([
      { code: 'wrong-answer', said: 'row 1 is wrong', count: result.sent - result.answered },
    ]);
  });

  test('leaves the warm-up out', async () => {
    let first = true;
    const url = await serve((_request, response) => {
      if (first) response.writeHead(500);
      first = false;
      response.end();
    });
    const result = await load(url, shape, { warmUpMs: 50 });
    expect(result.failures).toEqual([]);
    expect(result.sent).toBeGreaterThan(0);
  });

  test('goes on until enough requests were sent', async () => {
    const url = await serve((_request, response) => response.end());
    const least = { leastRequests: 60, longestMs: 20_000 };
    const { sent } = await load(url, { ...shape, durationMs: 1 }, least);
    expect(sent).toBeGreaterThanOrEqual(60);
  });

  test('ends though enough requests cannot be had', async () => {
    const url = await serve((_request, response) => void setTimeout(() => response.end(), 5));
    const { sent } = await load(url, { ...shape, durationMs: 10 }, { leastRequests: 1e6, longestMs: 50 });
    expect(sent).toBeGreaterThan(0);
    expect(sent).toBeLessThan(1e6);
  });

  test('counts requests that nobody takes', async () => {
    const server = createTcpServer();
    const url = await listening(server);
    await new Promise((done) => started.splice(0)[0]?.close(done));
    const result = await load(url, shape);
    expect(result).toMatchObject({ answered: 0, connections: 0, latenciesMs: [] });
    expect(result.failures).toMatchObject([{ code: 'connection-refused', count: result.sent }]);
  });

  test('gives up answers that do not come in time', async () => {
    const url = await serve(() => {});
    const result = await load(url, shape, { target: { timeoutMs: 40 } });
    // On a crowded machine some may not even get their connection in time, which is said in other words.
    expect(new Set(result.failures.map(({ code }) => code))).toEqual(new Set(['timeout']));
    expect(result.failures.reduce((sum, { count }) => sum + count, 0)).toBe(result.sent);
  });

  test('gives up answers that are too big', async () => {
    const url = await serve((_request, response) => response.end('x'.repeat(2000)));
    const result = await load(url, shape, { target: { maxAnswerBytes: 1000 } });
    expect(result.failures).toMatchObject([{ code: 'answer-too-big', count: result.sent }]);
  });

  test('tells what is no HTTP from what is', async () => {
    const url = await listening(
      createTcpServer((socket) =>
        socket
          .on('error', () => {})
          .resume()
          .end('SSH-2.0-x\r\n'),
      ),
    );
    const result = await load(url, shape);
    expect(result.answered).toBe(0);
    expect(result.failures.map(({ code }) => code)).toContain('not-http');
  });

  test('connects anew where the server ends every connection', async () => {
    const url = await serve((_request, response) => response.writeHead(200, { connection: 'close' }).end());
    const result = await load(url, shape);
    expect(result.failures).toEqual([]);
    expect(result.connections).toBeGreaterThanOrEqual(result.sent);
  });

  test('never tells a secret', async () => {
    const secret = 'tok-8c1f2a77';
    const headers = { authorization: `Bearer ${secret}` };
    const url = await serve((request, response) => response.writeHead(401).end(`no: ${request.headers.authorization}`));
    const requests = [{ ...post(), headers }];
    const result = await load(url, shape, { target: { headers }, requests });
    expect(result.failures).toMatchObject([{ code: 'status', said: '401 no: ***' }]);
  });
});

describe('load that is open', () => {
  test('charges a server that stalls for everyone it keeps waiting', async () => {
    const stallMs = 300;
    let calls = 0;
    let until = 0;
    const url = await serve((_request, response) => {
      if (++calls === 20) until = performance.now() + stallMs;
      setTimeout(() => response.end(), Math.max(0, until - performance.now()));
    });
    const shape = { durationMs: 500, rate: 200 };
    const waited = (result: LoadResult) => result.latenciesMs.filter((latency) => latency > stallMs / 3).length;
    // One in a hundred requests was due in each 5 ms of the stall; those of its first two thirds waited a third of it or more.
    expect(waited(await load(url, open(shape)))).toBeGreaterThanOrEqual(35);
    calls = 0;
    // Also when there is one connection only and the others cannot even be sent.
    expect(waited(await load(url, open(shape), { mostConnections: 1 }))).toBeGreaterThanOrEqual(35);
  });

  test('sends at its rate though the server is slower', async () => {
    let most = 0;
    let now = 0;
    const url = await serve((_request, response) => {
      most = Math.max(most, ++now);
      setTimeout(() => {
        now--;
        response.end();
      }, 100);
    });
    const result = await load(url, open({ rate: 100, durationMs: 300 }), { mostConnections: 5 });
    expect(result).toMatchObject({ sent: 30, answered: 30, connections: 5 });
    expect(most).toBe(5);
  });

  test('loses what waits in line for longer than the timeout', async () => {
    const url = await serve(() => {});
    const result = await load(url, open(), { mostConnections: 1, target: { timeoutMs: 60 } });
    expect(result.answered).toBe(0);
    expect(result.failures.map(({ said }) => said)).toContain('no connection became free within 0.06 s');
  });

  test('tells how late its own requests were', async () => {
    const url = await serve((_request, response) => response.end());
    expect((await load(url, open())).lagP99Ms).toBeGreaterThanOrEqual(0);
    expect((await load(url, closed())).lagP99Ms).toBeUndefined();
  });
});

describe('load over TLS', () => {
  test('trusts the authority given, and says why it does not trust another', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
    });
    const url = await listening(
      createTlsServer({ key, cert }, (_request, response) => response.end('ok')),
      'https',
    );
    expect(await load(url, closed(), { target: { ca: cert } })).toMatchObject({ failures: [] });
    const distrusted = await load(url, closed());
    expect(distrusted.failures).toMatchObject([{ code: 'tls-self-signed', count: distrusted.sent }]);
  });
});

describe('load through a proxy', () => {
  test('goes through a tunnel, with the user and password of the proxy', async () => {
    const { private: key, cert } = await generate([{ name: 'commonName', value: 'model.test' }], {
      extensions: [{ name: 'subjectAltName', altNames: [{ type: 2, value: 'model.test' }] }],
    });
    const hosts = new Set<string | undefined>();
    const secure = await listening(
      createTlsServer({ key, cert }, (request, response) => {
        hosts.add(request.headers.host);
        response.end('ok');
      }),
    );
    const asked = new Set<string>();
    const proxy = createServer().on('connect', (request, socket, head) => {
      asked.add(`${request.url} ${request.headers['proxy-authorization']}`);
      const through = connect(Number(secure.port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        through.write(head);
        through.pipe(socket).pipe(through);
      });
      for (const end of [through, socket])
        end.on('error', () => {}).on('close', () => [through, socket].map((each) => each.destroy()));
    });
    const at = await listening(proxy);
    const environment = { HTTPS_PROXY: `http://jo:p%40ss@${at.host}` };
    const result = await load(new URL('https://model.test'), closed(), { target: { ca: cert }, environment });
    expect(result.failures).toEqual([]);
    expect(result.answered).toBeGreaterThan(0);
    expect(asked).toEqual(new Set([`model.test:443 Basic ${btoa('jo:p@ss')}`]));
    expect(hosts).toEqual(new Set(['model.test']));
  });

  test('says that the proxy refused, without its password', async () => {
    const at = await listening(
      createServer().on('connect', (_request, socket) => {
        socket.on('error', () => {}).end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n');
      }),
    );
    const environment = { HTTPS_PROXY: `http://jo:hunter22@${at.host}` };
    const result = await load(new URL('https://model.test'), closed(), { environment });
    expect(result.failures).toMatchObject([{ code: 'proxy-refused', count: result.sent }]);
    expect(JSON.stringify(result.failures)).not.toContain('hunter22');
  });
});

describe('load', () => {
  test('is not sent to where clouds keep credentials, nor with headers that cannot be sent', async () => {
    await expect(load(new URL('http://169.254.169.254'), closed())).rejects.toThrow(InputError);
    const requests = [{ ...post(), headers: { 'x-a': 'b\r\nc: d' } }];
    await expect(load(new URL('http://127.0.0.1:1'), closed(), { requests })).rejects.toThrow(InputError);
    await expect(load(new URL('http://127.0.0.1:1'), closed(), { requests: [] })).rejects.toThrow(InputError);
  });

  test.each([
    closed({ concurrency: 0 }),
    closed({ concurrency: 1.5 }),
    closed({ durationMs: Number.NaN }),
    open({ rate: 0 }),
    open({ rate: Number.POSITIVE_INFINITY }),
  ])('of an impossible shape is refused: %o', async (shape) => {
    await expect(load(new URL('http://127.0.0.1:1'), shape)).rejects.toThrow(RangeError);
  });
});
