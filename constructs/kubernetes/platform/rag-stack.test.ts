import { type Chart, Duration } from 'cdk8s';
import { describe, expect, test } from 'vitest';
import { digest, pinnedFetchImages } from '../fixtures/gallery.ts';
import { type Manifest, manifestsOf, problemsOf, refusalText } from '../fixtures/test-chart.ts';
import { ChromaStore } from './chroma-store.ts';
import { RagStack, type RagStackProps } from './rag-stack.ts';

const image = (name: string): string => `${name}@sha256:${digest}`;
const revision = '9216db5781bf21249d130ec9da846c4624c16137';
const indexer = { podSelector: { matchLabels: { app: 'indexer' } } };
const props: RagStackProps = {
  embedding: {
    vllm: {
      image: image('vllm/vllm-openai:v0.18.0'),
      model: { name: 'words', version: '1' },
      weights: { huggingFace: 'BAAI/bge-m3', revision },
      cpu: 2,
      memory: '8Gi',
      gpu: { count: 1, product: 'l4' },
      args: ['--enforce-eager'],
    },
  },
  llm: {
    ollama: {
      image: image('ollama/ollama:0.12.0'),
      model: { name: 'writer', version: '1' },
      weights: { pull: 'llama3.2:3b', sha256: digest },
      cpu: 4,
      memory: '8Gi',
      fetchImages: pinnedFetchImages,
    },
  },
  store: { image: image('chromadb/chroma:1.5.3'), storage: '20Gi', collection: 'handbook', cpu: 1, memory: '2Gi' },
  ingest: [indexer],
  query: { image: image('node:24-alpine') },
  gateway: { image: image('nginxinc/nginx-unprivileged:1.29.1'), tokens: { name: 'readers', key: 'tokens' } },
};
const stack =
  (change: Partial<RagStackProps> = {}) =>
  (chart: Chart): RagStack =>
    new RagStack(chart, 'handbook', { ...props, ...change });
const called = (manifests: readonly Manifest[], kind: string, name: string): Manifest => {
  const found = manifests.find((each) => each.kind === kind && each.metadata.name === name);
  if (found === undefined) throw new Error(`there is no ${kind} ${name}`);
  return found;
};
const envOf = (manifests: readonly Manifest[]): Readonly<Record<string, string>> =>
  Object.fromEntries(
    called(manifests, 'Deployment', 'handbook-query')['spec'].template.spec.containers[0].env.map(
      ({ name, value }: { readonly name: string; readonly value: string }) => [name, value],
    ),
  );

