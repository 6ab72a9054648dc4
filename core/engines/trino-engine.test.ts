import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { InputError, SluiceError } from '../problem/index.ts';
import { openTrino } from './index.ts';

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A server that answers each request with the next of these pages. The real protocol is tried in the testbed. */
async function serving(...pages: readonly { readonly status?: number; readonly page?: unknown }[]) {
  const asked: Asked[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const part of request) body += part;
    const { status = 200, page = {} } = pages[asked.length] ?? { status: 500 };
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
    response.writeHead(status).end(typeof page === 'string' ? page : JSON.stringify(page));
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { asked, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/behind/a/gateway`) };
}

const place = (url: URL, environment: Readonly<Record<string, string>> = {}) => ({
  url,
  user: 'tester',
  withinMs: 5000,
  patienceMs: 500,
  environment,
});
const next = (path: string) => `http://another.example.com${path}`;

async function problemOf(question: Promise<unknown>) {
  const error = await question.then(
    () => undefined,
    (cause: unknown) => cause,
  );
  return error instanceof SluiceError ? error.problems[0] : undefined;
}

describe('a question to Trino', () => {
  it('follows the pages at the server that was named, with its credentials', async () => {
    const { asked, url } = await serving(
      { page: { id: 'q', nextUri: next('/v1/statement/q/1') } },
      {
        page: {
          id: 'q',
          nextUri: next('/v1/statement/q/2?slug=y'),
          columns: [{ name: 'n', type: 'bigint' }],
          data: [[1]],
        },
      },
      { page: { id: 'q', columns: [{ name: 'n', type: 'bigint' }], data: [[2]] } },
    );
    await using engine = await openTrino(place(url, { TRINO_PASSWORD: 'a secret' }));
    expect(await engine.query('SELECT n')).toEqual([{ n: 1 }, { n: 2 }]);
    expect(asked.map(({ method, url: path }) => `${method} ${path}`)).toEqual([
      'POST /behind/a/gateway/v1/statement',
      'GET /v1/statement/q/1',
      'GET /v1/statement/q/2?slug=y',
    ]);
    expect(asked.map(({ headers }) => headers['authorization'])).toEqual(
      Array.from({ length: 3 }, () => `Basic ${Buffer.from('tester:a secret').toString('base64')}`),
    );
    expect(engine.spent()).toBe('1 statement, 0 kB read');
  });

  it('is cancelled where its answer goes wrong', async () => {
    const { asked, url } = await serving(
      { page: { id: 'q', nextUri: next('/v1/statement/q/1') } },
      { status: 500, page: 'a\nbroken ::error::server' },
      { status: 204, page: '' },
    );
    await using engine = await openTrino(place(url));
    expect(await problemOf(engine.query('SELECT 1'))).toMatchObject({
      code: 'trino-refused',
      found: expect.stringMatching(/^a.*broken/),
    });
    expect(asked.at(-1)).toMatchObject({ method: 'DELETE', url: '/v1/statement/q/1' });
  });

  it('says what is missing where the server does not know who asks, and never the secret', async () => {
    const { url } = await serving({ status: 401, page: 'Bearer my-long-token is not known' });
    await using engine = await openTrino(place(url, { TRINO_ACCESS_TOKEN: 'my-long-token' }));
    const problem = await problemOf(engine.query('SELECT 1'));
    expect(problem?.code).toBe('trino-unauthorized');
    expect(JSON.stringify(problem)).not.toContain('my-long-token');
  });

  it('tells a server that is something else', async () => {
    const { url } = await serving({ page: '<!doctype html><p>Welcome' });
    await using engine = await openTrino(place(url));
    expect((await problemOf(engine.query('SELECT 1')))?.code).toBe('trino-not-here');
  });

  it('sends no secret over the network unencrypted', async () => {
    const remote = place(new URL('http://trino.example.com'), { TRINO_PASSWORD: 'x' });
    await expect(openTrino(remote)).rejects.toThrow(InputError);
    await expect(openTrino(place(new URL('http://trino.example.com')))).resolves.toBeDefined();
    const two = place(new URL('https://t.example.com'), { TRINO_PASSWORD: 'x', TRINO_ACCESS_TOKEN: 'y' });
    await expect(openTrino(two)).rejects.toThrow(InputError);
  });
});
