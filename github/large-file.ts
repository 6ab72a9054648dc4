import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { type GitOptions, git } from './git-command.ts';

/** What git keeps in place of a file that Git LFS stores. */
export interface LargeFilePointer {
  /** SHA-256 of the content, hexadecimal. */
  readonly oid: string;
  readonly bytes: number;
}

/** A pointer is always shorter than this (git-lfs/docs/spec.md). */
export const pointerLimit = 1024;

/** The pointer a file's content is, or undefined when it is an ordinary file. */
export function largeFilePointer(content: Uint8Array): LargeFilePointer | undefined {
  if (content.length >= pointerLimit) return undefined;
  const text = Buffer.from(content).toString('utf8');
  if (!/^version https:\/\/(?:git-lfs\.github\.com|hawser\.github\.com)\/spec\/v1\r?\n/.test(text)) return undefined;
  const oid = /^oid sha256:([0-9a-f]{64})\r?$/m.exec(text)?.[1];
  const bytes = /^size (\d{1,15})\r?$/m.exec(text)?.[1];
  return oid === undefined || bytes === undefined ? undefined : { oid, bytes: Number(bytes) };
}

/** Where Git LFS keeps files, and what opens it. */
export interface LargeFileStore {
  /** The clone, if there is one: its own LFS objects, and `git lfs` where it is installed. */
  readonly git?: GitOptions;
  /** `https://github.com/owner/name.git/info/lfs` */
  readonly endpoint?: string;
  readonly token?: string;
}

/** Writes the content of a pointer to `file` after checking its SHA-256. Throws with what was tried. */
export async function fetchLargeFile(pointer: LargeFilePointer, store: LargeFileStore, file: string): Promise<void> {
  const failures: string[] = [];
  const ways: readonly (readonly [name: string, way: () => Promise<void>])[] = [
    ...(store.git === undefined
      ? []
      : ([
          ['the clone', () => fromClone(pointer, store.git as GitOptions, file)],
          ['git lfs', () => fromGitLfs(pointer, store.git as GitOptions, file)],
        ] as const)),
    ...(store.endpoint === undefined
      ? []
      : ([['the LFS server', () => fromServer(pointer, store.endpoint ?? '', store.token, file)]] as const)),
  ];
  for (const [name, way] of ways) {
    try {
      await way();
      return;
    } catch (error) {
      await rm(file, { force: true });
      failures.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`its content in Git LFS could not be brought (${failures.join('; ')})`);
}

async function fromClone(pointer: LargeFilePointer, options: GitOptions, file: string): Promise<void> {
  const common = (await git(['rev-parse', '--git-common-dir'], options)).toString('utf8').trim();
  const { oid } = pointer;
  const stored = join(resolve(options.root, common), 'lfs', 'objects', oid.slice(0, 2), oid.slice(2, 4), oid);
  try {
    await copyFile(stored, file);
  } catch {
    throw new Error('does not hold it');
  }
  await verify(pointer, file);
}

async function fromGitLfs(pointer: LargeFilePointer, options: GitOptions, file: string): Promise<void> {
  const text = `version https://git-lfs.github.com/spec/v1\noid sha256:${pointer.oid}\nsize ${pointer.bytes}\n`;
  try {
    await git(['lfs', 'smudge'], { ...options, input: Buffer.from(text) }, file);
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error);
    throw new Error(/is not a git command/.test(said) ? 'is not installed' : said);
  }
  await verify(pointer, file);
}

/** The batch API (git-lfs/docs/api/batch.md), transfer `basic`. */
async function fromServer(
  pointer: LargeFilePointer,
  endpoint: string,
  token: string | undefined,
  file: string,
): Promise<void> {
  const media = 'application/vnd.git-lfs+json';
  const asked = await fetch(`${endpoint}/objects/batch`, {
    method: 'POST',
    headers: {
      accept: media,
      'content-type': media,
      ...(token === undefined
        ? {}
        : { authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}` }),
    },
    body: JSON.stringify({
      operation: 'download',
      transfers: ['basic'],
      objects: [{ oid: pointer.oid, size: pointer.bytes }],
    }),
    signal: AbortSignal.timeout(30_000),
  });
  if (!asked.ok) throw new Error(`answered ${asked.status}`);
  const { href, header, refusal } = batchAnswer(await asked.json());
  if (href === undefined) throw new Error(refusal ?? 'offers no download');
  const got = await fetch(href, { headers: { ...header }, signal: AbortSignal.timeout(600_000) });
  if (!got.ok || got.body === null) throw new Error(`answered ${got.status} to the download`);
  // A server that sends more than it announced is cut off, not written to disk.
  let received = 0;
  const limit = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length;
      done(received > pointer.bytes ? new Error('sent more bytes than the pointer names') : null, chunk);
    },
  });
  await pipeline(Readable.fromWeb(got.body), limit, createWriteStream(file));
  await verify(pointer, file);
}

interface BatchAnswer {
  readonly href?: string;
  readonly header?: Readonly<Record<string, string>>;
  readonly refusal?: string;
}

function batchAnswer(answer: unknown): BatchAnswer {
  type Loose = Readonly<Record<string, unknown>> | undefined;
  const objects = (answer as Loose)?.['objects'];
  const object = (Array.isArray(objects) ? objects[0] : undefined) as Loose;
  const download = (object?.['actions'] as Loose)?.['download'] as Loose;
  const href = download?.['href'];
  if (typeof href !== 'string' || !/^https?:\/\//.test(href)) {
    const message = (object?.['error'] as Loose)?.['message'];
    return typeof message === 'string' ? { refusal: message } : {};
  }
  const header = Object.entries((download?.['header'] as Loose) ?? {}).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name, value] as const] : [],
  );
  return { href, header: Object.fromEntries(header) };
}

async function verify(pointer: LargeFilePointer, file: string): Promise<void> {
  const { size } = await stat(file);
  if (size !== pointer.bytes) throw new Error(`gave ${size} bytes instead of ${pointer.bytes}`);
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  if (hash.digest('hex') !== pointer.oid) throw new Error('gave bytes whose SHA-256 is not the one in the pointer');
}
