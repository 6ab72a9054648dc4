import { mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where the testbed keeps what it brings (the runner, downloads): outside the tree, kept between runs. */
export function cacheDirectory(...parts: readonly string[]): string {
  const base = process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache');
  const directory = join(base, 'sluice-testbed', ...parts);
  mkdirSync(directory, { recursive: true });
  return directory;
}
