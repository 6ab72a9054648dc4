import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';

const run = promisify(execFile);

/**
 * A folder of the cache with the files of Debian's packages, unpacked without being installed.
 * @param missing what to say when they cannot be had, with how to get them
 * @throws an Error with that text
 */
export async function debianFiles(folder: string, packages: readonly string[], missing: string): Promise<string> {
  const cache = join(cacheDirectory(), folder);
  if (existsSync(cache)) return cache;
  const partial = `${cache}.partial-${process.pid}`;
  await mkdir(partial);
  try {
    // apt downloads as a user of its own.
    await chmod(partial, 0o777);
    for (const name of packages) await run('apt-get', ['download', name], { cwd: partial });
    for (const file of (await readdir(partial)).filter((name) => name.endsWith('.deb'))) {
      await run('dpkg', ['-x', file, partial], { cwd: partial });
      await rm(join(partial, file));
    }
    await rename(partial, cache);
  } catch (cause) {
    await rm(partial, { recursive: true, force: true });
    throw new Error(missing, { cause });
  }
  return cache;
}
