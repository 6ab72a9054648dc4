import {
  arrayOf,
  type Feeds,
  isRunnable,
  type RunnableType,
  type Tensor,
  type TensorSpec,
} from '../../core/onnx/index.ts';

/** Sizes to try for dimensions that are free besides the first: images and texts must not be too small for some models. */
export const freeSizes: readonly number[] = [1, 8, 32, 224];

/**
 * Made-up inputs that fit a model's specs: `rows` in the first dimension where it is free, `size` in every other that is. Numbers are
 * small and differ from row to row, whole ones are 0 or 1 (they may be indices). The same `seed` gives the same values.
 */
export function syntheticFeeds(inputs: readonly TensorSpec[], rows: number, size: number, seed: number): Feeds {
  const random = generator(seed);
  return Object.fromEntries(
    inputs.map(({ name, type, shape, unranked }) => {
      const free: readonly (number | string)[] = unranked === true ? ['rows', 'size'] : shape;
      const dims = free.map((given, index) => (typeof given === 'number' ? given : index === 0 ? rows : size));
      return [name, syntheticTensor(isRunnable(type) ? type : 'float32', dims, random)];
    }),
  );
}

function syntheticTensor(type: RunnableType, dims: readonly number[], random: () => number): Tensor {
  const length = dims.reduce((product, each) => product * each, 1);
  const bit = (): number => (random() < 0.5 ? 0 : 1);
  if (type === 'string')
    return { type, dims, data: Array.from({ length }, () => ['', 'a', 'b'][Math.floor(random() * 3)] ?? '') };
  if (type === 'int64') return { type, dims, data: BigInt64Array.from({ length }, () => BigInt(bit())) };
  if (type === 'uint64') return { type, dims, data: BigUint64Array.from({ length }, () => BigInt(bit())) };
  const fraction = type === 'float32' || type === 'float64' || type === 'float16';
  const next = fraction ? (): number => random() * 4 - 2 : bit;
  return { type, dims, data: arrayOf[type].from(Array.from({ length }, next)) } as Tensor;
}

/** mulberry32 by Tommy Ettinger (public domain): made-up inputs need no better one. */
function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
