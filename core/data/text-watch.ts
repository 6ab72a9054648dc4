import { isUtf8 } from 'node:buffer';

/** Watches that bytes which come in chunks are UTF-8 text as a whole: a NUL is no text. */
export class TextWatch {
  #holds = true;
  /** Bytes of a character that the last chunk cut. */
  #cut: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): void {
    if (!this.#holds) return;
    const bytes = this.#cut.length === 0 ? chunk : Buffer.concat([this.#cut, chunk]);
    const whole = bytes.length - cutLength(bytes);
    this.#holds = isUtf8(bytes.subarray(0, whole)) && !chunk.includes(0);
    this.#cut = Buffer.from(bytes.subarray(whole));
  }

  /** Whether everything was, the last character whole. */
  get holds(): boolean {
    return this.#holds && this.#cut.length === 0;
  }
}

/** How many bytes at the end begin a character and do not finish it. */
function cutLength(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back] ?? 0;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) {
      const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return length > back ? back : 0;
    }
  }
  return 0;
}
