import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { openEngine } from '../../core/data/index.ts';
import { silentHost } from '../../core/host/index.ts';
import { classifierModel, writeModel } from '../../core/onnx/index.ts';
import { headOnly, parsePolicy } from '../../core/policy/index.ts';
import { baseFilesOf } from '../../github/index.ts';
import { judgeModel } from './run.ts';
import { checkOf, csv, judge, type Scene } from './scene.ts';

// Class 1 where x is over 0; right on every row.
const right = classifierModel([[0, 4]], [0, 0]);
const always0 = classifierModel([[0, 0]], [1, 0]);
const points = Array.from({ length: 400 }, (_, row) => (row % 2 === 0 ? [1, 1] : [-1, 0]));
const rows = csv(['x', 'label'], points);
const regression = 'gate/accuracy/max_regression';

const policy = (champion: string) =>
  [
    'version: 1',
    `model: { path: model.onnx, baseline: { champion: ${champion} } }`,
    'evaluation: { source: rows.csv, target: label }',
    'gates: { accuracy: { min: 0.4, max_regression: 0.01 } }',
    '',
  ].join('\n');

const scene = (champion: string, more: Partial<Scene> = {}): Scene => ({
  policy: policy(champion),
  ...more,
  files: { 'model.onnx': always0, 'rows.csv': rows, ...more.files },
});

/** An MLflow with version 7 of "churn", alias "champion", and these files of it. Gives its address and what it was asked. */
async function mlflow(files: Readonly<Record<string, Uint8Array>>) {
  const asked: { readonly url: string; readonly authorization: string | undefined }[] = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '', 'http://mlflow');
    asked.push({ url: url.pathname, authorization: request.headers.authorization });
    const folder = '/api/2.0/mlflow-artifacts/artifacts';
    const answers: Readonly<Record<string, unknown>> = {
      '/api/2.0/mlflow/registered-models/alias': { model_version: { name: 'churn', version: '7', run_id: 'r1' } },
      '/api/2.0/mlflow/model-versions/get-download-uri': { artifact_uri: 'mlflow-artifacts:/1/m/artifacts' },
      [folder]: { files: ['MLmodel', ...Object.keys(files)].map((path) => ({ path, is_dir: false })) },
    };
    const answer = answers[url.pathname];
    const file = files[decodeURIComponent(url.pathname.slice(`${folder}/1/m/artifacts/`.length))];
    if (answer !== undefined) response.end(JSON.stringify(answer));
    else if (file !== undefined) response.end(file);
    else response.writeHead(404).end('{}');
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

describe('a champion in MLflow', () => {
  const champion = '{ mlflow: churn, alias: champion }';

  it('is what the candidate is held against, under its version and digest', async () => {
    const { url, asked } = await mlflow({ 'model.onnx': right });
    const secrets: string[] = [];
    const judgement = await judge(
      scene(champion, {
        environment: { MLFLOW_TRACKING_URI: url, MLFLOW_TRACKING_TOKEN: 'tok-123456' },
        host: { ...silentHost, secret: (value) => secrets.push(value) },
      }),
    );
    expect(checkOf(judgement, regression)).toMatchObject({ status: 'fail', baseline: 1, observed: 0.5 });
    const sha256 = createHash('sha256').update(right).digest('hex');
    expect(judgement.baseline).toMatchObject({ path: 'models:/churn/7', sha256 });
    expect(judgement.notices[0]?.message).toBe(
      `The baseline is models:/churn/7, which the alias "champion" names in ${url}, of run r1; SHA-256 ${sha256}.`,
    );
    expect(new Set(asked.map(({ authorization }) => authorization))).toEqual(new Set(['Bearer tok-123456']));
    expect(secrets).toContain('tok-123456');
  });

  it('comes with the weights it keeps in files of their own', async () => {
    const model = writeModel({
      graph: {
        nodes: [
          { operator: 'MatMul', inputs: ['X', 'w'], outputs: ['scores'] },
          { operator: 'Softmax', inputs: ['scores'], outputs: ['probabilities'] },
        ],
        inputs: [{ name: 'X', type: 'float32', shape: ['n', 1] }],
        outputs: [{ name: 'probabilities', type: 'float32', shape: ['n', 2] }],
        initializers: [{ name: 'w', type: 'float32', dims: [1, 2], external: { location: 'model.onnx.data' } }],
      },
    });
    const { url } = await mlflow({
      'onnx/model.onnx': model,
      'onnx/model.onnx.data': Buffer.from(Float32Array.of(0, 4).buffer),
    });
    const named = `{ mlflow: churn, alias: champion, artifact: onnx/model.onnx, tracking_uri: "${url}" }`;
    expect(checkOf(await judge(scene(named)), regression)).toMatchObject({ status: 'fail', baseline: 1 });
  });

  it('is scanned as every model: what is unsafe is an error of the comparison, and the rest is judged', async () => {
    const { url } = await mlflow({ 'model.onnx': Buffer.from('#!/bin/sh\nrm -rf /\n') });
    const judgement = await judge(scene(champion, { environment: { MLFLOW_TRACKING_URI: url } }));
    expect(checkOf(judgement, regression)).toMatchObject({
      status: 'error',
      message: expect.stringContaining('models:/churn/7'),
    });
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });

  it.each([
    ['none', {}, /no ONNX file in its folder.*MLmodel/],
    ['several', { 'a.onnx': right, 'b.onnx': right }, /2 ONNX files.*Name the one: "artifact: model.onnx"/],
  ])('must be one file, not %s', async (_what, files, message) => {
    const { url } = await mlflow(files);
    const judgement = await judge(scene(champion, { environment: { MLFLOW_TRACKING_URI: url } }));
    expect(checkOf(judgement, regression)).toMatchObject({ status: 'error', message: expect.stringMatching(message) });
  });

  it('is an error where nobody says where MLflow is', async () => {
    expect(checkOf(await judge(scene(champion)), regression)).toMatchObject({
      status: 'error',
      message: expect.stringContaining('Set MLFLOW_TRACKING_URI'),
    });
  });
});

