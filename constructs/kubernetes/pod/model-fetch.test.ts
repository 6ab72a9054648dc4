import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fetchImages, modelFetch } from './model-fetch.ts';
import { fileName, locationOf, type ModelFile, modelFileProblems, placeProblems } from './model-file.ts';

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

  test('says why it refused a file each time it is run again, though the file is gone', async () => {
    incoming(0, 'poisoned');
    const files = [{ uri: 's3://b/m', sha256: sha256('model'), path: 'm' }];
    const first = await verify(files).catch((error: { stderr: string }) => error.stderr);
    const second = await verify(files).catch((error: { stderr: string }) => error.stderr);
    expect(first).toContain(`its SHA-256 is ${sha256('poisoned')}, expected ${sha256('model')}`);
    expect(second).toBe(first);
    expect(existsSync(join(folder, '.incoming', '0'))).toBe(false);
  });

  test('does nothing when it is run again after it came to its end', async () => {
    incoming(0, 'model');
    const files = [{ uri: 's3://b/m', sha256: sha256('model'), path: '-rf/m' }];
    await verify(files, { folders: ['-rf/1'] });
    await verify(files, { folders: ['-rf/1'] });
    expect(readFileSync(join(folder, '-rf', 'm'), 'utf8')).toBe('model');
    expect(readdirSync(folder)).toEqual(['-rf']);
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

/** Commands of the verifying script that change files; the shell's own are between them. */
const commands = ['mkdir', 'mv', 'rm', 'tar', 'sha256sum', 'cp'];

describe('the verifying script, killed before any of its commands', () => {
  const archive = { uri: 'https://h/m.tar.gz', path: 'model', unpack: true };
  const plain = { uri: 's3://b/m', path: 'model/extra.bin' };
  let home = '';
  beforeEach(() => {
    home = mkdtempSync(join(tmpdir(), 'sluice-killed-'));
    mkdirSync(join(home, 'bin'));
    const real = process.env['PATH'] ?? '';
    for (const command of commands) {
      const script = [
        '#!/bin/sh',
        `PATH='${real}'`,
        'echo . >> "$HOME/count"',
        // The whole group, as the end of a container is.
        'if [ "$(wc -l < "$HOME/count")" -eq "$KILL_AT" ]; then kill -9 0; fi',
        `exec ${command} "$@"`,
      ];
      writeFileSync(join(home, 'bin', command), script.join('\n'), { mode: 0o755 });
    }
  });
  afterEach(() => rmSync(home, { recursive: true, force: true }));

  test('leaves nothing that a server could take for the model, and is finished by the next run', async () => {
    const source = join(home, 'source');
    mkdirSync(source);
    writeFileSync(join(source, 'MLmodel'), 'flavors: {}');
    mkdirSync(join(home, 'written'));
    writeFileSync(join(home, 'written', 'config'), 'written');
    const packed = join(home, 'packed');
    await run('tar', ['-czf', packed, '-C', source, '.']);
    const files = [
      { ...archive, sha256: createHash('sha256').update(readFileSync(packed)).digest('hex') },
      { ...plain, sha256: sha256('extra') },
    ];
    const container = modelFetch({
      files,
      folders: ['model/1'],
      written: { configMap: 'c', files: [{ path: 'model/config', key: 'config' }] },
      size: '1Gi',
      images: fetchImages,
    }).initContainers.at(-1);
    const [shell = '', ...args] = (container?.command ?? []).map((each) =>
      each.replaceAll('/written/', `${home}/written/`),
    );
    const model = join(home, 'models');
    const env = {
      ...Object.fromEntries((container?.env ?? []).map(({ name, value = '' }) => [name, value])),
      PATH: `${join(home, 'bin')}:${process.env['PATH'] ?? ''}`,
      HOME: home,
      MODEL_FOLDER: model,
    };
    const verify = (killAt: number): Promise<NodeJS.Signals | number | null> => {
      rmSync(join(home, 'count'), { force: true });
      const child = spawn(shell, args, { env: { ...env, KILL_AT: String(killAt) }, detached: true, stdio: 'ignore' });
      return new Promise((resolve) => child.once('close', (code, signal) => resolve(signal ?? code)));
    };
    const served = (): readonly string[] =>
      readdirSync(model, { recursive: true, encoding: 'utf8' }).filter((path) => !/^\.(?:incoming|placed)/.test(path));
    const all = ['model', 'model/1', 'model/MLmodel', 'model/config', 'model/extra.bin'];

    let killed = 0;
    for (let ended: NodeJS.Signals | number | null = 'SIGKILL'; ended === 'SIGKILL'; ) {
      rmSync(model, { recursive: true, force: true });
      mkdirSync(join(model, '.incoming'), { recursive: true });
      copyFileSync(packed, join(model, '.incoming', '0'));
      writeFileSync(join(model, '.incoming', '1'), 'extra');
      ended = await verify(killed + 1);
      if (ended === 'SIGKILL') {
        killed++;
        expect([[], all]).toContainEqual(served().toSorted());
        ended = (await verify(0)) === 0 ? 'SIGKILL' : 'SIGTERM';
      }
      expect({ killed, ended, files: readdirSync(model, { recursive: true, encoding: 'utf8' }).toSorted() }).toEqual({
        killed,
        ended: ended === 0 ? 0 : 'SIGKILL',
        files: all,
      });
    }
    expect(killed).toBeGreaterThan(12);
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
    const env = {
      PATH: process.env['PATH'] ?? '',
      SOURCE: '-$(touch x); y',
      TARGET: join(folder, 'in', '0'),
      TRIES: '1',
    };
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
    ['https://user:secret@models.example.com/m.onnx?key=secret', { shown: 'https://models.example.com/m.onnx' }],
    ['s3://models/a//b', { source: 's3://models/a//b' }],
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
    's3://models/churn/',
    'https://host:port/m.onnx',
    'oci://registry/model#m.onnx',
    'oci://registry/model@sha256:12#m.onnx',
    'oci://reg istry/model:1#m.onnx',
    'oci://registry:x/model:1#m.onnx',
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

describe('the place of a file', () => {
  test.each([
    ['s3://models/churn/model.onnx', 'model.onnx'],
    ['https://h/model.onnx?signature=a/b#c', 'model.onnx'],
    ['oci://registry/models/churn:3#weights/model.onnx', 'model.onnx'],
  ])('of %s is %s when nobody chose one', (uri, name) => {
    expect(fileName({ uri, sha256: any })).toBe(name);
  });

  test.each(['https://h/..', 'https://h/a%20b', 'https://h/', "https://h/a'b", 'https://h/$(TOKEN)'])(
    'has to be chosen for %s, where it would go by that name',
    (uri) => {
      expect(modelFileProblems({ uri, sha256: any }, 'file', true)).toMatchObject([{ code: 'bad-model-path' }]);
      expect(modelFileProblems({ uri, sha256: any, path: 'm' }, 'file', true)).toEqual([]);
      expect(modelFileProblems({ uri, sha256: any }, 'file')).toEqual([]);
    },
  );

  test('is for one file only, and not where files are fetched to', () => {
    const problems = (...paths: readonly string[]) =>
      placeProblems(paths.map((path) => ({ path }))).map(({ code, found }) => `${code}: ${found}`);
    expect(problems('a', 'b/c', 'b/d', 'bc')).toEqual([]);
    expect(problems('a', 'b', 'a')).toEqual(['same-model-path: a']);
    expect(problems('b/c', 'b')).toEqual(['same-model-path: b and b/c']);
    expect(problems('.', '.incoming/0', '.placed')).toEqual([
      'bad-model-path: .',
      'bad-model-path: .incoming/0',
      'bad-model-path: .placed',
    ]);
  });

  test('of an archive may be a folder of other files', () => {
    const files = [
      { uri: 's3://b/a.tar', sha256: any, path: 'weights', unpack: true },
      { uri: 's3://b/b.bin', sha256: any, path: 'weights/b.bin' },
    ];
    expect(modelFetch({ files, size: '1Gi', images: fetchImages }).problems).toEqual([]);
  });
});

test.each(['minio.example.com', 'http://', 'ftp://h', 'https://h:x', 'https://h/a b'])(
  'an S3 service cannot be at %s',
  (endpoint) => {
    const problems = modelFileProblems({ uri: 's3://b/m', sha256: any, s3: { endpoint } }, 'file');
    expect(problems).toMatchObject([{ code: 'bad-endpoint' }]);
  },
);

test('a version of an object is asked for by itself', () => {
  const env = (s3: ModelFile['s3']) =>
    modelFetch({
      files: [{ uri: 's3://b/m', sha256: any, path: 'm', ...(s3 && { s3 }) }],
      size: '1Gi',
      images: fetchImages,
    }).initContainers[0]?.env?.find(({ name }) => name === 'VERSION')?.value;
  expect(env({ version: 'a$(b)' })).toBe('a$$(b)');
  expect(env({ region: 'eu-north-1' })).toBeUndefined();
});

test('who fetches from a bucket also reaches the agent that lends it its rights, who reads a claim reaches nothing', () => {
  const egressOf = (uri: string) =>
    modelFetch({ files: [{ uri, sha256: any, path: 'model.onnx' }], size: '1Gi', images: fetchImages }).egress;
  expect(egressOf('s3://models/churn/model.onnx').at(-1)).toEqual({
    to: [{ ipBlock: { cidr: '169.254.170.23/32' } }],
    ports: [{ port: 80, protocol: 'TCP' }],
  });
  expect(egressOf('pvc://models/churn/model.onnx')).toEqual([]);
});
