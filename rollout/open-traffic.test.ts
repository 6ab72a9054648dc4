import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { CanaryTraffic } from '../core/policy/index.ts';
import { openTraffic } from './open-traffic.ts';

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
    expect(provider.title).toBe(`proxy of ${join(directory, 'proxy')}`);
    await expect(provider.read()).rejects.toMatchObject({ problems: [{ code: 'no-proxy' }] });
  });
});
