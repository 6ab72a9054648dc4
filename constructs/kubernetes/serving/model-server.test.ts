import { type Chart, Duration, JsonPatch } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest } from '../fixtures/gallery.ts';
import { manifestsOf, newChart, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { warningsOf } from '../problem.ts';
import { ModelServer, type ModelServerProps } from './model-server.ts';
import type { Replicas } from './serving-props.ts';

const image = `registry.example.com/server:1.0@sha256:${digest}`;
const props: ModelServerProps = {
  image,
  model: { name: 'churn', version: '3' },
  cpu: 1,
  memory: '8Gi',
  server: {
    construct: 'ModelServer',
    name: 'bento',
    ports: [
      { name: 'http', port: 3000 },
      { name: 'metrics', port: 9000, internal: true },
    ],
    health: {
      ready: { httpGet: { path: '/readyz', port: 'http' } },
      live: { httpGet: { path: '/livez', port: 'http' } },
    },
    metrics: { port: 'metrics', path: '/metrics' },
    runAs: { user: 1000, group: 1000 },
    onTerminate: 'finishes',
    gpu: 'optional',
  },
};

const server =
  (change: Partial<ModelServerProps> = {}) =>
  (chart: Chart): ModelServer =>
    new ModelServer(chart, 'ranker', { ...props, ...change });

const pod = (change: Partial<ModelServerProps> = {}) =>
  one(manifestsOf(server(change)), 'Deployment')['spec'].template.spec;

describe('a pod of a model server', () => {
  test('keeps to the Pod Security Standard "restricted", with a root file system nobody writes', () => {
    const { securityContext, containers, automountServiceAccountToken, volumes } = pod();
    expect(securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: 1000,
      seccompProfile: { type: 'RuntimeDefault' },
    });
    for (const container of containers) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
    expect(automountServiceAccountToken).toBe(false);
    expect(volumes).toEqual([{ name: 'tmp', emptyDir: { sizeLimit: '64Mi' } }]);
  });

  test('is asked whether it lives only after it had its time to load', () => {
    const { startupProbe, livenessProbe, readinessProbe } = pod({ startup: { load: Duration.minutes(30) } })
      .containers[0];
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThanOrEqual(1800);
    expect(livenessProbe.httpGet.path).not.toBe(readinessProbe.httpGet.path);
  });

  test('waits before its signal while routers take it out, and is not killed before it could finish', () => {
    const { containers, terminationGracePeriodSeconds } = pod({
      drain: { delay: Duration.seconds(15), timeout: Duration.minutes(2) },
    });
    expect(containers[0].lifecycle).toEqual({ preStop: { sleep: { seconds: 15 } } });
    expect(terminationGracePeriodSeconds).toBeGreaterThan(15 + 120);
  });

  test('goes apart from its like without being kept from running', () => {
    const spread = pod().topologySpreadConstraints;
    expect(spread.map(({ topologyKey }: { topologyKey: string }) => topologyKey)).toEqual([
      'topology.kubernetes.io/zone',
      'kubernetes.io/hostname',
    ]);
    for (const each of spread) expect(each.whenUnsatisfiable).toBe('ScheduleAnyway');
  });

  test('with a GPU asks for it, tolerates the taint of its nodes, and gets shared memory', () => {
    const { containers, tolerations, nodeSelector, volumes, affinity } = pod({
      gpu: { count: 2, product: 'a100-80gb', nodeSelector: { 'gpu-type': 'a100' } },
    });
    expect(containers[0].resources.limits['nvidia.com/gpu']).toBe('2');
    expect(containers[0].resources.requests['nvidia.com/gpu']).toBe('2');
    expect(tolerations).toEqual([{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }]);
    expect(nodeSelector).toEqual({ 'gpu-type': 'a100' });
    expect(volumes).toContainEqual({ name: 'shared-memory', emptyDir: { medium: 'Memory', sizeLimit: '2Gi' } });
    expect(JSON.stringify(affinity)).toContain('NVIDIA-A100-SXM4-80GB');
  });

  test.each([
    [{ product: 'a100-40gb', mig: '1g.5gb' }, 'nvidia.com/mig-1g.5gb'],
    [{ product: 'a100-80gb', mig: '1g.10gb+me' }, 'nvidia.com/mig-1g.10gb.me'],
    [{ shared: true }, 'nvidia.com/gpu.shared'],
  ] as const)('with the slice %j asks for %s', (gpu, resource) => {
    expect(pod({ gpu }).containers[0].resources.limits[resource]).toBe('1');
  });
});

