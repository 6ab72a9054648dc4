import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { arrayOf, type RunnableType, type Tensor } from '../onnx/index.ts';
import { datatypeOf } from './datatype.ts';
import { wrongValue } from './json-data.ts';
import { FaultError } from './message-error.ts';
import { textOf } from './raw-data.ts';
import type { TensorHead } from './wire-tensor.ts';

/** The field of InferTensorContents for each type, and how one value is coded. FP16 has none: it goes as raw contents only. */
const fields: Readonly<
  Record<
    RunnableType,
    { readonly field: number; readonly coding: 'varint' | 'fixed32' | 'fixed64' | 'bytes' } | undefined
  >
> = {
  bool: { field: 1, coding: 'varint' },
  int8: { field: 2, coding: 'varint' },
  int16: { field: 2, coding: 'varint' },
  int32: { field: 2, coding: 'varint' },
  int64: { field: 3, coding: 'varint' },
  uint8: { field: 4, coding: 'varint' },
  uint16: { field: 4, coding: 'varint' },
  uint32: { field: 4, coding: 'varint' },
  uint64: { field: 5, coding: 'varint' },
  float32: { field: 6, coding: 'fixed32' },
  float64: { field: 7, coding: 'fixed64' },
  string: { field: 8, coding: 'bytes' },
  float16: undefined,
};

const wireTypes = {
  varint: WireType.Varint,
  fixed32: WireType.Bit32,
  fixed64: WireType.Bit64,
  bytes: WireType.LengthDelimited,
} as const;

/** True for types that typed contents can carry. */
export function hasContents(type: RunnableType): boolean {
  return fields[type] !== undefined;
}

/**
 * Typed contents of one tensor (message InferTensorContents), read straight into its array: values are counted first, so that nothing is
 * made by a count that the bytes do not bear out.
 * @param messages every occurrence of the field `contents`; protobuf merges them
 */
export function tensorOfContents(head: TensorHead, messages: readonly Uint8Array[], key: string): Tensor {
  const { type, dims, elements } = head;
  const place = `${key}.contents`;
  const home = fields[type];
  if (home === undefined) {
    throw new FaultError({
      code: 'raw-only',
      message: `${datatypeOf(type)} has no typed contents`,
      key: place,
      expected: 'raw contents',
      fix: 'Send all tensors as raw_input_contents.',
    });
  }
  const counted = countValues(messages, home.field, home.coding, place);
  if (counted !== elements) {
    throw new FaultError({
      code: 'shape-mismatch',
      message: 'the contents do not fill the shape',
      key: place,
      found: `${counted} values`,
      expected: `${elements} for ${datatypeOf(type)} [${dims.join(', ')}]`,
      fix: 'Make the number of values the product of the shape, in the field of the datatype.',
    });
  }
  return { type, data: readValues(type, messages, home.field, elements, place), dims } as Tensor;
}

function countValues(
  messages: readonly Uint8Array[],
  field: number,
  coding: keyof typeof wireTypes,
  key: string,
): number {
  let count = 0;
  for (const message of messages) {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [number, wireType] = reader.tag();
      if (number !== field) {
        if (number >= 1 && number <= 8) throw otherField(number, field, key);
        reader.skip(wireType, number);
        continue;
      }
      if (wireType === wireTypes[coding]) {
        reader.skip(wireType, number);
        count++;
        continue;
      }
      if (wireType !== WireType.LengthDelimited || coding === 'bytes')
        throw new Error('a field has the wrong wire type');
      const packed = reader.bytes();
      if (coding === 'varint') {
        for (const byte of packed) if (byte < 0x80) count++;
      } else {
        count += packed.length / (coding === 'fixed32' ? 4 : 8);
      }
    }
  }
  return count;
}

function otherField(found: number, expected: number, key: string): FaultError {
  const names = ['bool', 'int', 'int64', 'uint', 'uint64', 'fp32', 'fp64', 'bytes'];
  return new FaultError({
    code: 'wrong-contents',
    message: 'the contents are in the field of another datatype',
    key,
    found: `${names[found - 1]}_contents`,
    expected: `${names[expected - 1]}_contents`,
    fix: 'Put the values into the field that belongs to the datatype.',
  });
}

function readValues(
  type: RunnableType,
  messages: readonly Uint8Array[],
  field: number,
  elements: number,
  key: string,
): Tensor['data'] {
  if (type === 'string') {
    const values: string[] = [];
    eachValue(messages, field, WireType.LengthDelimited, (reader) => {
      values.push(textOf(reader.bytes(), values.length, key));
    });
    return values;
  }
  const values = new arrayOf[type](elements);
  let index = 0;
  const wireType = wireTypes[fields[type]?.coding ?? 'varint'];
  const put = (value: number): void => {
    values[index] = value;
    // Narrow integers share a wider field.
    if (values[index] !== value && !Number.isNaN(value)) throw wrongValue(type, value, index, key);
    index++;
  };
  eachValue(
    messages,
    field,
    wireType,
    readerOf(type, put, (value) => {
      values[index++] = value;
    }),
  );
  return values;
}

function readerOf(
  type: Exclude<RunnableType, 'string'>,
  put: (value: number) => void,
  putLong: (value: bigint) => void,
): (reader: BinaryReader) => void {
  switch (type) {
    case 'bool':
      return (reader) => put(reader.bool() ? 1 : 0);
    case 'int8':
    case 'int16':
    case 'int32':
      return (reader) => put(reader.int32());
    case 'uint8':
    case 'uint16':
    case 'uint32':
      return (reader) => put(reader.uint32());
    case 'int64':
      return (reader) => putLong(BigInt(reader.int64()));
    case 'uint64':
      return (reader) => putLong(BigInt(reader.uint64()));
    case 'float16':
    case 'float32':
      return (reader) => put(reader.float());
    case 'float64':
      return (reader) => put(reader.double());
  }
}

/** Every value of a repeated field, packed or not; `read` reads one. */
function eachValue(
  messages: readonly Uint8Array[],
  field: number,
  wireType: WireType,
  read: (reader: BinaryReader) => void,
): void {
  for (const message of messages) {
    const reader = new BinaryReader(message);
    while (reader.pos < reader.len) {
      const [number, foundType] = reader.tag();
      if (number !== field) reader.skip(foundType, number);
      else if (foundType === wireType) read(reader);
      else {
        const packed = new BinaryReader(reader.bytes());
        while (packed.pos < packed.len) read(packed);
        if (packed.pos !== packed.len) throw new RangeError('premature EOF');
      }
    }
  }
}

/** Typed contents of one tensor; for types that `hasContents`. */
export function contentsOfTensor(tensor: Tensor): Uint8Array {
  const writer = new BinaryWriter();
  const field = fields[tensor.type]?.field ?? 0;
  if (tensor.type === 'string') {
    for (const value of tensor.data) writer.tag(field, WireType.LengthDelimited).string(value);
    return writer.finish();
  }
  writer.tag(field, WireType.LengthDelimited).fork();
  switch (tensor.type) {
    case 'float16':
    case 'float32':
    case 'float64':
      writer.raw(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength));
      break;
    case 'int64':
      for (const value of tensor.data) writer.int64(value);
      break;
    case 'uint64':
      for (const value of tensor.data) writer.uint64(value);
      break;
    case 'int8':
    case 'int16':
    case 'int32':
      for (const value of tensor.data) writer.int32(value);
      break;
    default:
      for (const value of tensor.data) writer.uint32(value);
  }
  return writer.join().finish();
}
