import { FaultError } from './message-error.ts';

/** The header that says how many bytes of a body are JSON when binary data follow. Lower-case, as Node gives header names. */
export const headerLengthName = 'inference-header-content-length';

/** A body to send: JSON alone, or JSON with binary data after it. */
export interface HttpMessage {
  readonly body: Uint8Array;
  /** Content type, and `inference-header-content-length` when binary data follow the JSON; the content length is the body's. */
  readonly headers: Readonly<Record<string, string>>;
}

const jsonHeaders = { 'content-type': 'application/json' };

/** Joins the JSON of a request or response with its tensors' binary data, in the order of the tensors. */
export function httpMessage(json: string, binary: readonly Uint8Array[]): HttpMessage {
  const head = Buffer.from(json, 'utf8');
  if (binary.length === 0) return { body: head, headers: jsonHeaders };
  return {
    body: Buffer.concat([head, ...binary]),
    headers: { 'content-type': 'application/octet-stream', [headerLengthName]: String(head.length) },
  };
}

/** The two parts of a body by the header's text; without a header everything is JSON. */
export function partsOf(
  body: Uint8Array,
  headerLength: string | undefined,
): { readonly json: Uint8Array; readonly binary: Uint8Array } {
  if (headerLength === undefined) return { json: body, binary: none };
  const length = /^\d{1,15}$/.test(headerLength) ? Number(headerLength) : Number.NaN;
  if (!(length <= body.length)) {
    throw new FaultError({
      code: 'bad-header-length',
      message: 'the header Inference-Header-Content-Length does not fit the body',
      found: headerLength,
      expected: `a whole number up to ${body.length}, the length of the body`,
      fix: 'Set it to the number of bytes of the JSON that stands before the binary data.',
    });
  }
  return { json: body.subarray(0, length), binary: body.subarray(length) };
}

const none = new Uint8Array();

/** Hands out the binary data of one tensor after the other. */
export class BinaryParts {
  readonly #bytes: Uint8Array;
  #taken = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next `size` bytes, as a tensor's `binary_data_size` claims them. */
  take(size: unknown, key: string): Uint8Array {
    const left = this.#bytes.length - this.#taken;
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > left) {
      throw new FaultError({
        code: 'bad-binary-size',
        message: 'binary_data_size does not fit the body',
        key,
        found: String(size),
        expected: `a whole number up to ${left}, the bytes that are left after the JSON and the tensors before`,
        fix: 'Send Inference-Header-Content-Length, and for each binary tensor, in order, its size and its bytes.',
      });
    }
    this.#taken += size;
    return this.#bytes.subarray(this.#taken - size, this.#taken);
  }

  /** Bytes that no tensor claims are a mistake of the sender. */
  end(): void {
    const left = this.#bytes.length - this.#taken;
    if (left === 0) return;
    throw new FaultError({
      code: 'unclaimed-bytes',
      message: 'there are bytes after the last binary tensor',
      found: `${left} bytes`,
      expected: 'none',
      fix: 'Give every binary tensor "parameters": {"binary_data_size": ...}, and let the sizes add up to the bytes after the JSON.',
    });
  }
}
