import { createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import * as zlib from 'node:zlib';
import { DataError, type Problem } from '../problem/index.ts';
import { chunksOf } from './digest.ts';
import type { SourceFile } from './source-file.ts';
import type { SourceLimits } from './source-limits.ts';

/**
 * Unpacks a compressed file into another, within limits. Throws a `DataError` for one that is damaged, cut off, followed by other
 * bytes, or that grows beyond what data does.
 */
export async function unpackFile(source: SourceFile, to: string, limits: SourceLimits): Promise<void> {
  const refuse = (problem: Omit<Problem, 'place'>, cause?: unknown) =>
    new DataError({ ...problem, place: { file: source.name } }, cause === undefined ? {} : { cause });
  const unpack = source.compression === 'gzip' ? zlib.createGunzip() : unpackZstd(refuse);
  let written = 0;
  const watched = new Transform({
    transform(chunk: Buffer, _, done) {
      written += chunk.length;
      const most = Math.min(limits.bytes, Math.max(limits.freelyUnpacked, source.bytes * limits.ratio));
      if (written <= most) done(null, chunk);
      else {
        done(
          refuse({
            code: 'too-large',
            message: 'the file unpacks to more than may be read',
            found: `over ${most} bytes out of ${source.bytes}`,
            fix: 'Check that it is data and no decompression bomb; convert large tables to Parquet.',
          }),
        );
      }
    },
  });
  try {
    await pipeline(chunksOf(source.path), unpack, watched, createWriteStream(to, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof DataError) throw error;
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (!/^(Z_|ZSTD_|ERR_)/.test(code)) throw error;
    const cutOff = code === 'Z_BUF_ERROR';
    throw refuse(
      {
        code: cutOff ? 'cut-off' : 'bad-compression',
        message: cutOff ? 'the compressed file is cut off' : 'the compressed file is damaged',
        found: code,
        fix: 'Write or download the file again, to its end.',
      },
      error,
    );
  }
  if (unpack.bytesWritten !== (await stat(source.path)).size) {
    throw refuse({
      code: 'bad-compression',
      message: 'the compressed file goes on after its end',
      found: `${source.bytes - unpack.bytesWritten} bytes that are not compressed data`,
      fix: 'Write or download the file again.',
    });
  }
}

function unpackZstd(refuse: (problem: Omit<Problem, 'place'>) => DataError): zlib.Gunzip {
  // Node has it since 22.15; the types of older ones do not.
  const create = (zlib as { createZstdDecompress?: () => zlib.Gunzip }).createZstdDecompress;
  if (create !== undefined) return create();
  throw refuse({
    code: 'unsupported-format',
    message: 'zstd needs a newer Node.js',
    found: process.version,
    expected: '22.15 or later',
    fix: 'Use Node.js 24, or compress with gzip.',
  });
}
