import { resolve } from 'node:path';
import { type Host, silentHost } from '../host/index.ts';
import { type PinnedPackage, pinnedPackages } from './parts.ts';
import { type Platform, thisPlatform } from './platform.ts';
import { userCache } from './user-cache.ts';

/** npm's own default. The only place that names it; every tarball is checked against a committed SHA-512 whoever serves it. */
const defaultRegistry = 'https://registry.npmjs.org/';

/** How the network is asked: the defaults suit a CI runner. */
export interface Patience {
  /** Tries for one package, the first included. @default 4 */
  readonly attempts?: number;
  /** Wait before the second try, in milliseconds; doubles each time. @default 500 */
  readonly backoff?: number;
  /** A connection that brings no byte for this long, in milliseconds, is given up. @default 30000 */
  readonly stall?: number;
  /** A lock nobody renewed for this long, in milliseconds, belonged to a job that was killed. At least 2000. @default 20000 */
  readonly staleLock?: number;
}

/** Everything has a default; tests and unusual installations set them. */
export interface NativeOptions {
  readonly host?: Host;
  /** A directory `bringNativeParts` filled; nothing else is looked at. @default SLUICE_NATIVE_DIR */
  readonly directory?: string;
  /** Where downloads are kept. @default RUNNER_TOOL_CACHE, AGENT_TOOLSDIRECTORY, else the user's cache directory */
  readonly toolCache?: string;
  /** @default SLUICE_NPM_REGISTRY, npm_config_registry, else npm's own */
  readonly registry?: string;
  /** `process.platform` of the machine the parts are for. */
  readonly platform?: string;
  /** `process.arch` of the machine the parts are for. */
  readonly arch?: string;
  /** @default Node's, or one that honours HTTPS_PROXY, HTTP_PROXY and NO_PROXY when one of them is set */
  readonly fetch?: typeof fetch;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The file whose own package's node_modules may be used. @default this module */
  readonly from?: string;
  readonly packages?: readonly PinnedPackage[];
  readonly patience?: Patience;
}

/** The options with every default filled in. */
export interface Settings {
  readonly host: Host;
  readonly directory: string | undefined;
  readonly toolCaches: readonly string[];
  readonly registry: string;
  readonly platform: Platform;
  readonly fetch: typeof fetch | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly from: string | undefined;
  readonly packages: readonly PinnedPackage[];
  readonly patience: Required<Patience>;
}

export function settle(options: NativeOptions = {}): Settings {
  const environment = options.environment ?? process.env;
  // A variable set to nothing means "not set": that is how workflows switch one off.
  const variable = (name: string): string | undefined => environment[name] || undefined;
  const directory = options.directory ?? variable('SLUICE_NATIVE_DIR');
  // Nothing but a directory that was named is looked at. In a container it may belong to a user without a home to ask for.
  const toolCaches = directory !== undefined ? [] : toolCachesOf(options, variable);
  return {
    host: options.host ?? silentHost,
    directory: directory === undefined ? undefined : resolve(directory),
    toolCaches: [...new Set(toolCaches.filter((cache) => cache !== undefined).map((cache) => resolve(cache)))],
    registry: options.registry ?? variable('SLUICE_NPM_REGISTRY') ?? variable('npm_config_registry') ?? defaultRegistry,
    platform: thisPlatform(options.platform, options.arch),
    fetch: options.fetch,
    environment,
    from: options.from,
    packages: options.packages ?? pinnedPackages,
    patience: { attempts: 4, backoff: 500, stall: 30_000, staleLock: 20_000, ...options.patience },
  };
}

function toolCachesOf(
  { toolCache }: NativeOptions,
  variable: (name: string) => string | undefined,
): readonly (string | undefined)[] {
  if (toolCache !== undefined) return [toolCache];
  return [variable('RUNNER_TOOL_CACHE'), variable('AGENT_TOOLSDIRECTORY'), userCache(variable)];
}
