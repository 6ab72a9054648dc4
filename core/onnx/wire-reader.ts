/** The bytes are not the protobuf message they should be. `offset` counts from the start of the file. */
export class WireError extends Error {
  readonly offset: number;
  /** How long the file would have to be for its outermost message to be whole, when it is too short. */
  readonly needed: number | undefined;

  constructor(message: string, offset: number, needed?: number) {
    super(message);
    this.offset = offset;
    this.needed = needed;
  }
}

/** Fills `buffer` from a place in the file; returns how many bytes it could. */
export type ReadAt = (buffer: Uint8Array, position: number) => number;

/** Kinds of value on the wire; a tag is `field << 3 | kind`. Groups (3, 4) are refused: no ONNX writer makes them. */
export const varint = 0;
export const fixed64 = 1;
export const bytes = 2;
export const fixed32 = 5;

const windowSize = 256 * 1024;
const longestText = 1024 * 1024;

/**
 * Reads protobuf from a file in one pass, through a window of fixed size, so that a model's weights are stepped over and never
 * in memory. Lengths are checked against the enclosing message before anything is read.
 * Format: protobuf.dev/programming-guides/encoding.
 */
export class WireReader {
  readonly size: number;
  readonly #read: ReadAt;
  readonly #window: Buffer;
  #start = 0;
  #at = 0;
  #filled = 0;

  constructor(read: ReadAt, size: number) {
    this.#read = read;
    this.size = size;
    this.#window = Buffer.allocUnsafe(Math.min(windowSize, Math.max(size, 1)));
  }

  /** Offset of the next byte. */
  get position(): number {
    return this.#start + this.#at;
  }

  /** The next field's tag. */
  tag(): number {
    const offset = this.position;
    const tag = this.varint();
    if (tag < 8 || tag > 0xffff_ffff) throw new WireError('a field has no valid number', offset);
    return tag;
  }

  /** A 64-bit integer with its sign; beyond 2^53 the nearest number. */
  varint(): number {
    const first = this.#byte();
    if (first < 0x80) return first;
    let low = first & 0x7f;
    let high = 0;
    for (let index = 1; index < 10; index++) {
      const byte = this.#byte();
      const seven = byte & 0x7f;
      if (index < 4) low += seven * 2 ** (7 * index);
      // The tenth byte holds only the 64th bit.
      else high += (index === 9 ? seven & 1 : seven) * 2 ** (7 * (index - 4));
      if (byte < 0x80) {
        if (index < 9) return low + high * 2 ** 28;
        return Number(BigInt.asIntN(64, BigInt(low) + (BigInt(high) << 28n)));
      }
    }
    throw new WireError('an integer is longer than ten bytes', this.position);
  }

  /** The offset at which the length-delimited value that comes next ends; it must lie inside the message that ends at `end`. */
  endOfValue(end: number): number {
    const offset = this.position;
    const length = this.varint();
    const valueEnd = this.position + length;
    if (length < 0 || valueEnd > end) {
      throw new WireError(`a field of ${length} bytes does not fit`, offset, end === this.size ? valueEnd : undefined);
    }
    return valueEnd;
  }

  /** A UTF-8 string. */
  text(end: number): string {
    const offset = this.position;
    const valueEnd = this.endOfValue(end);
    const length = valueEnd - this.position;
    if (length > longestText) throw new WireError(`a name of ${length} bytes is too long`, offset);
    if (this.#at + length <= this.#filled) {
      const text = this.#window.toString('utf8', this.#at, this.#at + length);
      this.#at += length;
      return text;
    }
    const buffer = Buffer.allocUnsafe(length);
    if (this.#read(buffer, this.position) < length) throw new WireError('the file ends inside a name', offset);
    this.seek(valueEnd);
    return buffer.toString('utf8');
  }

  /** The bytes between here and `end`, of which there must be few; steps over them. */
  few(end: number): Buffer {
    const length = end - this.position;
    const buffer = Buffer.allocUnsafe(length);
    if (this.#at + length <= this.#filled) this.#window.copy(buffer, 0, this.#at, this.#at + length);
    else if (this.#read(buffer, this.position) < length) {
      throw new WireError('the file ends inside a value', this.position, end);
    }
    this.seek(end);
    return buffer;
  }

  /** The UTF-8 text between here and `end`; undefined, and nothing is read, where it is longer than `most` bytes. */
  shortText(end: number, most: number): string | undefined {
    return end - this.position > most ? undefined : this.few(end).toString('utf8');
  }

  /** Steps over the value of a field whose tag was just read. */
  skip(tag: number, end: number): void {
    const offset = this.position;
    switch (tag & 7) {
      case varint:
        this.varint();
        break;
      case fixed64:
        this.seek(offset + 8);
        break;
      case bytes:
        this.seek(this.endOfValue(end));
        break;
      case fixed32:
        this.seek(offset + 4);
        break;
      default:
        throw new WireError(`a field has the unknown kind ${tag & 7}`, offset);
    }
    if (this.position > end) throw new WireError('a field does not fit', offset);
  }

  /** How many integers lie packed between here and `end`; steps over them. */
  countVarints(end: number): number {
    let count = 0;
    while (this.position < end) {
      if (this.#at === this.#filled) this.#fill();
      const stop = Math.min(this.#filled, end - this.#start);
      for (let at = this.#at; at < stop; at++) if ((this.#window[at] ?? 0) < 0x80) count++;
      this.#at = stop;
    }
    return count;
  }

  seek(position: number): void {
    const at = position - this.#start;
    if (at >= 0 && at <= this.#filled) {
      this.#at = at;
    } else {
      this.#start = position;
      this.#at = 0;
      this.#filled = 0;
    }
  }

  #byte(): number {
    if (this.#at === this.#filled) this.#fill();
    return this.#window[this.#at++] ?? 0;
  }

  #fill(): void {
    this.#start += this.#at;
    this.#at = 0;
    this.#filled = this.#read(this.#window, this.#start);
    if (this.#filled === 0) throw new WireError('the file ends too early', this.#start, this.#start + 1);
  }
}
