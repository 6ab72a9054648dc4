import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises';
import { basename, extname, isAbsolute, join, relative, sep } from 'node:path';
import { InputError, ModelError, type Problem } from '../../core/problem/index.ts';
import { excerpt, printable } from '../../core/text/index.ts';
import { defaultConfig, type ModelConfig, readModelConfig, type VersionPolicy } from './model-config.ts';

/** One model as its repository has it now. */
export interface StoredModel {
  readonly name: string;
  readonly config: ModelConfig;
  /** The versions its policy wants, ascending; each with its file, or with what keeps it from being one. */
  readonly versions: readonly StoredVersion[];
}

export interface StoredVersion {
  /** A whole number from 1, without leading zeros. */
  readonly version: string;
  /** How messages call the file: `churn/3/model.onnx`, never a path of this machine. */
  readonly shownFile: string;
  /** Real path, inside the repository. */
  readonly file: string;
  readonly problem?: Problem;
}

/** Where models come from. Read anew at every call. */
export interface Repository {
  /** Names of its models, sorted. Throws an InputError when the repository cannot be read. */
  names(): Promise<readonly string[]>;
  /** Throws a ModelError when there is no such model or its configuration is wrong. Versions that are wrong carry their problem. */
  model(name: string): Promise<StoredModel>;
}

const largestConfig = 1024 * 1024;
const modelFile = 'model.onnx';

/**
 * A model repository in Triton's layout: `<model>/<version>/model.onnx` and, if there is one, `<model>/config.pbtxt`. A version is a folder
 * named by a whole number from 1; other folders are ignored, and names that begin with a dot everywhere. Symbolic links are followed as
 * long as they stay inside the repository (Kubernetes mounts ConfigMaps through a link named `..data`).
 */
export function folderRepository(folder: string): Repository {
  const rootOf = async (): Promise<string> => {
    const root = await realpath(folder).catch(() => undefined);
    if (root !== undefined && (await stat(root)).isDirectory()) return root;
    throw new InputError({
      code: 'missing-repository',
      message: 'there is no such model repository',
      place: { file: folder },
      expected: 'a folder with <model>/<version>/model.onnx in it',
      fix: 'Check the path; a single .onnx file can be served as well.',
    });
  };
  return {
    async names() {
      const root = await rootOf();
      const entries = (await readdir(root)).filter(isModelName).toSorted();
      const folders = await Promise.all(entries.map((entry) => isFolder(join(root, entry))));
      return entries.filter((_, index) => folders[index]);
    },
    async model(name) {
      const root = await rootOf();
      const entries = isModelName(name) ? await readdir(root) : [];
      // Compared and not just opened: on some file systems `Churn` opens `churn`.
      if (!entries.includes(name) || !(await isFolder(join(root, name)))) throw noSuchModel(name, entries);
      return storedModel(root, name);
    },
  };
}

/** A single `.onnx` file: a model named by the file's stem, in version 1. */
export function fileRepository(file: string): Repository {
  const name = basename(file, extname(file));
  return {
    async names() {
      const stats = await stat(file).catch(() => undefined);
      if (stats?.isFile() === true) return [name];
      throw new InputError({
        code: 'missing-file',
        message: 'there is no such model file',
        place: { file },
        fix: 'Check the path.',
      });
    },
    async model(wanted) {
      if (wanted !== name) throw noSuchModel(wanted, [name]);
      const real = await realpath(file).catch(() => file);
      return { name, config: defaultConfig, versions: [{ version: '1', shownFile: basename(file), file: real }] };
    },
  };
}

function noSuchModel(name: string, names: readonly string[]): ModelError {
  const known = names.filter(isModelName).toSorted().slice(0, 20);
  return new ModelError({
    code: 'unknown-model',
    message: 'the repository has no such model',
    found: JSON.stringify(excerpt(name)),
    expected:
      known.length === 0 ? 'a repository with models' : `one of ${known.map((each) => excerpt(each)).join(', ')}`,
    fix: 'Check the name, or add the model to the repository.',
  });
}

/** A name is one path segment that a URL, a label and a terminal can show. */
function isModelName(name: string): boolean {
  return /^[^./\\][^/\\]{0,254}$/.test(name) && printable(name) === name;
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (stats) => stats.isDirectory(),
    () => false,
  );
}

async function storedModel(root: string, name: string): Promise<StoredModel> {
  const folder = join(root, name);
  const outside = await linkOut(root, folder, name);
  if (outside !== undefined) throw new ModelError(outside);
  const config = await configOf(root, folder, name);
  const numbers = (await readdir(folder)).filter((entry) => /^[1-9]\d{0,14}$/.test(entry));
  const versions = wantedVersions(
    numbers.toSorted((a, b) => Number(a) - Number(b)),
    config.versionPolicy,
  );
  if (versions.length === 0) {
    throw new ModelError({
      code: 'no-versions',
      message: 'the model has no version to serve',
      place: { file: name },
      found: numbers.length === 0 ? 'no folder named by a number' : `versions ${numbers.slice(0, 10).join(', ')}`,
      expected: `${name}/1/${modelFile}`,
      fix: 'Put the model into a folder named by its version, or correct version_policy.',
    });
  }
  return { name, config, versions: await Promise.all(versions.map((version) => storedVersion(root, name, version))) };
}

async function configOf(root: string, folder: string, name: string): Promise<ModelConfig> {
  const shown = `${name}/config.pbtxt`;
  const file = join(folder, 'config.pbtxt');
  if ((await lstat(file).catch(() => undefined)) === undefined) return defaultConfig;
  const outside = await linkOut(root, file, shown);
  if (outside !== undefined) throw new ModelError(outside);
  const stats = await stat(file).catch(() => undefined);
  if (stats?.isFile() !== true || stats.size > largestConfig) {
    throw new ModelError({
      code: 'bad-model-config',
      message: 'the model configuration is not a text file of ordinary size',
      place: { file: shown },
      expected: `at most ${largestConfig} bytes`,
      fix: 'Replace it, or delete it: the defaults suit most models.',
    });
  }
  return readModelConfig(await readFile(file, 'utf8'), shown);
}

function wantedVersions(numbers: readonly string[], policy: VersionPolicy): readonly string[] {
  if (policy.kind === 'all') return numbers;
  // A version that the policy names and nobody stored is a mistake to be told: its file is then missing.
  return policy.kind === 'specific' ? policy.versions : numbers.slice(-policy.count);
}

async function storedVersion(root: string, name: string, version: string): Promise<StoredVersion> {
  const shownFile = `${name}/${version}/${modelFile}`;
  const path = join(root, name, version, modelFile);
  const problem = await linkOut(root, path, shownFile);
  const file = await realpath(path).catch(() => path);
  return { version, shownFile, file, ...(problem === undefined ? {} : { problem }) };
}

/** A file that is a link out of the repository could be any file of this machine. */
async function linkOut(root: string, path: string, shown: string): Promise<Problem | undefined> {
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) {
    return {
      code: 'missing-file',
      message: 'there is no such file',
      place: { file: shown },
      fix: 'Put it there, or take the version out of version_policy.',
    };
  }
  const way = relative(root, real);
  // `..data` of Kubernetes is a name and not a step up.
  if (way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way)) return undefined;
  return {
    code: 'link-out-of-repository',
    message: 'a symbolic link leads out of the model repository',
    place: { file: shown },
    fix: 'Put the file itself there, or serve the folder that holds both.',
  };
}
