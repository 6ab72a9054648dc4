import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { metricsConformance } from '../conformance.ts';
import { type RunningProxy, startProxy } from '../proxy/reverse-proxy.ts';
import { openLocalTraffic } from '../traffic/local.ts';
import { openProxyMetrics } from './proxy.ts';

metricsConformance('proxy', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-proxy-metrics-'));
  const state = join(directory, 'state');
  const server = createServer((request, response) => {
    request.resume();
    response.writeHead(request.url === '/fail' ? 503 : 200).end();
  });
  await listen(server, 0);
  const url = `http://127.0.0.1:${portOf(server)}`;
  let proxy: RunningProxy = await startProxy({ state, baseline: `${url}/`, canary: url });
  const provider = openLocalTraffic({ state });
  let impostor: Server | undefined;
  const to = async (arm: 'canary' | 'baseline'): Promise<void> => {
    const traffic = { canaryWeight: arm === 'canary' ? 100 : 0, mirrorPercent: 0 };
    await provider.move({ record: 'r', traffic, after: (await provider.record())?.revision });
    await provider.read();
  };
  return {
    source: openProxyMetrics({ state, timeoutMs: 300 }),
    send: async (arm, requests, failing = 0) => {
      await to(arm);
      for (let sent = 0; sent < requests; sent++) {
        await (await fetch(`${proxy.url}/${sent < failing ? 'fail' : ''}`)).text();
      }
    },
    restart: async () => {
      await proxy.close();
      proxy = await startProxy({ state, baseline: url });
    },
    vanish: async () => {
      await provider.finish('rolled-back');
      await provider.read();
    },
    fail: async (how) => {
      const port = Number(new URL(proxy.control).port);
      await proxy.close();
      if (how === 'is-gone') return;
      impostor = createServer((request, response) => {
        request.resume();
        if (how === 'fails') response.writeHead(500).end('{"canary":[],"baseline":[],"remarks":[]}');
        else if (how === 'babbles') response.end('{"canary":');
      });
      await listen(impostor, port);
    },
    [Symbol.asyncDispose]: async () => {
      await provider[Symbol.asyncDispose]();
      await proxy.close();
      for (const each of [server, impostor]) {
        each?.closeAllConnections();
        each?.close();
      }
      await rm(directory, { recursive: true, force: true });
    },
  };
});

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
