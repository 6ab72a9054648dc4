import type { CompositeType, ElementType, RunnableType } from '../onnx/index.ts';

/** The protocol's names of the element types a model can be run with. BF16 has no array in JavaScript and no runnable type. */
const runnableTypes = {
  BOOL: 'bool',
  UINT8: 'uint8',
  UINT16: 'uint16',
  UINT32: 'uint32',
  UINT64: 'uint64',
  INT8: 'int8',
  INT16: 'int16',
  INT32: 'int32',
  INT64: 'int64',
  FP16: 'float16',
  FP32: 'float32',
  FP64: 'float64',
  BYTES: 'string',
} as const satisfies Record<string, RunnableType>;

/** https://github.com/kserve/open-inference-protocol, "Tensor Data Types". */
export type Datatype = keyof typeof runnableTypes;

export const datatypes = Object.keys(runnableTypes) as readonly Datatype[];

const names = Object.fromEntries(Object.entries(runnableTypes).map(([name, type]) => [type, name])) as Readonly<
  Record<RunnableType, Datatype>
>;

/** Bytes of one element in binary data; undefined for BYTES, whose elements carry their lengths. */
export const elementBytes: Readonly<Record<RunnableType, number | undefined>> = {
  bool: 1,
  uint8: 1,
  uint16: 2,
  uint32: 4,
  uint64: 8,
  int8: 1,
  int16: 2,
  int32: 4,
  int64: 8,
  float16: 2,
  float32: 4,
  float64: 8,
  string: undefined,
};

/** `float32` is `FP32`. */
export function datatypeOf(type: RunnableType): Datatype {
  return names[type];
}

/** `FP32` is `float32`; undefined for a datatype that no model can be run with (`BF16`, a misspelt one). */
export function runnableTypeOf(datatype: string): RunnableType | undefined {
  return Object.hasOwn(runnableTypes, datatype) ? runnableTypes[datatype as Datatype] : undefined;
}

/** What a server's metadata calls a type, as the type of a TensorSpec: one that is not known becomes `opaque(...)`. */
export function elementTypeOf(datatype: string): ElementType | CompositeType {
  return runnableTypeOf(datatype) ?? (datatype === 'BF16' ? 'bfloat16' : `opaque(${datatype})`);
}
