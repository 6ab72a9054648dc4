import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import { type TrafficStage, trafficConformance } from '../../rollout/conformance.ts';
import { rolloutRole } from '../../rollout/guard/rollout-roles.ts';
import { openKubernetes } from '../../rollout/kubernetes-client.ts';
import { openKubernetesTraffic } from '../../rollout/traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from '../../rollout/traffic/kubernetes-traffic.ts';
import { TrafficConflict, type TrafficProvider } from '../../rollout/traffic-provider.ts';
import { newAccount, newNamespace } from './access.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { installDefinitions } from './custom-resources.ts';
import { kinds, type ModelKind, type ModelObjects, newModel, objectAt, status } from './model-objects.ts';

let cluster: ControlPlane;
let namespace: string;

beforeAll(async () => {
  cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio', 'gateway-api', 'kserve', 'seldon');
  namespace = await newNamespace(cluster, 'shop');
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

interface Opened extends AsyncDisposable {
  readonly model: ModelObjects;
  readonly kubeconfig: string;
  readonly provider: TrafficProvider;
  again(): TrafficProvider;
}

/** A model's objects, and a provider that has the minimal role only. */
async function open(kind: ModelKind): Promise<Opened> {
  const model = await newModel(cluster, namespace, kind);
  const { kubeconfig } = await newAccount(cluster, namespace, rolloutRole(model.traffic, { guard: false }));
  const again = (): TrafficProvider => providerOf(model.traffic, kubeconfig);
  const provider = again();
  return { model, kubeconfig, provider, again, [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose]() };
}

function providerOf(traffic: KubernetesTraffic, kubeconfig: string): TrafficProvider {
  return openKubernetesTraffic(traffic, openKubernetes({ files: [kubeconfig] }));
}

for (const kind of kinds) {
  trafficConformance(`${kind} (real API server, minimal role)`, async (): Promise<TrafficStage> => {
    const opened = await open(kind);
    return {
      provider: opened.provider,
      again: async () => opened.again(),
      settle: () => opened.model.follow(),
      [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
    };
  });
}

describe.each(kinds)('a rollout on %s', (kind) => {
  test('leaves the object as it was when it is rolled back', async () => {
    await using stage = await open(kind);
    const { provider, model } = stage;
    const before = await objectAt(cluster, model.path);
    let after = await provider.move({ record: 'one', after: undefined });
    if (provider.can.mirror) {
      const traffic = { canaryWeight: 0, mirrorPercent: 30 };
      after = await provider.move({ record: 'mirror', traffic, after });
    }
    if (provider.can.header) {
      const traffic = { canaryWeight: 0, mirrorPercent: 0, header: { name: 'X-Canary', value: 'a=b; "c"' } };
      after = await provider.move({ record: 'header', traffic, after });
    }
    for (const canaryWeight of [1, 50, 100]) {
      after = await provider.move({
        record: `${canaryWeight}`,
        traffic: { canaryWeight, mirrorPercent: provider.can.mirror ? 10 : 0 },
        after,
      });
    }
    await provider.finish('rolled-back');
    const record = await provider.record();
    await provider.clear(record?.revision ?? '');
    const now = await objectAt(cluster, model.path);
    expect(now.spec).toEqual(before.spec);
    expect(now.metadata.annotations).toEqual(before.metadata.annotations);
  });

  test('survives others who write the object all the time', async () => {
    await using stage = await open(kind);
    const { provider, model } = stage;
    let over = false;
    let writes = 0;
    const others = Promise.all(
      Array.from({ length: 4 }, async (_, writer) => {
        while (!over) {
          await cluster.must(
            'PATCH',
            model.path,
            { metadata: { labels: { [`writer-${writer}`]: `${++writes}` } } },
            'application/merge-patch+json',
          );
        }
      }),
    );
    try {
      let after: string | undefined;
      for (const canaryWeight of [1, 5, 25, 100, 0]) {
        after = await provider.move({
          record: `at ${canaryWeight}`,
          traffic: { canaryWeight, mirrorPercent: 0 },
          after,
        });
        expect((await provider.read()).desired.canaryWeight).toBe(canaryWeight);
      }
      await provider.finish('rolled-back');
      expect((await provider.record())?.text).toBe('at 0');
    } finally {
      over = true;
      await others;
    }
    expect(writes).toBeGreaterThan(20);
  });

  test('is refused, and says which right is missing, without the role', async () => {
    await using stage = await open(kind);
    const { kubeconfig } = await newAccount(cluster, namespace, []);
    await using stranger = providerOf(stage.model.traffic, kubeconfig);
    const thrown = await stranger.read().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(PeerError);
    const [problem] = (thrown as PeerError).problems;
    expect(problem).toMatchObject({ code: 'forbidden' });
    expect(problem.message).toContain('may not get');
    expect(problem.fix).toContain('verbs: [get]');
    expect(problem.fix).toContain('resourceNames');
  });

  test('does not let a role for one object move another', async () => {
    await using one = await open(kind);
    await using other = await open(kind);
    await using wrong = providerOf(other.model.traffic, one.kubeconfig);
    await expect(wrong.record()).rejects.toMatchObject({ problems: [{ code: 'forbidden' }] });
  });

  test('sees traffic that somebody else moved as a conflict', async () => {
    await using stage = await open(kind);
    const { provider } = stage;
    const traffic = { canaryWeight: 10, mirrorPercent: 0 };
    const after = await provider.move({ record: 'mine', traffic, after: undefined });
    await using other = stage.again();
    const read = await other.record();
    await other.move({ record: 'mine', traffic: { canaryWeight: 90, mirrorPercent: 0 }, after: read?.revision });
    await expect(provider.move({ record: 'next', traffic, after })).rejects.toBeInstanceOf(TrafficConflict);
  });
});

describe('a VirtualService', () => {
  test('keeps every route but the named one, and gets a route for the header before it', async () => {
    await using stage = await open('istio subsets');
    const before = await objectAt(cluster, stage.model.path);
    const header = { name: 'X-Canary', value: 'always' };
    const traffic = { canaryWeight: 0, mirrorPercent: 0, header };
    await stage.provider.move({ record: 'r', traffic, after: undefined });
    const [health, predict, rest] = before.spec['http'] as Readonly<Record<string, unknown>>[];
    const now = (await objectAt(cluster, stage.model.path)).spec['http'] as Readonly<Record<string, unknown>>[];
    expect(now).toHaveLength(4);
    expect([now[0], now[2], now[3]]).toEqual([health, predict, rest]);
    expect(now[1]).toEqual({
      ...predict,
      name: 'sluice-canary-header',
      match: [
        { uri: { prefix: '/v2/' }, headers: { 'x-tenant': { regex: 'a.*' }, 'x-canary': { exact: 'always' } } },
        { uri: { prefix: '/v3/' }, headers: { 'x-canary': { exact: 'always' } } },
      ],
      route: [{ destination: { host: expect.any(String), subset: 'v2', port: { number: 8000 } } }],
    });
  });

  test('has the canary in the baseline place after a promotion, and a next rollout starts from it', async () => {
    await using stage = await open('istio subsets');
    const after = await stage.provider.move({
      record: 'r',
      traffic: { canaryWeight: 100, mirrorPercent: 0 },
      after: undefined,
    });
    await stage.provider.finish('promoted');
    await stage.provider.clear((await stage.provider.record())?.revision ?? after);
    const [, predict] = (await objectAt(cluster, stage.model.path)).spec['http'] as { readonly route: unknown }[];
    expect(predict?.route).toEqual([
      { destination: { host: expect.any(String), subset: 'v2', port: { number: 8000 } } },
    ]);
    const { traffic } = stage.model;
    if (traffic.provider !== 'istio') throw new Error('not Istio');
    await using next = providerOf({ ...traffic, baseline: 'v2', canary: 'v1' }, stage.kubeconfig);
    expect((await next.read()).desired.canaryWeight).toBe(0);
  });

  test('is not ready while the subset or its pods are missing', async () => {
    await using stage = await open('istio subsets');
    const { traffic } = stage.model;
    if (traffic.provider !== 'istio') throw new Error('not Istio');
    await using noSubset = providerOf({ ...traffic, canary: 'v3' }, stage.kubeconfig);
    expect((await noSubset.read()).notReady).toContain('has no subset v3');
    const pods = `/api/v1/namespaces/${namespace}/pods/${traffic.virtualService}-v2`;
    await status(cluster, pods, { conditions: [{ type: 'Ready', status: 'False' }] });
    expect((await stage.provider.read()).notReady).toMatch(/no pod with .*version=v2.* is ready/);
  });

  test('with a third destination or without the route is refused with what is there', async () => {
    await using stage = await open('istio subsets');
    const { traffic, path } = stage.model;
    if (traffic.provider !== 'istio') throw new Error('not Istio');
    await using wrong = providerOf({ ...traffic, route: 'perdict' }, stage.kubeconfig);
    await expect(wrong.read()).rejects.toMatchObject({
      problems: [{ code: 'no-such-route', found: 'health, predict, rest' }],
    });
    const { route: _route, ...unnamed } = traffic;
    await using several = providerOf(unnamed, stage.kubeconfig);
    await expect(several.read()).rejects.toMatchObject({ problems: [{ code: 'several-routes' }] });
    const third = [{ op: 'add', path: '/spec/http/1/route/-', value: { destination: { host: 'x' }, weight: 5 } }];
    await cluster.must('PATCH', path, third, 'application/json-patch+json');
    await expect(stage.provider.read()).rejects.toMatchObject({ problems: [{ code: 'third-target' }] });
  });
});

describe('an HTTPRoute', () => {
  test('copies a share, and its rule for the header asks for it beside its own matches', async () => {
    await using stage = await open('gateway-api');
    const traffic = { canaryWeight: 0, mirrorPercent: 20, header: { name: 'X-Canary', value: 'yes' } };
    await stage.provider.move({ record: 'r', traffic, after: undefined });
    const [header, predict] = (await objectAt(cluster, stage.model.path)).spec['rules'] as Readonly<
      Record<string, unknown>
    >[];
    expect(header?.['matches']).toEqual([
      {
        path: { type: 'PathPrefix', value: '/v2' },
        headers: [
          { type: 'Exact', name: 'x-tenant', value: 'a' },
          { type: 'Exact', name: 'X-Canary', value: 'yes' },
        ],
      },
    ]);
    expect(header?.['filters']).toHaveLength(1);
    expect(predict?.['filters']).toMatchObject([
      { type: 'RequestHeaderModifier' },
      { type: 'RequestMirror', requestMirror: { percent: 20, backendRef: { port: 8000 } } },
    ]);
    expect((await stage.provider.read()).desired).toEqual(traffic);
  });

  test('settles when its gateway has seen it, and is not ready when the gateway refuses it', async () => {
    await using stage = await open('gateway-api');
    const { model, provider } = stage;
    await model.follow();
    await provider.move({ record: 'r', traffic: { canaryWeight: 5, mirrorPercent: 0 }, after: undefined });
    expect((await provider.read()).settled).toBe(false);
    await model.follow();
    expect(await provider.read()).toMatchObject({ settled: true });
    const { metadata } = await objectAt(cluster, model.path);
    await status(cluster, model.path, {
      parents: [
        {
          parentRef: { name: 'public' },
          controllerName: 'testbed.sluice.dev/gateway',
          conditions: [
            {
              type: 'ResolvedRefs',
              status: 'False',
              reason: 'BackendNotFound',
              message: 'no Service churn-v2',
              lastTransitionTime: new Date().toISOString(),
              observedGeneration: metadata.generation,
            },
          ],
        },
      ],
    });
    expect((await provider.read()).notReady).toContain('no Service churn-v2');
  });
});

describe('an InferenceService', () => {
  const traffic = (canaryWeight: number) => ({ canaryWeight, mirrorPercent: 0 });

  test('in Knative mode settles only when KServe routes between the two revisions that were there', async () => {
    await using stage = await open('kserve knative');
    const { model, provider } = stage;
    const after = await provider.move({ record: 'r', traffic: traffic(10), after: undefined });
    expect(await provider.read()).toMatchObject({ settled: false, observed: { canaryWeight: 0 } });
    await model.follow();
    expect(await provider.read()).toMatchObject({ settled: true, observed: { canaryWeight: 10 } });
    await provider.move({ record: 'all', traffic: traffic(100), after });
    await model.follow();
    await provider.finish('rolled-back');
    // kserve#1968: after 100, KServe routes to the revision it just rolled out.
    const { spec } = await objectAt(cluster, model.path);
    expect(spec['predictor']).toMatchObject({ canaryTrafficPercent: 0 });
    expect((await provider.read()).settled).toBe(false);
    await model.follow();
    expect((await provider.read()).settled).toBe(true);
  });

  test('in Knative mode tells when a revision that is neither gets traffic', async () => {
    await using stage = await open('kserve knative');
    const { model, provider } = stage;
    await provider.move({ record: 'r', traffic: traffic(10), after: undefined });
    await status(cluster, model.path, {
      components: {
        predictor: {
          latestCreatedRevision: 'c',
          latestReadyRevision: 'c',
          latestRolledoutRevision: 'old',
          traffic: [
            { revisionName: 'c', percent: 10 },
            { revisionName: 'old', percent: 90 },
          ],
        },
      },
    });
    expect(await provider.read()).toMatchObject({ settled: false, notReady: expect.stringContaining('revision old') });
  });

  test('of the other mode is refused, since KServe would ignore the field', async () => {
    await using stage = await open('kserve standard');
    const { traffic: at } = stage.model;
    if (at.provider !== 'kserve') throw new Error('not KServe');
    await using wrong = providerOf({ ...at, mode: 'knative' }, stage.kubeconfig);
    await expect(wrong.move({ record: 'r', traffic: traffic(5), after: undefined })).rejects.toMatchObject({
      problems: [{ code: 'wrong-mode' }],
    });
  });

  test('in Standard mode becomes what the canary is, with the scaling it had', async () => {
    await using stage = await open('kserve standard');
    const { model, provider } = stage;
    await provider.move({ record: 'r', traffic: traffic(100), after: undefined });
    await provider.finish('promoted');
    await provider.finish('promoted');
    expect((await objectAt(cluster, model.path)).spec).toEqual({
      predictor: {
        name: 'v2',
        minReplicas: 2,
        maxReplicas: 8,
        scaleTarget: 70,
        model: {
          name: 'churn',
          modelFormat: { name: 'onnx' },
          storageUri: 's3://models/churn/v2',
          resources: { limits: { cpu: '2' } },
        },
      },
    });
  });
});
