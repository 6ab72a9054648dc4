import { readFile } from 'node:fs/promises';
import { join, posix, resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { secretWords } from '../../core/http/index.ts';
import { type Environment, openMlflow, trackingServerOf } from '../../core/mlflow/index.ts';
import { externalDataNames } from '../../core/onnx/index.ts';
import type { EffectivePolicy, RegisteredChampion, ReleasedChampion } from '../../core/policy/index.ts';
import { ModelError, PeerError, type Place } from '../../core/problem/index.ts';
import { counted, excerpt, parsedJson } from '../../core/text/index.ts';
import { type BaseFiles, repositoryPath } from '../../github/index.ts';
import { type Baseline, newBaseline, openAtBase, openBrought, openCheckedOut } from './baseline-file.ts';

/** Bytes of one file that are brought at most. */
const largestFile = 16 * 1024 ** 3;
const largestManifest = 1024 * 1024;

/**
 * The version of a registered model that an alias names, with the weight files it names, scanned as every model. Throws a `SluiceError` that
 * says what to do for a server that is not there or refuses, an alias that is not, a file that is missing.
 */
export async function openRegistered(
  { mlflow: name, alias, artifact, tracking_uri }: RegisteredChampion,
  policy: EffectivePolicy,
  host: Host,
  environment: Environment,
): Promise<Baseline> {
  const place = policy.placeOf(['model', 'baseline']);
  const server = await trackingServerOf(tracking_uri, environment, place);
  for (const word of secretWords(server)) host.secret(word);
  await using mlflow = openMlflow(server, { place });
  const version = await mlflow.versionOf(name, alias);
  const shown = `models:/${version.name}/${version.version}`;
  host.info(`The champion is ${excerpt(shown)} of ${mlflow.origin}`);
  // Awaited here: the server is read until the files are there.
  return await openBrought(policy, host, async (temporary) => {
    const files = await mlflow.filesOf(version);
    const chosen = artifact ?? onlyModel(await mlflow.list(files), { shown, place });
    const file = join(temporary, posix.basename(chosen));
    const { sha256 } = await mlflow.download(files, chosen, file, largestFile);
    for (const weights of await externalDataNames(file)) {
      await mlflow.download(files, posix.join(posix.dirname(chosen), weights), join(temporary, weights), largestFile);
    }
    const run = version.run === '' ? '' : `, of run ${excerpt(version.run, 40)}`;
    const message = `The baseline is ${excerpt(shown)}, which the alias "${excerpt(alias)}" names in ${mlflow.origin}${run}; SHA-256 ${sha256}.`;
    return { file, shown, notices: [{ level: 'notice', message, place }] };
  });
}

/** The one ONNX file of a model's folder. */
function onlyModel(names: readonly string[], { shown, place }: { shown: string; place: Place }): string {
  const models = names.filter((name) => /\.onnx$/i.test(name));
  const [only, ...others] = models;
  if (only !== undefined && others.length === 0) return only;
  throw new PeerError({
    code: 'no-onnx-artifact',
    message: `${excerpt(shown)} has ${models.length === 0 ? 'no ONNX file' : counted(models.length, 'ONNX file')} in its folder`,
    place,
    found: (models.length === 0 ? names : models).map((name) => excerpt(name, 40)).join(', ') || 'no file at all',
    fix:
      models.length === 0
        ? 'Log the model with mlflow.onnx.log_model, or name the file: "artifact: model/model.onnx".'
        : 'Name the one: "artifact: model.onnx".',
  });
}

/**
 * The model that a release manifest names, held to the digest there. Both are read at the base commit where it has them: a pull request
 * cannot release a weaker model to be held against.
 */
export async function openReleased(
  { manifest: path }: ReleasedChampion,
  policy: EffectivePolicy,
  directory: string,
  base: BaseFiles | undefined,
  host: Host,
): Promise<Baseline> {
  const place = policy.placeOf(['model', 'baseline']);
  const atBase = base === undefined ? undefined : await base.read(path);
  const { path: named, sha256: digest } = releasedModel(
    atBase ?? (await readCheckedOut(path, directory, place)),
    path,
    place,
  );
  const model = posix.join(posix.dirname(path), named);
  const found =
    base === undefined || atBase === undefined
      ? await openCheckedOut(model, policy, directory, base === undefined ? [] : [newBaseline(path, base)], host)
      : await openAtBase(model, policy, base, host);
  if (found === undefined) {
    throw new ModelError({
      code: 'missing-file',
      message: `${excerpt(path)} of the base commit releases ${excerpt(model)}, which that commit does not have`,
      place,
      fix: 'Commit the model with its manifest.',
    });
  }
  const { sha256 } = found.model?.facts ?? {};
  if (sha256 === digest) return found;
  await found[Symbol.asyncDispose]();
  throw new ModelError({
    code: 'digest-mismatch',
    message: `${excerpt(model)} is not the model that ${excerpt(path)} released`,
    place,
    found: `SHA-256 ${sha256}`,
    expected: digest,
    fix: 'Bring the released file back, or release the other one with a manifest of its own.',
  });
}

async function readCheckedOut(path: string, directory: string, place: Place): Promise<Uint8Array> {
  if (repositoryPath(path, directory) === undefined) {
    throw new ModelError({
      code: 'outside-repository',
      message: `the manifest ${excerpt(path)} lies outside of the repository`,
      place,
      fix: 'Name a file inside the repository.',
    });
  }
  try {
    return await readFile(resolve(directory, path));
  } catch (cause) {
    throw new ModelError(
      {
        code: 'missing-file',
        message: `the manifest ${excerpt(path)} cannot be read`,
        place,
        fix: "Check the path; it is relative to the policy's folder.",
      },
      { cause },
    );
  }
}

/** What a manifest says of its model; its other fields are for others. */
function releasedModel(content: Uint8Array, path: string, place: Place): { path: string; sha256: string } {
  const manifest = content.length > largestManifest ? undefined : parsedJson(new TextDecoder().decode(content));
  const { model } = (typeof manifest === 'object' && manifest !== null ? manifest : {}) as { readonly model?: unknown };
  const { path: named, sha256 } = (typeof model === 'object' && model !== null ? model : {}) as {
    readonly path?: unknown;
    readonly sha256?: unknown;
  };
  if (typeof named === 'string' && named !== '' && typeof sha256 === 'string' && /^[0-9a-f]{64}$/i.test(sha256)) {
    return { path: named, sha256: sha256.toLowerCase() };
  }
  throw new ModelError({
    code: 'bad-manifest',
    message: `${excerpt(path)} is no release manifest`,
    place,
    expected: '{ "model": { "path": "churn.onnx", "sha256": "64 hexadecimal digits" } }',
    fix: 'Write the path of the model, relative to the manifest, and its SHA-256.',
  });
}
