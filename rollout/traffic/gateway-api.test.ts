import { expect, test } from 'vitest';
import { trafficConformance } from '../conformance.ts';
import { ApiServerStandIn } from '../kubernetes/api-server-stand-in.ts';
import { openKubernetesTraffic } from './kubernetes-providers.ts';
import type { GatewayTraffic } from './kubernetes-traffic.ts';

const path = '/apis/gateway.networking.k8s.io/v1/namespaces/shop/httproutes/churn';
const traffic: GatewayTraffic = {
  provider: 'gateway-api',
  namespace: 'shop',
  httpRoute: 'churn',
  baseline: 'churn-v1',
  canary: 'churn-v2',
};
const spec = {
  rules: [
    {
      matches: [{ path: { type: 'PathPrefix', value: '/v2' } }],
      backendRefs: [{ group: '', kind: 'Service', name: 'churn-v1', port: 8000, weight: 1 }],
    },
    { backendRefs: [{ name: 'website', port: 80 }] },
  ],
};

async function stage(its: unknown = spec, at: GatewayTraffic = traffic) {
  const server = await ApiServerStandIn.start();
  server.put(path, { spec: its });
  server.put('/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/churn-v2-abc', {
    metadata: { labels: { 'kubernetes.io/service-name': 'churn-v2' } },
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: true } }],
  });
  const open = () => openKubernetesTraffic(at, server.client());
  return {
    server,
    provider: open(),
    again: async () => open(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

trafficConformance('gateway-api (stand-in)', stage);

test('the canary is added with the baseline’s port and without its filters, and the weight comes back as it was', async () => {
  const filters = [{ type: 'RequestHeaderModifier', requestHeaderModifier: { remove: ['x'] } }];
  const its = { rules: [{ backendRefs: [{ name: 'churn-v1', port: 8000, weight: 7, filters }] }] };
  await using scene = await stage(its);
  const { server, provider } = scene;
  await provider.move({ record: 'r', traffic: { canaryWeight: 30, mirrorPercent: 0 }, after: undefined });
  expect(server.at(path).spec).toEqual({
    rules: [
      {
        backendRefs: [
          { name: 'churn-v1', port: 8000, weight: 70, filters },
          { name: 'churn-v2', port: 8000, weight: 30 },
        ],
      },
    ],
  });
  await provider.finish('rolled-back');
  expect(server.at(path).spec).toEqual(its);
});

test('a gateway that has not seen the route yet is not settled, one that refuses it makes it not ready', async () => {
  await using scene = await stage();
  const { server, provider } = scene;
  const say = (type: string, status: string, observedGeneration: number) =>
    server.change(path, () => ({
      status: { parents: [{ conditions: [{ type, status, message: 'no\u001b[31m listener', observedGeneration }] }] },
    }));
  await provider.move({ record: 'r', traffic: { canaryWeight: 30, mirrorPercent: 0 }, after: undefined });
  say('Accepted', 'True', 1);
  expect((await provider.read()).settled).toBe(false);
  say('Accepted', 'True', 2);
  expect((await provider.read()).settled).toBe(true);
  say('Accepted', 'False', 1);
  // What it said of an older generation is no refusal of this one.
  expect((await provider.read()).notReady).toBeUndefined();
  say('Accepted', 'False', 2);
  const { notReady } = await provider.read();
  expect(notReady).toContain('the gateway does not take the route: no');
  expect(notReady).not.toContain('\u001b');
});

test('a mirror of a fraction is read as percent', async () => {
  const mirror = { backendRef: { name: 'churn-v2' }, fraction: { numerator: 1, denominator: 4 } };
  const [first] = spec.rules;
  await using scene = await stage({
    rules: [{ ...first, filters: [{ type: 'RequestMirror', requestMirror: mirror }] }],
  });
  expect((await scene.provider.read()).desired.mirrorPercent).toBe(25);
});

test('a service of the canary without a ready endpoint is not ready', async () => {
  await using scene = await stage();
  scene.server.change('/apis/discovery.k8s.io/v1/namespaces/shop/endpointslices/churn-v2-abc', () => ({
    endpoints: [{ addresses: ['10.0.0.1'], conditions: { ready: false } }],
  }));
  expect((await scene.provider.read()).notReady).toBe('Service shop/churn-v2 has no ready endpoint');
});

test.each([
  ['no rules', { hostnames: ['a'] }, traffic, 'no-rules'],
  ['no rule to the arms', { rules: [{ backendRefs: [{ name: 'website' }] }] }, traffic, 'no-such-rule'],
  ['two rules to the arms', { rules: [spec.rules[0], spec.rules[0]] }, traffic, 'several-rules'],
  ['no rule of the name', spec, { ...traffic, rule: 'predict\n::warning::' }, 'no-such-rule'],
])('an HTTPRoute with %s is refused with what to do', async (_, its, at, code) => {
  await using scene = await stage(its, at);
  const thrown = await scene.provider.read().catch((error: unknown) => error);
  expect(thrown).toMatchObject({ problems: [{ code, fix: expect.stringMatching(/\S/) }] });
  expect(String(thrown)).not.toContain('\n::');
});