describe('RagStack', () => {
  test('tells the program where each part is, and what each calls its model', () => {
    expect(envOf(manifestsOf(stack()))).toMatchObject({
      EMBEDDING_URL: 'http://handbook-embedding:8000',
      EMBEDDING_MODEL: 'words',
      STORE_URL: 'http://handbook-store:8000',
      COLLECTION: 'handbook',
      LLM_URL: 'http://handbook-llm:11434',
      LLM_MODEL: 'llama3.2:3b',
    });
  });

  test('lets each part be reached by who asks it, and by nobody else', () => {
    const manifests = manifestsOf(stack());
    const from = (name: string): unknown => called(manifests, 'NetworkPolicy', name)['spec'].ingress[0].from;
    const program = {
      podSelector: {
        matchLabels: { 'app.kubernetes.io/name': 'sluice-rag-query', 'app.kubernetes.io/instance': 'handbook-query' },
      },
    };
    expect(from('handbook-llm')).toEqual([program]);
    expect(from('handbook-store')).toEqual([program, indexer]);
    expect(from('handbook-embedding')).toEqual([program, indexer]);
    const { labels } = called(manifests, 'Deployment', 'handbook-query')['spec'].template.metadata;
    expect(labels).toMatchObject(program.podSelector.matchLabels);
    const [{ podSelector }] = from('handbook-query') as [{ podSelector: { matchLabels: Record<string, string> } }];
    expect(called(manifests, 'Deployment', 'handbook')['spec'].template.metadata.labels).toMatchObject(
      podSelector.matchLabels,
    );
  });

  test('lets the program reach the three it asks, and nothing else', () => {
    const { egress } = called(manifestsOf(stack()), 'NetworkPolicy', 'handbook-query')['spec'];
    const instances = egress
      .slice(1)
      .map(({ to }: { readonly to: readonly { podSelector: { matchLabels: Record<string, string> } }[] }) =>
        to.map(({ podSelector }) => podSelector.matchLabels['app.kubernetes.io/instance']),
      );
    expect(instances).toEqual([['handbook-embedding'], ['handbook-store'], ['handbook-llm']]);
  });

  test('offers POST /query and no other way in', () => {
    const config: string =
      manifestsOf(stack()).find((each) => each.kind === 'ConfigMap' && 'nginx.conf' in each['data'])?.['data'][
        'nginx.conf'
      ] ?? '';
    expect(config).toContain('location = "/query" {');
    expect(config).toContain('if ($request_method !~ "^(?:POST)$") {');
    expect(config.match(/proxy_pass /g)).toHaveLength(2);
  });

  test('each waits longer than the one behind it', () => {
    const manifests = manifestsOf(stack({ timeout: Duration.seconds(90) }));
    expect(envOf(manifests)['TIMEOUT_MS']).toBe('90000');
    const grace = (name: string): number =>
      called(manifests, 'Deployment', name)['spec'].template.spec.terminationGracePeriodSeconds;
    expect(grace('handbook-query')).toBeGreaterThan(90);
    expect(grace('handbook')).toBeGreaterThan(grace('handbook-query'));
  });

  test('has an embedding model run as one, with what it was told besides', () => {
    const { args } = called(manifestsOf(stack()), 'Deployment', 'handbook-embedding')['spec'].template.spec
      .containers[0];
    expect(args.slice(-3)).toEqual(['--runner', 'pooling', '--enforce-eager']);
  });

  test('an instruction is told as it stands, and no variable of Kubernetes', () => {
    expect(
      envOf(manifestsOf(stack({ query: { ...props.query, instruction: 'Say $(LLM_URL).' } })))['INSTRUCTION'],
    ).toBe('Say $$(LLM_URL).');
  });

  test('tells everything that is wrong with the stack at once', () => {
    const build = stack({
      store: { ...props.store, collection: 'a/b' },
      query: { ...props.query, passages: 0, maxTokens: 1.5, instruction: ' ' },
      timeout: Duration.millis(5),
    });
    expect(problemsOf(build).map(({ code }) => code)).toEqual([
      'bad-collection',
      'bad-limit',
      'bad-limit',
      'no-instruction',
      'bad-timeout',
    ]);
  });

  test('a part that is wrong says so in its own place', () => {
    expect(refusalText(stack({ store: { ...props.store, image: 'chroma:latest' } }))).toMatch(
      /^ChromaStore "shop\/handbook\/store": image has the tag "latest"/,
    );
  });
});

describe('ChromaStore', () => {
  const store = (chart: Chart, change: object = {}): ChromaStore =>
    new ChromaStore(chart, 'texts', {
      image: image('chroma:1.5.3'),
      storage: '20Gi',
      cpu: 1,
      memory: '2Gi',
      ...change,
    });

  test('keeps its volume when it goes, and writes nowhere else', () => {
    const spec = called(manifestsOf(store), 'StatefulSet', 'texts')['spec'];
    expect(spec.persistentVolumeClaimRetentionPolicy).toEqual({ whenDeleted: 'Retain', whenScaled: 'Retain' });
    const [container] = spec.template.spec.containers;
    expect(container.volumeMounts).toContainEqual({ name: 'data', mountPath: '/data' });
    expect(container.args).toContain('/data');
    expect(container.securityContext.readOnlyRootFilesystem).toBe(true);
    expect(spec.volumeClaimTemplates[0].spec.resources.requests.storage).toBe('20Gi');
  });

  test('is one pod, and asks for no other to be elsewhere', () => {
    const manifests = manifestsOf(store);
    const spec = called(manifests, 'StatefulSet', 'texts')['spec'];
    expect(spec.replicas).toBe(1);
    expect(spec.template.spec.topologySpreadConstraints).toBeUndefined();
    expect(manifests.map(({ kind }) => kind)).not.toContain('PodDisruptionBudget');
  });

  test('refuses a volume without a size, and everything else that is wrong', () => {
    expect(problemsOf((chart) => store(chart, { storage: 'much', cpu: -1 })).map(({ code }) => code)).toEqual([
      'bad-quantity',
      'bad-quantity',
      'bad-quantity',
    ]);
  });
});
