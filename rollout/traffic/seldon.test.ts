import { describe, expect, test } from 'vitest';
import { trafficConformance } from '../conformance.ts';
import { ApiServerStandIn } from '../kubernetes/api-server-stand-in.ts';
import { openKubernetesTraffic } from './kubernetes-providers.ts';
import type { SeldonTraffic } from './kubernetes-traffic.ts';

const deploymentPath = '/apis/machinelearning.seldon.io/v1/namespaces/shop/seldondeployments/churn';
const experimentPath = '/apis/mlops.seldon.io/v1alpha1/namespaces/shop/experiments/churn';
const experiment: SeldonTraffic = {
  provider: 'seldon',
  namespace: 'shop',
  kind: 'Experiment',
  name: 'churn',
  baseline: 'a',
  canary: 'b',
};
const deployment: SeldonTraffic = { ...experiment, kind: 'SeldonDeployment' };
const deploymentSpec = {
  predictors: [
    { name: 'a', traffic: 100, graph: { name: 'm' } },
    { name: 'b', traffic: 0, graph: { name: 'm' } },
    { name: 'c', shadow: true, graph: { name: 'm' } },
  ],
};
const experimentSpec = { default: 'a', candidates: [{ name: 'a', weight: 3 }] };

async function stage(at: SeldonTraffic, spec: unknown = at.kind === 'Experiment' ? experimentSpec : deploymentSpec) {
  const server = await ApiServerStandIn.start();
  const path = at.kind === 'Experiment' ? experimentPath : deploymentPath;
  server.put(path, { spec });
  const open = () => openKubernetesTraffic(at, server.client());
  return {
    server,
    path,
    provider: open(),
    again: async () => open(),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
    },
  };
}

trafficConformance('seldon deployment (stand-in)', () => stage(deployment));
trafficConformance('seldon experiment (stand-in)', () => stage(experiment));

describe('a SeldonDeployment', () => {
  test('keeps both predictors and its shadow whatever becomes of the rollout', async () => {
    for (const [outcome, weights] of [
      ['promoted', [0, 100]],
      ['rolled-back', [100, 0]],
    ] as const) {
      await using scene = await stage(deployment);
      await scene.provider.move({ record: 'r', traffic: { canaryWeight: 30, mirrorPercent: 0 }, after: undefined });
      await scene.provider.finish(outcome);
      expect(scene.server.at(scene.path).spec).toEqual({
        predictors: deploymentSpec.predictors.map((each, index) =>
          index < 2 ? { ...each, traffic: weights[index] } : each,
        ),
      });
    }
  });

  test('that is being changed is not settled, and one without the canary says so', async () => {
    await using scene = await stage(deployment);
    scene.server.change(scene.path, () => ({ status: { state: 'Failed', description: 'no\nmodel' } }));
    const { settled, notReady } = await scene.provider.read();
    expect(settled).toBe(false);
    expect(notReady).toMatch(/^the deployment is Failed: no.*model$/);
    await using without = await stage(deployment, { predictors: [{ name: 'a' }] });
    expect((await without.provider.read()).notReady).toBe('there is no predictor b');
    await expect(
      without.provider.move({ record: 'r', traffic: { canaryWeight: 5, mirrorPercent: 0 }, after: undefined }),
    ).rejects.toMatchObject({ problems: [{ code: 'no-canary' }] });
  });
});

describe('an Experiment', () => {
  test('has its relative weight back after a rollback, and keeps its default after a promotion', async () => {
    await using back = await stage(experiment);
    await back.provider.move({ record: 'r', traffic: { canaryWeight: 30, mirrorPercent: 0 }, after: undefined });
    await back.provider.finish('rolled-back');
    expect(back.server.at(back.path).spec).toEqual(experimentSpec);
    await using on = await stage(experiment);
    await on.provider.move({ record: 'r', traffic: { canaryWeight: 100, mirrorPercent: 0 }, after: undefined });
    await on.provider.finish('promoted');
    expect(on.server.at(on.path).spec).toEqual({
      default: 'a',
      candidates: [
        { name: 'a', weight: 0 },
        { name: 'b', weight: 100 },
      ],
    });
  });

  test('whose mirror is somebody else’s keeps it', async () => {
    await using scene = await stage(experiment, { ...experimentSpec, mirror: { name: 'audit', percent: 10 } });
    await expect(
      scene.provider.move({ record: 'r', traffic: { canaryWeight: 0, mirrorPercent: 5 }, after: undefined }),
    ).rejects.toMatchObject({ problems: [{ code: 'mirror-taken', found: 'audit' }] });
    expect((await scene.provider.read()).desired.mirrorPercent).toBe(0);
  });

  test('that is not ready says why, in text that can be printed', async () => {
    await using scene = await stage(experiment);
    const conditions = [
      { type: 'Ready', status: 'False' },
      { type: 'CandidatesReady', status: 'False', message: 'b \u001b[2Jis loading' },
    ];
    scene.server.change(scene.path, () => ({ status: { conditions } }));
    const { notReady } = await scene.provider.read();
    expect(notReady).toContain('the experiment is not ready: b');
    expect(notReady).not.toContain('\u001b');
  });
});

test.each([[deployment], [experiment]])('a $kind that cannot be read is refused with what to do', async (at) => {
  await using scene = await stage(at, { predictors: 'none', candidates: [{ name: 'a' }] });
  await expect(scene.provider.read()).rejects.toMatchObject({
    problems: [{ code: 'unfit-object', fix: expect.stringMatching(/\S/) }],
  });
});
