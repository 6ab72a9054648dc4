import type { RunnableType, Tensor, TensorData } from '../onnx/index.ts';
import { datatypeOf } from './datatype.ts';
import { FaultError, shown } from './message-error.ts';

/** Where the data of one tensor stand in a message, and the same data with numbers as text (asked for only by integers beyond 2^53). */
export interface JsonData {
  readonly data: unknown;
  readonly key: string;
  exact(): unknown;
}

/**
 * The `data` of a tensor: flat in row-major order, or nested as its shape says. Integers are exact or refused: a fraction, or a number
 * the type cannot hold, is a fault. In floating-point data null is NaN (KServe writes NaN so) and a finite number that FP32 or FP16 would
 * turn into an infinity is a fault.
 * @param elements the product of `dims`, already found to be within limits
 */
export function tensorOfJson(type: RunnableType, dims: readonly number[], elements: number, from: JsonData): Tensor {
  const flat = flatten(from.data, dims, elements, from.key);
  return { type, data: arrayOfJson(type, flat, dims, elements, from), dims } as Tensor;
}

function flatten(data: unknown, dims: readonly number[], elements: number, key: string): readonly unknown[] {
  if (!Array.isArray(data)) {
    throw new FaultError({
      code: 'missing-data',
      message: 'the tensor has no data',
      key,
      found: shown(data),
      expected: `an array of ${elements} values`,
      fix: 'Give "data" as an array, or "parameters": {"binary_data_size": ...} with the bytes after the JSON.',
    });
  }
  if (Array.isArray(data[0]) && dims.length > 1) {
    const flat: unknown[] = [];
    gather(data, dims, 0, flat, key);
    return flat;
  }
  if (data.length !== elements) {
    throw new FaultError({
      code: 'shape-mismatch',
      message: 'the data do not fill the shape',
      key,
      found: `${data.length} values`,
      expected: `${elements} for [${dims.join(', ')}]`,
      fix: 'Make the number of values the product of the shape, in row-major order.',
    });
  }
  return data;
}

function gather(data: unknown, dims: readonly number[], depth: number, flat: unknown[], key: string): void {
  const size = dims[depth];
  if (!Array.isArray(data) || data.length !== size) {
    throw new FaultError({
      code: 'shape-mismatch',
      message: 'the nesting of the data does not follow the shape',
      key,
      found: shown(data),
      expected: `an array of ${size} at depth ${depth + 1} for [${dims.join(', ')}]`,
      fix: 'Nest the data exactly as the shape says, or send them flat in row-major order.',
    });
  }
  if (depth === dims.length - 1) {
    for (const value of data) flat.push(value);
    return;
  }
  for (let index = 0; index < data.length; index++) gather(data[index], dims, depth + 1, flat, `${key}[${index}]`);
}

function arrayOfJson(
  type: RunnableType,
  flat: readonly unknown[],
  dims: readonly number[],
  elements: number,
  from: JsonData,
): TensorData[RunnableType] {
  switch (type) {
    case 'float32':
      return floats(new Float32Array(elements), flat, type, Number.POSITIVE_INFINITY, from.key);
    case 'float64':
      return floats(new Float64Array(elements), flat, type, Number.POSITIVE_INFINITY, from.key);
    case 'float16':
      return floats(new Float32Array(elements), flat, type, infiniteAsFloat16, from.key);
    case 'int8':
      return integers(new Int8Array(elements), flat, type, from.key);
    case 'uint8':
      return integers(new Uint8Array(elements), flat, type, from.key);
    case 'int16':
      return integers(new Int16Array(elements), flat, type, from.key);
    case 'uint16':
      return integers(new Uint16Array(elements), flat, type, from.key);
    case 'int32':
      return integers(new Int32Array(elements), flat, type, from.key);
    case 'uint32':
      return integers(new Uint32Array(elements), flat, type, from.key);
    case 'int64':
      return longIntegers(new BigInt64Array(elements), flat, type, dims, from);
    case 'uint64':
      return longIntegers(new BigUint64Array(elements), flat, type, dims, from);
    case 'bool':
      return booleans(flat, elements, from.key);
    case 'string':
      return strings(flat, from.key);
  }
}

/** From here on a float32 rounds to an infinite half. */
const infiniteAsFloat16 = 65520;

/** @param infinite the smallest stored value that is, or will be at the border to ONNX Runtime, an infinity */
function floats<Values extends Float32Array | Float64Array>(
  values: Values,
  flat: readonly unknown[],
  type: RunnableType,
  infinite: number,
  key: string,
): Values {
  for (let index = 0; index < flat.length; index++) {
    const value = flat[index];
    if (typeof value === 'number') {
      values[index] = value;
      const stored = values[index] ?? 0;
      // An infinity that was sent as one stays one.
      if ((stored >= infinite || stored <= -infinite) && Number.isFinite(value))
        throw wrongValue(type, value, index, key);
    } else if (value === null) values[index] = Number.NaN;
    else throw wrongValue(type, value, index, key);
  }
  return values;
}

