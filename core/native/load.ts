import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { NativeError } from '../problem/index.ts';
import { useBindings } from './duckdb-bindings.ts';
import { isComplete, lackOf, ownModuleFolders } from './installed.ts';
import { type NativeOptions, type Settings, settle } from './options.ts';
import { nativeVersions, type PartName, parts } from './parts.ts';
import { platformName } from './platform.ts';

export type OnnxRuntime = typeof import('onnxruntime-node');
export type DuckDb = typeof import('@duckdb/node-api');

/**
 * ONNX Runtime in the pinned version, from the first of: SLUICE_NATIVE_DIR, the node_modules Sluice was installed with, the tool cache,
 * the npm registry. Throws a NativeError that says what to do.
 */
export async function loadOnnxRuntime(options: NativeOptions = {}): Promise<OnnxRuntime> {
  keepQuiet();
  const runtime: OnnxRuntime = await load('onnxruntime', settle(options));
  // What it logs goes to stderr past every host; what matters comes back as an exception.
  runtime.env.logLevel = 'fatal';
  return runtime;
}

/**
 * The folder of ONNX Runtime's package, found (or brought) as `loadOnnxRuntime` finds it, for loading it in another process. Throws a
 * NativeError as that does.
 */
export async function locateOnnxRuntime(options: NativeOptions = {}): Promise<string> {
  keepQuiet();
  return join(await locate('onnxruntime', settle(options)), parts.onnxruntime.entry);
}

/** What keeps ONNX Runtime's builds from telling Microsoft of their use, and from leaving a log of that in the folder for temporary files. */
export const withoutTelemetry = { ORT_DISABLE_TELEMETRY: '1' } as const;

/** Read from the environment when the library is loaded; a user's own choice stands. */
function keepQuiet(): void {
  for (const [name, value] of Object.entries(withoutTelemetry)) process.env[name] ??= value;
}

/** DuckDB in the pinned version, found as `loadOnnxRuntime` finds ONNX Runtime. */
export async function loadDuckDb(options: NativeOptions = {}): Promise<DuckDb> {
  const settings = settle(options);
  if (typeof isBundled === 'undefined') return load('duckdb', settings);
  // Not by `@duckdb/node-bindings`, which would first find out the C library: it is known to be one there is a build for.
  useBindings(await load('duckdb', settings, parts.duckdb.libraryFor(settings.platform)));
  return (await import('@duckdb/node-api')).default;
}

/** Defined by build/bundle.ts alone. */
declare const isBundled: true | undefined;

// Not named `require`: a bundler must leave these calls alone, for the packages are found only at run time.
const loadModule = createRequire(import.meta.url);

async function load<Module>(part: PartName, settings: Settings, entry = parts[part].entry): Promise<Module> {
  const folder = await locate(part, settings);
  const { title } = parts[part];
  try {
    return loadModule(join(folder, entry));
  } catch (cause) {
    throw new NativeError(
      {
        code: 'load-failed',
        message: `${title} ${nativeVersions[part]} does not load on this machine`,
        place: { file: join(folder, entry) },
        found: cause instanceof Error ? cause.message : String(cause),
        fix: `Delete ${folder} to have it downloaded again; if that does not help, the machine's C library may be older than the build needs.`,
      },
      { cause },
    );
  }
}

/** The node_modules folder a part is loaded from; downloads it there first if need be. */
async function locate(part: PartName, settings: Settings): Promise<string> {
  const { platform, packages, directory, toolCaches, from } = settings;
  if (directory !== undefined) return fromDirectory(part, directory, settings);
  const own = ownModuleFolders(from).find((folder) => lackOf(part, folder, platform, packages) === undefined);
  if (own !== undefined) return own;
  const kept = toolCaches.map((cache) => keptIn(cache, part, settings));
  const usable = (place: string): boolean =>
    isComplete(place) && lackOf(part, join(place, 'node_modules'), platform, packages) === undefined;
  const found = kept.find(usable);
  if (found !== undefined) return join(found, 'node_modules');
  const target = keptIn(toolCaches.find(canWrite) ?? toolCaches[0] ?? '', part, settings);
  const { bring } = await import('./bring.ts');
  await bring([part], target, settings);
  return join(target, 'node_modules');
}

/** `<tool cache>/sluice-duckdb/<version>/<platform>`: the layout other tools use there. */
function keptIn(cache: string, part: PartName, { platform }: Settings): string {
  return join(cache, `sluice-${part}`, nativeVersions[part], platformName(platform));
}

function canWrite(cache: string): boolean {
  try {
    mkdirSync(cache, { recursive: true });
    accessSync(cache, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** A directory the user named is right or an error: quietly downloading instead would hide a mistake until the network is gone. */
function fromDirectory(part: PartName, directory: string, { platform, packages }: Settings): string {
  const folder = join(directory, 'node_modules');
  const lack = existsSync(directory)
    ? lackOf(part, folder, platform, packages)
    : { message: 'there is no such directory' };
  if (lack === undefined) return folder;
  throw new NativeError({
    code: 'bad-native-directory',
    ...lack,
    message: `SLUICE_NATIVE_DIR does not hold ${parts[part].title} ${nativeVersions[part]} for ${platformName(platform)}: ${lack.message}`,
    place: { file: directory },
    fix: `Fill it with \`sluice native ${directory}\` on a machine with a network, or unset SLUICE_NATIVE_DIR.`,
  });
}