describe('a champion of a release manifest', () => {
  const champion = '{ manifest: release/current.json }';
  const manifest = (model: Uint8Array, path = '../models/v7.onnx') =>
    JSON.stringify({ model: { path, sha256: createHash('sha256').update(model).digest('hex') }, approved_by: 'ann' });

  it('is the base commit’s, manifest and model', async () => {
    const judgement = await judge(
      scene(champion, {
        files: { 'release/current.json': manifest(always0), 'models/v7.onnx': always0 },
        base: { 'release/current.json': Buffer.from(manifest(right)), 'models/v7.onnx': right },
      }),
    );
    expect(checkOf(judgement, regression)).toMatchObject({ status: 'fail', baseline: 1 });
    expect(judgement.baseline?.path).toBe('models/v7.onnx@0123456789ab');
  });

  it('is the checked-out one where there is no base, and under a warning where the base has none', async () => {
    const files = { 'release/current.json': manifest(right), 'models/v7.onnx': right };
    expect(checkOf(await judge(scene(champion, { files })), regression).baseline).toBe(1);
    const { notices } = await judge(scene(champion, { files, base: {} }));
    expect(notices[0]).toMatchObject({ level: 'warning', message: expect.stringContaining('Review it') });
  });

  it.each([
    [
      'another model than its digest',
      { 'release/current.json': manifest(always0), 'models/v7.onnx': right },
      /not the model that release\/current\.json released/,
    ],
    ['a model that is not there', { 'release/current.json': manifest(right) }, /models\/v7\.onnx/],
    ['no digest', { 'release/current.json': '{"model":{"path":"v7.onnx"}}' }, /no release manifest.*64 hexadecimal/],
    ['no JSON', { 'release/current.json': 'model: v7.onnx' }, /no release manifest/],
    ['nothing', {}, /manifest release\/current\.json cannot be read/],
  ])('is an error when it has %s', async (_what, files, message) => {
    expect(checkOf(await judge(scene(champion, { files })), regression)).toMatchObject({
      status: 'error',
      message: expect.stringMatching(message),
    });
  });
});

it('a baseline whose content Git LFS does not have is an error that says how to bring it; the rest is judged', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'sluice-lfs-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  const git = (...args: readonly string[]) =>
    execFileSync('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], {
      cwd: directory,
      encoding: 'utf8',
    });
  const pointer = `version https://git-lfs.github.com/spec/v1\noid sha256:${'ab'.repeat(32)}\nsize 1234\n`;
  git('init', '-q');
  await writeFile(join(directory, 'model.onnx'), pointer);
  git('add', '.');
  git('commit', '-qm', 'Base');
  const sha = git('rev-parse', 'HEAD').trim();
  await writeFile(join(directory, 'model.onnx'), right);
  await writeFile(join(directory, 'rows.csv'), rows);

  await using engine = await openEngine({ threads: 1 });
  const judgement = await judgeModel({
    policy: headOnly(parsePolicy(policy('x').replace('{ champion: x }', 'base'), 'sluice.yaml')),
    directory,
    engine,
    base: await baseFilesOf({ directory, commit: { sha }, host: silentHost }),
    host: silentHost,
  });
  expect(checkOf(judgement, regression)).toMatchObject({
    status: 'error',
    message: expect.stringMatching(
      /its content in Git LFS could not be brought \(the clone: does not hold it; .*git lfs fetch/,
    ),
  });
  expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
});
