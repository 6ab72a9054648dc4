/**
 * Every object of every construct, shown to the real API server with strict server-side dry-run, against the real definitions of the custom
 * resources: an unknown field, a wrong type or a broken rule is refused. The projects' admission webhooks are not running.
 */
import { Chart, Testing } from 'cdk8s';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gallery } from '../constructs/kubernetes/fixtures/gallery.ts';
import { type Manifest, manifestsOf, one } from '../constructs/kubernetes/fixtures/test-chart.ts';
import { openKubernetes } from '../rollout/kubernetes-client.ts';
import { openKubernetesTraffic } from '../rollout/traffic/kubernetes-providers.ts';
import { type KubernetesTraffic, kubernetesTraffic } from '../rollout/traffic/kubernetes-traffic.ts';
import { installConstructDefinitions } from './constructs/definitions.ts';
import { type RayPod, rayPods } from './constructs/ray-pods.ts';
import { newNamespace } from './kubernetes/access.ts';
import { type ApiAnswer, type ControlPlane, startControlPlane } from './kubernetes/control-plane.ts';
import { installDefinitions } from './kubernetes/custom-resources.ts';
import { apply, applyAll, manifestPath } from './kubernetes/manifests.ts';

let cluster: ControlPlane;

beforeAll(async () => {
  cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio', 'gateway-api', 'kserve', 'seldon');
  await installConstructDefinitions(cluster);
  await cluster.must('POST', '/api/v1/namespaces', {
    metadata: { name: 'shop', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } },
  });
}, 600_000);

afterAll(() => cluster?.[Symbol.asyncDispose]());

function shown(manifest: Manifest): Promise<ApiAnswer> {
  return apply(cluster, manifest, 'shop', { dryRun: true });
}

describe('the API server', () => {
  test.each(Object.entries(gallery))('takes every object of %s', async (_, build) => {
    const answers = await Promise.all(
      manifestsOf(build).map(async (manifest) => {
        const { status, body } = await shown(manifest);
        return status < 300
          ? []
          : [`${manifest.kind} ${manifest.metadata.name}: ${JSON.stringify(body).slice(0, 1500)}`];
      }),
    );
    expect(answers.flat()).toEqual([]);
  });

  test('keeps every field: what it would store is what was rendered, and more only where it has defaults', async () => {
    for (const manifest of Object.values(gallery).flatMap(manifestsOf)) {
      const { body } = await shown(manifest);
      expect(body, `${manifest.kind} ${manifest.metadata.name}`).toMatchObject(withoutEmpty(manifest) as object);
    }
  });

  test('refuses a field it does not know, so the tests above can fail', async () => {
    const manifest = one(manifestsOf(gallery['keda-autoscaler'] ?? (() => undefined)), 'ScaledObject');
    const { status, body } = await shown({ ...manifest, spec: { ...manifest['spec'], minReplica: 1 } });
    expect(status).toBeGreaterThanOrEqual(400);
    expect(JSON.stringify(body)).toContain('.spec.minReplica: field not declared in schema');
  });
});

/** The pod of a StatefulSet with its claims, as the controller adds them. */
function withClaims({ template, volumeClaimTemplates }: Manifest['spec']): Manifest['spec'] {
  const claims = volumeClaimTemplates.map(({ metadata: { name } }: Manifest) => ({
    name,
    persistentVolumeClaim: { claimName: name },
  }));
  return { ...template, spec: { ...template.spec, volumes: [...template.spec.volumes, ...claims] } };
}

/** The pods an object makes, where its definition is not the project's own to fill in (a TrainJob patches those of its runtime). */
function podTemplates({ kind, ...manifest }: Manifest): readonly Manifest['spec'][] {
  if (kind === 'Deployment' || kind === 'Job') return [manifest['spec'].template];
  if (kind === 'CronJob') return [manifest['spec'].jobTemplate.spec.template];
  if (kind === 'StatefulSet') return [withClaims(manifest['spec'])];
  if (kind === 'SparkApplication') return [manifest['spec'].driver.template, manifest['spec'].executor.template];
  if (kind !== 'PyTorchJob') return [];
  return Object.values<Manifest['spec']>(manifest['spec'].pytorchReplicaSpecs).map(({ template }) => template);
}

