import { mkdtemp, rm } from 'node:fs/promises';
import { get, request as send } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type TrafficStage, trafficConformance } from '../rollout/conformance.ts';
import { openTraffic, type TrafficProvider } from '../rollout/index.ts';
import { type RayCluster, startRayCluster } from './serving/ray-serve.ts';

// The provider ray-serve and ray_splitter.py against a real Ray Serve.

const splitter = join(import.meta.dirname, '..', 'rollout', 'traffic', 'ray-serve');
let ray: RayCluster;
let directory: string;
let stages = 0;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-ray-state-'));
  ray = await startRayCluster(splitter);
  await deploy();
}, 300_000);

afterAll(async () => {
  await ray?.peer.stop();
  await rm(directory, { recursive: true, force: true });
});

/** The document of applications as a user's `serve deploy` has it: all traffic at the old version. */
async function deploy(): Promise<void> {
  const body = JSON.stringify({
    http_options: { host: '127.0.0.1', port: Number(new URL(ray.url).port) },
    applications: [
      ...['v1', 'v2'].map((version) => ({
        name: `churn-${version}`,
        route_prefix: `/churn-${version}`,
        import_path: 'ray_versions:build',
        args: { version },
      })),
      {
        name: 'churn',
        route_prefix: '/churn',
        import_path: 'ray_splitter:build',
        args: { proxy: ray.url },
        deployments: [
          {
            name: 'SluiceSplitter',
            ray_actor_options: { num_cpus: 0.1 },
            user_config: { baseline: { application: 'churn-v1', path: '/churn-v1' } },
          },
        ],
      },
    ],
  });
  // Not by fetch: Ray takes what says it is a browser for one, and refuses it.
  const [status, text] = await new Promise<readonly unknown[]>((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    send(`${ray.dashboard}/api/serve/applications/`, { method: 'PUT', headers }, async (response) => {
      resolve([response.statusCode, (await response.toArray()).join('')]);
    })
      .on('error', reject)
      .end(body);
  });
  expect(status, String(text)).toBe(200);
  await using provider = open();
  for (;;) {
    const state = await provider.read();
    if (state.settled && state.notReady === undefined && state.desired.canaryWeight === 0) return;
    await sleep(200);
  }
}

function open(): TrafficProvider {
  return openTraffic(
    {
      provider: 'ray-serve',
      dashboard: ray.dashboard,
      splitter: 'churn',
      baseline: 'churn-v1',
      canary: 'churn-v2',
      state: { directory: `state-${stages}` },
    },
    { directory },
  );
}

async function counts(version: 'v1' | 'v2'): Promise<{ readonly asked: number; readonly mirrored: number }> {
  return (await fetch(`${ray.url}/churn-${version}/counts`)).json() as Promise<{ asked: number; mirrored: number }>;
}

async function start(): Promise<TrafficStage> {
  stages++;
  await deploy();
  const provider = open();
  return {
    provider,
    again: async () => open(),
    settle: async () => {
      while (!(await provider.read()).settled) await sleep(50);
    },
    serve: async (requests, headers = {}) => {
      const before = (await counts('v2')).mirrored;
      const served = { baseline: 0, canary: 0 };
      const ask = async (): Promise<void> => {
        const response = await fetch(`${ray.url}/churn/predict`, { method: 'POST', body: '{}', headers });
        const { version } = (await response.json()) as { readonly version: string };
        served[version === 'v2' ? 'canary' : 'baseline']++;
      };
      for (let sent = 0; sent < requests; sent += 20) {
        await Promise.all(Array.from({ length: Math.min(20, requests - sent) }, ask));
      }
      let mirrored = 0;
      for (let waited = 0; waited < 20 && mirrored < requests; waited++) {
        mirrored = (await counts('v2')).mirrored - before;
        await sleep(20);
      }
      return { ...served, mirrored };
    },
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

trafficConformance('ray-serve (real Ray Serve)', start);

describe('ray_splitter.py', () => {
  test('hands on method, path, query, headers, large bodies and statuses, and what speaks of one connection it keeps', async () => {
    await using stage = await start();
    const after = await stage.provider.move({
      record: 'r',
      traffic: { canaryWeight: 100, mirrorPercent: 0 },
      after: undefined,
    });
    await stage.settle?.();
    const size = 3 * 2 ** 20;
    const answer = await new Promise<string>((resolve, reject) => {
      const headers = { 'x-own': 'a', connection: 'keep-alive, x-hop', 'x-hop': 'b' };
      send(`${ray.url}/churn/v2/models/m%20n/infer?a=%26&b=1`, { method: 'PUT', headers }, async (response) => {
        resolve((await response.toArray()).join(''));
      })
        .on('error', reject)
        .end(Buffer.alloc(size, 'x'));
    });
    expect(JSON.parse(answer)).toMatchObject({
      version: 'v2',
      method: 'PUT',
      query: 'a=%26&b=1',
      bytes: size,
      hop: null,
      own: 'a',
    });
    expect(JSON.parse(answer).path).toMatch(/^\/churn-v2\/v2\/models\/m( |%20)n\/infer$/);
    const [status, version] = await new Promise<readonly unknown[]>((resolve) => {
      get(`${ray.url}/churn/teapot`, (response) => {
        response.resume();
        resolve([response.statusCode, response.headers['x-version']]);
      });
    });
    expect([status, version]).toEqual([418, 'v2']);
    await stage.provider.clear(after);
  });

  test('gives the baseline everything back when the lease runs out, though nobody else lives', async () => {
    await using stage = await start();
    const all = { canaryWeight: 100, mirrorPercent: 0 };
    await stage.provider.move({ record: 'r', traffic: all, after: undefined });
    await stage.provider.guard?.install({ expires: new Date(Date.now() + 20_000), rolloutId: 'r-1' });
    await stage.settle?.();
    expect(await stage.serve?.(5)).toMatchObject({ canary: 5 });
    while (((await stage.serve?.(1))?.canary ?? 0) > 0) await sleep(500);
    const state = await stage.provider.read();
    expect(state).toMatchObject({ desired: all, observed: { canaryWeight: 0 }, settled: false });
  });

  test('loses no request while weights move', async () => {
    await using stage = await start();
    let moving = true;
    const statuses = new Map<number, number>();
    const user = async (): Promise<void> => {
      while (moving) {
        const { status, ...response } = await fetch(`${ray.url}/churn/predict`, { method: 'POST', body: '{}' }).then(
          async (answer) => ({ status: answer.status, text: await answer.text() }),
        );
        expect(response.text).toContain('version');
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
      }
    };
    const users = Array.from({ length: 4 }, user);
    let after: string | undefined;
    for (const canaryWeight of [10, 50, 100, 0]) {
      after = await stage.provider.move({
        record: `${canaryWeight}`,
        traffic: { canaryWeight, mirrorPercent: 0 },
        after,
      });
      await stage.settle?.();
      await sleep(300);
    }
    moving = false;
    await Promise.all(users);
    expect([...statuses.keys()]).toEqual([200]);
  });
});