function integers<Values extends Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array>(
  values: Values,
  flat: readonly unknown[],
  type: RunnableType,
  key: string,
): Values {
  for (let index = 0; index < flat.length; index++) {
    const value = flat[index];
    if (typeof value !== 'number') throw wrongValue(type, value, index, key);
    values[index] = value;
    // Out of range and fractions come back changed.
    if (values[index] !== value) throw wrongValue(type, value, index, key);
  }
  return values;
}

function longIntegers<Values extends BigInt64Array | BigUint64Array>(
  values: Values,
  flat: readonly unknown[],
  type: 'int64' | 'uint64',
  dims: readonly number[],
  from: JsonData,
): Values {
  let exact: readonly unknown[] | undefined;
  for (let index = 0; index < flat.length; index++) {
    const value = flat[index];
    if (typeof value !== 'number') throw wrongValue(type, value, index, from.key);
    let integer: bigint | undefined;
    if (Number.isSafeInteger(value)) integer = BigInt(value);
    else {
      exact ??= flatten(from.exact(), dims, values.length, from.key);
      integer = integerOf(String(exact[index]));
      if (integer === undefined) throw wrongValue(type, exact[index], index, from.key);
    }
    values[index] = integer;
    if (values[index] !== integer) throw wrongValue(type, integer, index, from.key);
  }
  return values;
}

/** A JSON number's text as an integer, exactly: `12`, `1.5e3`; undefined for a fraction and for what no 64 bits hold. */
function integerOf(number: string): bigint | undefined {
  const [, sign = '', whole = '', fraction = '', exponent = '0'] =
    /^(-?)(\d{1,60})(?:\.(\d{1,60}))?(?:[eE]([+-]?\d{1,3}))?$/.exec(number) ?? [];
  if (whole === '') return undefined;
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length;
  if (digits === 0n) return 0n;
  if (shift > 20) return undefined;
  const scale = 10n ** BigInt(Math.abs(shift));
  if (shift < 0 && digits % scale !== 0n) return undefined;
  const magnitude = shift < 0 ? digits / scale : digits * scale;
  return sign === '-' ? -magnitude : magnitude;
}

function booleans(flat: readonly unknown[], elements: number, key: string): Uint8Array {
  const values = new Uint8Array(elements);
  for (let index = 0; index < flat.length; index++) {
    const value = flat[index];
    if (value === true) values[index] = 1;
    else if (value !== false) throw wrongValue('bool', value, index, key);
  }
  return values;
}

/** Half of a surrogate pair alone: it has no UTF-8, and ONNX Runtime would put a replacement character. */
const loneSurrogate = /\p{Surrogate}/u;

function strings(flat: readonly unknown[], key: string): readonly string[] {
  for (let index = 0; index < flat.length; index++) {
    const value = flat[index];
    if (typeof value !== 'string' || loneSurrogate.test(value)) throw wrongValue('string', value, index, key);
  }
  return flat as readonly string[];
}

const expectations: Readonly<Record<RunnableType, string>> = {
  bool: 'true or false',
  uint8: 'a whole number from 0 to 255',
  uint16: 'a whole number from 0 to 65535',
  uint32: 'a whole number from 0 to 4294967295',
  uint64: 'a whole number from 0 to 18446744073709551615',
  int8: 'a whole number from -128 to 127',
  int16: 'a whole number from -32768 to 32767',
  int32: 'a whole number from -2147483648 to 2147483647',
  int64: 'a whole number from -9223372036854775808 to 9223372036854775807',
  float16: 'a number that half precision can hold (up to 65504)',
  float32: 'a number that single precision can hold (up to 3.4028e38)',
  float64: 'a number',
  string: 'a string of valid Unicode',
};

/** A value that its tensor cannot hold. */
export function wrongValue(type: RunnableType, value: unknown, index: number, key: string): FaultError {
  return new FaultError({
    code: 'wrong-value',
    message: `a value is not ${datatypeOf(type)}`,
    key: `${key}, value ${index}`,
    found: shown(value),
    expected: expectations[type],
    fix: `Send values that ${datatypeOf(type)} holds exactly, or the datatype that the values have.`,
  });
}

/**
 * The `data` of a tensor as JSON text, flat. Floating-point numbers have the digits that give back the same number; 64-bit integers have
 * all their digits. NaN is null, as KServe (orjson) writes it: it stays valid JSON, and NumPy reads None as NaN. An infinity is written
 * bare (`Infinity`), as Triton writes it: that is not strict JSON, but null would silently turn it into NaN; binary data carry both. The
 * sign of a zero is lost.
 */
export function jsonOfTensor(tensor: Tensor): string {
  switch (tensor.type) {
    case 'string':
      return JSON.stringify(tensor.data);
    case 'bool': {
      const words: string[] = [];
      for (const value of tensor.data) words.push(value === 0 ? 'false' : 'true');
      return `[${words.join(',')}]`;
    }
    case 'float16':
    case 'float32':
    case 'float64': {
      const text = tensor.data.join(',');
      // No other number's text has a capital N.
      return `[${text.includes('N') ? text.replaceAll('NaN', 'null') : text}]`;
    }
    default:
      return `[${tensor.data.join(',')}]`;
  }
}
