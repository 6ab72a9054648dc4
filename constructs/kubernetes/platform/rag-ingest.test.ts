import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, one, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import type { RagDocuments } from './rag-ingest.ts';
import { RagStack, type RagStackProps } from './rag-stack.ts';

const image = (name: string): string => `${name}@sha256:${digest}`;
const ollama = {
  image: image('ollama/ollama:0.12.0'),
  model: { name: 'writer', version: '1' },
  weights: { pull: 'llama3.2:3b', sha256: digest },
  cpu: 4,
  memory: '8Gi',
  fetchImages: pinnedFetchImages,
} as const;
const stack =
  (documents: object = {}, change: Partial<RagStackProps> = {}) =>
  (chart: Chart): RagStack =>
    new RagStack(chart, 'handbook', {
      embedding: { ollama },
      llm: { ollama },
      store: { image: image('chromadb/chroma:1.5.3'), storage: '20Gi', collection: 'texts', cpu: 1, memory: '2Gi' },
      documents: { ...('bucket' in documents ? {} : { claim: 'handbook' }), ...documents } as RagDocuments,
      query: { image: image('node:24-alpine') },
      gateway: { image: image('nginxinc/nginx-unprivileged:1.29.1'), tokens: { name: 'readers', key: 'tokens' } },
      ...change,
    });
const podOf = (manifests: readonly Manifest[]): Manifest['spec'] =>
  one(manifests, 'CronJob')['spec'].jobTemplate.spec.template.spec;