describe('the objects of a model server', () => {
  test('select by name and instance only, so that a new version is an update', () => {
    const manifests = manifestsOf(server());
    const selector = { 'app.kubernetes.io/name': 'bento', 'app.kubernetes.io/instance': 'ranker' };
    expect(one(manifests, 'Deployment')['spec'].selector.matchLabels).toEqual(selector);
    expect(one(manifests, 'Service')['spec'].selector).toEqual(selector);
    expect(one(manifests, 'PodDisruptionBudget')['spec'].selector.matchLabels).toEqual(selector);
    expect(one(manifests, 'NetworkPolicy')['spec'].podSelector.matchLabels).toEqual(selector);
    for (const { metadata } of manifests) {
      expect(metadata.labels).toMatchObject({
        ...selector,
        'sluice.dev/model': 'churn',
        'sluice.dev/model-version': '3',
      });
    }
  });

  test('update without taking a pod away first, and one eviction at a time', () => {
    const manifests = manifestsOf(server());
    expect(one(manifests, 'Deployment')['spec'].strategy.rollingUpdate).toEqual({ maxSurge: 1, maxUnavailable: 0 });
    expect(one(manifests, 'PodDisruptionBudget')['spec'].maxUnavailable).toBe(1);
  });

  test('are evicted one by one where an autoscaler may have several, and at once where there is one', () => {
    const budgets = (replicas: Replicas) =>
      manifestsOf(server({ replicas })).filter(({ kind }) => kind === 'PodDisruptionBudget');
    expect(budgets({ min: 0, max: 12 }).map(({ spec }) => spec.maxUnavailable)).toEqual([1]);
    expect([...budgets({ min: 0, max: 1 }), ...budgets(1)]).toEqual([]);
  });

  test('leave the number of pods to an autoscaler that there is', () => {
    expect(one(manifestsOf(server({ replicas: { min: 2, max: 8 } })), 'Deployment')['spec']).not.toHaveProperty(
      'replicas',
    );
  });

  test('let clients ask, scrapers scrape, and the server reach nobody', () => {
    const { ingress, egress } = one(manifestsOf(server()), 'NetworkPolicy')['spec'];
    expect(ingress).toEqual([
      { from: [{ podSelector: {} }], ports: [{ port: 'http', protocol: 'TCP' }] },
      {
        from: [{ namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } }],
        ports: [{ port: 'metrics', protocol: 'TCP' }],
      },
    ]);
    expect(egress).toEqual([]);
  });

  test('can be patched in any place, and nothing is lost on the way', () => {
    const deployment = one(
      manifestsOf((chart) => {
        server({ gpu: { count: 1 } })(chart).workload.addJsonPatch(
          JsonPatch.add('/spec/template/spec/containers/0/resources/limits/example.com~1fpga', 1),
        );
      }),
      'Deployment',
    );
    expect(deployment['spec'].template.spec.containers[0].resources.limits).toMatchObject({
      'example.com/fpga': 1,
      'nvidia.com/gpu': '1',
    });
  });

  test('say what to read of them', () => {
    const made = server()(newChart());
    expect(made.metrics).toEqual({ port: 'metrics', path: '/metrics' });
    expect(made.identity).toMatchObject({ instance: 'ranker', model: 'churn', modelVersion: '3' });
  });
});

