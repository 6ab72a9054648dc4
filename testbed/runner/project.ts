import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** Content by path; a path that is `undefined` is taken away. */
export type Files = Readonly<Record<string, string | Buffer | undefined>>;

export interface ProjectOptions {
  /** What main holds. */
  readonly main: Files;
  /** What the pull request changes. */
  readonly change: Files;
}

/**
 * A user's repository with a pull request in it, and its origin. The origin's address ends in `github.com/acme/churn.git`,
 * from which the runner takes the repository's name.
 */
export class Project {
  readonly repository = 'acme/churn';
  readonly pullRequest = 7;
  readonly directory: string;
  readonly origin: string;
  readonly baseSha: string;
  readonly headSha: string;
  /** The commit GitHub makes and `actions/checkout` brings for a pull request. */
  readonly mergeSha: string;

  constructor(options: ProjectOptions) {
    this.directory = mkdtempSync(join(tmpdir(), 'sluice-project-'));
    this.origin = join(this.directory, 'origin', 'github.com', 'acme', 'churn.git');
    mkdirSync(this.origin, { recursive: true });
    this.#git(this.origin, 'init', '--quiet', '--bare', '--initial-branch=main');
    // As on GitHub: any commit that is reachable may be asked for by its SHA.
    this.#git(this.origin, 'config', 'uploadpack.allowAnySHA1InWant', 'true');
    const author = join(this.directory, 'author');
    mkdirSync(author);
    this.#git(author, 'init', '--quiet', '--initial-branch=main');
    this.#git(author, 'remote', 'add', 'origin', `file://${this.origin}`);
    this.baseSha = this.#commit(author, { 'README.md': '# churn\n', ...options.main }, 'Base');
    this.#git(author, 'push', '--quiet', 'origin', 'main');
    this.#git(author, 'checkout', '--quiet', '-b', 'change');
    this.headSha = this.#commit(author, { 'CHANGED.md': 'changed\n', ...options.change }, 'Change');
    this.#git(author, 'push', '--quiet', 'origin', 'change');
    this.#git(author, 'checkout', '--quiet', 'main');
    this.#git(author, 'merge', '--quiet', '--no-ff', '-m', 'Merge', 'change');
    this.mergeSha = this.#git(author, 'rev-parse', 'HEAD');
    this.#git(author, 'push', '--quiet', 'origin', `HEAD:refs/pull/${this.pullRequest}/merge`);
  }

  /**
   * A working directory as `actions/checkout` leaves it: one commit deep, detached.
   * @param options.sha what is checked out; the pull request's merge commit when not given
   * @param options.originGone git can no longer reach the origin
   */
  checkout(options: { readonly sha?: string; readonly originGone?: boolean } = {}): string {
    const directory = mkdtempSync(join(this.directory, 'checkout-'));
    this.#git(directory, 'init', '--quiet', '--initial-branch=main');
    this.#git(directory, 'remote', 'add', 'origin', `file://${this.origin}`);
    const ref = `refs/remotes/pull/${this.pullRequest}/merge`;
    const wanted = `+${options.sha ?? this.mergeSha}:${ref}`;
    this.#git(directory, 'fetch', '--quiet', '--no-tags', '--depth=1', 'origin', wanted);
    this.#git(directory, 'checkout', '--quiet', '--force', ref);
    if (options.originGone === true) {
      this.#git(directory, 'remote', 'set-url', 'origin', 'file:///nowhere/github.com/acme/churn.git');
    }
    return directory;
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }

  [Symbol.dispose](): void {
    this.remove();
  }

  #commit(directory: string, files: Files, message: string): string {
    for (const [path, content] of Object.entries(files)) {
      const file = join(directory, path);
      if (content === undefined) rmSync(file);
      else {
        mkdirSync(dirname(file), { recursive: true });
        writeFileSync(file, content);
      }
    }
    this.#git(directory, 'add', '--all');
    this.#git(directory, 'commit', '--quiet', '-m', message);
    return this.#git(directory, 'rev-parse', 'HEAD');
  }

  #git(directory: string, ...parameters: readonly string[]): string {
    return execFileSync('git', parameters, {
      cwd: directory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      // Nothing of this machine's git configuration, and always the same dates.
      env: {
        PATH: process.env['PATH'],
        GIT_CONFIG_GLOBAL: '/dev/null',
        GIT_CONFIG_SYSTEM: '/dev/null',
        GIT_AUTHOR_NAME: 'Ada',
        GIT_AUTHOR_EMAIL: 'ada@example.com',
        GIT_COMMITTER_NAME: 'Ada',
        GIT_COMMITTER_EMAIL: 'ada@example.com',
        GIT_AUTHOR_DATE: '2026-11-21T00:00:00Z',
        GIT_COMMITTER_DATE: '2026-11-21T00:00:00Z',
      },
    }).trim();
  }
}
