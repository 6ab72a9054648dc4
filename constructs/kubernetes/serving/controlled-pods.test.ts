import type { Chart } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, gallery } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, newChart, one } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { KserveInferenceService, type KserveInferenceServiceProps } from './kserve-inference-service.ts';
import { RayService, type RayServiceProps } from './ray-service.ts';
import { SeldonDeployment } from './seldon-deployment.ts';

const drawn = (name: string): readonly Manifest[] => manifestsOf(gallery[name] ?? (() => undefined));
const called = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
/** From whom to which ports. */
const ways = ({ spec }: Manifest): readonly (readonly [unknown, readonly (string | number)[]])[] =>
  spec.ingress.map(
    ({
      from,
      ports = [],
    }: {
      readonly from: unknown;
      readonly ports?: readonly { readonly port: string | number }[];
    }) => [from, ports.map(({ port }) => port)],
  );
const monitoring = [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }];

const ray =
  (change: Partial<RayServiceProps> = {}) =>
  (chart: Chart): RayService =>
    new RayService(chart, 'ranker', {
      image: `ray:2.49.0@sha256:${digest}`,
      rayVersion: '2.49.0',
      model: { name: 'ranker', version: '2' },
      importPath: 'ranker.app:ranker',
      worker: { cpu: 4, memory: '16Gi' },
      ...change,
    });

describe("a RayService's pods", () => {
  const cluster = {
    podSelector: { matchLabels: { 'app.kubernetes.io/name': 'ray-serve', 'app.kubernetes.io/instance': 'ranker' } },
  };

  test('reach each other wherever they listen, and are reached by others only where they serve', () => {
    const policy = called(manifestsOf(ray()), 'NetworkPolicy', 'ranker');
    expect(policy['spec'].podSelector).toEqual(cluster.podSelector);
    expect(ways(policy)).toEqual([
      [[cluster], []],
      [[{ podSelector: {} }], ['serve']],
      [monitoring, ['metrics']],
      [
        [{ namespaceSelector: {}, podSelector: { matchLabels: { 'app.kubernetes.io/name': 'kuberay-operator' } } }],
        ['dashboard', 'serve'],
      ],
    ]);
    expect(policy['spec'].egress.slice(0, 1)).toEqual([{ to: [cluster] }]);
    expect(policy['spec'].egress).toHaveLength(2);
  });

  test('have the labels they are selected by, and every port that is named', () => {
    const { headGroupSpec, workerGroupSpecs } = one(drawn('ray-service'), 'RayService')['spec'].rayClusterConfig;
    for (const { template } of [headGroupSpec, workerGroupSpecs[0]]) {
      expect(template.metadata.labels).toMatchObject(cluster.podSelector.matchLabels);
      const names = template.spec.containers[0].ports.map(({ name }: { readonly name: string }) => name);
      expect(names).toEqual(expect.arrayContaining(['serve', 'metrics']));
    }
    expect(headGroupSpec.template.spec.containers[0].ports).toContainEqual({ name: 'dashboard', containerPort: 8265 });
  });

  test('have a token where workers come and go, and then the autoscaler alone', () => {
    const { autoscalerOptions, headGroupSpec } = one(manifestsOf(ray()), 'RayService')['spec'].rayClusterConfig;
    const { spec } = headGroupSpec.template;
    expect(spec.automountServiceAccountToken).toBe(false);
    const [mount] = autoscalerOptions.volumeMounts;
    expect(mount.mountPath).toBe('/var/run/secrets/kubernetes.io/serviceaccount');
    expect(spec.containers[0].volumeMounts.map(({ name }: { readonly name: string }) => name)).not.toContain(
      mount.name,
    );
    const volume = spec.volumes.find(({ name }: { readonly name: string }) => name === mount.name);
    expect(volume.projected.sources[0].serviceAccountToken.path).toBe('token');
    expect(autoscalerOptions.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
    });
  });

  test('reach the API server from the head, where workers come and go', () => {
    const { spec } = called(manifestsOf(ray()), 'NetworkPolicy', 'ranker-head');
    expect(spec.podSelector.matchLabels).toMatchObject({ 'ray.io/node-type': 'head' });
    expect(spec.policyTypes).toEqual(['Egress']);
    const fixed = manifestsOf(ray({ workers: { min: 4, max: 4 } }));
    expect(fixed.map(({ metadata }) => metadata.name)).not.toContain('ranker-head');
    const { autoscalerOptions, headGroupSpec } = one(fixed, 'RayService')['spec'].rayClusterConfig;
    expect(autoscalerOptions).toBeUndefined();
    expect(JSON.stringify(headGroupSpec)).not.toContain('serviceAccountToken');
  });

  test('are evicted one worker at a time, and the head whenever its node goes', () => {
    const { spec } = called(manifestsOf(ray({ workers: { min: 3, max: 8 } })), 'PodDisruptionBudget', 'ranker');
    // Kubernetes finds no scale of a RayCluster, so only a number that has to stay counts.
    expect(spec.minAvailable).toBe(2);
    expect(spec.selector.matchLabels).toEqual({ ...cluster.podSelector.matchLabels, 'ray.io/node-type': 'worker' });
    expect(manifestsOf(ray()).map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });

  test('may be of an image without a version where that is said', () => {
    const chart = newChart();
    expect(() => ray({ image: 'ray', allowMutableImage: true })(chart)).not.toThrow();
    expect(warningsOf(chart).map(({ code }) => code)).toEqual(['image-without-digest']);
  });
});

