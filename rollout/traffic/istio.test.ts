import { expect, test } from 'vitest';
import { trafficConformance } from '../conformance.ts';
import { ApiServerStandIn } from '../kubernetes/api-server-stand-in.ts';
import { recordAnnotation } from './annotated-object.ts';
import { openKubernetesTraffic } from './kubernetes-providers.ts';
import type { IstioTraffic } from './kubernetes-traffic.ts';

const path = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices/churn';
const subsets: IstioTraffic = {
  provider: 'istio',
  namespace: 'shop',
  virtualService: 'churn',
  route: 'predict',
  baseline: 'v1',
  canary: 'v2',
};
const destination = { host: 'churn', subset: 'v1', port: { number: 8000 } };
const spec = {
  hosts: ['churn'],
  http: [
    {
      name: 'health',
      match: [{ uri: { exact: '/health' } }],
      route: [{ destination: { host: 'churn', subset: 'v1' } }],
    },
    { name: 'predict', timeout: '1s', route: [{ destination }] },
  ],
};

async function stage(traffic: IstioTraffic = subsets, its: unknown = spec) {
  const server = await ApiServerStandIn.start();
  server.put(path, { spec: its });
  const open = () => openKubernetesTraffic(traffic, server.client());
  return {
    server,
    provider: open(),
    again: async () => open(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

trafficConformance('istio (stand-in)', stage);

test('a canary of its own host is added beside the baseline with its domain, and taken out again', async () => {
  const hosts: IstioTraffic = {
    provider: 'istio',
    namespace: 'shop',
    virtualService: 'churn',
    baseline: 'churn-v1',
    canary: 'churn-v2',
  };
  const its = { http: [{ route: [{ destination: { host: 'churn-v1.shop.svc.cluster.local' } }] }] };
  await using scene = await stage(hosts, its);
  const { server, provider } = scene;
  await provider.move({ record: 'r', traffic: { canaryWeight: 10, mirrorPercent: 0 }, after: undefined });
  expect(server.at(path).spec).toEqual({
    http: [
      {
        route: [
          { destination: { host: 'churn-v1.shop.svc.cluster.local' }, weight: 90 },
          { destination: { host: 'churn-v2.shop.svc.cluster.local' }, weight: 10 },
        ],
      },
    ],
  });
  // Its service has no ready pod.
  expect((await provider.read()).notReady).toBe('Service shop/churn-v2 has no ready endpoint');
  await provider.finish('rolled-back');
  expect(server.at(path).spec).toEqual(its);
});

test('touches nothing but its route, its mirror and its record', async () => {
  await using scene = await stage();
  const { server, provider } = scene;
  const traffic = { canaryWeight: 5, mirrorPercent: 20 };
  await provider.move({ record: 'r', traffic, after: undefined });
  const patch = JSON.parse(server.asked.at(-1)?.body ?? '[]') as { readonly op: string; readonly path: string }[];
  const touched = patch.filter(({ op }) => op !== 'test').map((each) => each.path);
  for (const each of touched) expect(each).toMatch(/^\/(spec\/http\/1\/|metadata\/annotations)/);
  expect(server.at(path).metadata.annotations?.[recordAnnotation]).toBe('r');
});

test.each([
  [{ name: 'x-canary\r\nx-admin', value: 'yes' }],
  [{ name: 'x-canary', value: 'yes\nx-admin: true' }],
  [{ name: 'x canary', value: 'yes' }],
  [{ name: '', value: 'yes' }],
])('the header %j is refused before anything is written', async (header) => {
  await using scene = await stage();
  const { server, provider } = scene;
  const traffic = { canaryWeight: 0, mirrorPercent: 0, header };
  await expect(provider.move({ record: 'r', traffic, after: undefined })).rejects.toMatchObject({
    problems: [{ code: 'bad-header' }],
  });
  expect(server.asked).toEqual([]);
});

test.each([
  ['tcp routes only', { tcp: [{ route: [] }] }, 'no-http-routes'],
  ['a spec that is text', 'hostile', 'no-http-routes'],
  ['a route of another name', { http: [{ name: 'other', route: [{ destination }] }] }, 'no-such-route'],
  ['two routes of the name', { http: [spec.http[1], spec.http[1]] }, 'several-routes'],
  [
    'a third destination with a weight',
    {
      http: [
        {
          name: 'predict',
          route: [
            { destination, weight: 90 },
            { destination: { host: 'x' }, weight: 10 },
          ],
        },
      ],
    },
    'third-target',
  ],
  ['neither of the arms', { http: [{ name: 'predict', route: [{ destination: { host: 'x' } }] }] }, 'no-arms'],
])('a VirtualService with %s is refused with what to do', async (_, its, code) => {
  await using scene = await stage(subsets, its);
  await expect(scene.provider.read()).rejects.toMatchObject({ problems: [{ code, fix: expect.stringMatching(/\S/) }] });
});

test('a mirror that is somebody else’s is left alone, and the shadow step refused', async () => {
  const its = { http: [{ name: 'predict', route: [{ destination }], mirror: { host: 'audit' } }] };
  await using scene = await stage(subsets, its);
  const { provider, server } = scene;
  const shadow = { canaryWeight: 0, mirrorPercent: 50 };
  await expect(provider.move({ record: 'r', traffic: shadow, after: undefined })).rejects.toMatchObject({
    problems: [{ code: 'mirror-taken', found: 'audit' }],
  });
  await provider.move({ record: 'r', traffic: { canaryWeight: 5, mirrorPercent: 0 }, after: undefined });
  expect(server.at(path).spec).toMatchObject({ http: [{ mirror: { host: 'audit' } }] });
});

test('a guard’s provider asks nobody whether the canary is ready', async () => {
  await using scene = await stage();
  await using provider = openKubernetesTraffic({ ...subsets, destinationRule: 'churn' }, scene.server.client(), {
    readiness: false,
  });
  expect(await provider.read()).toEqual({ desired: { canaryWeight: 0, mirrorPercent: 0 }, settled: true });
  expect(scene.server.asked.map(({ method, path: asked }) => `${method} ${asked}`)).toEqual([`GET ${path}`]);
});

test('a destination rule without the subset keeps the canary from being ready', async () => {
  await using scene = await stage({ ...subsets, destinationRule: 'churn' });
  const { server, provider } = scene;
  expect((await provider.read()).notReady).toBe('DestinationRule shop/churn does not exist');
  const rule = '/apis/networking.istio.io/v1/namespaces/shop/destinationrules/churn';
  server.put(rule, { spec: { subsets: [{ name: 'v1' }] } });
  expect((await provider.read()).notReady).toContain('has no subset v2');
  server.change(rule, () => ({ spec: { subsets: [{ name: 'v2', labels: { version: 'v2' } }] } }));
  expect((await provider.read()).notReady).toBe('Service shop/churn does not exist');
  server.put('/api/v1/namespaces/shop/services/churn', { spec: { selector: { app: 'churn' } } });
  expect((await provider.read()).notReady).toBe('no pod with app=churn,version=v2 in shop is ready');
  server.put('/api/v1/namespaces/shop/pods/p', {
    metadata: { labels: { app: 'churn', version: 'v2' } },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  });
  expect((await provider.read()).notReady).toBeUndefined();
});