describe('props that no cluster could keep', () => {
  test.each<[string, Partial<ModelServerProps>, string]>([
    [
      'shared memory over the limit',
      { gpu: { count: 1 }, sharedMemory: '16Gi' },
      'ModelServer "shop/ranker": shared memory 16Gi exceeds the memory limit 8Gi; /dev/shm counts against it. Raise memory.limit to 24Gi or lower sharedMemory.',
    ],
    [
      'a grace that ends before the drain',
      { drain: { delay: Duration.seconds(10), timeout: Duration.seconds(60), terminationGrace: Duration.seconds(30) } },
      'ModelServer "shop/ranker": drain.terminationGrace 30 s is not more than drain.delay 10 s and drain.timeout 60 s together, so requests on their way are cut off. Raise drain.terminationGrace to more than 70 s, or lower drain.timeout.',
    ],
    [
      'a rollout that fails before a slow start is over',
      { startup: { load: Duration.minutes(20), progressDeadline: Duration.minutes(10) } },
      'ModelServer "shop/ranker": startup.progressDeadline 600 s is not more than scheduling 300 s, fetching 0 s and loading 1200 s together, so a slow start would count as a failed rollout. Raise startup.progressDeadline to more than 1500 s, or leave it out.',
    ],
    [
      'a rollout that fails before a new pod has been ready for long enough',
      {
        startup: {
          load: Duration.seconds(5),
          fetch: Duration.seconds(0),
          schedule: Duration.seconds(1),
          progressDeadline: Duration.seconds(10),
        },
      },
      'ModelServer "shop/ranker": startup.progressDeadline 10 s is not more than the 10 s for which a new pod has to stay ready, which Kubernetes refuses. Raise startup.progressDeadline to more than 10 s, or leave it out.',
    ],
    [
      'a budget that forbids every eviction',
      { replicas: 1, disruption: { minAvailable: 1 } },
      'ModelServer "shop/ranker": disruption.minAvailable 1 with 1 replica forbids every eviction, so no node with such a pod can be drained. Raise replicas to 2, or set disruption to { maxUnavailable: 1 }.',
    ],
    [
      'a budget as large as the fewest replicas of an autoscaler',
      { replicas: { min: 2, max: 9 }, disruption: { minAvailable: 2 } },
      'ModelServer "shop/ranker": disruption.minAvailable 2 with 2 replicas forbids every eviction, so no node with such a pod can be drained. Raise replicas to 3, or set disruption to { maxUnavailable: 1 }.',
    ],
    [
      'a budget that protects nothing',
      { replicas: 2, disruption: { maxUnavailable: 2 } },
      'ModelServer "shop/ranker": disruption.maxUnavailable 2 lets all of 2 replicas be evicted at once. Set disruption.maxUnavailable to at most 1.',
    ],
    [
      'an update that takes every pod away',
      { replicas: 1, update: { maxSurge: 0, maxUnavailable: 1 } },
      'ModelServer "shop/ranker": update.maxUnavailable 1 takes all of 1 replica away at once, so an update is an outage. Set update.maxUnavailable to 0, or raise replicas to 2.',
    ],
    [
      'an update that may do nothing',
      { update: { maxSurge: 0, maxUnavailable: 0 } },
      'ModelServer "shop/ranker": update.maxSurge 0 and update.maxUnavailable 0 leave no pod to be updated. Set update.maxSurge to 1, or, where there is no room for one more pod, update.maxUnavailable to 1.',
    ],
    [
      'an image without a version',
      { image: 'registry.example.com:5000/server' },
      'ModelServer "shop/ranker": image has neither a tag nor a digest, so each pod may run another version: found registry.example.com:5000/server. Name a version, best with its digest (name:1.2.3@sha256:...), or set allowMutableImage: true.',
    ],
    [
      'the image "latest"',
      { image: 'server:latest' },
      'ModelServer "shop/ranker": image has the tag "latest", so each pod may run another version: found server:latest. Name a version, best with its digest (name:1.2.3@sha256:...), or set allowMutableImage: true.',
    ],
    [
      'a GPU for an image without CUDA',
      { gpu: {}, image: `registry.example.com/vllm-cpu:1.0@sha256:${digest}` },
      `ModelServer "shop/ranker": gpu asks for a GPU and image is one for CPUs: found registry.example.com/vllm-cpu:1.0@sha256:${digest}. Use the image for CUDA, or leave gpu out.`,
    ],
    [
      'a MIG profile of another GPU',
      { gpu: { product: 'a100-40gb', mig: '1g.20gb' } },
      'ModelServer "shop/ranker": gpu.mig: a100-40gb has no such MIG profile: found 1g.20gb, expected 1g.5gb, 1g.5gb+me, 1g.10gb, 2g.10gb, 3g.20gb, 4g.20gb, 7g.40gb. Choose one of these profiles.',
    ],
    [
      'a MIG profile of a GPU that has none',
      { gpu: { product: 'l4', mig: '1g.5gb' } },
      'ModelServer "shop/ranker": gpu.mig: l4 has no such MIG profile: found 1g.5gb, expected none: it cannot be divided. Leave gpu.mig out, or use gpu.shared.',
    ],
    [
      'a number of GPUs that leaves some unused',
      { gpu: { count: 3 as 2 } },
      'ModelServer "shop/ranker": gpu.count 3 leaves GPUs of a node unused, since nodes have 1, 2, 4 or 8. Set gpu.count to 1, 2, 4 or 8.',
    ],
    [
      'several shares of one GPU',
      { gpu: { shared: true, count: 2 } },
      'ModelServer "shop/ranker": gpu.shared with gpu.count 2: slices of a GPU have no share of their own, so more of them give nothing. Set gpu.count to 1, or leave gpu.shared out.',
    ],
    [
      'a request over its limit',
      { memory: { request: '4Gi', limit: '2Gi' } },
      'ModelServer "shop/ranker": memory.request 4Gi is more than memory.limit 2Gi. Raise memory.limit or lower memory.request.',
    ],
    [
      'a version that is no label',
      { model: { name: 'churn', version: '3 final' } },
      'ModelServer "shop/ranker": the label sluice.dev/model-version cannot have this value: found 3 final, expected at most 63 letters, digits, "-", "_" and ".", starting and ending with a letter or digit. Shorten it or replace the other characters.',
    ],
    [
      'a name that is no DNS label',
      { name: 'Ranker_1' },
      'ModelServer "shop/ranker": the name is no DNS label: found Ranker_1, expected at most 63 small letters, digits and "-", starting with a letter. Rename the construct, or set `name`.',
    ],
  ])('%s', (_, change, text) => {
    expect(refusalText(server(change))).toBe(text);
  });

  test('are all told at once, as data', () => {
    const problems = problemsOf(server({ memory: '0Gi', cpu: 0, replicas: -1, image: 'server' }));
    expect(problems.map(({ code }) => code)).toEqual(
      expect.arrayContaining(['bad-quantity', 'bad-replicas', 'mutable-image']),
    );
    for (const { place, fix } of problems) {
      expect(place?.key).toBe('ModelServer "shop/ranker"');
      expect(fix).toMatch(/^[A-Z].*\.$/);
    }
  });

  test('may have an image without a version where that was asked for', () => {
    expect(pod({ image: 'server', allowMutableImage: true }).containers[0].image).toBe('server');
  });
});

test('an image without its digest is warned of, and with it nothing is', () => {
  const chart = newChart();
  server()(chart);
  expect(warningsOf(chart)).toEqual([]);
  new ModelServer(chart, 'other', { ...props, image: 'server:1.0' });
  expect(warningsOf(chart).map(({ code, found, place }) => [code, found, place?.key])).toEqual([
    ['image-without-digest', 'server:1.0', 'ModelServer "shop/other"'],
  ]);
});