const kserve =
  (change: object = {}) =>
  (chart: Chart): KserveInferenceService =>
    new KserveInferenceService(chart, 'churn', {
      model: { name: 'churn', version: '3' },
      deployment: { mode: 'standard' },
      run: { format: 'onnx', storageUri: 's3://models/churn/3' },
      cpu: 1,
      memory: '1Gi',
      ...change,
    } as KserveInferenceServiceProps);

describe("a KServe InferenceService's pods", () => {
  const selector = { 'serving.kserve.io/inferenceservice': 'churn' };
  const knativeServing = {
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'knative-serving' } },
  };

  test('are reached by clients and scrapers at the ports of the runtimes', () => {
    const { spec, ...policy } = called(manifestsOf(kserve()), 'NetworkPolicy', 'churn');
    expect(spec.podSelector.matchLabels).toEqual(selector);
    expect(ways({ spec, ...policy })).toEqual([
      [[{ podSelector: {} }], [8080, 9000]],
      [monitoring, [8080, 8002, 8082]],
    ]);
  });

  test("are reached through Knative's proxy in its mode, and by what wakes and counts them", () => {
    const gateway = { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'kourier-system' } } };
    expect(ways(called(drawn('kserve-knative'), 'NetworkPolicy', 'churn'))).toEqual([
      [
        [gateway, knativeServing],
        [8012, 8013, 8112],
      ],
      [[knativeServing], [9090]],
      [monitoring, [9091, 8080, 8002, 8082]],
    ]);
  });

  test('reach what their model is fetched from, and nothing where a claim has it', () => {
    const outside = (storageUri: string): unknown =>
      called(manifestsOf(kserve({ run: { format: 'onnx', storageUri } })), 'NetworkPolicy', 'churn')[
        'spec'
      ].egress.slice(1);
    expect(outside('s3://models/churn/3')).toEqual([{ ports: [{ port: 443, protocol: 'TCP' }] }]);
    expect(outside('pvc://models/churn/3')).toEqual([]);
  });

  test('say the version they serve, a canary its own', () => {
    const [isvc] = drawn('kserve-standard').filter(({ kind }) => kind === 'InferenceService');
    expect(isvc?.metadata.labels).toMatchObject({ 'sluice.dev/model-version': '3' });
    expect(isvc?.['spec'].canary[0].predictor.labels).toEqual({ 'sluice.dev/model-version': '4' });
  });

  test('have no token, and in Standard mode the rest of the habits KServe takes', () => {
    const spec = (mode: 'standard' | 'knative') =>
      one(manifestsOf(kserve({ deployment: { mode } })), 'InferenceService')['spec'].predictor;
    expect(spec('standard')).toMatchObject({
      automountServiceAccountToken: false,
      deploymentStrategy: { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } },
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    });
    expect(spec('standard').topologySpreadConstraints).toHaveLength(2);
    expect(Object.keys(spec('knative'))).toEqual(
      expect.not.arrayContaining(['deploymentStrategy', 'securityContext', 'topologySpreadConstraints']),
    );
    expect(spec('knative').automountServiceAccountToken).toBe(false);
  });

  test('land on the GPU they ask for, of which Knative has to be told', () => {
    const gpu = { product: 'l4', nodeSelector: { pool: 'gpu' } };
    const chart = newChart();
    kserve({ gpu })(chart);
    expect(warningsOf(chart)).toEqual([]);
    const { predictor } = one(manifestsOf(kserve({ gpu })), 'InferenceService')['spec'];
    expect(predictor).toMatchObject({
      nodeSelector: { pool: 'gpu' },
      tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
    });
    expect(JSON.stringify(predictor.affinity)).toContain('NVIDIA-L4');
    const knative = newChart();
    kserve({ gpu, deployment: { mode: 'knative' } })(knative);
    expect(warningsOf(knative).map(({ code }) => code)).toEqual(['knative-placement']);
  });

  test('are evicted one at a time where there is more than one', () => {
    expect(called(manifestsOf(kserve()), 'PodDisruptionBudget', 'churn')['spec']).toMatchObject({
      selector: { matchLabels: selector },
      maxUnavailable: 1,
    });
    expect(manifestsOf(kserve({ minReplicas: 1 })).map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });
});

