import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { NativeError } from '../problem/index.ts';
import { downloadPackage, safeUrl } from './download.ts';
import { isComplete, type Manifest, manifestName } from './installed.ts';
import type { Settings } from './options.ts';
import { type PartName, type PinnedPackage, parts } from './parts.ts';
import { platformName } from './platform.ts';

/**
 * Downloads parts into `<directory>/node_modules`: into a folder beside it, checked, and then renamed, so that the directory is there
 * in full or not at all, whenever a job is killed. A lock lets one of several jobs work while the others wait for its result.
 */
export async function bring(names: readonly PartName[], directory: string, settings: Settings): Promise<void> {
  const packages = names.flatMap((name) => packagesOf(name, settings));
  const release = await lock(names, directory, settings);
  try {
    if (isComplete(directory)) return;
    await sweep(directory);
    const work = `${directory}.partial-${randomBytes(6).toString('hex')}`;
    try {
      await fill(work, names, packages, settings);
      await moveTo(directory, work);
    } finally {
      await rm(work, { recursive: true, force: true });
    }
  } finally {
    await release();
  }
}

/** The pinned packages of a part for a platform. Says so clearly when nobody builds the part for it. */
function packagesOf(name: PartName, { platform, packages }: Settings): readonly PinnedPackage[] {
  const { title, platforms, packagesFor, otherwise } = parts[name];
  const wanted = packagesFor(platform);
  const pinned = wanted.flatMap((wantedName) => packages.find((candidate) => candidate.name === wantedName) ?? []);
  if (platforms.includes(platformName(platform)) && pinned.length === wanted.length) return pinned;
  throw new NativeError({
    code: 'unsupported-platform',
    message: `there is no build of ${title} for this machine`,
    found: platformName(platform),
    expected: `one of ${[...platforms].sort().join(', ')}`,
    fix: otherwise,
  });
}

async function fill(
  work: string,
  names: readonly PartName[],
  packages: readonly PinnedPackage[],
  settings: Settings,
): Promise<void> {
  const { host, platform, registry } = settings;
  const titles = names.map((name) => parts[name].title).join(' and ');
  const modules = join(work, 'node_modules');
  await mkdir(modules, { recursive: true });
  host.info(`Downloading ${titles} for ${platformName(platform)} from ${safeUrl(registry)}`);
  const progress = host.progress(`Downloading ${titles}`);
  const sizes = packages.map(() => ({ done: 0, total: 0 }));
  const started = performance.now();
  try {
    const unpacked = await Promise.allSettled(
      packages.map(async (pinned, index) => {
        const files = await downloadPackage(pinned, modules, settings, (done, total) => {
          sizes[index] = { done, total: total ?? done };
          progress.update(sum(sizes.map((size) => size.done)), sum(sizes.map((size) => size.total)));
        });
        return [...files].map(([path, size]): [string, number] => [`node_modules/${pinned.name}/${path}`, size]);
      }),
    );
    // All have ended before the folder is removed, so that none writes into it afterwards.
    const failures = unpacked.flatMap((result) => (result.status === 'rejected' ? [result.reason] : []));
    if (failures.length > 0) throw joined(failures);
    const manifest: Manifest = {
      packages,
      files: Object.fromEntries(unpacked.flatMap((result) => (result.status === 'fulfilled' ? result.value : []))),
    };
    await writeFile(join(work, manifestName), JSON.stringify(manifest));
  } finally {
    progress.end();
  }
  const megabytes = (sum(sizes.map((size) => size.done)) / 1e6).toFixed(1);
  host.info(`${titles}: ${megabytes} MB in ${((performance.now() - started) / 1000).toFixed(1)} s, SHA-512 checked`);
}

/** Packages usually fail together (no network): one error with the problems of all, the same fix said once. */
function joined(failures: readonly unknown[]): unknown {
  const problems = failures.flatMap((failure) => (failure instanceof NativeError ? failure.problems : []));
  const [first, ...rest] = problems;
  if (first === undefined || problems.length < failures.length) return failures[0];
  const others = rest.map(({ fix, ...problem }) =>
    fix === undefined || fix === first.fix ? problem : { ...problem, fix },
  );
  return new NativeError([first, ...others], { cause: failures[0] });
}

async function moveTo(directory: string, work: string): Promise<void> {
  try {
    // A broken earlier copy goes out of the way in one step too: a job that has it open keeps its files.
    if (existsSync(directory)) await rename(directory, `${directory}.partial-old-${randomBytes(6).toString('hex')}`);
    await rename(work, directory);
  } catch (cause) {
    // Somebody else (a job whose lock looked stale) finished first: what it put there was checked the same way.
    if (isComplete(directory)) return;
    throw cannotWrite(directory, cause);
  } finally {
    await sweep(directory);
  }
}

/** Removes what killed jobs left beside `directory`. */
async function sweep(directory: string): Promise<void> {
  const prefix = `${basename(directory)}.partial-`;
  const neighbours = await readdir(dirname(directory)).catch(() => []);
  await Promise.all(
    neighbours
      .filter((name) => name.startsWith(prefix))
      .map((name) => rm(join(dirname(directory), name), { recursive: true, force: true }).catch(() => {})),
  );
}

async function lock(
  names: readonly PartName[],
  directory: string,
  { host, patience }: Settings,
): Promise<() => Promise<void>> {
  const { default: lockfile } = await import('proper-lockfile');
  const titles = names.map((name) => parts[name].title).join(' and ');
  const options = {
    realpath: false,
    stale: patience.staleLock,
    // Another job took the lock over because this one looked dead (a machine asleep). Both check and rename: nothing breaks.
    onCompromised: () => host.info(`Another job is bringing ${titles} too`),
  };
  try {
    await mkdir(dirname(directory), { recursive: true });
    return quietly(
      await lockfile.lock(directory, options).catch((cause: unknown) => {
        if (!isLocked(cause)) throw cause;
        host.info(`Waiting for another job that is bringing ${titles}`);
        // About ten minutes: a slow network, not a lost lock, which goes stale long before.
        return lockfile.lock(directory, { ...options, retries: { retries: 1200, minTimeout: 100, maxTimeout: 500 } });
      }),
    );
  } catch (cause) {
    if (isLocked(cause)) {
      throw new NativeError(
        {
          code: 'locked',
          message: `another job has been bringing ${titles} for ten minutes`,
          place: { file: `${directory}.lock` },
          fix: 'If no other job is running, delete this lock.',
        },
        { cause },
      );
    }
    throw cannotWrite(directory, cause);
  }
}

/** A lock that was taken over cannot be given back, and needs not be. */
function quietly(release: () => Promise<void>): () => Promise<void> {
  return () => release().catch(() => {});
}

function isLocked(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ELOCKED';
}

function cannotWrite(directory: string, cause: unknown): NativeError {
  return new NativeError(
    {
      code: 'cannot-write',
      message: 'cannot keep the native parts here',
      place: { file: directory },
      found: cause instanceof Error ? cause.message : String(cause),
      fix: 'Set RUNNER_TOOL_CACHE to a directory that can be written, or SLUICE_NATIVE_DIR to one that `sluice native DIR` filled.',
    },
    { cause },
  );
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
