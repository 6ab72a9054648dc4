import { stat } from 'node:fs/promises';
import { isAbsolute, join, resolve } from 'node:path';
import { DataError, describeProblem, type Place } from '../problem/index.ts';
import { isS3Address } from '../s3/index.ts';
import { excerpt, isAddress } from '../text/index.ts';
import { type DvcPointer, md5Of } from './dvc-pointer.ts';
import { bringFromS3 } from './s3-source.ts';
import { sourceLimits } from './source-limits.ts';

/** Where DVC keeps what it tracks. */
export interface DvcStore {
  /** The top of the checkout, which holds `.dvc`. */
  readonly root: string;
  /** The text of `.dvc/config`, of a commit that may be trusted: it names servers and folders of the machine. */
  readonly config: string;
}

/**
 * The file that a pointer stands for, as it is in DVC's cache, else brought from its remote (a folder, or S3 with the job's credentials) into
 * `folder`; its MD5 is the pointer's. Throws a `DataError` that says everywhere it was looked for.
 */
export async function findDvcData(
  pointer: DvcPointer,
  { root, config }: DvcStore,
  { folder, name, place }: { readonly folder: string; readonly name: string; readonly place: Place },
): Promise<string> {
  const settings = settingsOf(config);
  const [start, rest] = [pointer.md5.slice(0, 2), pointer.md5.slice(2)];
  // DVC 3 put a folder above what DVC 2 had, which reads both.
  const keys = [`files/md5/${start}/${rest}`, `${start}/${rest}`];
  const looked: string[] = [];
  const folders: (readonly [what: string, path: string])[] = [["DVC's cache", join(root, '.dvc', 'cache')]];
  const { cache, remote } = settings;
  if (cache !== undefined) folders.push(["DVC's cache", fromConfig(cache, root)]);
  if (remote !== undefined && !isAddress(remote)) folders.push(['the remote', fromConfig(remote, root)]);
  for (const [what, path] of folders) {
    for (const key of keys) {
      const file = join(path, key);
      const held = await stat(file).catch(() => undefined);
      if (held?.isFile() === true && (await md5Of(file, pointer)) === pointer.md5) return file;
    }
    if (!looked.includes(what)) looked.push(what);
  }
  if (remote !== undefined && isS3Address(remote)) {
    for (const key of keys) {
      const object = `${remote.replace(/\/+$/, '')}/${key}`;
      try {
        const [brought] = await bringFromS3(object, folder, { name: object, place }, sourceLimits);
        if (brought !== undefined && (await md5Of(brought.path, pointer)) === pointer.md5) return brought.path;
        looked.push(`${excerpt(object, 120)} (another MD5)`);
      } catch (error) {
        if (!(error instanceof DataError)) throw error;
        looked.push(describeProblem(error.problems[0]));
      }
    }
  } else if (remote !== undefined && isAddress(remote)) {
    looked.push(`the remote is ${excerpt(remote, 120)}, which only DVC reads`);
  } else if (remote === undefined) looked.push('no remote is configured');
  throw new DataError({
    code: 'dvc-not-fetched',
    message: `${excerpt(name, 200)} stands for a file that is not at hand`,
    place,
    found: excerpt(looked.join('; '), 500),
    expected: `MD5 ${pointer.md5}`,
    fix: `Bring it into DVC's cache in an earlier step: "git fetch --unshallow", then "dvc fetch --all-commits ${excerpt(name, 200)}".`,
  });
}

/** A path of the configuration counts from the folder that holds it. */
function fromConfig(path: string, root: string): string {
  return isAbsolute(path) ? path : resolve(root, '.dvc', path);
}

interface DvcSettings {
  /** The folder of the cache, where it is not `.dvc/cache`. */
  readonly cache?: string;
  /** The address or the folder of the default remote. */
  readonly remote?: string;
}

/** Of DVC's configuration (git's language: sections, and `key = value`) what says where files are. */
function settingsOf(text: string): DvcSettings {
  const values = new Map<string, string>();
  let section = '';
  for (const line of text.slice(0, 1 << 20).split(/\r?\n/)) {
    const heading = /^\s*\[\s*(.+?)\s*\]\s*$/.exec(line)?.[1];
    if (heading !== undefined) section = heading.replace(/^'(.*)'$/, '$1').replaceAll('"', '');
    const [, key, value] = /^\s*([\w.-]+)\s*=\s*(.*?)\s*$/.exec(line) ?? [];
    if (key !== undefined && value !== undefined) values.set(`${section}.${key}`, value);
  }
  const cache = values.get('cache.dir');
  const remote = values.get(`remote ${values.get('core.remote') ?? ''}.url`);
  return { ...(cache === undefined ? {} : { cache }), ...(remote === undefined ? {} : { remote }) };
}
