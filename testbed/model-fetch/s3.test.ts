/** Models from a real S3 service, by the real AWS CLI in the rendered init container. */
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ModelFile } from '../../constructs/kubernetes/index.ts';
import type { Peer } from '../serving/peer.ts';
import { type BreakingProxy, breakingProxy } from './breaking-proxy.ts';
import type { Ended } from './container.ts';
import { content, type FetchingPods, fetchingPods, onnxPod, served, servedFiles, sha256 } from './fetching-pod.ts';
import { createUser, objectStore, owner } from './object-store.ts';
import { awsEnvironment } from './tool-images.ts';

const run = promisify(execFile);

/** More than a part that the CLI fetches at once, 8 MB. */
const model = content(20_000_000);
const digest = sha256(model);
const older = content(1_000_000);

let pods: FetchingPods;
let store: Peer;
let line: BreakingProxy;
let folder: string;
let versions: readonly string[];

async function aws(...args: readonly string[]): Promise<string> {
  const { bin } = await awsEnvironment();
  const { stdout } = await run(join(bin, 'aws'), ['--endpoint-url', store.url, '--output', 'text', ...args], {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: folder,
      AWS_ACCESS_KEY_ID: owner.access,
      AWS_SECRET_ACCESS_KEY: owner.secret,
      AWS_DEFAULT_REGION: 'eu-north-1',
    },
  });
  return stdout.trim();
}

async function put(key: string, data: Buffer): Promise<string> {
  const file = join(folder, 'object');
  writeFileSync(file, data);
  return aws('s3api', 'put-object', '--bucket=models', `--key=${key}`, `--body=${file}`, '--query=VersionId');
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-s3-'));
  [pods, store] = await Promise.all([fetchingPods('s3'), objectStore()]);
  line = await breakingProxy(Number(new URL(store.url).port));
  await aws('s3api', 'create-bucket', '--bucket=models');
  await aws('s3api', 'put-bucket-versioning', '--bucket=models', '--versioning-configuration=Status=Enabled');
  versions = [await put('churn/3/model.onnx', older), await put('churn/3/model.onnx', model)];
  await createUser('reader', 'reader-secret', store.url);
  const statement = {
    Effect: 'Allow',
    Principal: { AWS: ['reader'] },
    Action: ['s3:GetObject', 's3:GetObjectVersion'],
    Resource: ['arn:aws:s3:::models/churn/*'],
  };
  const policy = JSON.stringify({ Version: '2012-10-17', Statement: [statement] });
  await aws('s3api', 'put-bucket-policy', '--bucket=models', `--policy=${policy}`);
}, 600_000);

afterAll(async () => {
  await line?.[Symbol.asyncDispose]();
  await store?.stop();
  pods?.[Symbol.dispose]();
  rmSync(folder, { recursive: true, force: true });
});

async function fetched(
  file: Pick<ModelFile, 'sha256'> & { readonly key: string; readonly version?: string },
  secret = 'reader-secret',
): Promise<Ended & { readonly files: Readonly<Record<string, string>> }> {
  using pod = await pods.start(
    onnxPod({
      uri: `s3://models/${file.key}`,
      sha256: file.sha256,
      s3: {
        endpoint: `http://localhost:${line.port}`,
        region: 'eu-north-1',
        credentials: {
          accessKeyId: { name: 'bucket', key: 'id' },
          secretAccessKey: { name: 'bucket', key: 'secret' },
        },
        ...(file.version === undefined ? {} : { version: file.version }),
      },
    }),
    { secrets: { bucket: { id: 'reader', secret } }, env: { TRIES: '3' } },
  );
  return { ...(await pod.runAll()), files: servedFiles(pod) };
}

describe('a model from a bucket', () => {
  test('is served when it is the one that was released', async () => {
    const { code, message, files } = await fetched({ key: 'churn/3/model.onnx', sha256: digest });
    expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: digest } });
  });

  test('is fetched whole when lines break', async () => {
    const before = line.broken();
    line.breakNext(2, 1_000_000);
    const { code, files } = await fetched({ key: 'churn/3/model.onnx', sha256: digest });
    expect(line.broken() - before).toBe(2);
    expect({ code, files }).toEqual({ code: 0, files: { [served]: digest } });
  });

  test('is the version that was released, whatever was written over it since', async () => {
    const [first = '', second = ''] = versions;
    expect(first).not.toBe(second);
    const { code, message, files } = await fetched({
      key: 'churn/3/model.onnx',
      sha256: sha256(older),
      version: first,
    });
    expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: sha256(older) } });
  });

  test('is fetched whole when the line to a version of it breaks', async () => {
    const [, second = ''] = versions;
    const before = line.broken();
    line.breakNext(1, 5_000_000);
    const { code, message, files } = await fetched({ key: 'churn/3/model.onnx', sha256: digest, version: second });
    expect(line.broken() - before).toBe(1);
    expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: digest } });
  });

  test('that was overwritten is not served', async () => {
    const { code, message, files } = await fetched({ key: 'churn/3/model.onnx', sha256: sha256(older) });
    expect({ code, files }).toEqual({ code: 1, files: {} });
    expect(message).toContain(
      `${served} is not the model that was released: its SHA-256 is ${digest}, expected ${sha256(older)}.`,
    );
  });

  test.each([
    ['no object has its key', { key: 'churn/4/model.onnx' }, 'reader-secret', '(404)', 'aws s3 cp ended with code 1.'],
    [
      "it is another one's to read",
      { key: 'secret/model.onnx' },
      'reader-secret',
      '(403)',
      'aws s3 cp ended with code 1.',
    ],
    ['the key is wrong', { key: 'churn/3/model.onnx' }, 'wrong', '(403)', 'aws s3 cp ended with code 1.'],
    [
      'it has no such version',
      { key: 'churn/3/model.onnx', version: '01HZZZZZZZZZZZZZZZZZZZZZZZ' },
      'reader-secret',
      'NoSuchVersion',
      'no version 01HZZZZZZZZZZZZZZZZZZZZZZZ for this pod.',
    ],
    [
      "a version is another one's to read",
      { key: 'secret/model.onnx', version: '01HZZZZZZZZZZZZZZZZZZZZZZZ' },
      'reader-secret',
      'AccessDenied',
      'no version 01HZZZZZZZZZZZZZZZZZZZZZZZ for this pod.',
    ],
  ])('is not served when %s, and the last line says so', async (_, file, secret, said, ending) => {
    const { code, message, files } = await fetched({ ...file, sha256: digest }, secret);
    expect({ code, files }).toEqual({ code: 1, files: {} });
    const lines = message.split('\n');
    expect(message).toContain(said);
    expect(lines.at(-1)).toContain(`${served} could not be fetched from s3://models/${file.key}: `);
    expect(lines.at(-1)).toContain(ending);
  });

  test.each([
    "churn/it's.onnx",
    'churn/-rf',
    'churn/$(HOME)`id`;x',
    'churn/"q"*?[a]{b}',
    'churn/100%25+a&b=c',
    'churn/..hidden/modèle',
  ])('with the key %s is fetched, also as a version', async (key) => {
    const data = content(1000);
    const version = await put(key, data);
    for (const file of [{ key }, { key, version }]) {
      const { code, message, files } = await fetched({ ...file, sha256: sha256(data) });
      expect({ code, message, files }).toMatchObject({ code: 0, files: { [served]: sha256(data) } });
    }
  });
});
