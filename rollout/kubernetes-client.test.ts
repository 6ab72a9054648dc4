import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { PeerError } from '../core/problem/index.ts';
import { ApiServerStandIn, type Instead } from './kubernetes/api-server-stand-in.ts';
import type { ObjectName } from './kubernetes/kubernetes-object.ts';
import { KubernetesClient, openKubernetes, type Patience } from './kubernetes-client.ts';

const name: ObjectName = {
  group: 'example.com',
  version: 'v1',
  plural: 'routes',
  kind: 'Route',
  namespace: 'shop',
  name: 'churn',
};
const path = '/apis/example.com/v1/namespaces/shop/routes/churn';
const touch = [{ op: 'add', path: '/spec', value: { weight: 5 } }] as const;

let server: ApiServerStandIn;

beforeEach(async () => {
  server = await ApiServerStandIn.start();
  server.put(path, { spec: {} });
});

afterEach(async () => {
  await server[Symbol.asyncDispose]();
});

/** Answers so for the first requests, then as the server does. */
function first(...answers: readonly Instead[]): void {
  const left = [...answers];
  server.instead = () => left.shift();
}

async function problemOf(asked: Promise<unknown>): Promise<PeerError['problems'][0]> {
  const thrown = await asked.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(PeerError);
  return (thrown as PeerError).problems[0];
}

const status = (code: number, message: string): Instead => ({
  status: code,
  body: JSON.stringify({ kind: 'Status', status: 'Failure', code, message }),
});
const denied = status(403, 'routes.example.com "churn" is forbidden: User "bot" cannot get resource "routes"');
const short: Patience = { outageMs: 50, firstMs: 50, answerMs: 200 };

describe('reading', () => {
  test('gives the object, and nothing where there is none', async () => {
    await using client = server.client();
    expect((await client.get(name))?.['spec']).toEqual({});
    expect(await client.get({ ...name, name: 'none' })).toBeUndefined();
    expect(server.asked[0]?.headers).toMatchObject({ authorization: 'Bearer secret-token' });
  });

  test.each([
    ['429', { status: 429 }],
    ['500', status(500, 'etcd')],
    ['503 of a load balancer', { status: 503, body: '<html>' }],
    ['a connection that is cut', 'cut'],
    ['no answer', 'hang'],
  ] as const)('is tried again after %s', async (_, answer) => {
    first(answer, answer);
    await using client = server.client({ answerMs: 200 });
    expect(await client.get(name)).toBeDefined();
    expect(server.asked).toHaveLength(3);
  });

  test('ends when the patience is over, with what to do', async () => {
    server.instead = () => 'cut';
    await using client = server.client(short);
    expect(await problemOf(client.get(name))).toMatchObject({ code: 'unreachable', fix: expect.stringMatching(/\S/) });
  });

  test('ends at once when it is told to', async () => {
    server.instead = () => 'hang';
    await using client = server.client();
    await expect(client.get(name, AbortSignal.timeout(20))).rejects.toMatchObject({ name: 'TimeoutError' });
  });

  test('of what no role allows is refused at once, with the missing rule', async () => {
    first(denied);
    await using client = server.client();
    expect(await problemOf(client.get(name))).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('bot may not get'),
      fix: expect.stringContaining('resourceNames: [churn]'),
    });
    expect(server.asked).toHaveLength(1);
  });

  test('of what was allowed before is tried again: a server that just started has not read its roles yet', async () => {
    await using client = server.client();
    await client.get(name);
    first(denied, status(401, 'Unauthorized'), denied);
    expect(await client.get(name)).toBeDefined();
    expect(server.asked).toHaveLength(5);
  });

  test('tells by the status where a page stands in front of the server', async () => {
    first({ status: 200, body: '<html>Please log in</html>' });
    await using client = server.client(short);
    expect(await problemOf(client.get(name))).toMatchObject({ code: 'no-kubernetes' });
  });

  test('of an answer without end is given up', async () => {
    first({ status: 200, body: 'x'.repeat(33 << 20) });
    await using client = server.client();
    expect(await problemOf(client.get(name))).toMatchObject({ code: 'answer-too-big' });
  });

  test('keeps control characters of the server out of messages, and the token', async () => {
    first(status(400, 'bad\n::warning::\u001b[31m request'));
    await using client = server.client(short);
    const problem = await problemOf(client.get(name));
    expect(JSON.stringify(problem)).not.toMatch(/\\u001b|\\n/);
    expect(JSON.stringify(problem)).not.toContain('secret-token');
  });

  test('of a name with a slash or a newline asks for that name and no other path', async () => {
    await using client = server.client(short);
    await problemOf(client.get({ ...name, name: '../../secrets\n' }));
    expect(server.asked[0]?.path).toBe('/apis/example.com/v1/namespaces/shop/routes/..%2F..%2Fsecrets%0A');
  });

  test('of a server that is not there fails soon, and says where it was looked for', async () => {
    const { url } = server;
    await server[Symbol.asyncDispose]();
    await using client = new KubernetesClient(
      { server: new URL(url), origin: 'context a of the kubeconfig', credentials: { kind: 'none' } },
      { firstMs: 60 },
    );
    const problem = await problemOf(client.get(name));
    expect(problem.message).toBe(`the API server ${url} (context a of the kubeconfig) cannot be reached`);
    server = await ApiServerStandIn.start();
  });

  test('lists by labels', async () => {
    server.put(`${path}-2`, { metadata: { labels: { app: 'a', version: 'v2' } } });
    await using client = server.client();
    expect(await client.list(name, 'shop', 'app=a,version=v2')).toHaveLength(1);
    expect(await client.list(name, 'shop', 'app=a,version=v3')).toEqual([]);
    first({ status: 200, body: '{"items": 5}' });
    expect(await problemOf(client.list(name, 'shop', 'app=a'))).toMatchObject({ code: 'no-kubernetes' });
  });
});

