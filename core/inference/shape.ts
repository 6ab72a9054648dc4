import type { MessageLimits } from './limits.ts';
import { FaultError, shown } from './message-error.ts';

/** ONNX Runtime holds sizes as 64-bit integers; a single one above this can't be meant. */
const largestSize = 2 ** 31 - 1;

/** Elements of a shape somebody sent, before anything is allocated by it. */
export function elementsOf(shape: unknown, limits: MessageLimits, key: string): number {
  if (!Array.isArray(shape)) {
    throw new FaultError({
      code: 'bad-shape',
      message: 'a tensor needs its shape',
      key,
      found: shown(shape),
      expected: 'an array of whole numbers such as [1, 30]',
      fix: 'Give "shape": the size of each dimension, the batch included.',
    });
  }
  if (shape.length > limits.dimensions) {
    throw new FaultError({
      code: 'too-many-dimensions',
      message: 'the shape has too many dimensions',
      key,
      found: String(shape.length),
      expected: `at most ${limits.dimensions}`,
      fix: 'Send a tensor with the number of dimensions that the model metadata tells.',
    });
  }
  let elements = 1;
  let empty = false;
  for (let index = 0; index < shape.length; index++) {
    const size: unknown = shape[index];
    if (typeof size !== 'number' || !Number.isInteger(size) || size < 0 || size > largestSize) {
      throw new FaultError({
        code: 'bad-shape',
        message: 'a size of the shape is not a whole number',
        key: `${key}[${index}]`,
        found: shown(size),
        expected: `a whole number from 0 to ${largestSize}`,
        fix: 'Give the real size of every dimension of the data; -1 is for metadata only.',
      });
    }
    if (size === 0) empty = true;
    // Stops growing long before a double is inexact.
    else if (elements <= limits.elements) elements *= size;
  }
  if (empty) return 0;
  if (elements > limits.elements) {
    throw new FaultError({
      code: 'too-many-elements',
      message: 'the shape has too many elements',
      key,
      found: `[${shape.slice(0, 8).join(', ')}${shape.length > 8 ? ', …' : ''}]`,
      expected: `at most ${limits.elements}`,
      fix: 'Split the batch into several requests.',
    });
  }
  return elements;
}
