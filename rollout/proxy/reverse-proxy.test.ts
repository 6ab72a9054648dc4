import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, createServer, get, type IncomingMessage, type RequestListener, request as send } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openProxyMetrics } from '../metrics/proxy.ts';
import { firstRecord } from '../state/claim.ts';
import { parseRecord, type RolloutRecord, recordText } from '../state/record.ts';
import { openLocalTraffic } from '../traffic/local.ts';
import type { Traffic } from '../traffic-provider.ts';
import { type ProxyOptions, type RunningProxy, startProxy } from './reverse-proxy.ts';

let directory: string;
let undo: (() => Promise<unknown> | unknown)[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-proxy-'));
  undo = [() => rm(directory, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const step of undo.toReversed()) await step();
});

async function serve(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  undo.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const hello =
  (text: string, status = 200): RequestListener =>
  (request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(status).end(text));
  };

async function open(options: Omit<ProxyOptions, 'state'>, traffic?: Traffic): Promise<RunningProxy> {
  const state = join(directory, 'state');
  const proxy = await startProxy({ state, ...options });
  undo.push(() => proxy.close());
  if (traffic !== undefined) await move(traffic);
  return proxy;
}

/** Opens the traffic, and waits until the proxy follows. */
async function move(traffic: Traffic): Promise<void> {
  await using provider = openLocalTraffic({ state: join(directory, 'state') });
  await provider.move({ record: 'r', traffic, after: (await provider.record())?.revision });
  expect((await provider.read()).settled).toBe(true);
}

async function counts() {
  await using source = openProxyMetrics({ state: join(directory, 'state') });
  const { canary, baseline, remarks } = await source.read();
  return { canary: canary[0], baseline: baseline[0], remarks };
}

/** Mirrored requests end when they end. */
async function until(done: () => Promise<boolean>): Promise<void> {
  while (!(await done())) await sleep(5);
}

const post = (url: string, body: string, headers: Readonly<Record<string, string>> = {}) =>
  fetch(url, { method: 'POST', body, headers });

