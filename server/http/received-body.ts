import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import type { BodyBudget } from './body-budget.ts';

/** Why a body was not taken, as an HTTP status. */
export class BodyRefused extends Error {
  readonly statusCode: number;

  constructor(statusCode: number, message: string) {
    super(message);
    this.statusCode = statusCode;
  }
}

/** A body in memory, and the way to give its memory back. */
export interface ReceivedBody {
  readonly bytes: Uint8Array;
  release(): void;
}

/** Memory is taken from the budget in steps of this many bytes where the length is not known before. */
const step = 64 * 1024;

const decoders: Readonly<Record<string, () => NodeJS.ReadWriteStream & Readable>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

/**
 * Reads a request's body, decompressed, within the limit for one body and the budget for all. The limit counts bytes after decompression
 * as they come out, so that a bomb is stopped when it passes the limit and not when it is unpacked.
 * @throws BodyRefused 400 (broken compression), 413, 415 (unknown compression), 503 (no room)
 */
export async function receiveBody(
  request: IncomingMessage,
  payload: Readable,
  { limit, budget }: { readonly limit: number; readonly budget: BodyBudget },
): Promise<ReceivedBody> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limit) throw tooLarge(limit);
  const decoder = encoding === 'identity' ? undefined : decoders[encoding];
  if (encoding !== 'identity' && decoder === undefined) {
    throw new BodyRefused(415, 'this content encoding is not known here; send identity, gzip, deflate or br');
  }
  let taken = 0;
  const release = (): void => {
    for (; taken > 0; taken -= step) budget.give(step);
  };
  const source = decoder === undefined ? payload : payload.pipe(decoder());
  if (source !== payload) payload.once('error', (error) => source.destroy(error));
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    // The socket must outlive a refusal: it carries the answer.
    for await (const chunk of source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > limit) throw tooLarge(limit);
      while (length > taken + step) {
        if (!budget.take(step)) {
          throw new BodyRefused(503, 'too many large requests at once; send this one again in a moment');
        }
        taken += step;
      }
      chunks.push(chunk);
    }
    const [first] = chunks;
    return { bytes: first !== undefined && chunks.length === 1 ? first : Buffer.concat(chunks, length), release };
  } catch (error) {
    release();
    if (source !== payload) {
      payload.unpipe();
      source.destroy();
    }
    if (error instanceof BodyRefused) throw error;
    throw new BodyRefused(400, decoder === undefined ? 'the body broke off' : `the body is not ${encoding}`);
  }
}

function tooLarge(limit: number): BodyRefused {
  return new BodyRefused(413, `a body may have at most ${limit} bytes (after decompression)`);
}
