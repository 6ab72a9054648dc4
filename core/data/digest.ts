import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';

/** The bytes of a file from first to last, a megabyte at a time. */
export function chunksOf(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: 1 << 20 });
}

/** The SHA-256 of a file in hexadecimal, read once; `observe` sees every byte that went into it. */
export async function digestFile(path: string, observe?: (chunk: Buffer) => void): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of chunksOf(path)) {
    hash.update(chunk);
    observe?.(chunk);
  }
  return hash.digest('hex');
}
