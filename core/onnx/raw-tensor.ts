import { float16ToNumber, numberToFloat16 } from './float16.ts';
import type { RawData, RawTensor } from './inference.ts';
import type { Tensor } from './tensor.ts';

export function toRaw({ type, data, dims }: Tensor): RawTensor {
  return { type, data: type === 'float16' ? Uint16Array.from(data as Float32Array, numberToFloat16) : data, dims };
}

export function fromRaw({ type, data, dims }: RawTensor): Tensor {
  const numbers: RawData =
    type === 'float16' && data instanceof Uint16Array ? Float32Array.from(data, float16ToNumber) : data;
  // Whoever asks has found the type runnable, and ONNX Runtime pairs each with the array that TensorData says.
  return { type, data: numbers, dims } as Tensor;
}
