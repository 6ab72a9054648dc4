import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { gallery } from './fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, one, refusalText } from './fixtures/test-chart.ts';
import { GpuNodePool, type GpuNodePoolProps } from './nodes/gpu-node-pool.ts';
import { KserveInferenceService, type KserveInferenceServiceProps } from './serving/kserve-inference-service.ts';
import { RayService, type RayServiceProps } from './serving/ray-service.ts';
import { SeldonDeployment, SeldonExperiment } from './serving/seldon-deployment.ts';

const drawn = (name: string): readonly Manifest[] => manifestsOf(gallery[name] ?? (() => undefined));

const kserveProps: KserveInferenceServiceProps = {
  model: { name: 'churn', version: '3' },
  deployment: { mode: 'standard' },
  run: { format: 'onnx', storageUri: 's3://models/churn/3' },
  cpu: 1,
  memory: '1Gi',
};
const kserve =
  (change: Partial<KserveInferenceServiceProps>) =>
  (chart: Chart): KserveInferenceService =>
    new KserveInferenceService(chart, 'churn', { ...kserveProps, ...change } as KserveInferenceServiceProps);
const canary = { version: '4', trafficPercent: 10, run: kserveProps.run, cpu: 1, memory: '1Gi' } as const;

describe('KserveInferenceService', () => {
  test("writes each mode's canary where that mode looks, and says the mode", () => {
    const knative = one(drawn('kserve-knative'), 'InferenceService');
    const standard = one(drawn('kserve-standard'), 'InferenceService');
    expect(knative['spec'].predictor.canaryTrafficPercent).toBe(0);
    expect(knative['spec']).not.toHaveProperty('canary');
    expect(standard['spec'].canary[0]).toMatchObject({
      trafficPercent: 0,
      predictor: { name: 'v4', model: { name: 'churn' } },
    });
    expect(standard['spec'].predictor).not.toHaveProperty('canaryTrafficPercent');
    expect([knative, standard].map(({ metadata }) => (metadata as { annotations?: object }).annotations)).toEqual([
      { 'serving.kserve.io/deploymentMode': 'Knative' },
      { 'serving.kserve.io/deploymentMode': 'Standard' },
    ]);
  });

  test('tells what to write into the policy', () => {
    expect(kserve({ deployment: { mode: 'standard', canaries: [canary] } })(newChart()).traffic).toEqual({
      provider: 'kserve',
      namespace: 'shop',
      inferenceService: 'churn',
      mode: 'standard',
      canary: 'v4',
    });
  });

  test.each<[string, Partial<KserveInferenceServiceProps>, string]>([
    [
      'the canary of the other mode',
      { deployment: { mode: 'standard', canaryTrafficPercent: 10 } as never },
      "deployment.canaryTrafficPercent is ignored by KServe in Standard mode. Use canaries, or mode 'knative'.",
    ],
    [
      'canaries in Knative mode',
      { deployment: { mode: 'knative', canaries: [] } as never },
      "deployment.canaries is ignored by KServe in Knative mode. Use canaryTrafficPercent, or mode 'standard'.",
    ],
    [
      'shares over 100',
      {
        deployment: {
          mode: 'standard',
          canaries: [
            { ...canary, trafficPercent: 60 },
            { ...canary, version: '5', trafficPercent: 60 },
          ],
        },
      },
      "the canaries' trafficPercent sum to 120: expected at most 100. Lower them.",
    ],
    [
      'a canary with the version of the model',
      { deployment: { mode: 'standard', canaries: [{ ...canary, version: '3' }] } },
      'the versions of the model and its canaries are not all different: found v3, v3. Give each its own version.',
    ],
    [
      'a canary larger than the model',
      { deployment: { mode: 'standard', canaries: [{ ...canary, minReplicas: 3 }] } },
      "minReplicas 3 of canary 4 is more than minReplicas 2 of the model, which KServe refuses. Lower the canary's or raise the model's.",
    ],
    [
      'scaling to zero without Knative',
      { minReplicas: 0 },
      "minReplicas 0 needs Knative: in Standard mode nobody wakes the model up. Set minReplicas to 1, or mode 'knative'.",
    ],
    [
      'an image without a version',
      { run: { image: 'server' } },
      'run.image has neither a tag nor a digest, so each pod may run another version: found server. Name a version, best with its digest (name:1.2.3@sha256:...), or set allowMutableImage: true.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(kserve(change))).toContain(`KserveInferenceService "shop/churn": ${text}`);
  });
});

describe('Seldon', () => {
  test('shares that do not sum to 100 are refused', () => {
    const size = { modelUri: 's3://m', cpu: 1, memory: '1Gi' } as const;
    expect(
      refusalText(
        (chart) =>
          new SeldonDeployment(chart, 'churn', {
            model: 'churn',
            predictors: [
              { version: 'a', traffic: 90, ...size },
              { version: 'b', traffic: 20, ...size },
            ],
          }),
      ),
    ).toBe(
      'SeldonDeployment "shop/churn": the shares of predictors do not sum to 100: found a: 90, b: 20, expected whole percentages that sum to 100. Correct them.',
    );
    expect(
      refusalText(
        (chart) =>
          new SeldonExperiment(chart, 'churn', {
            model: 'churn',
            requirements: ['onnx'],
            candidates: [{ version: '1', storageUri: 's3://m', weight: 99 }],
          }),
      ),
    ).toContain('the shares of candidates do not sum to 100: found 1: 99');
  });

  test('a shadow has no share of the requests', () => {
    const [, shadow] = one(
      manifestsOf(
        (chart) =>
          new SeldonDeployment(chart, 'churn', {
            model: 'churn',
            predictors: [
              { version: '3', modelUri: 's3://m/3', traffic: 100, cpu: 1, memory: '1Gi' },
              { version: '4', modelUri: 's3://m/4', traffic: 0, shadow: true, cpu: 1, memory: '1Gi' },
            ],
          }),
      ),
      'SeldonDeployment',
    )['spec'].predictors;
    expect(shadow).toMatchObject({ name: 'v4', shadow: true });
    expect(shadow).not.toHaveProperty('traffic');
  });

  test('every candidate of an experiment is a model that is there, and so is its mirror', () => {
    const manifests = drawn('seldon-experiment');
    const models = manifests.filter(({ kind }) => kind === 'Model').map(({ metadata }) => metadata.name);
    const { candidates, mirror, default: first } = one(manifests, 'Experiment')['spec'];
    expect(models).toEqual(['churn-v3', 'churn-v4', 'churn-v5']);
    expect([first, ...candidates.map(({ name }: { name: string }) => name), mirror.name]).toEqual([
      'churn-v3',
      'churn-v3',
      'churn-v4',
      'churn-v5',
    ]);
  });
});

const ray =
  (change: Partial<RayServiceProps>) =>
  (chart: Chart): RayService =>
    new RayService(chart, 'ranker', {
      image: 'ray:2.49.0',
      rayVersion: '2.49.0',
      model: { name: 'ranker', version: '2' },
      importPath: 'ranker.app:ranker',
      worker: { cpu: 4, memory: '16Gi' },
      ...change,
    });

describe('RayService', () => {
  test("its configuration is Ray Serve's, in a string", () => {
    const { serveConfigV2 } = one(drawn('ray-service'), 'RayService')['spec'];
    expect(parse(serveConfigV2)).toMatchObject({
      applications: [
        {
          import_path: 'ranker.app:ranker',
          deployments: [
            {
              name: 'Ranker',
              autoscaling_config: { min_replicas: 1, max_replicas: 8 },
              ray_actor_options: { num_gpus: 1 },
            },
          ],
        },
      ],
    });
  });

  test('workers land on the GPU they ask for, and the head does no work', () => {
    const { headGroupSpec, workerGroupSpecs } = one(drawn('ray-service'), 'RayService')['spec'].rayClusterConfig;
    expect(headGroupSpec.rayStartParams['num-cpus']).toBe('0');
    expect(workerGroupSpecs[0].template.spec.containers[0].resources.limits['nvidia.com/gpu']).toBe('1');
    expect(workerGroupSpecs[0].template.spec.tolerations).toHaveLength(1);
  });

  test.each<[string, Partial<RayServiceProps>, string]>([
    [
      'a target that is never reached',
      { deployments: { Ranker: { minReplicas: 1, maxReplicas: 2, targetOngoingRequests: 10 } } },
      'targetOngoingRequests 10 of Ranker is more than maxOngoingRequests 5, so it would never be reached and never scale. Raise maxOngoingRequests or lower targetOngoingRequests.',
    ],
    [
      'a GPU no worker has',
      { deployments: { Ranker: { minReplicas: 1, maxReplicas: 2, gpus: 1 } } },
      'Ranker asks for 1 GPUs and a worker has 0. Set worker.gpu, or lower gpus.',
    ],
    [
      'no worker',
      { workers: { min: 0, max: 2 } },
      'workers.min 0 is below 1 or above workers.max 2, and the head answers nothing. Set workers to { min: 1, max: 8 }.',
    ],
    [
      'a path that is none',
      { importPath: 'ranker.py' },
      'importPath is no module and application: found ranker.py, expected module.path:application. Write it as `serve run` takes it.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(ray(change))).toBe(`RayService "shop/ranker": ${text}`);
  });
});

const pool =
  (change: Partial<GpuNodePoolProps>) =>
  (chart: Chart): GpuNodePool =>
    new GpuNodePool(chart, 'gpu', {
      gpus: ['l4'],
      maxGpus: 8,
      cluster: 'production',
      role: 'nodes',
      amiVersion: 'v20260801',
      ...change,
    });

describe('GpuNodePool', () => {
  test('has a ceiling, the taint that GPU pods tolerate, and nodes that are not taken from under a job', () => {
    const [serving, training] = drawn('gpu-node-pool').filter(({ kind }) => kind === 'NodePool');
    expect(serving?.['spec'].limits).toEqual({ 'nvidia.com/gpu': '16' });
    expect(serving?.['spec'].template.spec.taints).toEqual([
      { key: 'nvidia.com/gpu', value: 'true', effect: 'NoSchedule' },
    ]);
    expect(training?.['spec'].disruption.consolidationPolicy).toBe('WhenEmpty');
    expect(training?.['spec'].disruption.budgets).toContainEqual({ nodes: '0', reasons: ['Underutilized', 'Drifted'] });
  });

  test('both A100s are told apart by their memory', () => {
    const requirements = (change: Partial<GpuNodePoolProps>) =>
      JSON.stringify(one(manifestsOf(pool(change)), 'NodePool')['spec'].template.spec.requirements);
    expect(requirements({ gpus: ['a100-80gb'] })).toContain('81920');
    expect(requirements({ gpus: ['a100-40gb', 'a100-80gb'] })).not.toContain('instance-gpu-memory');
  });

  test.each<[string, Partial<GpuNodePoolProps>, string]>([
    [
      'a pool without a ceiling',
      { maxGpus: 0 },
      'maxGpus is no number of GPUs, so nothing would bound what the pool costs: found 0, expected a whole number from 1. Set it to what you are willing to pay for.',
    ],
    [
      'a ceiling below one node',
      { gpusPerNode: [8], maxGpus: 4 },
      'maxGpus 4 is less than the 8 GPUs of one node, so no node would ever come. Raise maxGpus to at least 8.',
    ],
    [
      'nodes that change by themselves',
      { amiVersion: 'latest' },
      'amiVersion is no release, so nodes would be replaced whenever AWS publishes one, and with another driver: found latest, expected v and a date, such as v20260801. Name the release that was tested.',
    ],
    [
      'reserved nodes that may be taken away',
      { purpose: 'reserved', capacity: ['spot'] },
      "purpose 'reserved' keeps nodes that capacity 'spot' may take away at any time. Use 'reserved' or 'on-demand' capacity.",
    ],
    ['GPUs that AWS does not have', { gpus: ['a30'] }, 'gpus: AWS has no instances with a30. Choose another.'],
    [
      'an A100 beside others',
      { gpus: ['a100-80gb', 'l4'] },
      'gpus has an A100 beside others: Karpenter calls both A100s one and tells them apart by their memory, which would leave the others out: found a100-80gb, l4. Give the A100 a pool of its own.',
    ],
  ])('refuses %s', (_, change, text) => {
    expect(refusalText(pool(change))).toBe(`GpuNodePool "shop/gpu": ${text}`);
  });
});
