import { createWriteStream } from 'node:fs';
import { mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { DataError, type Problem } from '../problem/index.ts';
import { openS3, s3Problem } from '../s3/index.ts';
import { excerpt } from '../text/index.ts';
import { isPattern, matchesSegments, mostFiles } from './file-pattern.ts';
import type { SourceOptions } from './source-file.ts';
import type { SourceLimits } from './source-limits.ts';

/** An object that is here now: what it is called, and the private copy of it. */
export interface BroughtObject {
  readonly name: string;
  readonly path: string;
}

/** What reading needs of S3. */
const permissions = 's3:GetObject on the object, and s3:ListBucket on the bucket where the key is a pattern';

const address = /^s3:\/\/([^/]+)\/(.+)$/s;

/**
 * Brings the object, or every object a pattern matches in the order of their keys, into `folder`. Credentials and region are those of the
 * AWS SDK's default chain; `AWS_ENDPOINT_URL_S3` names another service. Throws a `DataError`.
 */
export async function bringFromS3(
  name: string,
  folder: string,
  options: SourceOptions,
  limits: SourceLimits,
): Promise<readonly BroughtObject[]> {
  const refuse = (problem: Omit<Problem, 'place'>, cause?: unknown) =>
    new DataError({ ...problem, place: options.place ?? { file: name } }, ...(cause === undefined ? [] : [{ cause }]));
  const [, bucket, key] = address.exec(name) ?? [];
  if (bucket === undefined || key === undefined || isPattern(bucket)) {
    throw refuse({
      code: 'unsupported-address',
      message: `${excerpt(name, 200)} is no address of an object`,
      expected: 's3://bucket/key, where the key may be a pattern',
      fix: 'Correct the address.',
    });
  }
  const { GetObjectCommand, ListObjectsV2Command } = await import('@aws-sdk/client-s3');
  const client = await openS3();
  try {
    const keys = isPattern(key) ? await matchingKeys() : [key];
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const brought: BroughtObject[] = [];
    let left = limits.bytes;
    for (const [index, each] of keys.entries()) {
      const object = `s3://${bucket}/${each}`;
      const got: GetObjectCommandOutput = await client.send(new GetObjectCommand({ Bucket: bucket, Key: each }));
      const path = join(folder, String(index));
      left -= await download(got, path, object, left);
      brought.push({ name: object, path });
    }
    return brought;
  } catch (error) {
    if (error instanceof DataError) throw error;
    throw refuse(s3Problem(error, name, permissions), error);
  } finally {
    client.destroy();
  }

  async function matchingKeys(): Promise<readonly string[]> {
    const pattern = (key ?? '').split('/');
    const fixed = (key ?? '').slice(0, (key ?? '').search(/[*?[]/));
    const keys: string[] = [];
    let listed = 0;
    let token: string | undefined;
    do {
      const page = await client.send(
        new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: fixed,
          ...(token === undefined ? {} : { ContinuationToken: token }),
        }),
      );
      for (const { Key } of page.Contents ?? []) {
        if (Key !== undefined && !Key.endsWith('/') && matchesSegments(Key.split('/'), pattern)) keys.push(Key);
      }
      listed += page.Contents?.length ?? 0;
      if (keys.length > mostFiles || listed > 200_000) throw refuse(tooManyFiles(name));
      token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
    } while (token !== undefined);
    if (keys.length === 0) {
      throw refuse({
        code: 'missing-file',
        message: `${excerpt(name, 200)} matches no object`,
        found: `${listed} keys that begin with ${excerpt(fixed, 100)}`,
        fix: 'Check the pattern.',
      });
    }
    return keys.sort((one, other) => (one < other ? -1 : one > other ? 1 : 0));
  }

  /** Streams an object to a file of its own, which has its name only when it is whole. Returns its bytes. */
  async function download(got: GetObjectCommandOutput, path: string, object: string, most: number): Promise<number> {
    const length = got.ContentLength;
    let bytes = 0;
    const tooLarge = () =>
      refuse({
        code: 'too-large',
        message: `${excerpt(object, 200)} is larger than may be downloaded`,
        found: `over ${Math.max(bytes, length ?? 0)} bytes`,
        expected: `at most ${limits.bytes} bytes a source`,
        fix: 'Name fewer objects.',
      });
    if (length !== undefined && length > most) throw tooLarge();
    if (!(got.Body instanceof Readable)) throw new Error('the object came without a body');
    const watched = new Transform({
      transform(chunk: Buffer, _, done) {
        bytes += chunk.length;
        if (bytes > most) done(tooLarge());
        else done(null, chunk);
      },
    });
    await pipeline(got.Body, watched, createWriteStream(`${path}.part`, { mode: 0o600 }));
    if (length !== undefined && bytes !== length) {
      throw refuse({
        code: 'cut-off',
        message: `${excerpt(object, 200)} did not come whole`,
        found: `${bytes} bytes`,
        expected: `${length}`,
        fix: 'Run the job again.',
      });
    }
    await rename(`${path}.part`, path);
    return bytes;
  }
}

export function tooManyFiles(name: string): Omit<Problem, 'place'> {
  return {
    code: 'too-many-files',
    message: `${excerpt(name, 200)} matches more files than may be read as one table`,
    expected: `at most ${mostFiles}`,
    fix: 'Write larger files, or name fewer with a narrower pattern.',
  };
}
