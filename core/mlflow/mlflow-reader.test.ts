import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Problem, SluiceError } from '../problem/index.ts';
import { type MlflowReader, openMlflow } from './mlflow-reader.ts';
import { artifactPath } from './rest-answer.ts';

const place = { file: 'sluice.yaml', line: 2 };
const open: (() => Promise<unknown>)[] = [];
afterEach(() => Promise.all(open.splice(0).map((close) => close())));

/** A reader of a server that answers so, without waiting between tries. */
async function readerOf(listener: RequestListener, headers: Record<string, string> = {}): Promise<MlflowReader> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const reader = openMlflow({ url, headers }, { place, patienceMs: 0 });
  open.push(async () => {
    await reader[Symbol.asyncDispose]();
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  });
  return reader;
}

const answering =
  (...answers: readonly { readonly status?: number; readonly body: unknown }[]): RequestListener =>
  (_, response) => {
    const answer = answers.length > 1 ? (answers as { status?: number; body: unknown }[]).shift() : answers[0];
    const { body } = answer ?? { body: '' };
    response.writeHead(answer?.status ?? 200).end(typeof body === 'string' ? body : JSON.stringify(body));
  };

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof SluiceError) return error.problems[0];
  throw new Error(`expected a SluiceError, not ${String(error)}`);
}

async function scratch(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-mlflow-'));
  open.push(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

describe('what a server says', () => {
  test('of a run: its metrics, NaN and infinity among them', async () => {
    const metrics = [
      { key: 'accuracy', value: 0.9 },
      { key: 'f1', value: 'NaN' },
      { key: 'loss', value: '-Infinity' },
      { key: 'empty' },
    ];
    const reader = await readerOf(
      answering({ body: { run: { info: { run_id: 'ab', status: 'FINISHED', start_time: 5 }, data: { metrics } } } }),
    );
    const run = await reader.run('ab');
    expect(run).toMatchObject({ id: 'ab', name: 'ab', status: 'FINISHED', startedAt: 5 });
    expect([...run.metrics]).toEqual([
      ['accuracy', 0.9],
      ['f1', Number.NaN],
      ['loss', Number.NEGATIVE_INFINITY],
      ['empty', Number.NaN],
    ]);
  });

  test('is waited for where the answer may pass, and not where it says no', async () => {
    const version = { model_version: { name: 'churn', version: '3' } };
    const busy = await readerOf(answering({ status: 503, body: '' }, { status: 429, body: '' }, { body: version }));
    expect(await busy.versionOf('churn', 'champion')).toEqual({ name: 'churn', version: '3', run: '' });
    let asked = 0;
    const down = await readerOf((_, response) => {
      asked++;
      response.writeHead(503).end('over capacity');
    });
    expect(await problemOf(down.versionOf('churn', 'champion'))).toMatchObject({
      code: 'mlflow-refused',
      found: 'HTTP 503: over capacity',
      place,
    });
    expect(asked).toBe(3);
  });
});

describe('a refusal says what to do:', () => {
  test('nobody is let in, and what was sent is not repeated', async () => {
    const token = 'tok-5e1f9c2a7b';
    const reader = await readerOf((request, response) => response.writeHead(401).end(request.headers.authorization), {
      authorization: `Bearer ${token}`,
    });
    const problem = await problemOf(reader.run('ab'));
    expect(problem).toMatchObject({
      code: 'mlflow-unauthorized',
      fix: expect.stringContaining('MLFLOW_TRACKING_TOKEN'),
    });
    expect(JSON.stringify(problem)).not.toContain(token);
  });

  test.each([
    ['a page', { body: '<html>login</html>' }],
    ['another API', { status: 404, body: '{"detail":"Not Found"}' }],
    ['a version without a number', { body: { model_version: {} } }],
    ['a list', { body: [1] }],
  ])('%s is no MLflow', async (_what, answer) => {
    const reader = await readerOf(answering(answer));
    expect(await problemOf(reader.versionOf('churn', 'champion'))).toMatchObject({ code: 'not-mlflow', place });
  });

  test('an experiment without a run that finished', async () => {
    const reader = await readerOf(answering({ body: { experiment: { experiment_id: '1' } } }, { body: {} }));
    expect(await problemOf(reader.latestRun('churn'))).toMatchObject({ code: 'no-run' });
  });

  test('files that the server does not hand out itself; a password in their address is not shown', async () => {
    const reader = await readerOf(answering({ body: {} }));
    const problem = await problemOf(reader.list('s3://key:secret@bucket/1/models'));
    expect(problem).toMatchObject({ code: 'artifacts-not-proxied', found: 's3://***@bucket/1/models' });
    expect((await problemOf(reader.list('mlflow-artifacts://elsewhere:80/1'))).code).toBe('artifacts-not-proxied');
  });
});

describe('a download', () => {
  const uri = 'mlflow-artifacts:/1/models/m-1/artifacts';

  test('is written with its digest', async () => {
    const asked: (string | undefined)[] = [];
    const reader = await readerOf((request, response) => {
      asked.push(request.url);
      response.end('weights');
    });
    const folder = await scratch();
    expect(await reader.download(uri, 'a b/model.onnx', join(folder, 'm'), 100)).toEqual({
      bytes: 7,
      sha256: '9a129038d9a00aed0cf6a7ea059ca50a813449061ab87848cf1a13eafdf33b2c',
    });
    expect(await readFile(join(folder, 'm'), 'utf8')).toBe('weights');
    expect(asked).toEqual(['/api/2.0/mlflow-artifacts/artifacts/1/models/m-1/artifacts/a%20b/model.onnx']);
  });

  test('that is too large, breaks off or is not there leaves nothing behind', async () => {
    const folder = await scratch();
    const file = join(folder, 'm');
    const large = await readerOf((_, response) => response.end(Buffer.alloc(1000)));
    expect((await problemOf(large.download(uri, 'm', file, 100))).code).toBe('answer-too-big');
    const broken = await readerOf((_, response) => {
      response.writeHead(200, { 'content-length': '1000' }).write('begun');
      setTimeout(() => response.destroy(), 20);
    });
    expect(await problemOf(broken.download(uri, 'm', file, 5000))).toMatchObject({ code: 'connection-lost', place });
    const none = await readerOf(answering({ status: 404, body: {} }));
    expect((await problemOf(none.download(uri, 'm', file, 100))).code).toBe('missing-artifact');
    expect(await readdir(folder)).toEqual([]);
  });

  test('never leaves the folder of the model', async () => {
    let asked = 0;
    const reader = await readerOf((_, response) => {
      asked++;
      response.end('x');
    });
    const file = join(await scratch(), 'm');
    for (const name of ['../../2/secret', '/etc/../x', 'a//b', '..', '', 'a\\b']) {
      expect((await problemOf(reader.download(uri, name, file, 100))).code, name).toBe('artifact-path');
    }
    expect((await problemOf(reader.download('mlflow-artifacts:/1/../2', 'm', file, 100))).code).toBe('artifact-path');
    expect(asked).toBe(0);
  });
});

test('a path of an artifact is read from its folder', () => {
  expect(artifactPath('/1/models/')).toBe('1/models');
  expect(artifactPath('a/./b')).toBeUndefined();
  expect(artifactPath('a\nb')).toBeUndefined();
});