describe('writing', () => {
  test('asks the server to refuse fields that it does not know', async () => {
    await using client = server.client();
    expect(await client.patch(name, touch)).toMatchObject({ outcome: 'written', object: { spec: { weight: 5 } } });
    expect(server.asked[0]?.path).toBe(`${path}?fieldManager=sluice&fieldValidation=Strict`);
    expect(server.asked[0]?.headers['content-type']).toBe('application/json-patch+json');
  });

  test('is tried again where the server surely did nothing', async () => {
    first({ status: 429, headers: { 'retry-after': '0' } }, { status: 429 });
    await using client = server.client();
    expect((await client.patch(name, touch)).outcome).toBe('written');
    expect(server.asked).toHaveLength(3);
  });

  test.each([
    ['500', status(500, 'etcd')],
    ['a connection that is cut', 'cut'],
    ['no answer', 'hang'],
  ] as const)('is not repeated after %s: nobody knows whether it happened', async (_, answer) => {
    first(answer);
    await using client = server.client({ answerMs: 200 });
    expect((await client.patch(name, touch)).outcome).toBe('unknown');
    expect(server.asked).toHaveLength(1);
  });

  test('tells a conflict from a refusal', async () => {
    await using client = server.client();
    const old = { op: 'replace', path: '/metadata/resourceVersion', value: '0' } as const;
    expect((await client.patch(name, [old, ...touch])).outcome).toBe('conflict');
    const other = { op: 'test', path: '/spec', value: { weight: 1 } } as const;
    expect((await client.patch(name, [other, ...touch])).outcome).toBe('refused');
    expect(server.at(path).spec).toEqual({});
  });

  test('to an object that is not there is an error', async () => {
    await using client = server.client();
    expect(await problemOf(client.patch({ ...name, name: 'none' }, touch))).toMatchObject({ code: 'no-such-object' });
  });

  test('makes an object once, and removes it as often as it is told to', async () => {
    await using client = server.client();
    const object = { metadata: { name: 'new' } };
    expect((await client.create(name, 'shop', object)).outcome).toBe('written');
    expect((await client.create(name, 'shop', object)).outcome).toBe('conflict');
    await client.delete({ ...name, name: 'new' });
    await client.delete({ ...name, name: 'new' });
    expect(server.has('/apis/example.com/v1/namespaces/shop/routes/new')).toBe(false);
  });
});

test('the server’s time is that of its last answer', async () => {
  await using client = server.client();
  expect(client.serverTime).toBeUndefined();
  const hours = 7 * 3_600_000;
  const date = new Date(Date.now() + hours).toUTCString();
  const object = JSON.stringify(server.at(path));
  first({ status: 200, body: object, headers: { date } });
  await client.get(name);
  expect(Math.abs((client.serverTime ?? 0) - Date.parse(date))).toBeLessThan(60_000);
});

test('without a kubeconfig and outside of a pod says what to do', () => {
  const open = () => openKubernetes({ files: [], environment: {}, serviceAccount: { folder: '/nowhere' } });
  expect(open).toThrow('there is no kubeconfig');
});