/** Every pod must also be one that the Pod Security Standard "restricted" lets in, and not only be warned of at its Deployment. */
describe('the Pod Security admission of "restricted"', () => {
  const pods = Object.entries(gallery).flatMap(([name, build]) =>
    manifestsOf(build).flatMap((manifest) =>
      podTemplates(manifest).map(
        (template, index) =>
          [
            `${name} ${manifest.kind} ${manifest.metadata.name} ${index + 1}`,
            manifest.metadata.name,
            template,
          ] as const,
      ),
    ),
  );

  test.each(pods)('lets the pods of %s in', async (_, name, template) => {
    const { serviceAccountName: _account, ...spec } = template.spec;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, labels: template.metadata.labels },
      spec,
    };
    const { status, body } = await cluster.ask(
      'POST',
      '/api/v1/namespaces/shop/pods?dryRun=All&fieldValidation=Strict',
      pod,
    );
    expect({ status, body: status < 300 ? '' : body }).toEqual({ status: 201, body: '' });
  });
});

describe('the hook after a training', () => {
  test('may read its own training, and neither another one nor anything else', async () => {
    const namespace = await newNamespace(cluster, 'training');
    const access = manifestsOf(gallery['pytorch-job-spot'] ?? (() => undefined)).filter(({ kind }) =>
      ['ServiceAccount', 'Role', 'RoleBinding'].includes(kind),
    );
    await applyAll(cluster, access, namespace);
    const may = async (verb: string, resource: string, name: string): Promise<boolean> => {
      const group = resource === 'secrets' ? '' : 'kubeflow.org';
      const spec = {
        user: `system:serviceaccount:${namespace}:ranker-train-8-completion`,
        resourceAttributes: { namespace, verb, group, resource, name },
      };
      const review = await cluster.must('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', { spec });
      return (review as { readonly status: { readonly allowed: boolean } }).status.allowed;
    };
    // The authorizer hears of a new role a moment after it is there.
    await expect.poll(() => may('get', 'pytorchjobs', 'ranker-train-8'), { timeout: 10_000 }).toBe(true);
    expect(await may('get', 'pytorchjobs', 'ranker-train-9')).toBe(false);
    expect(await may('patch', 'pytorchjobs', 'ranker-train-8')).toBe(false);
    expect(await may('get', 'secrets', 'any')).toBe(false);
  });
});

describe('the canary action', () => {
  test.each([
    'canary-route-istio',
    'canary-route-gateway-api',
    'kserve-standard',
    'seldon-experiment',
    'seldon-deployment',
  ])('moves the traffic of %s, which it finds by what the construct told, and puts everything back', async (name) => {
    const namespace = await newNamespace(cluster, 'canary');
    const chart = new Chart(Testing.app(), 'shop', { namespace });
    gallery[name]?.(chart);
    const manifests = Testing.synth(chart) as readonly Manifest[];
    await applyAll(cluster, manifests, namespace);
    const traffic = trafficOf(chart, namespace);
    const provider = openKubernetesTraffic(traffic, openKubernetes({ files: [cluster.kubeconfig] }));
    const route = one(manifests, routed[traffic.provider === 'seldon' ? traffic.kind : traffic.provider]);
    const path = manifestPath(route, namespace);
    const before = await specAt(path);
    const first = (await provider.read()).desired;
    const revision = await provider.move({
      record: 'move',
      traffic: { canaryWeight: 25, mirrorPercent: 0 },
      after: undefined,
    });
    expect(revision).not.toBe('');
    expect((await provider.read()).desired.canaryWeight).toBe(25);
    await provider.move({
      record: 'back',
      traffic: { canaryWeight: first.canaryWeight, mirrorPercent: first.mirrorPercent },
      after: revision,
    });
    expect(await specAt(path)).toEqual(before);
  });
});

