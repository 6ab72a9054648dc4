import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';

async function cacheAfterVersion(environment: Readonly<Record<string, string>>): Promise<string> {
  const cache = await mkdtemp(join(tmpdir(), 'sluice-code-cache-'));
  onTestFinished(() => rm(cache, { recursive: true, force: true }));
  const { CI, NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE, ...env } = process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [join(import.meta.dirname, 'index.ts'), '--version'], {
    env: { ...env, XDG_CACHE_HOME: cache, ...environment },
  });
  expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
  return join(cache, 'sluice-code');
}

test('compiled code is kept in the cache directory of the user', async () => {
  expect(readdirSync(await cacheAfterVersion({}))).not.toEqual([]);
});

test.each([{ CI: 'true' }, { NODE_DISABLE_COMPILE_CACHE: '1' }])('nothing is kept with %j', async (environment) => {
  expect(existsSync(await cacheAfterVersion(environment))).toBe(false);
});
