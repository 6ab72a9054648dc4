/** The configuration of a `ModelGateway`, in a real NGINX in front of a server that tells what it was asked. */
import { once } from 'node:events';
import { rename, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Chart, Duration, Testing } from 'cdk8s';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { ModelGateway } from '../constructs/kubernetes/index.ts';
import { type Nginx, startNginx } from './gateway/nginx.ts';

interface Seen {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

let server: Server;
let seen: Seen[];
let nginx: Nginx;

beforeAll(async () => {
  server = createServer(async (asked, response) => {
    const body = await text(asked);
    seen.push({ method: asked.method, url: asked.url, headers: asked.headers });
    if (asked.url === '/silent') return;
    if (asked.url === '/slow') await sleep(1500);
    if (asked.url === '/broken') response.statusCode = 500;
    response.end(JSON.stringify({ count: seen.length, body }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const to = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
  const chart = new Chart(Testing.app(), 'shop');
  const gateway = new ModelGateway(chart, 'models', {
    image: `nginx-unprivileged:1.29.1@sha256:${'a'.repeat(64)}`,
    tokens: { name: 'clients', key: 'tokens' },
    cpu: 1,
    memory: '128Mi',
    routes: [
      { name: 'churn', path: '/churn', to, bodyLimit: '1Ki', timeout: Duration.seconds(3), ready: '/v2/health/ready' },
      { name: 'kept', path: '/kept', to, cache: { ttl: Duration.minutes(1) } },
      { name: 'query', path: '/query', exact: true, to, methods: ['POST'], forwardAuthorization: true },
      { name: 'gone', path: '/gone', to: { host: '127.0.0.1', port: 9 }, ready: '/ready' },
    ],
  });
  nginx = await startNginx(gateway.configMap?.body.data ?? {});
  await writeFile(nginx.tokens, 'first-token\n');
});

afterAll(async () => {
  await nginx?.[Symbol.asyncDispose]();
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  seen = [];
});

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

async function ask(path: string, init: RequestInit = {}, token: string | undefined = 'first-token'): Promise<Answer> {
  const headers = { ...(token === '' ? {} : { Authorization: `Bearer ${token}` }), ...init.headers };
  const response = await fetch(`${nginx.url}${path}`, { ...init, headers });
  return { status: response.status, headers: response.headers, body: await response.text() };
}

/** A path as it stands: `fetch` would tidy it up. */
async function askRaw(path: string): Promise<number | undefined> {
  const asked = request(`${nginx.url}/`, { path, headers: { Authorization: 'Bearer first-token' } }).end();
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}

describe('who may ask', () => {
  test.each(['', 'wrong', 'first-toke', 'first-token-'])('is nobody with the token %j', async (token) => {
    const { status, headers, body } = await ask('/churn/x', {}, token);
    expect([status, headers.get('www-authenticate')]).toEqual([401, 'Bearer']);
    expect(body).toContain('A bearer token is needed');
    expect(seen).toEqual([]);
  });

  test('is who has a token of the Secret, also of one that was replaced meanwhile', async () => {
    expect((await ask('/churn/x')).status).toBe(200);
    expect((await ask('/churn/x', {}, 'second-token')).status).toBe(401);
    // As the kubelet does it: another file in the place of the old one.
    await writeFile(`${nginx.tokens}.new`, 'first-token\nsecond-token\n');
    await rename(`${nginx.tokens}.new`, nginx.tokens);
    expect((await ask('/churn/x', {}, 'second-token')).status).toBe(200);
  });

  test('is anybody who asks the gateway itself, and nobody else who asks for a server', async () => {
    expect(await ask('/healthz', {}, '')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect((await ask('/healthz/churn', {}, '')).status).toBe(401);
    expect((await ask('/healthz/churn')).status).toBe(200);
    expect(seen.map(({ url }) => url)).toEqual(['/v2/health/ready']);
    expect((await ask('/healthz/gone')).status).toBe(502);
  });
});

describe('what a server sees', () => {
  test('is its own path, and no token unless its route says so', async () => {
    await ask('/churn/v2/models?x=1', { headers: { Cookie: 'a=b' } });
    await ask('/query', { method: 'POST', body: '{}' });
    expect(seen.map(({ url }) => url)).toEqual(['/v2/models?x=1', '/query']);
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([undefined, 'Bearer first-token']);
    expect(seen[0]?.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
  });

  test.each(['/churnx', '/', '/other', '/query/below', '/churn/../other', '/churn/..%2fother', '/churn/%2e%2e/other'])(
    'is nothing of %s',
    async (path) => {
      expect(await askRaw(path)).toBe(404);
      expect(seen).toEqual([]);
    },
  );

  test('is nothing of methods that were not named, nor of what is too large', async () => {
    const deleted = await ask('/churn/x', { method: 'DELETE' });
    expect([deleted.status, deleted.headers.get('allow')]).toEqual([405, 'GET, HEAD, POST']);
    expect((await ask('/query')).status).toBe(405);
    const large = await ask('/churn/x', { method: 'POST', body: 'x'.repeat(2000) });
    expect(large).toMatchObject({ status: 413, body: '{"error":"The request is larger than this route takes."}' });
    expect(seen).toEqual([]);
  });
});

describe('what a client sees', () => {
  test("is a server's own failure as it is, and the gateway's own words for one that is late or gone", async () => {
    expect((await ask('/churn/broken')).status).toBe(500);
    expect(await ask('/churn/silent')).toMatchObject({
      status: 504,
      body: '{"error":"The server behind this route did not answer in time."}',
    });
    expect(await ask('/gone/x')).toMatchObject({
      status: 502,
      body: '{"error":"The server behind this route does not answer."}',
    });
  });

  test('is a kept answer to a GET, and never one to a POST, to a cookie or on another route', async () => {
    const twice = async (path: string, init: RequestInit = {}): Promise<boolean> => {
      const first = await ask(path, init);
      return (await ask(path, init)).body === first.body;
    };
    expect(await twice('/kept/a')).toBe(true);
    expect((await ask('/kept/a')).headers.get('x-cache-status')).toBe('HIT');
    expect((await ask('/kept/a', {}, 'wrong')).status).toBe(401);
    expect(await twice('/kept/b', { headers: { Cookie: 'who=me' } })).toBe(false);
    expect(await twice('/kept/c', { method: 'POST', body: 'same' })).toBe(false);
    expect(await twice('/churn/a')).toBe(false);
    expect((await ask('/kept/a?other')).headers.get('x-cache-status')).toBe('MISS');
  });
});

describe('the log', () => {
  test('has a line of JSON for each request, without queries and tokens', async () => {
    await ask('/churn/logged?secret=query', {}, 'first-token');
    await ask('/churn/refused', {}, 'secret-token');
    const lines = nginx.log().split('\n');
    const logged = lines.find((line) => line.includes('/churn/logged')) ?? '';
    expect(JSON.parse(logged)).toMatchObject({ path: '/churn/logged', route: 'churn', status: 200 });
    expect(nginx.log()).not.toMatch(/secret|first-token/);
  });
});

test('when it goes, answers on their way come, and nothing new is taken', async () => {
  const slow = ask('/churn/slow');
  for (let waited = 0; seen.length === 0 && waited < 100; waited++) await sleep(20);
  expect(seen).toHaveLength(1);
  const ended = once(nginx.process, 'exit');
  nginx.process.kill('SIGQUIT');
  expect((await slow).status).toBe(200);
  expect(await ended).toEqual([0, null]);
  await expect(ask('/healthz')).rejects.toThrow();
});
