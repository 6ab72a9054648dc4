import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';
import { goCommand } from '../go-command.ts';

const run = promisify(execFile);

/** Prometheus 3.9.1, as the Go module numbers it: https://github.com/prometheus/prometheus. */
const prometheus = 'github.com/prometheus/prometheus';
const moduleVersion = 'v0.309.1';

/**
 * Prometheus itself: from the cache, else built there once with Go (some minutes). Its module allows no `go install`, so a copy of it is
 * built; without the clients of the clouds, which find targets there and are most of the work, and without its pages.
 * @throws when it is not there and cannot be built, with what to do
 */
export async function prometheusBinary(): Promise<string> {
  const binary = join(cacheDirectory('bin'), `prometheus-${moduleVersion}`);
  if (existsSync(binary)) return binary;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-prometheus-'));
  const partial = `${binary}.partial-${process.pid}`;
  const go = async (directory: string, ...args: readonly string[]): Promise<string> => {
    const { stdout } = await run('nice', ['-n', '10', await goCommand(), ...args], {
      cwd: directory,
      maxBuffer: 16 * 2 ** 20,
    });
    return stdout.trim();
  };
  try {
    const downloaded = JSON.parse(await go(folder, 'mod', 'download', '-json', `${prometheus}@${moduleVersion}`)) as {
      readonly Dir: string;
    };
    const source = join(folder, 'prometheus');
    cpSync(downloaded.Dir, source, { recursive: true });
    await run('chmod', ['-R', 'u+w', source]);
    const plugins = join(source, 'plugins');
    for (const file of readdirSync(plugins)) rmSync(join(plugins, file), { recursive: true });
    writeFileSync(join(plugins, 'plugins.go'), 'package plugins\n');
    const version = `-s -w -X github.com/prometheus/common/version.Version=${moduleVersion}`;
    await go(source, 'build', '-p=2', '-trimpath', '-ldflags', version, '-o', partial, './cmd/prometheus');
    renameSync(partial, binary);
  } catch (error) {
    throw new Error(
      `Building Prometheus ${moduleVersion} failed: ${error instanceof Error ? error.message : error}. Install Go 1.25 or later ` +
        `(https://go.dev/dl), or put Prometheus 3.9 at $XDG_CACHE_HOME/sluice-testbed/bin/prometheus-${moduleVersion}, then run it again.`,
    );
  } finally {
    rmSync(partial, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
  return binary;
}
