import { isUtf8 } from 'node:buffer';
import { arrayOf, float16ToNumber, numberToFloat16, type RunnableType, type Tensor } from '../onnx/index.ts';
import { datatypeOf, elementBytes } from './datatype.ts';
import { FaultError } from './message-error.ts';

/**
 * Binary data of one tensor (HTTP's binary extension and gRPC's raw contents alike): little-endian, row-major, without padding; a BOOL is
 * a byte 0 or 1; an element of BYTES is its length in 4 bytes and then its bytes, which must be UTF-8, since ONNX strings are text. The
 * result may share memory with `bytes`, which are the caller's no more. Like ONNX Runtime's packages for Node this is for little-endian machines.
 * @param elements the product of `dims`, already found to be within limits
 */
export function tensorOfRaw(
  type: RunnableType,
  dims: readonly number[],
  elements: number,
  bytes: Uint8Array,
  key: string,
): Tensor {
  const width = elementBytes[type];
  if (width === undefined) return { type: 'string', data: stringsOfRaw(bytes, elements, key), dims };
  if (bytes.length !== elements * width) {
    throw new FaultError({
      code: 'shape-mismatch',
      message: 'the binary data do not fill the shape',
      key,
      found: `${bytes.length} bytes`,
      expected: `${elements * width} for ${datatypeOf(type)} [${dims.join(', ')}]`,
      fix: 'Send as many bytes as the shape and the datatype need, in row-major order and without padding.',
    });
  }
  const own = alignedTo(width, bytes);
  if (type === 'bool') {
    const wrong = own.findIndex((value) => value > 1);
    if (wrong !== -1) {
      throw new FaultError({
        code: 'wrong-value',
        message: 'a value is not BOOL',
        key: `${key}, value ${wrong}`,
        found: `byte ${own[wrong]}`,
        expected: 'byte 0 or 1',
        fix: 'Send one byte for each BOOL: 1 is true, 0 is false.',
      });
    }
    return { type, data: own, dims };
  }
  if (type === 'float16')
    return {
      type,
      data: Float32Array.from(new Uint16Array(own.buffer, own.byteOffset, elements), float16ToNumber),
      dims,
    };
  // The table pairs each type with its array.
  return {
    type,
    data: type === 'string' ? [] : new arrayOf[type](own.buffer, own.byteOffset, elements),
    dims,
  } as Tensor;
}

/** Fewer bytes are copied wherever they stand: they would keep the piece of the network's that they came in. */
const worthSharing = 16 * 1024;

/** The same bytes, where numbers of so many bytes can be read in place. */
function alignedTo(width: number, bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, length } = bytes;
  if (length >= worthSharing && byteOffset % width === 0 && buffer instanceof ArrayBuffer) {
    return new Uint8Array(buffer, byteOffset, length);
  }
  const own = new Uint8Array(length);
  own.set(bytes);
  return own;
}

function stringsOfRaw(bytes: Uint8Array, elements: number, key: string): readonly string[] {
  const wrongSize = (found: string): FaultError =>
    new FaultError({
      code: 'shape-mismatch',
      message: 'the binary data do not hold the strings of the shape',
      key,
      found,
      expected: `${elements} strings, each with its length in 4 bytes before it`,
      fix: 'Write each element of BYTES as a 4-byte little-endian length and then its bytes.',
    });
  // Before anything is made by what the shape claims.
  if (bytes.length < elements * 4) throw wrongSize(`${bytes.length} bytes`);
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const values: string[] = [];
  let at = 0;
  for (let index = 0; index < elements; index++) {
    if (at + 4 > buffer.length) throw wrongSize(`the end of the data at string ${index}`);
    const start = at + 4;
    at = start + buffer.readUInt32LE(at);
    if (at > buffer.length) throw wrongSize(`string ${index} reaching past the end of the data`);
    values.push(textOf(buffer.subarray(start, at), index, key));
  }
  if (at !== buffer.length) throw wrongSize(`${buffer.length - at} bytes after the last string`);
  return values;
}

/** One element of BYTES as text. */
export function textOf(bytes: Uint8Array, index: number, key: string): string {
  if (!isUtf8(bytes)) {
    throw new FaultError({
      code: 'not-utf8',
      message: 'a value of BYTES is not UTF-8, and ONNX strings are text',
      key: `${key}, value ${index}`,
      fix: 'Encode texts as UTF-8; give other bytes as UINT8 to a model that takes numbers.',
    });
  }
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8');
}

/** The binary data of a tensor; numbers may share their memory with it. */
export function rawOfTensor(tensor: Tensor): Uint8Array {
  if (tensor.type === 'string') return rawOfStrings(tensor.data);
  if (tensor.type === 'float16') return new Uint8Array(Uint16Array.from(tensor.data, numberToFloat16).buffer);
  return new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength);
}

function rawOfStrings(values: readonly string[]): Uint8Array {
  const lengths = values.map((value) => Buffer.byteLength(value));
  const bytes = Buffer.allocUnsafe(lengths.reduce((sum, length) => sum + length + 4, 0));
  let at = 0;
  values.forEach((value, index) => {
    at = bytes.writeUInt32LE(lengths[index] ?? 0, at);
    at += bytes.write(value, at, 'utf8');
  });
  return bytes;
}
