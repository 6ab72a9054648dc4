import { type GitOptions, git } from './git-command.ts';
import { isCommitSha, revisionOf } from './git-name.ts';
import { type CommitFiles, NotAFile, type StoredFile } from './stored-file.ts';

/** Whether the repository's object store has the commit. */
export async function hasCommit(sha: string, options: GitOptions): Promise<boolean> {
  try {
    await git(['cat-file', '-e', '--end-of-options', `${commitSha(sha)}^{commit}`], options);
    return true;
  } catch {
    return false;
  }
}

/** The commit a revision names in the local repository, or undefined. */
export async function resolveRevision(revision: string, options: GitOptions): Promise<string | undefined> {
  const name = revisionOf(revision);
  try {
    const output = await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${name}^{commit}`], options);
    const sha = output.toString('utf8').trim();
    return isCommitSha(sha) ? sha : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Brings one commit from `origin`. In the shallow clone that `actions/checkout` makes, only that commit (`--depth=1`); in a full
 * clone without a depth, since a depth would cut the user's history off there. Nothing else in the clone changes: no tags,
 * no FETCH_HEAD, no submodules.
 */
export async function fetchCommit(sha: string, options: GitOptions): Promise<void> {
  const shallow = (await git(['rev-parse', '--is-shallow-repository'], options)).toString('utf8').trim() === 'true';
  await git(
    [
      'fetch',
      '--quiet',
      '--no-tags',
      '--no-recurse-submodules',
      '--no-write-fetch-head',
      '--no-auto-maintenance',
      ...(shallow ? ['--depth=1'] : []),
      '--end-of-options',
      'origin',
      commitSha(sha),
    ],
    options,
  );
}

/**
 * Git's settings, as environment variables (a command line can be read by every process), that send `token` to `serverUrl` and
 * nowhere else. The empty value first clears what `actions/checkout` left: GitHub refuses two Authorization headers.
 */
export function tokenEnvironment(serverUrl: string, token: string): Readonly<Record<string, string>> {
  const key = `http.${serverUrl.replace(/\/+$/, '')}/.extraheader`;
  const credentials = Buffer.from(`x-access-token:${token}`).toString('base64');
  return {
    GIT_CONFIG_COUNT: '2',
    GIT_CONFIG_KEY_0: key,
    GIT_CONFIG_VALUE_0: '',
    GIT_CONFIG_KEY_1: key,
    GIT_CONFIG_VALUE_1: `AUTHORIZATION: basic ${credentials}`,
  };
}

/** The files of a commit in the local object store. */
export function gitCommit(sha: string, options: GitOptions): CommitFiles {
  return {
    async open(path) {
      const listed = await git(['ls-tree', '-z', '--full-tree', commitSha(sha), '--', path], options);
      const entry = /^(\d{6}) (\w+) ([0-9a-f]+)\t/.exec(listed.toString('utf8'));
      if (entry === null) return undefined;
      const [, mode = '', , object = ''] = entry;
      if (mode === '120000') throw new NotAFile('a symbolic link');
      if (mode === '160000') throw new NotAFile('a submodule');
      if (mode === '040000') throw new NotAFile('a folder');
      return blob(object, options);
    },
  };
}

async function blob(object: string, options: GitOptions): Promise<StoredFile> {
  const size = await git(['cat-file', '-s', object], options);
  return {
    bytes: Number(size.toString('utf8').trim()),
    read: () => git(['cat-file', 'blob', object], options),
    copyTo: async (file) => {
      await git(['cat-file', 'blob', object], options, file);
    },
  };
}

function commitSha(sha: string): string {
  if (!isCommitSha(sha)) throw new RangeError('not a commit id');
  return sha;
}
