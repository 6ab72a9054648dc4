/**
 * Every object of every construct, shown to the real API server with strict server-side dry-run, against the real definitions of the custom
 * resources: an unknown field, a wrong type or a broken rule is refused. The projects' admission webhooks are not running.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gallery } from '../constructs/kubernetes/fixtures/gallery.ts';
import { type Manifest, manifestsOf, one } from '../constructs/kubernetes/fixtures/test-chart.ts';
import { installConstructDefinitions } from './constructs/definitions.ts';
import { type ApiAnswer, type ControlPlane, startControlPlane } from './kubernetes/control-plane.ts';
import { installDefinitions } from './kubernetes/custom-resources.ts';

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

/** Kinds without a namespace. */
const clusterWide = new Set(['NodePool', 'EC2NodeClass']);

function pathOf({ apiVersion, kind, metadata }: Manifest): string {
  const group = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  const plural = kind.toLowerCase().replace(/y$/, 'ie').replace(/s$/, 'se');
  return `${group}${clusterWide.has(kind) ? '' : '/namespaces/shop'}/${plural}s/${metadata.name}`;
}

function shown(manifest: Manifest): Promise<ApiAnswer> {
  const query = 'fieldManager=sluice&force=true&dryRun=All&fieldValidation=Strict';
  return cluster.ask('PATCH', `${pathOf(manifest)}?${query}`, manifest, 'application/apply-patch+yaml');
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

/** Every pod must also be one that the Pod Security Standard "restricted" lets in, and not only be warned of at its Deployment. */
describe('the Pod Security admission of "restricted"', () => {
  const pods = Object.entries(gallery).flatMap(([name, build]) =>
    manifestsOf(build)
      .filter(({ kind }) => kind === 'Deployment' || kind === 'Job')
      .map((manifest) => [`${name} ${manifest.kind} ${manifest.metadata.name}`, manifest] as const),
  );

  test.each(pods)('lets the pods of %s in', async (_, { metadata, ...manifest }) => {
    const { template } = manifest['spec'];
    const { serviceAccountName: _account, ...spec } = template.spec;
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: metadata.name, labels: template.metadata.labels },
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
