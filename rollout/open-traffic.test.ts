import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CanaryTraffic } from '../core/policy/index.ts';
import { openMetrics } from './open-metrics.ts';
import { openTraffic } from './open-traffic.ts';
import { changeState, closed } from './proxy/proxy-state.ts';
import { RevisionFolder } from './traffic/revision-folder.ts';

let directory: string;
let kubeconfig: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-traffic-'));
  kubeconfig = join(directory, 'kubeconfig');
  await writeFile(
    kubeconfig,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'shop',
      contexts: [{ name: 'shop', context: { cluster: 'c', user: 'u' } }],
      clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:1' } }],
      users: [{ name: 'u', user: { token: 'secret' } }],
    }),
  );
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const cluster: readonly (readonly [string, CanaryTraffic])[] = [
  [
    'VirtualService shop/churn',
    { provider: 'istio', namespace: 'shop', virtual_service: 'churn', baseline: 'v1', canary: 'v2' },
  ],
  [
    'HTTPRoute shop/churn',
    { provider: 'gateway-api', namespace: 'shop', http_route: 'churn', baseline: 'v1', canary: 'v2' },
  ],
  [
    'InferenceService shop/churn',
    { provider: 'kserve', namespace: 'shop', inference_service: 'churn', mode: 'standard' },
  ],
  [
    'SeldonDeployment shop/churn',
    { provider: 'seldon', namespace: 'shop', kind: 'SeldonDeployment', name: 'churn', baseline: 'a', canary: 'b' },
  ],
];

describe('openTraffic', () => {
  test.each(cluster)(
    'opens %s of the cluster that the kubeconfig names, without asking it anything',
    async (title, traffic) => {
      await using provider = openTraffic(traffic, { directory, kubeconfig });
      expect([provider.name, provider.title]).toEqual([traffic.provider, title]);
      expect(provider.guard).toBeUndefined();
    },
  );

  test('guards by a Job where the policy asks for one', async () => {
    const [, traffic] = cluster[0] ?? expect.fail('no cluster');
    const guard = { image: 'sluice@sha256:0f1e', service_account: 'sluice-guard' };
    await using guarded = openTraffic(traffic, { directory, kubeconfig, guard });
    expect(guarded.guard?.title).toContain('Job');
    await using unguarded = openTraffic(traffic, { directory, kubeconfig, guard: false });
    expect(unguarded.guard).toBeUndefined();
  });

  test('refuses a context that the kubeconfig does not have', () => {
    const [, traffic] = cluster[0] ?? expect.fail('no cluster');
    expect(() => openTraffic(traffic, { directory, kubeconfig, context: 'elsewhere' })).toThrow(/elsewhere/);
  });

  test('finds the state of the local proxy relative to the policy', async () => {
    await using provider = openTraffic({ provider: 'local', state: 'proxy' }, { directory });
    expect(provider.title).toBe('proxy of proxy');
    await expect(provider.read()).rejects.toMatchObject({ problems: [{ code: 'no-proxy', place: { file: 'proxy' } }] });
    await changeState(new RevisionFolder(join(directory, 'proxy')), () => ({
      version: 1,
      baseline: 'http://127.0.0.1:9',
      traffic: closed,
      changes: 1,
    }));
    expect((await provider.read()).desired.canaryWeight).toBe(0);
  });
});

describe('no path of this machine is told', () => {
  const local: CanaryTraffic = { provider: 'local', state: 'state' };
  const folders: readonly CanaryTraffic[] = [
    local,
    {
      provider: 'hosts',
      baseline: 'v1',
      canary: 'v2',
      model: 'churn.onnx',
      directory: '/srv/churn',
      hosts: [{ name: 'web-1', at: 'here', url: 'http://127.0.0.1:9' }],
      restart: { run: ['true'] },
      health: { path: '/ready' },
      state: { at: 'here', directory: 'state' },
    },
    {
      provider: 'ray-serve',
      dashboard: 'http://127.0.0.1:9',
      splitter: 'churn',
      baseline: 'v1',
      canary: 'v2',
      state: { directory: 'state' },
    },
  ];

  test.each(folders)('by $provider, whose folder is called what the policy calls it', async (traffic) => {
    await using provider = openTraffic(traffic, { directory });
    expect(provider.title).not.toContain(directory);
    await writeFile(join(directory, 'state'), 'not a folder');
    const refused = provider.record();
    await expect(refused).rejects.toMatchObject({ problems: [{ code: 'unusable-folder', place: { file: 'state' } }] });
    await expect(refused).rejects.not.toThrow(directory);
    await rm(join(directory, 'state'));
    await new RevisionFolder(join(directory, 'state')).write('not ours', 0);
    const broken = provider.record();
    await expect(broken).rejects.toMatchObject({ problems: [{ place: { file: 'state' } }] });
    await expect(broken).rejects.not.toThrow(directory);
  });

  test("by the counts of Sluice's own proxy", async () => {
    await using source = openMetrics({ source: 'proxy' }, { traffic: local, directory });
    expect(source.title).toBe('counts of the proxy of state');
    await expect(source.read()).rejects.toMatchObject({ problems: [{ code: 'no-proxy', place: { file: 'state' } }] });
  });
});
