import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { InputError, ModelError } from '../../core/problem/index.ts';
import { fileRepository, folderRepository } from './repository.ts';

const base = realpathSync(mkdtempSync(join(tmpdir(), 'sluice-repository-')));
afterAll(() => rm(base, { recursive: true, force: true }));

let roots = 0;
/** A repository with these files (their text does not matter here), by path. */
function repositoryOf(files: Readonly<Record<string, string>>): string {
  const root = join(base, `root-${roots++}`);
  mkdirSync(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(root, path, '..'), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return root;
}

async function versionsOf(root: string, name: string): Promise<readonly string[]> {
  return (await folderRepository(root).model(name)).versions.map(({ version }) => version);
}

describe('a model repository', () => {
  test('has a model for each folder, but for hidden ones and files', async () => {
    const root = repositoryOf({ 'b/1/model.onnx': '', 'a/1/model.onnx': '', '.git/HEAD': '', 'README.md': '' });
    expect(await folderRepository(root).names()).toEqual(['a', 'b']);
  });

  test('serves the newest version by number, and ignores folders that are no version', async () => {
    const root = repositoryOf({
      'm/9/model.onnx': '',
      'm/10/model.onnx': '',
      'm/2/model.onnx': '',
      'm/0/model.onnx': '',
      'm/011/model.onnx': '',
      'm/v11/model.onnx': '',
      'm/.12/model.onnx': '',
    });
    const { versions } = await folderRepository(root).model('m');
    expect(versions).toEqual([
      { version: '10', shownFile: 'm/10/model.onnx', file: join(root, 'm', '10', 'model.onnx') },
    ]);
  });

  test.each([
    ['version_policy { all {} }', ['1', '2', '10']],
    ['version_policy { latest { num_versions: 2 } }', ['2', '10']],
    ['version_policy { specific { versions: [1, 10] } }', ['1', '10']],
  ])('serves the versions its configuration wants: %s', async (config, expected) => {
    const files = { 'm/1/model.onnx': '', 'm/2/model.onnx': '', 'm/10/model.onnx': '', 'm/config.pbtxt': config };
    expect(await versionsOf(repositoryOf(files), 'm')).toEqual(expected);
  });

  test('a version that the configuration names and that is not there has a problem', async () => {
    const root = repositoryOf({
      'm/1/model.onnx': '',
      'm/config.pbtxt': 'version_policy { specific { versions: 3 } }',
    });
    const [version] = (await folderRepository(root).model('m')).versions;
    expect(version?.problem).toMatchObject({ code: 'missing-file', place: { file: 'm/3/model.onnx' } });
  });

  test('a model without a version is refused', async () => {
    await expect(versionsOf(repositoryOf({ 'm/latest/model.onnx': '' }), 'm')).rejects.toThrow('no version to serve');
  });

  test.each(['..', '.', '', 'm/1', '../m', 'm\0', '.hidden', 'x'.repeat(300), 'M'])(
    'no path but a name of a model opens one: %j',
    async (name) => {
      const root = repositoryOf({ 'm/1/model.onnx': '', '.hidden/1/model.onnx': '' });
      await expect(folderRepository(root).model(name)).rejects.toThrow(ModelError);
    },
  );

  test('links inside it are followed, as Kubernetes mounts a ConfigMap or volume', async () => {
    const root = repositoryOf({ '..2026_11_21/model.onnx': '', '..2026_11_21/config.pbtxt': 'max_batch_size: 4' });
    symlinkSync('..2026_11_21', join(root, '..data'));
    mkdirSync(join(root, 'm', '1'), { recursive: true });
    symlinkSync('../../..data/model.onnx', join(root, 'm', '1', 'model.onnx'));
    symlinkSync('../..data/config.pbtxt', join(root, 'm', 'config.pbtxt'));
    const { config, versions } = await folderRepository(root).model('m');
    expect(config.maxBatchSize).toBe(4);
    expect(versions).toEqual([
      { version: '1', shownFile: 'm/1/model.onnx', file: join(root, '..2026_11_21', 'model.onnx') },
    ]);
    expect(await folderRepository(root).names()).toEqual(['m']);
  });

  test('the repository itself may be a link', async () => {
    const root = repositoryOf({ 'm/1/model.onnx': '' });
    symlinkSync(root, `${root}-link`);
    expect(await versionsOf(`${root}-link`, 'm')).toEqual(['1']);
  });

  test('links out of it are refused: a file, a version, a model, a configuration', async () => {
    const elsewhere = repositoryOf({ '1/model.onnx': '', 'config.pbtxt': '', 'model.onnx': '' });
    const root = repositoryOf({ 'configured/1/model.onnx': '', 'config/1/model.onnx': '' });
    mkdirSync(join(root, 'file', '1'), { recursive: true });
    symlinkSync(join(elsewhere, 'model.onnx'), join(root, 'file', '1', 'model.onnx'));
    mkdirSync(join(root, 'version'));
    symlinkSync(join(elsewhere, '1'), join(root, 'version', '1'));
    symlinkSync(elsewhere, join(root, 'model'));
    symlinkSync(join(elsewhere, 'config.pbtxt'), join(root, 'configured', 'config.pbtxt'));
    const repository = folderRepository(root);
    for (const name of ['file', 'version']) {
      const [version] = (await repository.model(name)).versions;
      expect(version?.problem?.code, name).toBe('link-out-of-repository');
    }
    for (const name of ['model', 'configured']) {
      await expect(repository.model(name), name).rejects.toThrow('leads out of the model repository');
    }
  });

  test('messages hold no path of the machine', async () => {
    const root = repositoryOf({ 'm/1/readme': '', 'm/config.pbtxt': 'backend: "python"' });
    const failure: unknown = await folderRepository(root)
      .model('m')
      .catch((cause: unknown) => cause);
    expect(String(failure)).toContain('m/config.pbtxt');
    expect(String(failure)).not.toContain(base);
  });

  test('a repository that is not there is an error of the input', async () => {
    await expect(folderRepository(join(base, 'nowhere')).names()).rejects.toThrow(InputError);
  });
});

describe('a single file', () => {
  test('is a model named by its stem, in version 1', async () => {
    const root = repositoryOf({ 'churn.v2.onnx': '' });
    const repository = fileRepository(join(root, 'churn.v2.onnx'));
    expect(await repository.names()).toEqual(['churn.v2']);
    expect((await repository.model('churn.v2')).versions).toEqual([
      { version: '1', shownFile: 'churn.v2.onnx', file: join(root, 'churn.v2.onnx') },
    ]);
    await expect(repository.model('other')).rejects.toThrow(ModelError);
  });

  test('that is not there is an error of the input', async () => {
    await expect(fileRepository(join(base, 'none.onnx')).names()).rejects.toThrow(InputError);
  });
});