const envOf = (manifests: readonly Manifest[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    podOf(manifests).containers[0].env.map(({ name, value }: { readonly name: string; readonly value: string }) => [
      name,
      value,
    ]),
  );
const policyOf = (manifests: readonly Manifest[], name: string): Manifest['spec'] => {
  const found = manifests.find(({ kind, metadata }) => kind === 'NetworkPolicy' && metadata.name === name);
  if (found === undefined) throw new Error(`there is no policy ${name}`);
  return found['spec'];
};

describe('the job that keeps a collection as its documents are', () => {
  test('asks the embedding server and the store of its stack, by the names they have', () => {
    expect(envOf(manifestsOf(stack({ folder: '/published/' })))).toMatchObject({
      DOCUMENTS: '/documents/published',
      EMBEDDING_URL: 'http://handbook-embedding:11434',
      EMBEDDING_MODEL: 'llama3.2:3b',
      STORE_URL: 'http://handbook-store:8000',
      COLLECTION: 'texts',
      INGEST_NAME: 'handbook',
    });
  });

  test('reaches those two and is let in by them, and nobody reaches it', () => {
    const manifests = manifestsOf(stack());
    const own = policyOf(manifests, 'handbook-ingest');
    expect(own.ingress).toEqual([]);
    const asked = own.egress
      .slice(1)
      .map(
        ({ to: [peer] }: { to: [{ podSelector: { matchLabels: Record<string, string> } }] }) =>
          peer.podSelector.matchLabels['app.kubernetes.io/instance'],
      );
    expect(asked).toEqual(['handbook-embedding', 'handbook-store']);
    const pod = one(manifests, 'CronJob')['spec'].jobTemplate.spec.template.metadata.labels;
    for (const part of ['handbook-embedding', 'handbook-store']) {
      const [, job] = policyOf(manifests, part).ingress[0].from;
      expect(pod).toMatchObject(job.podSelector.matchLabels);
    }
    expect(policyOf(manifests, 'handbook-llm').ingress[0].from).toHaveLength(1);
  });

  test('runs alone, a bounded time, and is not tried again where that mends nothing', () => {
    const { concurrencyPolicy, timeZone, jobTemplate } = one(
      manifestsOf(stack({ deadline: Duration.minutes(10) })),
      'CronJob',
    )['spec'];
    expect({ concurrencyPolicy, timeZone }).toEqual({ concurrencyPolicy: 'Forbid', timeZone: 'Etc/UTC' });
    expect(jobTemplate.spec).toMatchObject({
      activeDeadlineSeconds: 600,
      podFailurePolicy: {
        rules: [{ action: 'FailJob', onExitCodes: { containerName: 'ingest', operator: 'In', values: [3] } }],
      },
    });
  });

  test('only reads the documents, and its program comes with it', () => {
    const manifests = manifestsOf(stack());
    const { volumes, containers, automountServiceAccountToken } = podOf(manifests);
    expect(volumes).toContainEqual({
      name: 'documents',
      persistentVolumeClaim: { claimName: 'handbook', readOnly: true },
    });
    expect(automountServiceAccountToken).toBe(false);
    const files = volumes.find(({ name }: { readonly name: string }) => name === 'program').configMap.name;
    const map = manifests.find(({ metadata }) => metadata.name === files);
    expect(Object.keys(map?.['data'])).toContain(containers[0].command[1].split('/').at(-1));
  });

  test('fetches the documents of a bucket into a folder of its own, with the rights it is given', () => {
    const manifests = manifestsOf(
      stack({
        bucket: 's3://handbook/published',
        room: '2Gi',
        fetchImage: pinnedFetchImages.s3,
        extensions: ['.MD', '.rst'],
        s3: {
          endpoint: 'http://minio.storage:9000',
          region: 'eu-north-1',
          credentials: { accessKeyId: { name: 'minio', key: 'id' }, secretAccessKey: { name: 'minio', key: 'key' } },
        },
        serviceAccountAnnotations: { role: 'reader' },
      }),
    );
    const { initContainers, containers, volumes } = podOf(manifests);
    const [collect] = initContainers;
    expect(collect.env).toEqual(
      expect.arrayContaining([
        { name: 'SOURCE', value: 's3://handbook/published' },
        { name: 'EXTENSIONS', value: '.md,.rst' },
        { name: 'AWS_ENDPOINT_URL_S3', value: 'http://minio.storage:9000' },
        { name: 'AWS_SECRET_ACCESS_KEY', valueFrom: { secretKeyRef: { name: 'minio', key: 'key' } } },
      ]),
    );
    expect(volumes).toContainEqual({ name: 'documents', emptyDir: { sizeLimit: '2Gi' } });
    // A pod that writes more to the disk than it may is evicted.
    expect(containers[0].resources.limits['ephemeral-storage']).toBe('2176Mi');
    expect(policyOf(manifests, 'handbook-ingest').egress[1].ports).toEqual([
      { port: 443, protocol: 'TCP' },
      { port: 9000, protocol: 'TCP' },
    ]);
    const account = manifests.find(
      ({ kind, metadata }) => kind === 'ServiceAccount' && metadata.name === 'handbook-ingest',
    );
    expect(account?.metadata).toMatchObject({ annotations: { role: 'reader' } });
  });

  test('tells what is wrong with a bucket', () => {
    const wrong = { bucket: 's3://', room: '0', fetchImage: 'aws-cli', s3: { endpoint: 'minio:9000' } };
    expect(problemsOf(stack(wrong)).map(({ code }) => code)).toEqual([
      'mutable-image',
      'bad-bucket',
      'bad-endpoint',
      'bad-quantity',
    ]);
  });

  test('is not there where others fill the store, and somebody has to', () => {
    const others = stack(undefined, { documents: undefined as never, ingest: [{ podSelector: {} }] });
    expect(manifestsOf(others).map(({ kind }) => kind)).not.toContain('CronJob');
    expect(refusalText(stack(undefined, { documents: undefined as never }))).toBe(
      'RagStack "shop/handbook": neither documents nor ingest says who fills the store, so every answer would be that there is none. Set documents: { claim: \'...\' }, or ingest to the pods that store texts.',
    );
  });

  test('tells everything that is wrong with it at once', () => {
    const codes = problemsOf(
      stack({
        partSize: 10,
        overlap: 6,
        batch: 0,
        schedule: 'hourly',
        folder: 'a/../../b',
        extensions: ['md'],
        largest: 'large' as never,
        cpu: 0,
      }),
    ).map(({ code }) => code);
    expect(codes).toEqual([
      'bad-schedule',
      'bad-part-size',
      'bad-overlap',
      'bad-limit',
      'bad-extension',
      'bad-quantity',
      'bad-quantity',
      'bad-folder',
    ]);
  });
});
