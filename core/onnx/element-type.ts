/** What one element of a tensor is, in ONNX Runtime's words (`float32`, where ONNX itself says FLOAT). */
export type ElementType =
  | 'float32'
  | 'uint8'
  | 'int8'
  | 'uint16'
  | 'int16'
  | 'int32'
  | 'int64'
  | 'string'
  | 'bool'
  | 'float16'
  | 'float64'
  | 'uint32'
  | 'uint64'
  | 'complex64'
  | 'complex128'
  | 'bfloat16'
  | 'float8e4m3fn'
  | 'float8e4m3fnuz'
  | 'float8e5m2'
  | 'float8e5m2fnuz'
  | 'uint4'
  | 'int4'
  | 'float4e2m1'
  | 'float8e8m0'
  | 'uint2'
  | 'int2'
  | 'float6e2m3'
  | 'float6e3m2';

/** The field of TensorProto that holds the values when they are not raw bytes, and how many of its entries make `count` elements. */
export type TypedField = 'float' | 'int32' | 'int64' | 'double' | 'uint64' | 'string';

export interface ElementLayout {
  readonly type: ElementType;
  /** Bits of one element in raw or external data; undefined for strings, which have no fixed size. */
  readonly bits: number | undefined;
  readonly field: TypedField;
  /** Entries of `field` for one element: 2 for a complex number, a half where two elements share an entry. */
  readonly entries: number;
}

const rows: readonly (readonly [ElementType, number | undefined, TypedField, number])[] = [
  ['float32', 32, 'float', 1],
  ['uint8', 8, 'int32', 1],
  ['int8', 8, 'int32', 1],
  ['uint16', 16, 'int32', 1],
  ['int16', 16, 'int32', 1],
  ['int32', 32, 'int32', 1],
  ['int64', 64, 'int64', 1],
  ['string', undefined, 'string', 1],
  ['bool', 8, 'int32', 1],
  ['float16', 16, 'int32', 1],
  ['float64', 64, 'double', 1],
  ['uint32', 32, 'uint64', 1],
  ['uint64', 64, 'uint64', 1],
  ['complex64', 64, 'float', 2],
  ['complex128', 128, 'double', 2],
  ['bfloat16', 16, 'int32', 1],
  ['float8e4m3fn', 8, 'int32', 1],
  ['float8e4m3fnuz', 8, 'int32', 1],
  ['float8e5m2', 8, 'int32', 1],
  ['float8e5m2fnuz', 8, 'int32', 1],
  ['uint4', 4, 'int32', 1 / 2],
  ['int4', 4, 'int32', 1 / 2],
  ['float4e2m1', 4, 'int32', 1 / 2],
  ['float8e8m0', 8, 'int32', 1],
  ['uint2', 2, 'int32', 1 / 4],
  ['int2', 2, 'int32', 1 / 4],
  ['float6e2m3', 6, 'int32', 1],
  ['float6e3m2', 6, 'int32', 1],
];

const layouts: readonly ElementLayout[] = rows.map(([type, bits, field, entries]) => ({ type, bits, field, entries }));

/** By TensorProto.DataType: 1 is FLOAT. Undefined for numbers ONNX 1.23 does not define. */
export function elementLayout(dataType: number): ElementLayout | undefined {
  return layouts[dataType - 1];
}

/** TensorProto.DataType of an element type. */
export function dataTypeOf(type: ElementType): number {
  return layouts.findIndex((layout) => layout.type === type) + 1;
}