describe("a SeldonDeployment's pods", () => {
  test('are reached at the executor, and counted for each predictor with more than one', () => {
    const manifests = drawn('seldon-deployment');
    const policy = called(manifests, 'NetworkPolicy', 'churn');
    expect(policy['spec'].podSelector.matchLabels).toEqual({ 'seldon-deployment-id': 'churn' });
    expect(ways(policy).map(([, ports]) => ports)).toEqual([
      [8000, 5001],
      [8000, 6000, 8002],
    ]);
    const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(
      budgets.map(({ metadata, spec }) => [metadata.name, spec.maxUnavailable, spec.selector.matchLabels]),
    ).toEqual([['churn-v3', 1, { 'seldon-deployment-id': 'churn', 'sluice.dev/model-version': '3' }]]);
    const { predictors } = one(manifests, 'SeldonDeployment')['spec'];
    expect(predictors[0].labels).toMatchObject({ 'sluice.dev/model-version': '3' });
  });

  test('have no token and no capabilities, and land on the GPU they ask for', () => {
    const [{ componentSpecs }] = one(
      manifestsOf(
        (chart) =>
          new SeldonDeployment(chart, 'churn', {
            model: 'churn',
            networkPolicy: false,
            predictors: [
              { version: '3', modelUri: 'pvc://m/3', traffic: 100, cpu: 1, memory: '1Gi', gpu: { product: 'l4' } },
            ],
          }),
      ),
      'SeldonDeployment',
    )['spec'].predictors;
    const [{ spec }] = componentSpecs;
    expect(spec.automountServiceAccountToken).toBe(false);
    expect(spec.containers[0].securityContext).toMatchObject({ capabilities: { drop: ['ALL'] } });
    expect(spec.tolerations).toHaveLength(1);
    expect(JSON.stringify(spec.affinity)).toContain('NVIDIA-L4');
  });

  test('have no policy where none is wanted', () => {
    const builds: readonly ((chart: Chart) => unknown)[] = [
      ray({ networkPolicy: false }),
      kserve({ networkPolicy: false }),
    ];
    for (const build of builds) expect(manifestsOf(build).map(({ kind }) => kind)).not.toContain('NetworkPolicy');
  });
});