describe('the proxy', () => {
  test('hands on method, path, query, headers and body, and what speaks of one connection it keeps', async () => {
    const seen: {
      url?: string | undefined;
      method?: string | undefined;
      headers?: IncomingMessage['headers'];
      body?: string;
    }[] = [];
    const baseline = await serve((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        seen.push({ url: request.url, method: request.method, headers: request.headers, body });
        response.writeHead(418, { 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] }).end('short and stout');
      });
    });
    const proxy = await open({ baseline: `${baseline}/base` });
    const response = await new Promise<IncomingMessage>((resolve) => {
      send(
        `${proxy.url}/v2/models/m/infer?a=%20b`,
        { method: 'PUT', headers: { 'x-own': '1', connection: 'keep-alive, x-hop', 'x-hop': 'gone', te: 'trailers' } },
        resolve,
      ).end('body');
    });
    expect(response.statusCode).toBe(418);
    expect(response.headers).toMatchObject({ 'x-answer': 'yes', 'set-cookie': ['a=1', 'b=2'] });
    expect((await response.toArray()).join('')).toBe('short and stout');
    expect(seen).toMatchObject([{ method: 'PUT', url: '/base/v2/models/m/infer?a=%20b', body: 'body' }]);
    expect(seen[0]?.headers).toMatchObject({
      'x-own': '1',
      'x-forwarded-for': '127.0.0.1',
      host: new URL(baseline).host,
    });
    expect(seen[0]?.headers).not.toHaveProperty('x-hop');
    expect(seen[0]?.headers).not.toHaveProperty('te');
  });

  test('streams both ways: an answer begins before the request ends', async () => {
    const baseline = await serve((request, response) => {
      request.on('data', (part: Buffer) => response.write(part.toString().toUpperCase()));
      request.on('end', () => response.end('!'));
    });
    const proxy = await open({ baseline });
    const outgoing = send(proxy.url, { method: 'POST' });
    outgoing.write('one');
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    expect(String((await once(incoming, 'data'))[0])).toBe('ONE');
    outgoing.end('two');
    expect((await incoming.toArray()).join('')).toBe('TWO!');
  });

  test('holds little of what a slow reader does not take', async () => {
    const size = 64 * 2 ** 20;
    let written = 0;
    const baseline = await serve((_, response) => {
      const chunk = Buffer.alloc(2 ** 16);
      const more = (): void => {
        while (written < size) {
          written += chunk.length;
          if (!response.write(chunk)) {
            response.once('drain', more);
            return;
          }
        }
        response.end();
      };
      more();
    });
    const proxy = await open({ baseline });
    const incoming = await new Promise<IncomingMessage>((resolve) => get(proxy.url, resolve));
    incoming.pause();
    // Until no more is taken on the way: buffers of the system and of both sides.
    for (let before = -1; before !== written; await sleep(100)) before = written;
    expect(written).toBeLessThan(size / 2);
    let read = 0;
    for await (const part of incoming) read += (part as Buffer).length;
    expect(read).toBe(size);
  });

  test('keeps its connections to the servers', async () => {
    let connections = 0;
    const server = createServer(hello('ok'));
    server.on('connection', () => connections++);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => server.close());
    const proxy = await open({ baseline: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    for (let request = 0; request < 20; request++) await (await post(proxy.url, 'x')).text();
    expect(connections).toBe(1);
  });

  test('loses no request when a server closes kept connections', async () => {
    const server = createServer({ keepAliveTimeout: 1 }, hello('ok'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    undo.push(() => server.close());
    const proxy = await open({ baseline: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
    const statuses: number[] = [];
    for (let request = 0; request < 40; request++) {
      const response = await post(proxy.url, 'x'.repeat(1000));
      await response.text();
      statuses.push(response.status);
      server.closeIdleConnections();
    }
    expect(new Set(statuses)).toEqual(new Set([200]));
  });

  test('answers 502 for a server that is not there, 504 for one that is silent, and counts both as its errors', async () => {
    const silent = await serve((request) => request.resume());
    const proxy = await open(
      { baseline: silent, canary: 'http://127.0.0.1:9', timeoutMs: 50 },
      { canaryWeight: 0, mirrorPercent: 0 },
    );
    expect((await post(proxy.url, 'x')).status).toBe(504);
    await move({ canaryWeight: 100, mirrorPercent: 0 });
    expect((await post(proxy.url, 'x')).status).toBe(502);
    const { canary, baseline } = await counts();
    expect(canary).toMatchObject({ requests: 1, errors: 1 });
    expect(baseline).toMatchObject({ requests: 1, errors: 1 });
  });

  test('counts 5xx and answers that break off as errors, 4xx and clients that leave not', async () => {
    const baseline = await serve((request, response) => {
      if (request.url === '/500') response.writeHead(500).end();
      else if (request.url === '/400') response.writeHead(400).end();
      else if (request.url === '/broken') {
        response.writeHead(200, { 'content-length': '100' }).write('half');
        setTimeout(() => response.destroy(), 10);
      } else if (request.url === '/long') response.writeHead(200).write('never ends');
      else response.end('ok');
    });
    const proxy = await open({ baseline });
    for (const path of ['/500', '/400', '/']) await (await fetch(proxy.url + path)).text();
    await expect(fetch(`${proxy.url}/broken`).then((response) => response.text())).rejects.toThrow();
    const left = connect(proxy.port, '127.0.0.1');
    left.write('GET /long HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(left, 'data');
    left.destroy();
    await until(async () => (await counts()).baseline?.requests === 5);
    const { baseline: counted } = await counts();
    expect(counted).toMatchObject({ requests: 5, errors: 2 });
    expect(counted?.latency?.cumulative.at(-1)).toBe(3);
  });

  test('copies requests to the canary, and its answers, errors and silence never reach a user', async () => {
    const bodies: string[] = [];
    const canary = await serve((request, response) => {
      let body = '';
      request.on('data', (part) => {
        body += part;
      });
      request.on('end', () => {
        bodies.push(`${request.headers['x-sluice-mirrored']} ${body}`);
        if (body === 'crash') request.socket.destroy();
        else if (body === 'fail') response.writeHead(500).end('no');
        else if (body !== 'silence') response.end(body === 'differ' ? '{"y":2}' : '{"y":1.0000001}');
      });
    });
    const baseline = await serve(hello('{"y":1}'));
    const proxy = await open({ baseline, canary, timeoutMs: 200 }, { canaryWeight: 0, mirrorPercent: 100 });
    for (const body of ['same', 'same', 'differ', 'fail', 'crash', 'silence']) {
      const response = await post(proxy.url, body);
      expect([response.status, await response.text()]).toEqual([200, '{"y":1}']);
    }
    await until(async () => (await counts()).canary?.means?.['agreement']?.count === 6);
    expect((await counts()).canary).toMatchObject({
      requests: 6,
      errors: 3,
      means: { agreement: { sum: 2, count: 6, squares: 2 } },
    });
    expect((await counts()).baseline).toMatchObject({ requests: 6, errors: 0 });
    // A kept connection that is reset is taken for a stale one, once.
    expect([...new Set(bodies)].toSorted()).toEqual(
      ['crash', 'differ', 'fail', 'same', 'silence'].map((body) => `true ${body}`),
    );
    expect(bodies.length).toBeLessThanOrEqual(7);
  });

  test('copies no more than a server can take, and says so', async () => {
    const canary = await serve((request) => request.resume());
    const baseline = await serve(hello('{}'));
    const proxy = await open({ baseline, canary, mostMirrored: 2 }, { canaryWeight: 0, mirrorPercent: 100 });
    for (let request = 0; request < 5; request++) await (await post(proxy.url, 'x')).text();
    expect((await counts()).remarks).toEqual(['3 requests were not copied: too many copies were on their way.']);
  });

  test('keeps the weights over its own restart, whatever it is started with', async () => {
    const [baseline, canary] = [await serve(hello('old')), await serve(hello('new'))];
    const first = await open({ baseline, canary }, { canaryWeight: 100, mirrorPercent: 0 });
    await first.close();
    const second = await open({ baseline: 'http://127.0.0.1:9' });
    expect(await (await fetch(second.url)).text()).toBe('new');
    await using provider = openLocalTraffic({ state: join(directory, 'state') });
    await provider.finish('promoted');
    await second.close();
    const third = await open({ baseline });
    expect(await (await fetch(third.url)).text()).toBe('new');
  });

  test('gives the baseline everything back when the lease runs out, though nobody else lives', async () => {
    const [baseline, canary] = [await serve(hello('old')), await serve(hello('new'))];
    const told: string[] = [];
    const proxy = await open(
      { baseline, canary, tell: (message) => told.push(message) },
      { canaryWeight: 100, mirrorPercent: 0 },
    );
    await using provider = openLocalTraffic({ state: join(directory, 'state') });
    const record = await provider.record();
    await provider.guard?.install({ expires: new Date(Date.now() + 60_000), rolloutId: 'r-1' });
    expect(await (await fetch(proxy.url)).text()).toBe('new');
    await provider.guard?.install({ expires: new Date(Date.now() + 50), rolloutId: 'r-1' });
    await until(async () => (await (await fetch(proxy.url)).text()) === 'old');
    await until(async () => told.length > 0);
    expect(told).toEqual(['The lease of r-1 ran out: all traffic is back at the baseline.']);
    expect((await provider.read()).desired).toEqual({ canaryWeight: 0, mirrorPercent: 0 });
    // Who comes back finds that the traffic is not as it was left.
    await expect(
      provider.move({ record: 'on', traffic: { canaryWeight: 100, mirrorPercent: 0 }, after: record?.revision }),
    ).rejects.toMatchObject({ name: 'TrafficConflict' });
    expect((await provider.record())?.text).toBe('r');
  });

  test('ends a rollout whose lease ran out as its record says, and no other', async () => {
    const [baseline, canary] = [await serve(hello('old')), await serve(hello('new'))];
    const told: string[] = [];
    const proxy = await open({ baseline, canary, tell: (message) => told.push(message) });
    await using provider = openLocalTraffic({ state: join(directory, 'state') });
    const claimed = firstRecord({ id: 'r-1', holder: 'run', plan: 'p', now: Date.now(), lease: 60_000 });
    const traffic = { canaryWeight: 100, mirrorPercent: 0 };
    const step: RolloutRecord = { ...claimed, phase: 'step', traffic };
    // The lease was long over when the guard was put up; the record has a newer one.
    await provider.guard?.install({ expires: new Date(0), rolloutId: 'r-1' });
    const revision = await provider.move({ record: recordText(step), traffic, after: undefined });
    await provider.read();
    await sleep(500);
    expect(await (await fetch(proxy.url)).text()).toBe('new');
    await provider.move({ record: recordText({ ...step, leaseUntil: Date.now() - 1 }), after: revision });
    await until(async () => told.length > 0);
    expect(told).toEqual(['The lease of r-1 ran out: all traffic is back at the baseline.']);
    expect(await (await fetch(proxy.url)).text()).toBe('old');
    const record = parseRecord((await provider.record())?.text ?? '');
    expect(record).toMatchObject({ phase: 'rolled-back', reason: expect.stringContaining('lease ran out') });
  });

  test('goes forward with a canary that was the new baseline when its rollout was lost', async () => {
    const [baseline, canary] = [await serve(hello('old')), await serve(hello('new'))];
    const told: string[] = [];
    const proxy = await open({ baseline, canary, tell: (message) => told.push(message) });
    await using provider = openLocalTraffic({ state: join(directory, 'state') });
    const claimed = firstRecord({ id: 'r-1', holder: 'run', plan: 'p', now: Date.now() - 120_000, lease: 60_000 });
    const traffic = { canaryWeight: 100, mirrorPercent: 0 };
    await provider.move({ record: recordText({ ...claimed, phase: 'finishing', traffic }), traffic, after: undefined });
    await provider.guard?.install({ expires: new Date(0), rolloutId: 'r-1' });
    await until(async () => told.length > 0);
    expect(told).toEqual(['The lease of r-1 ran out; the canary was the new baseline already.']);
    expect(parseRecord((await provider.record())?.text ?? '').phase).toBe('promoted');
    expect(await (await fetch(proxy.url)).text()).toBe('new');
  });

  test('closes the traffic at the end of the lease even if the state cannot be read any more', async () => {
    const [baseline, canary] = [await serve(hello('old')), await serve(hello('new'))];
    const proxy = await open({ baseline, canary }, { canaryWeight: 100, mirrorPercent: 0 });
    await using provider = openLocalTraffic({ state: join(directory, 'state') });
    await provider.guard?.install({ expires: new Date(Date.now() + 500), rolloutId: 'r-1' });
    await provider.read();
    await writeFile(join(directory, 'state', '99999999.json'), 'no state');
    await until(async () => (await (await fetch(proxy.url)).text()) === 'old');
  });

  test('loses no request while weights move under load', async () => {
    const [baseline, canary] = [await serve(hello('old')), await serve(hello('new'))];
    const proxy = await open({ baseline, canary });
    const agent = new Agent({ keepAlive: true, maxSockets: 8 });
    let sent = 0;
    const statuses = new Map<number | undefined, number>();
    let loading = true;
    const caller = async (): Promise<void> => {
      while (loading) {
        sent++;
        const incoming = await new Promise<IncomingMessage>((resolve, reject) => {
          send(proxy.url, { method: 'POST', agent }, resolve).on('error', reject).end('body');
        });
        await incoming.toArray();
        statuses.set(incoming.statusCode, (statuses.get(incoming.statusCode) ?? 0) + 1);
      }
    };
    const callers = Array.from({ length: 8 }, caller);
    for (const canaryWeight of [1, 50, 100, 10, 0]) {
      await move({ canaryWeight, mirrorPercent: 0 });
      await sleep(50);
    }
    loading = false;
    await Promise.all(callers);
    agent.destroy();
    expect([...statuses.keys()]).toEqual([200]);
    const { canary: one, baseline: other } = await counts();
    expect((one?.requests ?? 0) + (other?.requests ?? 0)).toBe(sent);
  });

  test('says when its port is taken', async () => {
    const taken = await serve(hello('here'));
    await expect(open({ baseline: taken, port: Number(new URL(taken).port) })).rejects.toMatchObject({
      name: 'InputError',
      problems: [{ code: 'port-not-free' }],
    });
  });
});
