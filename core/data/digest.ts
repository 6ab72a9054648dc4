import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';

const bytesAtOnce = 1 << 20;

/** The bytes of a file from first to last, a megabyte at a time. */
export function chunksOf(path: string): AsyncIterable<Buffer> {
  return createReadStream(path, { highWaterMark: bytesAtOnce });
}

/**
 * The SHA-256 of a file in hexadecimal, read once; `observe` sees every byte that went into it, and keeps none of the memory they are in.
 * Two buffers take turns, one read into while the other is hashed: a stream's new memory for each chunk costs as much as the hashing.
 */
export async function digestFile(path: string, observe?: (chunk: Buffer) => void): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path);
  try {
    let [current, other] = [Buffer.allocUnsafeSlow(bytesAtOnce), Buffer.allocUnsafeSlow(bytesAtOnce)];
    let { bytesRead } = await file.read(current, 0, bytesAtOnce);
    while (bytesRead > 0) {
      const chunk = current.subarray(0, bytesRead);
      const reading = file.read(other, 0, bytesAtOnce);
      // Told below, where it is waited for.
      reading.catch(() => undefined);
      hash.update(chunk);
      observe?.(chunk);
      ({ bytesRead } = await reading);
      [current, other] = [other, current];
    }
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
