/** The servers of a platform, started by the command, the arguments and the variables that their constructs render. */
import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { json, text } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { Chart, Testing } from 'cdk8s';
import { describe, expect, onTestFinished, test } from 'vitest';
import { digest, gallery } from '../constructs/kubernetes/fixtures/gallery.ts';
import {
  ChromaStore,
  type DocumentSource,
  FeastFeatureServer,
  fetchImages,
  MlflowTracking,
  ModelGateway,
  RagStack,
} from '../constructs/kubernetes/index.ts';
import { ingestFiles } from '../constructs/kubernetes/platform/rag/ingest-program.ts';
import { queryProgram } from '../constructs/kubernetes/platform/rag/query-program.ts';
import type { PodSpec } from '../constructs/kubernetes/pod/pod-spec.ts';
import { startNginx } from './gateway/nginx.ts';
import { fetchingPods } from './model-fetch/fetching-pod.ts';
import { createUser, objectStore, owner } from './model-fetch/object-store.ts';
import { awsEnvironment } from './model-fetch/tool-images.ts';
import { startRendered } from './platform/rendered-container.ts';
import { pythonEnvironment } from './serving/python.ts';

const run = promisify(execFile);
const image = (name: string): string => `${name}@sha256:${digest}`;
const chart = (): Chart => new Chart(Testing.app(), 'shop', { namespace: 'shop' });
const sized = { cpu: 1, memory: '1Gi' } as const;

function scratch(): string {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-platform-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Status of a request under a name: `fetch` sets `Host` itself. */
async function statusUnder(url: string, headers: Readonly<Record<string, string>>, body: string): Promise<number> {
  const asked = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }).end(body);
  const [response] = await once(asked, 'response');
  response.resume();
  return response.statusCode;
}

describe('MlflowTracking', () => {
  test('answers under the names it was told, refuses all others, and tells the kubelet how it is', async () => {
    const folder = scratch();
    const tracking = new MlflowTracking(chart(), 'mlflow', {
      ...sized,
      image: image('mlflow:3.17.2'),
      backendStore: { name: 'mlflow', key: 'uri' },
      artifacts: { claim: 'artifacts' },
      clients: [],
      hosts: ['mlflow.example.com'],
      workers: 1,
    });
    const python = await pythonEnvironment('mlflow', ['mlflow==3.17.2', 'onnx==1.23.2', 'onnxruntime==1.31.1']);
    const mlflow = await startRendered('mlflow', tracking.workload.body.spec.template.spec, python, {
      folders: { '/artifacts': join(folder, 'artifacts') },
      env: { MLFLOW_BACKEND_STORE_URI: `sqlite:///${join(folder, 'mlflow.db')}`, POD_IP: '10.0.0.5' },
    });
    onTestFinished(() => mlflow.stop());
    const { port } = new URL(mlflow.url);
    const asked = (headers: Readonly<Record<string, string>>): Promise<number> =>
      statusUnder(`${mlflow.url}/api/2.0/mlflow/experiments/search`, headers, '{"max_results":1}');
    for (const host of [
      `mlflow:${port}`,
      `mlflow.shop.svc.cluster.local:${port}`,
      `10.0.0.5:${port}`,
      'mlflow.example.com',
    ])
      expect([host, await asked({ host })]).toEqual([host, 200]);
    expect(await asked({ host: 'other.example.com' })).toBe(403);
    const host = `mlflow:${port}`;
    expect(await asked({ host, origin: 'https://mlflow.example.com' })).toBe(200);
    expect(await asked({ host, origin: 'https://other.example.com' })).toBe(403);
  });
});

describe('FeastFeatureServer', () => {
  test('starts from the feature store of its Secret, and refuses what is not in it', async () => {
    const folder = scratch();
    const features = new FeastFeatureServer(chart(), 'features', {
      ...sized,
      image: image('feature-server:0.58.0'),
      featureStore: { name: 'feast', key: 'feature_store.yaml' },
      storePorts: [5432],
      workers: 1,
    });
    await writeFile(
      join(folder, 'feature_store.yaml'),
      `project: shop\nprovider: local\nregistry: ${folder}/registry.db\nonline_store:\n  type: sqlite\n  path: ${folder}/online.db\nentity_key_serialization_version: 3\n`,
    );
    const python = await pythonEnvironment('feast', ['feast==0.58.0']);
    const feast = await startRendered('feast', features.workload.body.spec.template.spec, python, {
      folders: { '/feature-store': folder },
    });
    onTestFinished(() => feast.stop());
    const unknown = await fetch(`${feast.url}/get-online-features`, {
      method: 'POST',
      body: JSON.stringify({ features: ['a:b'], entities: { id: [1] } }),
    });
    expect(unknown.status).toBeGreaterThanOrEqual(400);
    expect(unknown.status).toBeLessThan(500);
  });
});

