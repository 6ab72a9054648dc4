import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { trafficConformance } from '../../conformance.ts';
import { openTraffic } from '../../open-traffic.ts';
import { firstRecord } from '../../state/claim.ts';
import { type RolloutRecord, recordText } from '../../state/record.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { RayStandIn } from './ray-stand-in.ts';

async function start() {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-ray-'));
  const ray = await RayStandIn.start();
  const open = (): TrafficProvider =>
    openTraffic(
      {
        provider: 'ray-serve',
        dashboard: `${ray.url}/`,
        splitter: 'churn',
        baseline: 'churn-v1',
        canary: 'churn-v2',
        state: { directory: 'state' },
      },
      { directory },
    );
  const provider = open();
  return {
    ray,
    provider,
    again: async () => open(),
    serve: async (requests: number, headers?: Readonly<Record<string, string>>) => {
      const { mirrored, ...served } = ray.serve(requests, headers);
      return ray.userConfig.mirror ? { ...served, mirrored: mirrored ?? 0 } : served;
    },
    [Symbol.asyncDispose]: async () => {
      await provider[Symbol.asyncDispose]();
      await ray[Symbol.asyncDispose]();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

trafficConformance('ray-serve', start);

const half = { canaryWeight: 50, mirrorPercent: 0 };

describe('the applications of Ray Serve', () => {
  test('are written back as they were, but for the user_config of the splitter', async () => {
    await using stage = await start();
    const [before] = stage.ray.documents;
    await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    const after = stage.ray.documents.at(-1);
    expect(after?.applications.slice(0, 3)).toEqual(before?.applications.slice(0, 3));
    expect(after).toMatchObject({
      proxy_location: 'EveryNode',
      http_options: { port: 8000 },
      grpc_options: { port: 9000 },
      applications: [
        {},
        {},
        {},
        {
          name: 'churn',
          runtime_env: { env_vars: { A: 'b' } },
          deployments: [
            {
              name: 'SluiceSplitter',
              num_replicas: 2,
              user_config: {
                baseline: { application: 'churn-v1', path: '/churn-v1' },
                canary: { application: 'churn-v2', path: '/churn-v2' },
                weight: 50,
                mirror: 0,
                header: null,
              },
            },
          ],
        },
      ],
    });
    expect(after).not.toHaveProperty('target_capacity');
  });

  test('that code deployed stay out of the document, and are left alone', async () => {
    await using stage = await start();
    const canary = stage.ray.applications['churn-v2'];
    if (canary !== undefined) canary.deployed_app_config = null;
    await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    expect(stage.ray.documents.at(-1)?.applications.map(({ name }) => name)).toEqual(['churn-v1', 'other', 'churn']);
    expect((await stage.provider.read()).settled).toBe(true);
  });

  test('are not written with a placeholder where Ray hid a secret', async () => {
    await using stage = await start();
    const other = stage.ray.applications['other'];
    if (other !== undefined) {
      other.deployed_app_config = { name: 'other', runtime_env: { env_vars: { TOKEN: '<redacted>' } } } as never;
    }
    const { length } = stage.ray.documents;
    await expect(stage.provider.move({ record: 'r', traffic: half, after: undefined })).rejects.toMatchObject({
      problems: [{ code: 'redacted-config' }],
    });
    expect(stage.ray.documents).toHaveLength(length);
  });

  test('settle when every replica has been told', async () => {
    await using stage = await start();
    stage.ray.slow = true;
    await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    expect(await stage.provider.read()).toMatchObject({ desired: half, settled: false });
    stage.ray.settle();
    expect(await stage.provider.read()).toMatchObject({ desired: half, observed: half, settled: true });
  });

  test("that are missing, still starting, without a route or somebody else's are told", async () => {
    await using stage = await start();
    const { applications } = stage.ray;
    const canary = applications['churn-v2'];
    if (canary === undefined) throw new Error('no canary');
    canary.status = 'DEPLOY_FAILED';
    canary.message = 'no GPU';
    expect((await stage.provider.read()).notReady).toBe('the application churn-v2 is DEPLOY_FAILED: no GPU');
    canary.status = 'RUNNING';
    canary.route_prefix = null;
    expect((await stage.provider.read()).notReady).toBe('the application churn-v2 has no route');
    await expect(stage.provider.move({ record: 'r', traffic: half, after: undefined })).rejects.toMatchObject({
      problems: [{ code: 'no-application' }],
    });
    delete applications['churn-v2'];
    expect((await stage.provider.read()).notReady).toBe('there is no application churn-v2');
    const splitter = applications['churn'];
    const config = {
      name: 'churn',
      deployments: [{ name: 'SluiceSplitter', user_config: { baseline: { application: 'other', path: '/' } } }],
    };
    if (splitter !== undefined) splitter.deployed_app_config = config;
    expect((await stage.provider.read()).notReady).toContain('churn has other as its baseline');
    if (splitter !== undefined) splitter.deployed_app_config = null;
    await expect(stage.provider.read()).rejects.toMatchObject({ problems: [{ code: 'no-splitter' }] });
    stage.ray.refuses = 500;
    await expect(stage.provider.read()).rejects.toMatchObject({ problems: [{ code: 'no-ray-serve' }] });
    stage.ray.refuses = 403;
    await expect(stage.provider.read()).rejects.toMatchObject({ problems: [{ code: 'forbidden' }] });
  });
});

describe('the lease of the splitter', () => {
  const claimed = firstRecord({ id: 'r-1', holder: 'run', plan: 'p', now: Date.now(), lease: 600_000 });
  const text = (changes: Partial<RolloutRecord>) =>
    recordText({ ...claimed, phase: 'step', traffic: half, ...changes });

  test('gives the baseline everything back, and the provider sees it', async () => {
    await using stage = await start();
    await stage.provider.move({ record: 'r', traffic: half, after: undefined });
    await stage.provider.guard?.install({ expires: new Date(Date.now() - 1000), rolloutId: 'r-1' });
    expect(stage.ray.serve(40)).toMatchObject({ baseline: 40, canary: 0 });
    expect(await stage.provider.read()).toMatchObject({
      desired: half,
      observed: { canaryWeight: 0, mirrorPercent: 0 },
      settled: false,
    });
    await stage.provider.guard?.remove();
    expect(stage.ray.serve(40)).toMatchObject({ canary: 20 });
  });

  test('is renewed by the record once half of it is over, and not at every look', async () => {
    await using stage = await start();
    const { provider, ray } = stage;
    const now = Date.now();
    let revision = await provider.move({ record: text({}), traffic: half, after: undefined });
    await provider.guard?.install({ expires: new Date(now + 600_000), rolloutId: 'r-1' });
    const { length } = ray.documents;
    revision = await provider.move({ record: text({ leaseUntil: now + 605_000 }), after: revision });
    expect(ray.documents).toHaveLength(length);
    await provider.guard?.install({ expires: new Date(now + 250_000), rolloutId: 'r-1' });
    revision = await provider.move({ record: text({ leaseUntil: now + 900_000 }), after: revision });
    expect(ray.userConfig.lease).toBe((now + 900_000) / 1000);
    // A shorter one counts at once: whoever holds now is silent for less long.
    revision = await provider.move({ record: text({ leaseUntil: now + 300_000 }), after: revision });
    expect(ray.userConfig.lease).toBe((now + 300_000) / 1000);
    expect(ray.userConfig.weight).toBe(50);
  });

  test('ends when the canary is the new baseline already', async () => {
    await using stage = await start();
    const { provider, ray } = stage;
    const all = { canaryWeight: 100, mirrorPercent: 0 };
    const first = await provider.move({
      record: text({ phase: 'promoting', traffic: all }),
      traffic: all,
      after: undefined,
    });
    await provider.guard?.install({ expires: new Date(Date.now() + 1000), rolloutId: 'r-1' });
    await provider.move({ record: text({ phase: 'finishing', traffic: all }), after: first });
    expect(ray.userConfig.lease ?? undefined).toBeUndefined();
    await provider.finish('promoted');
    expect(ray.userConfig).toMatchObject({ baseline: { application: 'churn-v2', path: '/churn-v2' }, canary: null });
    expect((await provider.read()).desired).toEqual(all);
  });

  test('is never put up by a record alone', async () => {
    await using stage = await start();
    await stage.provider.move({ record: text({}), traffic: half, after: undefined });
    expect(stage.ray.userConfig.lease ?? undefined).toBeUndefined();
  });
});
