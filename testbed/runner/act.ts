import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from '../cache.ts';

/** https://github.com/nektos/act: runs workflows as GitHub's own runner does, on this machine. */
export const actVersion = 'v0.2.89';

/**
 * The runner's binary: from the cache, else built there once with Go (about a minute).
 * @throws when it is not there and Go is not either, with what to do
 */
export function actBinary(): string {
  const directory = cacheDirectory('bin');
  const binary = join(directory, 'act');
  if (existsSync(binary) && versionOf(binary) === actVersion.slice(1)) return binary;
  const fix =
    'Install Go 1.25 or later (https://go.dev/dl, or "apt-get install golang-go"), or put act ' +
    `${actVersion} at $XDG_CACHE_HOME/sluice-testbed/bin/act, then run "npm run test:testbed" again.`;
  const go = goCommand();
  if (go === undefined) {
    throw new Error(`The testbed needs the runner act, and building it needs Go, which is not on PATH. ${fix}`);
  }
  try {
    execFileSync(go, ['install', `github.com/nektos/act@${actVersion}`], {
      env: { ...process.env, GOBIN: directory, GOFLAGS: '-trimpath' },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
  } catch (error) {
    throw new Error(`Building act ${actVersion} failed: ${error instanceof Error ? error.message : error}. ${fix}`);
  }
  return binary;
}

/** Go on PATH, or where its installer puts it. */
function goCommand(): string | undefined {
  return ['go', '/usr/local/go/bin/go'].find((command) => {
    try {
      execFileSync(command, ['version'], { stdio: 'ignore' });
      return true;
    } catch {
      return false;
    }
  });
}

function versionOf(binary: string): string | undefined {
  try {
    return /\d+\.\d+\.\d+/.exec(execFileSync(binary, ['--version'], { encoding: 'utf8' }))?.[0];
  } catch {
    return undefined;
  }
}
