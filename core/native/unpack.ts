import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join, posix } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { type Platform, platformName } from './platform.ts';

/** Far above any package here; keeps a hostile mirror from filling the disk before the hash can tell. */
const largestPackage = 1024 ** 3;

export interface Unpacked {
  /** `sha512-` and base64 of every byte that came in. */
  readonly integrity: string;
  /** Path below the folder (forward slashes) to size. */
  readonly files: ReadonlyMap<string, number>;
}

/**
 * Unpacks an npm tarball into `folder` as it comes in, without ever holding it in memory, and says what its hash was. The caller must
 * throw `folder` away when the hash is not the pinned one.
 */
export async function unpack(
  tarball: AsyncIterable<Uint8Array>,
  folder: string,
  platform: Platform,
): Promise<Unpacked> {
  const hash = createHash('sha512');
  const files = new Map<string, number>();
  const entries = extract();
  let unpackedBytes = 0;
  const counted = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      unpackedBytes += chunk.length;
      done(unpackedBytes > largestPackage ? new Error(`unpacks to more than ${largestPackage} bytes`) : null, chunk);
    },
  });
  const hashed = async function* (): AsyncGenerator<Uint8Array> {
    for await (const chunk of tarball) {
      hash.update(chunk);
      yield chunk;
    }
  };
  // Either side's failure stops the other with a failure of its own: only the first one says what happened.
  let failure: { readonly cause: unknown } | undefined;
  const stop = (cause: unknown): void => {
    failure ??= { cause };
    entries.destroy(cause instanceof Error ? cause : new Error(String(cause)));
  };
  const writing = async (): Promise<void> => {
    for await (const entry of entries) {
      const path = wantedPath(entry.header, platform);
      if (path === undefined) {
        entry.resume();
        continue;
      }
      const target = join(folder, path);
      await mkdir(dirname(target), { recursive: true });
      await pipeline(entry, createWriteStream(target, { flags: 'wx', mode: 0o644 }));
      files.set(path, entry.header.size ?? 0);
    }
  };
  await Promise.all([pipeline(hashed, createGunzip(), counted, entries).catch(stop), writing().catch(stop)]);
  if (failure !== undefined) throw failure.cause;
  return { integrity: `sha512-${hash.digest('base64')}`, files };
}

/** Programs, libraries, licences, and every package.json (a nested one says whether its folder is CommonJS). */
const needed = /(^|\/)(package\.json|LICENSE[^/]*|ThirdPartyNotices[^/]*|[^/]+\.(c?js|node|dll|dylib|so(\.[\d.]+)?))$/;
const unneeded = /^(script|dist\/esm|dist\/ort[^/]*)(\/|$)/;
const ofPlatform = /^bin\/napi-v\d+\/([^/]+)\/([^/]+)\//;

/** Where an entry goes below the package's folder; undefined when it is not wanted. Throws on a path that leaves the folder. */
function wantedPath({ name, type }: Header, platform: Platform): string | undefined {
  const inside = name.replace(/^[^/]+\//, '');
  const path = posix.normalize(inside);
  if (path !== inside || path.startsWith('..') || posix.isAbsolute(path) || /[\\:\0]/.test(path)) {
    if (type === 'directory') return undefined;
    throw new Error(`has an entry that leaves its folder: ${JSON.stringify(name)}`);
  }
  if (type !== 'file' || !needed.test(path) || unneeded.test(path)) return undefined;
  const library = ofPlatform.exec(path);
  return library === null || `${library[1]}-${library[2]}` === platformName({ ...platform, libc: 'none' })
    ? path
    : undefined;
}
