import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from './cache.ts';

const run = promisify(execFile);
const outputLimit = 16 * 2 ** 20;

/** A program of a Go module, to be built in a copy of it: many modules have replacements, and so allow no `go install`. */
export interface GoProgram {
  /** What it is called in the cache and in errors. */
  readonly name: string;
  /** A module of the proxy with its exact version, or a folder of the testbed that has a go.mod. */
  readonly from: { readonly module: string } | { readonly folder: string };
  readonly version: string;
  /** The package of the program in the module. */
  readonly command: string;
  /** The oldest Go that builds it: `1.25`. */
  readonly go: string;
  /** What is added to `-s -w`. */
  readonly linkerFlags?: string;
  /** Changes the copy before it is built. */
  readonly prepare?: (source: string) => void;
}

/**
 * The path of a program: from the cache, else built there once with Go, without C, at low priority.
 * @throws when it is not there and cannot be built, with what to do
 */
export async function goProgram({
  name,
  from,
  version,
  command,
  go,
  linkerFlags,
  prepare,
}: GoProgram): Promise<string> {
  const binary = join(cacheDirectory('bin'), `${name}-${version}`);
  if (existsSync(binary)) return binary;
  const folder = mkdtempSync(join(tmpdir(), `sluice-${name}-`));
  const partial = `${binary}.partial-${process.pid}`;
  const flags = ['-s -w', linkerFlags].filter((flag) => flag !== undefined).join(' ');
  try {
    const source = join(folder, 'source');
    cpSync('module' in from ? await goModule(`${from.module}@${version}`) : from.folder, source, { recursive: true });
    // What Go keeps of a module is read-only.
    await run('chmod', ['-R', 'u+w', source]);
    prepare?.(source);
    const build = ['build', '-trimpath', '-ldflags', flags, '-o', partial, command];
    await run('nice', ['-n', '10', await goCommand(), ...build], {
      cwd: source,
      env: { ...process.env, CGO_ENABLED: '0', GOFLAGS: '-p=2 -buildvcs=false -mod=readonly' },
      maxBuffer: outputLimit,
    });
    renameSync(partial, binary);
  } catch (error) {
    throw new Error(
      `Building ${name} ${version} failed: ${error instanceof Error ? error.message : error}. Install Go ${go} or later ` +
        `(https://go.dev/dl) and let it reach its module proxy, or put the program at $XDG_CACHE_HOME/sluice-testbed/bin/${name}-${version}, then run it again.`,
    );
  } finally {
    rmSync(partial, { force: true });
    rmSync(folder, { recursive: true, force: true });
  }
  return binary;
}

/** Where Go keeps a module's files, downloaded if need be. `module` has its version: `example.com/tool@v1.2.3`. */
export async function goModule(module: string): Promise<string> {
  const { stdout } = await run(await goCommand(), ['mod', 'download', '-json', module], {
    cwd: tmpdir(),
    maxBuffer: outputLimit,
  });
  return (JSON.parse(stdout) as { readonly Dir: string }).Dir;
}

/** Go on PATH, or where its installer puts it. */
async function goCommand(): Promise<string> {
  for (const command of ['go', '/usr/local/go/bin/go']) {
    try {
      await run(command, ['version']);
      return command;
    } catch {
      // The next one.
    }
  }
  throw new Error('Go is not on PATH');
}
