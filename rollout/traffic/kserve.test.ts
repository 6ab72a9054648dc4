import { describe, expect, test } from 'vitest';
import { trafficConformance } from '../conformance.ts';
import { endRollout } from '../end-rollout.ts';
import { ApiServerStandIn } from '../kubernetes/api-server-stand-in.ts';
import { firstRecord } from '../state/claim.ts';
import { type RolloutRecord, recordText } from '../state/record.ts';
import { openKubernetesTraffic } from './kubernetes-providers.ts';
import type { KserveTraffic } from './kubernetes-traffic.ts';

const path = '/apis/serving.kserve.io/v1beta1/namespaces/shop/inferenceservices/churn';
const knative: KserveTraffic = { provider: 'kserve', namespace: 'shop', inferenceService: 'churn', mode: 'knative' };
const standard: KserveTraffic = { ...knative, mode: 'standard' };

const knativeSpec = { predictor: { canaryTrafficPercent: 0, model: { storageUri: 's3://churn/v2' } } };
const standardSpec = {
  predictor: {
    minReplicas: 2,
    maxReplicas: 5,
    model: { storageUri: 's3://churn/v1', env: [{ name: 'A' }], args: ['x'] },
  },
  canary: [
    {
      trafficPercent: 0,
      predictor: { name: 'v2', minReplicas: 1, scaleTarget: 3, model: { storageUri: 's3://churn/v2', args: [] } },
    },
  ],
};

const isRecord = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** Plays KServe: the status follows the spec. */
function follow(server: ApiServerStandIn, mode: KserveTraffic['mode']): void {
  server.change(path, ({ spec }) => {
    if (mode === 'standard') {
      const { canary = [] } = spec as Partial<typeof standardSpec>;
      const canaryStatuses = canary.map(({ trafficPercent, predictor: { name } }) => ({
        name,
        ready: true,
        trafficPercent,
      }));
      return { status: { deploymentMode: 'Standard', canaryStatuses } };
    }
    const { canaryTrafficPercent: percent = 100 } = (
      spec as { readonly predictor: Partial<typeof knativeSpec.predictor> }
    ).predictor;
    const traffic = [
      { revisionName: 'new', percent },
      ...(percent === 100 ? [] : [{ revisionName: 'old', percent: 100 - percent }]),
    ];
    const latestRolledoutRevision = percent === 100 ? 'new' : 'old';
    const predictor = { latestCreatedRevision: 'new', latestReadyRevision: 'new', latestRolledoutRevision, traffic };
    return { status: { deploymentMode: 'Knative', components: { predictor } } };
  });
}

