import { createHash, randomBytes } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Host } from '../core/host/index.ts';
import { InputError, PeerError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import type { GitHubApi } from './api.ts';
import { apiCommit } from './api-commit.ts';
import { describeApiFailure } from './api-failure.ts';
import { type GitOptions, git } from './git-command.ts';
import { fetchCommit, gitCommit, hasCommit, resolveRevision, tokenEnvironment } from './git-commit.ts';
import { isCommitSha, revisionOf } from './git-name.ts';
import { fetchLargeFile, type LargeFileStore, largeFilePointer, pointerLimit } from './large-file.ts';
import { repositoryPath, repositoryRoot } from './repository-root.ts';
import { type CommitFiles, NotAFile, type StoredFile } from './stored-file.ts';

/** The files of the commit a candidate is held against. */
export interface BaseFiles {
  /** The commit, in full. */
  readonly sha: string;
  /**
   * The content of a file in that commit, Git LFS resolved; undefined when the commit has no such file. `path` is relative to
   * the `directory` the files were opened for (a policy's folder), exactly as for the files on disk; a path that leaves the
   * repository is an `InputError`, a symbolic link, submodule or folder a `PeerError`.
   */
  read(path: string): Promise<Uint8Array | undefined>;
  /** Like `read`, into `file` (made with its folders, atomically); false when the commit has no such file. */
  fetchTo(path: string, file: string): Promise<boolean>;
  /** The SHA-256 of a file's content, hexadecimal; of a file in Git LFS without bringing it. Undefined when the commit has no such file. */
  sha256(path: string): Promise<string | undefined>;
}

export interface BaseFilesOptions {
  /** The folder inside the checkout that paths are relative to. */
  readonly directory: string;
  /** A full commit id, or a revision that the local clone knows (`main`, `origin/main`, `HEAD~1`, `v1.2.0`). */
  readonly commit: { readonly sha: string } | { readonly ref: string };
  readonly api?: GitHubApi;
  readonly host: Host;
}

/**
 * Opens the files of the base commit. They are looked for in the local clone, then fetched from `origin` (one commit; the clone
 * that `actions/checkout` makes has only the head), then asked of GitHub's contents API. Nothing is fetched before the
 * first `read`. A ref is the commit it names in the local clone, not its merge base with HEAD: a gate compares with the
 * branch as it is, and needs no history for that. Throws an `InputError` for a ref that is not there or not a ref; reading
 * throws a `PeerError` that names every way tried.
 */
export async function baseFilesOf(options: BaseFilesOptions): Promise<BaseFiles> {
  const root = repositoryRoot(options.directory);
  const sha = 'sha' in options.commit ? checkedSha(options.commit.sha) : await resolveRef(options.commit.ref, root);
  const commit = new BaseCommit(sha, { root }, options.api, options.host);
  const open = async (path: string) => commit.open(insideRepository(path, options.directory, root));
  return {
    sha,
    async read(path) {
      return (await open(path))?.read();
    },
    async sha256(path) {
      const stored = await open(path);
      if (stored === undefined) return undefined;
      if (stored.sha256 !== undefined) return stored.sha256;
      const temporary = await mkdtemp(join(tmpdir(), 'sluice-base-'));
      try {
        await stored.copyTo(join(temporary, 'content'));
        const hash = createHash('sha256');
        await pipeline(createReadStream(join(temporary, 'content')), hash);
        return hash.digest('hex');
      } finally {
        await rm(temporary, { recursive: true, force: true });
      }
    },
    async fetchTo(path, file) {
      const stored = await open(path);
      if (stored === undefined) return false;
      await mkdir(dirname(file), { recursive: true });
      const partial = `${file}.${randomBytes(6).toString('hex')}.partial`;
      try {
        await stored.copyTo(partial);
        await rename(partial, file);
      } finally {
        await rm(partial, { force: true });
      }
      return true;
    },
  };
}

function checkedSha(sha: string): string {
  if (isCommitSha(sha)) return sha;
  throw new InputError({
    code: 'base-commit',
    message: 'the base commit is not a full commit id',
    found: `"${excerpt(sha)}"`,
    expected: '40 or 64 hexadecimal digits',
    fix: 'Give the id in full, as "git rev-parse main" prints it.',
  });
}

async function resolveRef(ref: string, root: string): Promise<string> {
  revisionOf(ref);
  const sha = (await resolveRevision(ref, { root })) ?? (await resolveRevision(`refs/remotes/origin/${ref}`, { root }));
  if (sha !== undefined) return sha;
  let inRepository = true;
  try {
    await git(['rev-parse', '--git-dir'], { root });
  } catch {
    inRepository = false;
  }
  throw new InputError(
    inRepository
      ? {
          code: 'base-ref',
          message: `the base "${excerpt(ref)}" is not in this clone`,
          fix: `Bring it first: git fetch origin ${ref}`,
        }
      : {
          code: 'base-ref',
          message: `the base "${excerpt(ref)}" cannot be looked up: this folder is not in a git repository, or git is not installed`,
          fix: 'Run inside the clone, or leave the base out.',
        },
  );
}

function insideRepository(path: string, directory: string, root: string): string {
  const inside = path.includes('\0') ? undefined : repositoryPath(path, directory, root);
  if (inside !== undefined && !/(?:^|\/)\.git(?:\/|$)/i.test(inside)) return inside;
  throw new InputError({
    code: 'outside-repository',
    message: `"${excerpt(path)}" is not a path inside the repository, so the base branch cannot hold it`,
    fix: 'Name a file inside the repository, or set model.baseline to none.',
  });
}

/** One commit, by whichever way reaches it first. The way is found once. */
class BaseCommit {
  readonly #sha: string;
  readonly #git: GitOptions;
  readonly #api: GitHubApi | undefined;
  readonly #host: Host;
  readonly #failures: string[] = [];
  #local: Promise<CommitFiles | undefined> | undefined;

  constructor(sha: string, options: GitOptions, api: GitHubApi | undefined, host: Host) {
    this.#sha = sha;
    this.#git = options;
    this.#api = api;
    this.#host = host;
  }

  async open(path: string): Promise<StoredFile | undefined> {
    const stored = await this.#stored(path);
    return stored === undefined ? undefined : this.#withLargeFile(path, stored);
  }

  async #stored(path: string): Promise<StoredFile | undefined> {
    this.#local ??= this.#openLocal();
    const local = await this.#local;
    const failures = [...this.#failures];
    if (local !== undefined) {
      try {
        return await local.open(path);
      } catch (error) {
        // In a partial clone a tree or a file may be missing although the commit is there.
        if (error instanceof NotAFile) throw this.#refused(path, error);
        failures.push(`reading it from the local clone: ${words(error)}`);
      }
    }
    if (this.#api === undefined) {
      failures.push('the contents API: no token');
    } else {
      try {
        return await apiCommit(this.#sha, this.#api).open(path);
      } catch (error) {
        if (error instanceof NotAFile) throw this.#refused(path, error);
        failures.push(`the contents API: ${describeApiFailure(error, 'contents: read', false)}`);
      }
    }
    throw new PeerError({
      code: 'base-unreachable',
      message: `"${excerpt(path)}" of the base commit ${this.#sha.slice(0, 12)} could not be read (${excerpt(failures.join('; '), 1000)})`,
      fix: 'Give actions/checkout "fetch-depth: 0", or the job "permissions: contents: read" and the gate its token.',
    });
  }

  #refused(path: string, error: NotAFile): PeerError {
    return new PeerError({
      code: 'base-not-a-file',
      message: `"${excerpt(path)}" of the base commit ${this.#sha.slice(0, 12)} cannot be used`,
      found: error.kind,
      expected: 'a plain file',
      fix: 'Commit the file itself.',
    });
  }

  async #openLocal(): Promise<CommitFiles | undefined> {
    if (await hasCommit(this.#sha, this.#git)) return gitCommit(this.#sha, this.#git);
    const ways: readonly (readonly [name: string, env: Readonly<Record<string, string>> | undefined])[] = [
      ['git fetch', undefined],
      ...(this.#api === undefined
        ? []
        : ([['git fetch with the token', tokenEnvironment(this.#api.serverUrl, this.#api.token)]] as const)),
    ];
    for (const [name, env] of ways) {
      try {
        await fetchCommit(this.#sha, { ...this.#git, ...(env === undefined ? {} : { env }) });
        if (await hasCommit(this.#sha, this.#git)) {
          this.#host.info(`Brought the base commit ${this.#sha.slice(0, 12)} from origin.`);
          return gitCommit(this.#sha, this.#git);
        }
        this.#failures.push(`${name}: it is still missing`);
      } catch (error) {
        const said = words(error);
        this.#failures.push(`${name}: ${said}`);
        // Without git, or outside of a clone, a token does not help either.
        if (/not installed|not a git repository/.test(said)) break;
      }
    }
    return undefined;
  }

  async #withLargeFile(path: string, stored: StoredFile): Promise<StoredFile> {
    if (stored.bytes >= pointerLimit) return stored;
    const content = await stored.read();
    const pointer = largeFilePointer(content);
    if (pointer === undefined) return stored;
    const copyTo = async (file: string): Promise<void> => {
      try {
        await fetchLargeFile(pointer, await this.#largeFileStore(), file);
      } catch (error) {
        throw new PeerError({
          code: 'base-large-file',
          message: `"${excerpt(path)}" of the base commit ${this.#sha.slice(0, 12)} is in Git LFS, and ${excerpt(words(error), 1000)}`,
          fix: 'Give the gate a token that reads the repository, or run "git lfs fetch origin <base>" in a step before it.',
        });
      }
    };
    return {
      bytes: pointer.bytes,
      sha256: pointer.oid,
      copyTo,
      async read() {
        const directory = await mkdtemp(join(tmpdir(), 'sluice-lfs-'));
        try {
          await copyTo(join(directory, 'content'));
          return await readFile(join(directory, 'content'));
        } finally {
          await rm(directory, { recursive: true, force: true });
        }
      },
    };
  }

  /** The repository's own LFS server: GitHub's when the job says which repository, else the one of `origin`. */
  async #largeFileStore(): Promise<LargeFileStore> {
    const api = this.#api;
    if (api !== undefined) {
      const endpoint = `${api.serverUrl}/${api.owner}/${api.repo}.git/info/lfs`;
      return { git: this.#git, endpoint, token: api.token };
    }
    try {
      const origin = (await git(['remote', 'get-url', 'origin'], this.#git)).toString('utf8').trim();
      const url = new URL(origin);
      if (url.protocol !== 'https:' && url.protocol !== 'http:') return { git: this.#git };
      return { git: this.#git, endpoint: `${origin.replace(/\/+$/, '').replace(/(?:\.git)?$/, '.git')}/info/lfs` };
    } catch {
      return { git: this.#git };
    }
  }
}

function words(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s+/g, ' ').trim();
}
