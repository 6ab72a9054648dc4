import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';

const run = promisify(execFile);

export interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** As npm tells it: `sha512-` and base64. */
  readonly integrity: string;
}

/**
 * The unpacked folder of a program that npm carries, from the cache or the registry. Nothing of it is installed and no script of it runs.
 * @throws when the registry has another package than the one the testbed was written with
 */
export async function npmPackage({ name, version, integrity }: NpmPackage): Promise<string> {
  const home = join(cacheDirectory(name.replace(/^.*\//, '')), version);
  if (!existsSync(home)) {
    const partial = mkdtempSync(`${home}.partial-`);
    try {
      const options = { cwd: partial, maxBuffer: 16 * 2 ** 20 };
      const { stdout } = await run('npm', ['pack', '--json', `${name}@${version}`], options);
      const [packed] = JSON.parse(stdout) as readonly { readonly filename: string; readonly integrity: string }[];
      if (packed?.integrity !== integrity) {
        throw new Error(`${name}@${version} is not the package the testbed was written with: ${packed?.integrity}`);
      }
      await run('tar', ['-xzf', packed.filename], options);
      rmSync(join(partial, packed.filename));
      if (!existsSync(home)) renameSync(partial, home);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  return join(home, 'package');
}