async function stage(at: KserveTraffic, spec: unknown = at.mode === 'knative' ? knativeSpec : standardSpec) {
  const server = await ApiServerStandIn.start();
  server.put(path, { spec });
  if (isRecord(spec) && 'predictor' in spec) follow(server, at.mode);
  const open = () => openKubernetesTraffic(at, server.client());
  return {
    server,
    provider: open(),
    again: async () => open(),
    settle: async () => follow(server, at.mode),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

trafficConformance('kserve in Knative mode (stand-in)', () => stage(knative));
trafficConformance('kserve in Standard mode (stand-in)', () => stage(standard));

const ten = { canaryWeight: 10, mirrorPercent: 0 };

describe('an InferenceService in Knative mode', () => {
  test('without the field gives the newest revision everything', async () => {
    await using scene = await stage(knative, { predictor: { model: {} } });
    expect((await scene.provider.read()).desired.canaryWeight).toBe(100);
  });

  test('without a second revision has no canary yet', async () => {
    await using scene = await stage(knative);
    const predictor = {
      latestCreatedRevision: 'old',
      latestReadyRevision: 'old',
      latestRolledoutRevision: 'old',
      traffic: [{ revisionName: 'old', percent: 100 }],
    };
    scene.server.change(path, () => ({ status: { components: { predictor } } }));
    expect((await scene.provider.read()).notReady).toContain('there is no new revision beside old');
  });

  test('whose new revision does not start is not ready', async () => {
    await using scene = await stage(knative);
    const predictor = {
      latestCreatedRevision: 'new\u0007',
      latestReadyRevision: 'old',
      latestRolledoutRevision: 'old',
      traffic: [{ revisionName: 'old', percent: 100 }],
    };
    scene.server.change(path, () => ({ status: { components: { predictor } } }));
    const { notReady } = await scene.provider.read();
    expect(notReady).toMatch(/^revision .* is not ready$/);
    expect(notReady).not.toContain('\u0007');
  });

  test('is not settled before KServe has reported anything', async () => {
    await using scene = await stage(knative);
    scene.server.change(path, () => ({ status: undefined }));
    expect(await scene.provider.read()).toMatchObject({ settled: false, notReady: expect.stringContaining('KServe') });
  });

  test('loses the field when it is promoted, and keeps it at 0 when it is rolled back', async () => {
    for (const [outcome, predictor] of [
      ['promoted', { model: { storageUri: 's3://churn/v2' } }],
      ['rolled-back', { canaryTrafficPercent: 0, model: { storageUri: 's3://churn/v2' } }],
    ] as const) {
      await using scene = await stage(knative);
      await scene.provider.move({ record: 'r', traffic: ten, after: undefined });
      await scene.provider.finish(outcome);
      expect(scene.server.at(path).spec).toEqual({ predictor });
    }
  });
});

describe('an InferenceService in Standard mode', () => {
  test('becomes what its canary runs: the entry over the predictor, empty values not at all, scaling as it was', async () => {
    await using scene = await stage(standard);
    await scene.provider.move({ record: 'r', traffic: { ...ten, canaryWeight: 100 }, after: undefined });
    await scene.provider.finish('promoted');
    expect(scene.server.at(path).spec).toEqual({
      predictor: {
        name: 'v2',
        minReplicas: 2,
        maxReplicas: 5,
        model: { storageUri: 's3://churn/v2', env: [{ name: 'A' }], args: ['x'] },
      },
    });
  });

  test('whose canary has no name in the policy is finished by the next run, too, once it is the predictor', async () => {
    await using scene = await stage(standard);
    const { provider, settle } = scene;
    const traffic = { canaryWeight: 100, mirrorPercent: 0 };
    const at = Date.now();
    const record: RolloutRecord = {
      ...firstRecord({ id: 'r1', holder: 'run 1', plan: 'p', now: at, lease: 600_000 }),
      phase: 'finishing',
      traffic,
    };
    await provider.move({ record: recordText(record), traffic, after: undefined });
    // Here run 1 died: the objects are finished, the record does not say so yet.
    await provider.finish('promoted');
    await settle();
    const ended = await endRollout({ provider, holder: 'run 2', why: 'aborted' });
    expect(ended?.phase).toBe('promoted');
    expect(scene.server.at(path).spec).toMatchObject({ predictor: { name: 'v2' } });
  });

  test('with several canaries asks for the name of one, and refuses traffic of another', async () => {
    const [first] = standardSpec.canary;
    const other = { trafficPercent: 5, predictor: { name: 'v3' } };
    await using unnamed = await stage(standard, { ...standardSpec, canary: [first, other] });
    await expect(unnamed.provider.read()).rejects.toMatchObject({ problems: [{ code: 'no-canary', found: 'v2, v3' }] });
    await using named = await stage({ ...standard, canary: 'v2' }, { ...standardSpec, canary: [first, other] });
    await expect(named.provider.read()).rejects.toMatchObject({ problems: [{ code: 'third-target', found: 'v3' }] });
  });

  test('is not ready while KServe says that its canary is not', async () => {
    await using scene = await stage(standard);
    const canaryStatuses = [{ name: 'v2', ready: false, trafficPercent: 0 }];
    scene.server.change(path, () => ({ status: { canaryStatuses } }));
    expect((await scene.provider.read()).notReady).toBe('canary v2 is not ready');
  });
});

test.each([
  [knative, 'Standard'],
  [knative, 'RawDeployment'],
  [standard, 'Serverless'],
  [standard, 'ModelMesh'],
])('of mode $mode is refused where it is deployed as %s', async (at, mode) => {
  await using scene = await stage(at);
  scene.server.change(path, ({ metadata }) => ({
    metadata: { ...metadata, annotations: { 'serving.kserve.io/deploymentMode': mode } },
  }));
  await expect(scene.provider.read()).rejects.toMatchObject({ problems: [{ code: 'wrong-mode' }] });
});

test.each([[knative], [standard]])('without a predictor is refused ($mode)', async (at) => {
  await using scene = await stage(at, { transformer: {} });
  await expect(scene.provider.read()).rejects.toMatchObject({ problems: [{ code: 'no-predictor' }] });
});
