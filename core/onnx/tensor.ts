import type { ElementType } from './element-type.ts';

/** Anything a model takes or gives that is not a plain tensor; scikit-learn's default export gives `sequence(map(int64, tensor(float32)))`. */
export type CompositeType = `${'sequence' | 'map' | 'optional' | 'sparse' | 'opaque'}(${string})`;

/** One input or output of a model, as the file declares it. */
export interface TensorSpec {
  readonly name: string;
  readonly type: ElementType | CompositeType;
  /** A number is fixed, a name (`batch`) or `?` is any size. */
  readonly shape: readonly (number | string)[];
  /** The file does not even say how many dimensions there are; `shape` is empty then. */
  readonly unranked?: true;
}

/** The arrays ONNX Runtime works on. float16 is given and returned as Float32Array and converted at the border. */
export interface TensorData {
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly float16: Float32Array;
  readonly int8: Int8Array;
  readonly uint8: Uint8Array;
  readonly int16: Int16Array;
  readonly uint16: Uint16Array;
  readonly int32: Int32Array;
  readonly uint32: Uint32Array;
  readonly int64: BigInt64Array;
  readonly uint64: BigUint64Array;
  /** 0 is false, 1 is true. */
  readonly bool: Uint8Array;
  readonly string: readonly string[];
}

/** The element types a model can be run with. */
export type RunnableType = keyof TensorData;

/** Values in row-major order and their shape. */
export type Tensor = {
  [Type in RunnableType]: { readonly type: Type; readonly data: TensorData[Type]; readonly dims: readonly number[] };
}[RunnableType];

export type Feeds = Readonly<Record<string, Tensor>>;
export type Outputs = Readonly<Record<string, Tensor>>;

/** The class of `data` for each element type; strings are an ordinary array. */
export const arrayOf = {
  float32: Float32Array,
  float64: Float64Array,
  float16: Float32Array,
  int8: Int8Array,
  uint8: Uint8Array,
  int16: Int16Array,
  uint16: Uint16Array,
  int32: Int32Array,
  uint32: Uint32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  bool: Uint8Array,
  string: Array,
} as const satisfies Record<RunnableType, unknown>;

export function isRunnable(type: string): type is RunnableType {
  return Object.hasOwn(arrayOf, type);
}

/** `float32 [?, 4]`: how messages show what a tensor is or should be. */
export function describeTensor(type: string, shape: readonly (number | string)[], unranked = false): string {
  return `${type} ${unranked ? 'of any shape' : `[${shape.join(', ')}]`}`;
}
