import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchImages, modelFetch } from './model-fetch.ts';
import { locationOf, type ModelFile } from './model-file.ts';

const run = promisify(execFile);
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');
const any = 'a'.repeat(64);

describe('the verifying script, run by a real shell', () => {
  let folder = '';
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'sluice-verify-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const verify = async (
    files: readonly (ModelFile & { readonly path: string })[],
    options: { folders?: string[] } = {},
  ) => {
    const container = modelFetch({ files, ...options, size: '1Gi', images: fetchImages }).initContainers.at(-1);
    const [shell = '', ...args] = container?.command ?? [];
    const env = Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value]));
    return run(shell, args, { env: { PATH: process.env['PATH'] ?? '', ...env, MODEL_FOLDER: folder } });
  };
  const incoming = (number: number, text: string): void => {
    mkdirSync(join(folder, '.incoming'), { recursive: true });
    writeFileSync(join(folder, '.incoming', String(number)), text);
  };

  test('puts files with the right digest in their places and leaves nothing else behind', async () => {
    incoming(0, 'model');
    incoming(1, 'weights');
    await verify(
      [
        { uri: 's3://b/m', sha256: sha256('model'), path: 'churn/3/model.onnx' },
        { uri: 's3://b/w', sha256: sha256('weights'), path: 'churn/3/weights.bin' },
      ],
      { folders: ['pipeline/1'] },
    );
    expect(readFileSync(join(folder, 'churn/3/model.onnx'), 'utf8')).toBe('model');
    expect(readFileSync(join(folder, 'churn/3/weights.bin'), 'utf8')).toBe('weights');
    expect(existsSync(join(folder, 'pipeline/1'))).toBe(true);
    expect(existsSync(join(folder, '.incoming'))).toBe(false);
  });

  test('ends the start of the pod when one file has another digest, and puts none in place', async () => {
    incoming(0, 'model');
    incoming(1, 'poisoned');
    const failure = await verify([
      { uri: 's3://b/m', sha256: sha256('model'), path: 'churn/3/model.onnx' },
      { uri: 's3://b/w', sha256: sha256('weights'), path: 'churn/3/weights.bin' },
    ]).catch((error: { code: number; stderr: string }) => error);
    expect(failure).toMatchObject({ code: 1 });
    expect(failure.stderr).toContain(
      `churn/3/weights.bin is not the model that was released: its SHA-256 is ${sha256('poisoned')}, expected ${sha256('weights')}`,
    );
    expect(existsSync(join(folder, 'churn/3/model.onnx'))).toBe(false);
  });

  test('ends the start of the pod when a file never came', async () => {
    await expect(verify([{ uri: 's3://b/m', sha256: any, path: 'm' }])).rejects.toMatchObject({ code: 1 });
  });

  test('unpacks an archive only after it was verified', async () => {
    const source = join(folder, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'MLmodel'), 'flavors: {}');
    mkdirSync(join(folder, '.incoming'));
    const archive = join(folder, '.incoming', '0');
    await run('tar', ['-czf', archive, '-C', source, 'MLmodel']);
    const digest = createHash('sha256').update(readFileSync(archive)).digest('hex');
    await verify([{ uri: 'https://h/m.tar.gz', sha256: digest, path: 'model', unpack: true }]);
    expect(readFileSync(join(folder, 'model', 'MLmodel'), 'utf8')).toBe('flavors: {}');
  });
});

test('a fetching script copies from a claim, whatever the name of the file', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-fetch-'));
  try {
    const [container] = modelFetch({
      files: [{ uri: 'pvc://models/a/model.onnx', sha256: any, path: 'm' }],
      size: '1Gi',
      images: fetchImages,
    }).initContainers;
    const script = container?.command?.at(-1)?.replace('/claim/', `${folder}/claim/`) ?? '';
    const source = join(folder, 'claim', '-$(touch x); y');
    mkdirSync(dirname(source), { recursive: true });
    writeFileSync(source, 'model');
    const env = { PATH: process.env['PATH'] ?? '', SOURCE: '-$(touch x); y', TARGET: join(folder, 'in', '0') };
    await run('/bin/sh', ['-euc', script], { env, cwd: folder });
    expect(readFileSync(join(folder, 'in', '0'), 'utf8')).toBe('model');
    expect(existsSync(join(folder, 'x'))).toBe(false);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

describe('where a model is', () => {
  test.each([
    ['s3://models/churn/model.onnx', { scheme: 's3', port: 443 }],
    ['https://models.example.com/m.onnx', { scheme: 'http', port: 443 }],
    ['http://models:8080/m.onnx', { scheme: 'http', port: 8080 }],
    ['pvc://models/churn/m.onnx', { scheme: 'pvc', claim: 'models', source: 'churn/m.onnx' }],
    [
      `oci://registry.example.com:5000/models/churn@sha256:${any}#model.onnx`,
      { scheme: 'oci', source: `registry.example.com:5000/models/churn@sha256:${any}`, file: 'model.onnx', port: 5000 },
    ],
  ])('%s', (uri, location) => {
    expect(locationOf({ uri, sha256: any })).toMatchObject(location);
  });

  test.each([
    'models/churn.onnx',
    's3://models',
    'pvc://models/../x',
    'oci://registry/model',
    'https://h/a b',
    'file:///etc/passwd',
  ])('%s is no such place', (uri) => {
    expect(locationOf({ uri, sha256: any })).toBeUndefined();
  });

  test('nothing of a uri is part of a script, or a variable of the pod', () => {
    const uri = "https://h/'$(TOKEN)`id`";
    const [container] = modelFetch({
      files: [{ uri, sha256: any, path: 'm' }],
      size: '1Gi',
      images: fetchImages,
    }).initContainers;
    expect(container?.command?.join('\n')).not.toContain('id`');
    expect(container?.env?.[0]?.value).toBe("https://h/'$$(TOKEN)`id`");
  });
});
