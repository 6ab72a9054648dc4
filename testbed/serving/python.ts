import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';

const run = promisify(execFile);

/** Python versions that every server of the testbed has wheels for. */
const wantedPythons = ['python3.11', 'python3.12', 'python3'] as const;
const wantedVersion = /^3\.1[12]\./;

/** https://docs.astral.sh/uv: installs the servers in seconds, and hard-links what several of them need. */
const uvVersion = '0.13.9';

/** What the named packages need in turn is chosen as of this day, so that an environment made next year is the same. */
const asOf = '2026-11-20T00:00:00Z';

const week = 7 * 24 * 3600 * 1000;

/** A virtual environment that is there. */
export interface PythonEnvironment {
  /** Its folder. */
  readonly directory: string;
  /** The folder with `python` and the commands of the packages. */
  readonly bin: string;
  readonly python: string;
  readonly sitePackages: string;
}

let installing: Promise<unknown> = Promise.resolve();

/**
 * The virtual environment with these packages, from the cache or made there once: a few seconds each, 2.0 GB on the disk for all the
 * servers, as they share files. Other requirements make another environment.
 * @param name of the environment, for people who look into the cache
 * @param requirements as pip takes them, pinned: `['mlserver==1.7.1']`
 * @throws when there is no fitting Python, or the packages cannot be had, with what to do
 */
export async function pythonEnvironment(name: string, requirements: readonly string[]): Promise<PythonEnvironment> {
  const python = await pythonCommand();
  const wanted = [python.version, asOf, ...requirements.toSorted()].join('\n');
  const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 12);
  const home = cacheDirectory('venv', name);
  const directory = join(home, hash);
  if (!existsSync(directory)) {
    // One at a time: each installation already takes every core and the whole line.
    const made = installing.then(() => make(python.command, directory, requirements));
    installing = made.catch(() => undefined);
    await made;
  }
  const now = new Date();
  utimesSync(directory, now, now);
  removeForgotten(home, hash);
  return environmentAt(directory);
}

/** Made under another name and then renamed: what has the name is whole, whoever else makes it at the same time. */
async function make(python: string, directory: string, requirements: readonly string[]): Promise<void> {
  if (existsSync(directory)) return;
  const partial = `${directory}.partial-${process.pid}`;
  rmSync(partial, { recursive: true, force: true });
  try {
    const uv = await uvCommand(python);
    const { bin } = environmentAt(partial);
    await uv(['venv', '--quiet', '--relocatable', '--python', python, partial]);
    await uv([
      ...['pip', 'install', '--quiet', '--exclude-newer', asOf],
      ...['--python', join(bin, 'python'), ...requirements],
    ]);
    renameInto(partial, directory);
  } catch (error) {
    throw new Error(
      `Installing ${requirements.join(' ')} failed: ${explanation(error)} ` +
        'The testbed brings its model servers from the Python package index once: check the connection (UV_DEFAULT_INDEX or ' +
        'PIP_INDEX_URL name another index), then run it again.',
    );
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
}

/** Renames, unless another process was first: then its work is as good. */
function renameInto(partial: string, directory: string): void {
  try {
    renameSync(partial, directory);
  } catch (error) {
    if (!existsSync(directory)) throw error;
    rmSync(partial, { recursive: true, force: true });
  }
}

function environmentAt(directory: string): PythonEnvironment {
  const bin = join(directory, 'bin');
  const lib = join(directory, 'lib');
  const version = existsSync(lib) ? readdirSync(lib).find((entry) => entry.startsWith('python3')) : undefined;
  return {
    directory,
    bin,
    python: join(bin, 'python'),
    sitePackages: join(lib, version ?? 'python3', 'site-packages'),
  };
}

/** Environments of other requirements that nobody has asked for in a week. */
function removeForgotten(home: string, kept: string): void {
  for (const entry of readdirSync(home)) {
    const path = join(home, entry);
    if (entry === kept || Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) < week) continue;
    rmSync(path, { recursive: true, force: true });
  }
}

/** uv, with the index and the certificates pip is told to use; installed by pip into the cache on first use. */
async function uvCommand(python: string): Promise<(args: readonly string[]) => Promise<void>> {
  const directory = join(cacheDirectory('venv', 'uv'), uvVersion);
  if (!existsSync(directory)) {
    const partial = `${directory}.partial-${process.pid}`;
    rmSync(partial, { recursive: true, force: true });
    await run(python, ['-m', 'venv', partial]);
    await run(join(partial, 'bin', 'python'), ['-m', 'pip', 'install', '--quiet', `uv==${uvVersion}`]);
    renameInto(partial, directory);
  }
  const command = join(directory, 'bin', 'uv');
  const { VIRTUAL_ENV: _, ...rest } = process.env;
  const env = {
    ...(rest['PIP_INDEX_URL'] ? { UV_DEFAULT_INDEX: rest['PIP_INDEX_URL'] } : {}),
    ...(rest['PIP_CERT'] ? { SSL_CERT_FILE: rest['PIP_CERT'] } : {}),
    ...rest,
    UV_CACHE_DIR: cacheDirectory('uv'),
    UV_PYTHON_DOWNLOADS: 'never',
  };
  return async (args) => {
    await run(command, args, { env, maxBuffer: 16 * 1024 * 1024 });
  };
}

async function pythonCommand(): Promise<{ readonly command: string; readonly version: string }> {
  for (const command of wantedPythons) {
    try {
      const { stdout } = await run(command, ['-c', 'import sys; print(sys.version.split()[0], sys.executable)']);
      const [version = '', executable = command] = stdout.trim().split(' ');
      if (wantedVersion.test(version)) return { command: executable, version };
    } catch {
      // Not there, or a version manager's stand-in for one that is not.
    }
  }
  throw new Error(
    'The testbed runs real model servers and needs Python 3.11 or 3.12 for them, which is not on PATH. ' +
      'Install it (https://www.python.org/downloads, or "apt-get install python3 python3-venv" on Debian 12 and Ubuntu 24.04), ' +
      'then run it again.',
  );
}

function explanation(error: unknown): string {
  const { stderr } = error as { readonly stderr?: unknown };
  if (typeof stderr === 'string' && stderr.trim() !== '') return stderr.trim();
  return error instanceof Error ? error.message : String(error);
}
