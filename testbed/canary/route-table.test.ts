import { describe, expect, test } from 'vitest';
import { chosenBackend, type RouteTable, routesOf } from './route-table.ts';

const namesFor = (routes: RouteTable, path: string, headers: Readonly<Record<string, string>> = {}) =>
  routes.find((route) => route.matches({ path, headers }))?.backends.map(({ name, weight }) => `${name} ${weight}`);

describe('the routes of', () => {
  test('a VirtualService are tried in its order, by path and header, to subsets or hosts', () => {
    const routes = routesOf('istio', {
      spec: {
        http: [
          { match: [{ uri: { exact: '/health' } }], route: [{ destination: { host: 'churn', subset: 'v1' } }] },
          {
            match: [{ uri: { prefix: '/v2/' }, headers: { 'X-Tenant': { regex: 'a|b' } } }],
            route: [
              { destination: { host: 'churn-v1.shop.svc.cluster.local' }, weight: 90 },
              { destination: { host: 'churn-v2.shop.svc.cluster.local' }, weight: 10 },
            ],
            mirror: { host: 'churn-v2' },
            mirrorPercentage: { value: 30 },
          },
          { route: [{ destination: { host: 'rest' } }] },
        ],
      },
    });
    expect(namesFor(routes, '/health')).toEqual(['v1 100']);
    expect(namesFor(routes, '/v2/infer', { 'x-tenant': 'a' })).toEqual(['churn-v1 90', 'churn-v2 10']);
    expect(namesFor(routes, '/v2/infer', { 'x-tenant': 'abc' })).toEqual(['rest 100']);
    expect(routes[1]?.mirror).toEqual({ name: 'churn-v2', percent: 30 });
  });

  test('an HTTPRoute are tried by how much they ask for', () => {
    const backend = (name: string) => ({ backendRefs: [{ name, port: 80 }] });
    const routes = routesOf('gateway-api', {
      spec: {
        rules: [
          backend('rest'),
          { matches: [{ path: { type: 'PathPrefix', value: '/v2' } }], ...backend('plain') },
          {
            matches: [{ path: { type: 'PathPrefix', value: '/v2' }, headers: [{ name: 'X-Canary', value: 'yes' }] }],
            ...backend('marked'),
          },
        ],
      },
    });
    expect(namesFor(routes, '/v2/x', { 'x-canary': 'yes' })).toEqual(['marked 1']);
    expect(namesFor(routes, '/v2/x')).toEqual(['plain 1']);
    expect(namesFor(routes, '/v20')).toEqual(['rest 1']);
  });

  test("an InferenceService are its status', and the predictor's what canaries leave", () => {
    const traffic = [
      { revisionName: 'b', percent: 20 },
      { revisionName: 'a', percent: 80 },
    ];
    const knative = { spec: {}, status: { components: { predictor: { traffic } } } };
    expect(namesFor(routesOf('kserve-knative', knative), '/')).toEqual(['b 20', 'a 80']);
    const standard = { spec: { predictor: {} }, status: { canaryStatuses: [{ name: 'v2', trafficPercent: 5 }] } };
    expect(namesFor(routesOf('kserve-standard', standard), '/')).toEqual(['stable 95', 'v2 5']);
  });
});

test('a backend is chosen by its weight, and never with a weight of 0', () => {
  const route = {
    matches: () => true,
    backends: [
      { name: 'a', weight: 3 },
      { name: 'b', weight: 1 },
      { name: 'c', weight: 0 },
    ],
  };
  expect([0, 0.74, 0.76, 0.999].map((unit) => chosenBackend(route, unit))).toEqual(['a', 'a', 'b', 'b']);
  expect(chosenBackend({ matches: () => true, backends: [{ name: 'c', weight: 0 }] }, 0)).toBeUndefined();
});
