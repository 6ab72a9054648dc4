import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { trafficConformance } from '../conformance.ts';
import { startProxy } from '../proxy/reverse-proxy.ts';
import { openLocalTraffic } from './local.ts';

/** A server that answers with its name and counts what it got. */
async function named(name: string): Promise<{ readonly url: string; count(): number; readonly server: Server }> {
  let count = 0;
  const server = createServer((request, response) => {
    if (request.headers['x-sluice-mirrored'] === undefined || name === 'canary') count++;
    request.resume();
    response.setHeader('x-arm', name);
    response.end(JSON.stringify({ name }));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, count: () => count, server };
}

async function start() {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-local-'));
  const state = join(directory, 'state');
  const [baseline, canary] = [await named('baseline'), await named('canary')];
  const proxy = await startProxy({ state, baseline: baseline.url, canary: canary.url });
  const provider = openLocalTraffic({ state });
  const settle = async () => {
    while (!(await provider.read()).settled) await sleep(5);
  };
  return {
    provider,
    state,
    settle,
    url: proxy.url,
    again: async () => openLocalTraffic({ state }),
    serve: async (requests: number, headers: Readonly<Record<string, string>> = {}) => {
      const before = canary.count();
      let [toBaseline, toCanary] = [0, 0];
      const ask = async (): Promise<void> => {
        const response = await fetch(`${proxy.url}/v2`, { method: 'POST', body: '{}', headers });
        await response.text();
        if (response.headers.get('x-arm') === 'canary') toCanary++;
        else toBaseline++;
      };
      for (let sent = 0; sent < requests; sent += 20) {
        await Promise.all(Array.from({ length: Math.min(20, requests - sent) }, ask));
      }
      // Copies arrive when they do; a copy too many would come too.
      for (let waited = 0; waited < 20 && canary.count() - before < requests; waited++) await sleep(10);
      const mirrored = canary.count() - before - toCanary;
      return { baseline: toBaseline, canary: toCanary, mirrored };
    },
    [Symbol.asyncDispose]: async () => {
      await provider[Symbol.asyncDispose]();
      await proxy.close();
      for (const { server } of [baseline, canary]) {
        server.closeAllConnections();
        server.close();
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
}

trafficConformance('local', start);

test('a proxy that does not run is said, and the state can still be read', async () => {
  await using stage = await start();
  const directory = await mkdtemp(join(tmpdir(), 'sluice-local-'));
  const state = join(directory, 'state');
  const proxy = await startProxy({ state, baseline: 'http://127.0.0.1:9', canary: 'http://127.0.0.1:10' });
  await proxy.close();
  await using provider = openLocalTraffic({ state });
  const read = await provider.read();
  expect(read.settled).toBe(false);
  expect(read.observed).toBeUndefined();
  expect(read.notReady).toContain('sluice proxy');
  await rm(directory, { recursive: true });
  await expect(provider.read()).rejects.toMatchObject({ name: 'PeerError', problems: [{ code: 'no-proxy' }] });
  await expect(stage.provider.read()).resolves.toMatchObject({ settled: true });
});

test('a canary that was named anew is tried by the next rollout, and not by the one that runs', async () => {
  await using stage = await start();
  const revision = await stage.provider.move({ record: 'runs', after: undefined });
  await using other = openLocalTraffic({ state: stage.state, canary: 'http://127.0.0.1:9' });
  const next = await other.move({ record: 'runs', traffic: { canaryWeight: 100, mirrorPercent: 0 }, after: revision });
  await stage.settle();
  expect(await stage.serve(3)).toMatchObject({ canary: 3 });
  await other.clear(next);
  await other.move({ record: 'next', traffic: { canaryWeight: 100, mirrorPercent: 0 }, after: undefined });
  await stage.settle();
  // Nobody listens on port 9.
  expect((await fetch(stage.url)).status).toBe(502);
});