describe('RagStack', () => {
  test('answers POST /query from a real Chroma, behind a real NGINX', async () => {
    const folder = scratch();
    const store = new ChromaStore(chart(), 'store', { ...sized, image: image('chroma:1.5.3'), storage: '1Gi' });
    const python = await pythonEnvironment('chroma', ['chromadb==1.5.3']);
    const chroma = await startRendered('chroma', store.workload.body.spec.template.spec, python, {
      folders: { '/data': join(folder, 'data') },
    });
    onTestFinished(() => chroma.stop());
    const collections = `${chroma.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
    const post = async (url: string, body: unknown): Promise<{ readonly id?: string }> => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(response.ok).toBe(true);
      return (await response.json()) as { readonly id?: string };
    };
    const { id } = await post(collections, { name: 'handbook' });
    await post(`${collections}/${id}/add`, {
      ids: ['leave', 'coffee'],
      embeddings: [
        [1, 0],
        [0, 1],
      ],
      documents: ['Leave is 30 days.', 'Coffee is free.'],
    });

    // Both models: the question is near the first text, and what is answered is what was told.
    const models = createServer(async (asked, response) => {
      const body = (await json(asked)) as { readonly messages?: readonly { readonly content: string }[] };
      const answer =
        asked.url === '/v1/embeddings'
          ? { data: [{ embedding: [0.9, 0.1] }] }
          : { choices: [{ message: { content: body.messages?.[1]?.content } }] };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(answer));
    }).listen(0, '127.0.0.1');
    await once(models, 'listening');
    onTestFinished(() => void models.close());
    const model = `http://127.0.0.1:${(models.address() as AddressInfo).port}`;

    const file = join(folder, 'query-server.mjs');
    await writeFile(file, queryProgram);
    const program = spawn(process.execPath, [file], {
      env: { ...renderedQuery(), EMBEDDING_URL: model, LLM_URL: model, STORE_URL: chroma.url, PORT: '0' },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    onTestFinished(() => void program.kill());
    const [line] = (await once(createInterface(program.stdout), 'line')) as [string];
    const { port } = JSON.parse(line) as { readonly port: number };

    const gateway = new ModelGateway(chart(), 'handbook', {
      ...sized,
      image: image('nginx-unprivileged:1.29.1'),
      tokens: { name: 'readers', key: 'tokens' },
      routes: [{ path: '/query', exact: true, to: { host: '127.0.0.1', port }, methods: ['POST'] }],
    });
    await using nginx = await startNginx(gateway.configMap?.body.data ?? {});
    await writeFile(nginx.tokens, 'reader\n');
    const query = (token: string): Promise<Response> =>
      fetch(`${nginx.url}/query`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}` },
        body: JSON.stringify({ question: 'How long is leave?', passages: 1 }),
      });
    expect((await query('other')).status).toBe(401);
    const answered = await query('reader');
    expect(answered.status).toBe(200);
    const { answer, sources } = JSON.parse(await answered.text()) as {
      readonly answer: string;
      readonly sources: readonly unknown[];
    };
    expect(sources).toMatchObject([{ id: 'leave', text: 'Leave is 30 days.' }]);
    expect(answer).toContain('"Leave is 30 days."');
    expect(answer).toContain('How long is leave?');
  });
});

describe('the job that reads documents', () => {
  test('keeps a real Chroma as the documents are, so that a question finds what is in them', async () => {
    const folder = scratch();
    const store = new ChromaStore(chart(), 'store', { ...sized, image: image('chroma:1.5.3'), storage: '1Gi' });
    const python = await pythonEnvironment('chroma', ['chromadb==1.5.3']);
    const chroma = await startRendered('chroma-ingest', store.workload.body.spec.template.spec, python, {
      folders: { '/data': join(folder, 'data') },
    });
    onTestFinished(() => chroma.stop());
    // What a text is about, and what no other text has. Texts that are nearly equal would not do: measured with 600 of them, Chroma's index, which
    // is approximate, did not find the nearest text, which stood apart, among its first hundred answers, though it had stored it as it was told.
    const vectorOf = (each: string): readonly number[] => [
      ...['leave', 'coffee', 'parking'].map((word) => (each.toLowerCase().includes(word) ? 2 : 0)),
      ...Array.from(createHash('sha256').update(each).digest(), (byte) => byte / 256),
    ];
    const models = createServer(async (asked, response) => {
      const { input } = (await json(asked)) as { readonly input: string | readonly string[] };
      const data = [input].flat().map((each, index) => ({
        index,
        embedding: vectorOf(each),
      }));
      response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
    }).listen(0, '127.0.0.1');
    await once(models, 'listening');
    onTestFinished(() => void models.close());
    const model = `http://127.0.0.1:${(models.address() as AddressInfo).port}`;

    const [program, documents] = [join(folder, 'program'), join(folder, 'documents')];
    await mkdir(program);
    await mkdir(documents);
    for (const [name, content] of Object.entries(ingestFiles)) await writeFile(join(program, name), content);
    const ingest = async (
      change: Readonly<Record<string, string>> = {},
    ): Promise<Readonly<Record<string, unknown>>> => {
      const running = spawn(process.execPath, [join(program, 'ingest-documents.mjs')], {
        env: { ...renderedIngest(), EMBEDDING_URL: model, STORE_URL: chroma.url, DOCUMENTS: documents, ...change },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const [output, problems] = await Promise.all([text(running.stdout), text(running.stderr)]);
      return JSON.parse(`${output}${problems}`) as Readonly<Record<string, unknown>>;
    };
    /** How far what is stored of a document is from what was embedded for it. */
    const strayed = async (source: string): Promise<number> => {
      const collections = `${chroma.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
      const { id } = (await (await fetch(`${collections}/handbook`)).json()) as { readonly id: string };
      const response = await fetch(`${collections}/${id}/get`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ where: { source }, include: ['documents', 'embeddings'] }),
      });
      const stored = (await response.json()) as {
        readonly documents: readonly string[];
        readonly embeddings: readonly (readonly number[])[];
      };
      const differences = stored.documents.flatMap((each, index) =>
        vectorOf(each).map((number, place) => Math.abs(number - (stored.embeddings[index]?.[place] ?? Infinity))),
      );
      return Math.max(...differences);
    };
    const nearest = async (word: string): Promise<unknown> => {
      const collections = `${chroma.url}/api/v2/tenants/default_tenant/databases/default_database/collections`;
      const { id } = (await (await fetch(`${collections}/handbook`)).json()) as { readonly id: string };
      const response = await fetch(`${collections}/${id}/query`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          query_embeddings: [vectorOf(word)],
          n_results: 1,
          include: ['documents', 'metadatas'],
        }),
      });
      const { documents: found, metadatas } = (await response.json()) as Readonly<Record<string, readonly unknown[][]>>;
      return [found?.[0]?.[0], metadatas?.[0]?.[0]];
    };

    await writeFile(join(documents, 'leave.md'), 'Leave is 30 days.');
    await writeFile(join(documents, 'coffee.md'), 'Coffee is free.');
    // More parts than Chroma is asked for at once.
    const rows = Array.from({ length: 600 }, (_, row) => `Parking, row ${row}: ${'x'.repeat(90)}`);
    await writeFile(join(documents, 'parking.md'), rows.join('\n\n'));
    const small = { PART_SIZE: '120', OVERLAP: '0' };
    expect(await ingest(small)).toMatchObject({ event: 'ingested', documents: 3, parts: 602, added: 602, removed: 0 });
    expect(await nearest('leave')).toEqual(['Leave is 30 days.', { source: 'leave.md', ingest: 'handbook' }]);
    for (const source of ['leave.md', 'coffee.md', 'parking.md']) expect(await strayed(source)).toBeLessThan(1e-6);
    expect(await ingest(small)).toMatchObject({ added: 0, removed: 0 });

    await writeFile(join(documents, 'leave.md'), 'Leave is 28 days.');
    await rm(join(documents, 'parking.md'));
    expect(await ingest(small)).toMatchObject({ parts: 2, added: 1, removed: 601 });
    expect(await nearest('leave')).toEqual(['Leave is 28 days.', { source: 'leave.md', ingest: 'handbook' }]);
    expect(JSON.stringify(await nearest('parking'))).not.toContain('Parking');

    await rm(join(documents, 'leave.md'));
    await rm(join(documents, 'coffee.md'));
    expect(await ingest(small)).toMatchObject({ event: 'failed' });
    expect(await nearest('coffee')).toEqual(['Coffee is free.', { source: 'coffee.md', ingest: 'handbook' }]);
  });
});

describe('the documents of a bucket', () => {
  test('are fetched by the real AWS CLI from a real S3 service, and the run ends when not all of them can be', async () => {
    const folder = scratch();
    using pods = await fetchingPods('s3');
    const bucket = await objectStore();
    onTestFinished(() => bucket.stop());
    const { bin } = await awsEnvironment();
    const aws = (...args: readonly string[]): Promise<unknown> =>
      run(join(bin, 'aws'), ['--endpoint-url', bucket.url, ...args], {
        env: {
          PATH: process.env['PATH'] ?? '',
          HOME: folder,
          AWS_ACCESS_KEY_ID: owner.access,
          AWS_SECRET_ACCESS_KEY: owner.secret,
          AWS_DEFAULT_REGION: 'eu-north-1',
        },
      });
    await aws('s3api', 'create-bucket', '--bucket=handbook');
    const put = async (key: string, content: string): Promise<void> => {
      const file = join(folder, 'object');
      await writeFile(file, content);
      await aws('s3api', 'put-object', '--bucket=handbook', `--key=${key}`, `--body=${file}`);
    };
    await put('published/leave.md', 'Leave is 30 days.');
    await put('published/rooms/coffee machine.txt', 'Coffee is free.');
    await put('published/picture.png', 'A picture.');
    await put('drafts/tea.md', 'Tea will be free.');

    const collected = async (from: string, id: string = owner.access, key: string = owner.secret) => {
      const spec = ragJob({
        bucket: from as `s3://${string}`,
        fetchImage: fetchImages.s3,
        s3: {
          endpoint: bucket.url,
          region: 'eu-north-1',
          credentials: { accessKeyId: { name: 's3', key: 'id' }, secretAccessKey: { name: 's3', key: 'key' } },
        },
      });
      using pod = await pods.start(spec, { secrets: { s3: { id, key } } });
      const { code, message } = await pod.runAll();
      const files = await readdir(pod.folder('documents'), { recursive: true, withFileTypes: true });
      return { code, message, files: files.flatMap((each) => (each.isFile() ? [each.name] : [])).toSorted() };
    };
    expect(await collected('s3://handbook/published')).toMatchObject({
      code: 0,
      files: ['coffee machine.txt', 'leave.md'],
    });
    // One that is kept from the reader: without it, its parts would be taken out of the collection.
    await createUser('reader', 'reader-secret', bucket.url);
    const allow = (action: string, resource: string) => ({
      Effect: 'Allow',
      Principal: { AWS: ['reader'] },
      Action: [action],
      Resource: [`arn:aws:s3:::handbook${resource}`],
    });
    const statements = [allow('s3:ListBucket', ''), allow('s3:GetObject', '/published/leave.md')];
    const policy = JSON.stringify({ Version: '2012-10-17', Statement: statements });
    await aws('s3api', 'put-bucket-policy', '--bucket=handbook', `--policy=${policy}`);
    expect(await collected('s3://handbook/published', 'reader', 'reader-secret')).toMatchObject({
      code: 1,
      files: ['leave.md'],
    });
    const refused = await collected('s3://handbook/published', owner.access, 'wrong');
    expect(refused).toMatchObject({ code: 1, files: [] });
    expect(refused.message).toContain('The documents of s3://handbook/published could not be fetched');
    expect(await collected('s3://elsewhere')).toMatchObject({ code: 1, files: [] });
    // The program that reads them then says that there are none, and changes nothing.
    expect(await collected('s3://handbook/no-such-folder')).toMatchObject({ code: 0, files: [] });
  });
});

/** The pod of a stack's job that reads documents. */
function ragJob(documents: DocumentSource): PodSpec {
  const ollama = {
    image: image('ollama:0.12.0'),
    model: { name: 'writer', version: '1' },
    weights: { pull: 'llama3.2:3b', sha256: digest },
    ...sized,
  } as const;
  const { ingest } = new RagStack(chart(), 'handbook', {
    embedding: { ollama },
    llm: { ollama },
    store: { ...sized, image: image('chroma:1.5.3'), storage: '1Gi', collection: 'handbook' },
    documents,
    query: { image: image('node:24-alpine') },
    gateway: { image: image('nginx-unprivileged:1.29.1'), tokens: 'none' },
  });
  if (ingest === undefined) throw new Error('the stack reads no documents');
  return ingest.workload.body.spec.jobTemplate.spec.template.spec;
}

/** The variables of the query program as the gallery's stack renders them. */
function renderedQuery(): Readonly<Record<string, string>> {
  const shop = chart();
  gallery['rag-stack']?.(shop);
  const manifest = (Testing.synth(shop) as readonly RenderedDeployment[]).find(
    ({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'handbook-query',
  );
  return variablesOf(manifest?.spec);
}

/** Those of the job that reads documents. */
function renderedIngest(): Readonly<Record<string, string>> {
  const shop = chart();
  gallery['rag-stack']?.(shop);
  const manifest = (Testing.synth(shop) as readonly RenderedCronJob[]).find(({ kind }) => kind === 'CronJob');
  return variablesOf(manifest?.spec.jobTemplate.spec);
}

function variablesOf(spec: Rendered | undefined): Readonly<Record<string, string>> {
  const variables = spec?.template.spec.containers[0]?.env ?? [];
  return Object.fromEntries(variables.map(({ name, value = '' }) => [name, value]));
}

interface Rendered {
  readonly template: {
    readonly spec: {
      readonly containers: readonly { readonly env: readonly { readonly name: string; readonly value?: string }[] }[];
    };
  };
}
interface RenderedDeployment {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: Rendered;
}
interface RenderedCronJob {
  readonly kind: string;
  readonly spec: { readonly jobTemplate: { readonly spec: Rendered } };
}