/** The kind whose weights each provider moves. */
const routed = {
  istio: 'VirtualService',
  'gateway-api': 'HTTPRoute',
  kserve: 'InferenceService',
  SeldonDeployment: 'SeldonDeployment',
  Experiment: 'Experiment',
} as const;

async function specAt(path: string): Promise<unknown> {
  return ((await cluster.must('GET', path)) as { readonly spec: unknown }).spec;
}

/** What the construct of a chart says is to be written into the policy. */
function trafficOf(chart: Chart, namespace: string): KubernetesTraffic {
  const told = chart.node.findAll().flatMap((construct) => ('traffic' in construct ? [construct.traffic] : []));
  // A SeldonDeployment's arms are its predictors, whose names the user knows.
  const [
    only = { provider: 'seldon', kind: 'SeldonDeployment', namespace, name: 'churn', baseline: 'v3', canary: 'v4' },
  ] = told;
  return kubernetesTraffic.parse(only);
}

/** The API server leaves empty lists and strings of some fields out, which mean the same. */
function withoutEmpty(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutEmpty);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, each]) => each !== '' && !(Array.isArray(each) && each.length === 0))
      .map(([key, each]) => [key, withoutEmpty(each)]),
  );
}

/** Of what a construct renders, KubeRay makes more: labels of its own, a container that scales, one that waits for the head. */
describe('the pods that KubeRay makes of a RayService', () => {
  const manifests = manifestsOf(gallery['ray-service'] ?? (() => undefined));
  let pods: readonly RayPod[];

  beforeAll(async () => {
    pods = await rayPods(one(manifests, 'RayService'));
  }, 1_200_000);

  test('are let in by the Pod Security Standard "restricted", with every container that it adds', async () => {
    expect(
      pods.map(({ spec }) => [...(spec.initContainers ?? []), ...spec.containers].map(({ name }) => name)),
    ).toEqual([
      ['ray-head', 'autoscaler'],
      ['wait-gcs-ready', 'ray-worker'],
    ]);
    for (const [index, { metadata, spec }] of pods.entries()) {
      const { serviceAccountName: _account, ...rest } = spec;
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: `ray-${index}`, labels: metadata.labels },
        spec: rest,
      };
      const path = '/api/v1/namespaces/shop/pods?dryRun=All&fieldValidation=Strict';
      const { status, body } = await cluster.ask('POST', path, pod);
      expect({ status, body: status < 300 ? '' : body }).toEqual({ status: 201, body: '' });
    }
  });

  test('give a token to the autoscaler and to no program of the user', () => {
    const mounting = pods.flatMap(({ spec }) =>
      [...(spec.initContainers ?? []), ...spec.containers].filter(({ volumeMounts = [] }) =>
        volumeMounts.some(({ mountPath }) => mountPath === '/var/run/secrets/kubernetes.io/serviceaccount'),
      ),
    );
    expect(mounting.map(({ name }) => name)).toEqual(['autoscaler']);
    expect(pods.map(({ spec }) => spec.automountServiceAccountToken)).toEqual([false, false]);
  });

  test('are the ones that its policies and its budget select', () => {
    const selected = (kind: string, name: string): readonly (string | undefined)[] => {
      const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
      if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
      const { matchLabels } = found['spec'].podSelector ?? found['spec'].selector;
      return pods
        .filter(({ metadata }) =>
          Object.entries(matchLabels).every(([label, value]) => metadata.labels[label] === value),
        )
        .map(({ metadata }) => metadata.labels['ray.io/node-type']);
    };
    expect(selected('NetworkPolicy', 'ranker')).toEqual(['head', 'worker']);
    expect(selected('NetworkPolicy', 'ranker-head')).toEqual(['head']);
    expect(selected('PodDisruptionBudget', 'ranker')).toEqual(['worker']);
    for (const { spec, metadata } of pods.slice(1)) {
      const [constraint] = spec.topologySpreadConstraints ?? [];
      expect(metadata.labels).toMatchObject(constraint?.labelSelector.matchLabels ?? { none: '' });
      expect(Object.keys(metadata.labels)).toEqual(
        expect.arrayContaining([...(constraint?.matchLabelKeys ?? ['none'])]),
      );
    }
  });
});
