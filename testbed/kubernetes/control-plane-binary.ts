import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';
import { goCommand } from '../go-command.ts';

const run = promisify(execFile);

/** The version of Kubernetes in control-plane/go.mod. */
export const kubernetesVersion = 'v1.33.13';

/**
 * Kubernetes' own control plane and etcd as one program, selected by its first argument: from the cache, else built there once with Go
 * (control-plane/main.go; 5 to 20 minutes on two cores).
 * @throws when it is not there and cannot be built, with what to do
 */
export async function controlPlaneBinary(): Promise<string> {
  const binary = join(cacheDirectory('bin'), `kubernetes-${kubernetesVersion}`);
  if (existsSync(binary)) return binary;
  const folder = mkdtempSync(join(tmpdir(), 'sluice-kubernetes-'));
  const partial = `${binary}.partial-${process.pid}`;
  const [, minor = ''] = kubernetesVersion.split('.');
  // Without them the server calls itself v0.0.0, and code that asks for the version misbehaves.
  const version = Object.entries({
    gitVersion: kubernetesVersion,
    gitMajor: '1',
    gitMinor: minor,
    gitTreeState: 'clean',
  })
    .map(([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`)
    .join(' ');
  try {
    cpSync(join(import.meta.dirname, 'control-plane'), folder, { recursive: true });
    await run(
      'nice',
      ['-n', '10', await goCommand(), 'build', '-trimpath', '-ldflags', `-s -w ${version}`, '-o', partial, '.'],
      {
        cwd: folder,
        env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-p=2 -buildvcs=false -mod=readonly' },
        maxBuffer: 16 * 2 ** 20,
      },
    );
    renameSync(partial, binary);
  } catch (error) {
    throw new Error(
      `Building Kubernetes ${kubernetesVersion} failed: ${error instanceof Error ? error.message : error}. Install Go 1.24 or later ` +
        '(https://go.dev/dl) and let it reach its module proxy, then run it again.',
    );
  } finally {
    rmSync(partial, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
  return binary;
}

/** Where Go keeps a module's files, downloaded if need be. */
export async function goModule(module: string): Promise<string> {
  const { stdout } = await run(await goCommand(), ['mod', 'download', '-json', module], {
    cwd: tmpdir(),
    maxBuffer: 16 * 2 ** 20,
  });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}
