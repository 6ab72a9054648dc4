import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NativeError } from '../problem/index.ts';
import type { Settings } from './options.ts';
import type { PinnedPackage } from './parts.ts';
import { proxyFor } from './proxy.ts';
import { type Unpacked, unpack } from './unpack.ts';

/** Bytes of one package so far, and how many there will be if the server says. */
export type Received = (done: number, total: number | undefined) => void;

/** What the user can do when the network does not help. */
export const withoutNetwork =
  'Check the network and the proxy (HTTPS_PROXY), name a mirror in SLUICE_NPM_REGISTRY, or run `sluice native DIR` where there is a network and set SLUICE_NATIVE_DIR to that directory.';

/** The server's answer or the connection was bad in a way that another try may mend. */
class PassingFailure extends Error {}

/**
 * Brings one package into `<modules>/<name>`. Retries what a network can mend (no connection, 5xx, 429, a body that ends early or
 * stalls), nothing else: a wrong hash is final.
 */
export async function downloadPackage(
  pinned: PinnedPackage,
  modules: string,
  settings: Settings,
  received: Received,
): Promise<Unpacked['files']> {
  const { attempts, backoff } = settings.patience;
  const folder = join(modules, pinned.name);
  for (let attempt = 1; ; attempt++) {
    try {
      const { integrity, files } = await once(pinned, folder, settings, received);
      if (integrity === pinned.integrity) return files;
      throw new NativeError({
        code: 'integrity-mismatch',
        message: `${pinned.name} ${pinned.version} from ${safeUrl(settings.registry)} is not the package Sluice was released with`,
        found: integrity,
        expected: pinned.integrity,
        fix: 'Nothing of it was kept. Ask who runs the registry or proxy why it changes packages; SLUICE_NPM_REGISTRY names another one.',
      });
    } catch (cause) {
      await rm(folder, { recursive: true, force: true });
      if (cause instanceof NativeError) throw cause;
      if (isLocal(cause)) {
        throw new NativeError(
          {
            code: 'cannot-write',
            message: `cannot write ${pinned.name} to ${folder}`,
            found: deepest(cause),
            fix: 'Free some space (the parts need 120 MB), or set RUNNER_TOOL_CACHE to a directory that can be written.',
          },
          { cause },
        );
      }
      if (attempt >= attempts) {
        throw new NativeError(
          {
            code: 'download-failed',
            message: `cannot download ${pinned.name} ${pinned.version} from ${safeUrl(settings.registry)} (${attempt === 1 ? 'one try' : `${attempt} tries`})`,
            found: deepest(cause),
            fix: withoutNetwork,
          },
          { cause },
        );
      }
      // Between one and one and a half times the doubled wait: jobs that failed together should not come back together.
      await sleep(backoff * 2 ** (attempt - 1) * (1 + Math.random() / 2));
    }
  }
}

async function once(pinned: PinnedPackage, folder: string, settings: Settings, received: Received): Promise<Unpacked> {
  const giveUp = new AbortController();
  const { stall } = settings.patience;
  const stalled = new PassingFailure(`no byte came for ${stall / 1000} s`);
  let watchdog = setTimeout(() => giveUp.abort(stalled), stall);
  try {
    const { url, headers } = addressOf(pinned, settings.registry);
    const send = settings.fetch ?? (await fetchFor(url, settings.environment));
    const response = await send(url, { headers, signal: giveUp.signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw refusal(pinned, settings.registry, response.status);
    }
    const length = Number(response.headers.get('content-length') ?? Number.NaN);
    const total = Number.isFinite(length) ? length : undefined;
    const { body } = response;
    let done = 0;
    const watched = async function* (): AsyncGenerator<Uint8Array> {
      for await (const chunk of body) {
        clearTimeout(watchdog);
        done += chunk.length;
        received(done, total);
        yield chunk;
        watchdog = setTimeout(() => giveUp.abort(stalled), stall);
      }
      clearTimeout(watchdog);
    };
    const unpacked = await unpack(watched(), folder, settings.platform);
    if (total !== undefined && done !== total) throw new PassingFailure(`${done} of ${total} bytes came`);
    return unpacked;
  } catch (cause) {
    throw giveUp.signal.aborted ? stalled : cause;
  } finally {
    clearTimeout(watchdog);
  }
}

function refusal(pinned: PinnedPackage, registry: string, status: number): Error {
  const passing = status >= 500 || status === 408 || status === 425 || status === 429;
  if (passing) return new PassingFailure(`HTTP ${status}`);
  return new NativeError({
    code: 'download-refused',
    message: `${safeUrl(registry)} does not give ${pinned.name} ${pinned.version}`,
    found: `HTTP ${status}`,
    fix:
      status === 401 || status === 403 || status === 407
        ? 'Give the registry credentials as SLUICE_NPM_REGISTRY=https://user:password@host/path, or name another registry there.'
        : withoutNetwork,
  });
}

/** The tarball's address by npm's convention, and the registry address's user and password (which fetch refuses) as a header. */
function addressOf(pinned: PinnedPackage, registry: string): { url: URL; headers: Record<string, string> } {
  const base = parseRegistry(registry);
  const headers =
    base.username === ''
      ? {}
      : {
          authorization: `Basic ${Buffer.from(`${decodeURIComponent(base.username)}:${decodeURIComponent(base.password)}`).toString('base64')}`,
        };
  base.username = '';
  base.password = '';
  if (!base.pathname.endsWith('/')) base.pathname += '/';
  const file = `${pinned.name.replace(/^@[^/]+\//, '')}-${pinned.version}.tgz`;
  return { url: new URL(`${pinned.name}/-/${file}`, base), headers };
}

function parseRegistry(registry: string): URL {
  const url = URL.canParse(registry) ? new URL(registry) : undefined;
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new NativeError({
    code: 'bad-registry',
    message: 'the npm registry is not an http(s) address',
    found: registry,
    fix: 'Set SLUICE_NPM_REGISTRY (or npm_config_registry) to an address such as https://npm.example.com/.',
  });
}

/** The registry's address without user and password: for messages. */
export function safeUrl(registry: string): string {
  const url = parseRegistry(registry);
  return `${url.origin}${url.pathname}`;
}

/** Node's own fetch takes no notice of proxy variables, so when one of them applies undici's agent for proxies is used. */
async function fetchFor(target: URL, environment: Settings['environment']): Promise<typeof fetch> {
  const proxy = proxyFor(target, environment);
  if (proxy === undefined) return fetch;
  const { ProxyAgent, fetch: undiciFetch } = await import('undici');
  const dispatcher = new ProxyAgent(proxy);
  // undici's types are those of Node's fetch from another release; at run time it is the same function.
  return ((url: URL, init: object) => undiciFetch(url, { ...init, dispatcher })) as unknown as typeof fetch;
}

const localErrors = new Set([
  'ENOSPC',
  'EDQUOT',
  'EACCES',
  'EPERM',
  'EROFS',
  'EMFILE',
  'ENFILE',
  'EEXIST',
  'ENOTDIR',
  'EISDIR',
]);

function isLocal(cause: unknown): boolean {
  return cause instanceof Error && 'path' in cause && 'code' in cause && localErrors.has(String(cause.code));
}

/** fetch says "fetch failed" and hides the reason in `cause`. */
function deepest(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause instanceof Error) return deepest(cause.cause);
  const code =
    'code' in cause && typeof cause.code === 'string' && !cause.message.includes(cause.code) ? ` (${cause.code})` : '';
  return `${cause.message || cause.name}${code}`;
}
