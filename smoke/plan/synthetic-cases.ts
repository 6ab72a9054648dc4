import { isRunnable, type Tensor, type TensorSpec } from '../../core/onnx/index.ts';
import { ModelError } from '../../core/problem/index.ts';
import { type Random, randomOf } from '../../core/statistics/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { GoldenCases } from './golden-case.ts';

/**
 * Inputs made up by a signature, the same for the same seed: numbers around 0 of several sizes, small integers that are valid as indexes,
 * short texts. The first open size is the batch, 1; other open sizes are 2. Throws a `ModelError` for an input that is no tensor of
 * plain values.
 */
export function syntheticCases(inputs: readonly TensorSpec[], count: number, seed: string): GoldenCases {
  const cases = Array.from({ length: count }, (_, index) => {
    const random = randomOf(`${seed}/${index}`);
    return {
      row: index + 1,
      feeds: Object.fromEntries(inputs.map((spec) => [spec.name, tensorFor(spec, random)])),
    };
  });
  return { cases, origin: `${count === 1 ? '1 made-up input' : `${count} made-up inputs`}, seed ${excerpt(seed, 40)}` };
}

const words = ['alpha', 'beta', 'gamma', 'delta', 'a', 'b', 'yes', 'no', '0', '1'];
const scales = [0.1, 1, 1, 10, 100];

function tensorFor({ name, type, shape, unranked }: TensorSpec, random: Random): Tensor {
  if (!isRunnable(type)) {
    throw new ModelError({
      code: 'unsupported-type',
      message: `values for the input "${excerpt(name)}" cannot be made up`,
      found: type,
      expected: 'a tensor of numbers, booleans or texts',
      fix: 'Export the model with plain tensor inputs, or set "smoke: { golden: false }".',
    });
  }
  const dims =
    unranked === true
      ? [1]
      : shape.map((size, index) => (typeof size === 'number' && size >= 0 ? size : index === 0 ? 1 : 2));
  const size = dims.reduce((product, dim) => product * dim, 1);
  const scale = scales[random.bits() % scales.length] ?? 1;
  const real = () => (random.unit() * 2 - 1) * scale;
  const whole = () => random.bits() % 4;
  switch (type) {
    case 'float32':
      return { type, dims, data: Float32Array.from({ length: size }, real) };
    case 'float16':
      // Halves hold eleven bits: what is sent must be what is run here.
      return { type, dims, data: Float32Array.from({ length: size }, () => Math.round(real() * 8) / 8) };
    case 'float64':
      return { type, dims, data: Float64Array.from({ length: size }, real) };
    case 'int8':
      return { type, dims, data: Int8Array.from({ length: size }, whole) };
    case 'uint8':
      return { type, dims, data: Uint8Array.from({ length: size }, whole) };
    case 'int16':
      return { type, dims, data: Int16Array.from({ length: size }, whole) };
    case 'uint16':
      return { type, dims, data: Uint16Array.from({ length: size }, whole) };
    case 'int32':
      return { type, dims, data: Int32Array.from({ length: size }, whole) };
    case 'uint32':
      return { type, dims, data: Uint32Array.from({ length: size }, whole) };
    case 'int64':
      return { type, dims, data: BigInt64Array.from({ length: size }, () => BigInt(whole())) };
    case 'uint64':
      return { type, dims, data: BigUint64Array.from({ length: size }, () => BigInt(whole())) };
    case 'bool':
      return { type, dims, data: Uint8Array.from({ length: size }, () => whole() % 2) };
    case 'string':
      return { type, dims, data: Array.from({ length: size }, () => words[random.bits() % words.length] ?? '') };
  }
}
