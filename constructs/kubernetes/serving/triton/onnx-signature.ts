import { readModelFacts, type TensorSpec } from '../../../../core/onnx/index.ts';
import { ModelError, type Problem } from '../../../../core/problem/index.ts';
import { excerpt } from '../../../../core/text/index.ts';
import type { TritonTensor, TritonType } from './triton-model.ts';

/** What Triton calls the element types an ONNX model may have. */
const types: Readonly<Record<string, TritonType>> = {
  bool: 'BOOL',
  uint8: 'UINT8',
  uint16: 'UINT16',
  uint32: 'UINT32',
  uint64: 'UINT64',
  int8: 'INT8',
  int16: 'INT16',
  int32: 'INT32',
  int64: 'INT64',
  float16: 'FP16',
  float32: 'FP32',
  float64: 'FP64',
  string: 'STRING',
  bfloat16: 'BF16',
};

/** What an ONNX file says of itself, as Triton's configuration has it. */
export interface OnnxSignature {
  readonly maxBatchSize: number;
  readonly inputs: readonly TritonTensor[];
  readonly outputs: readonly TritonTensor[];
  /** Of the file: what `ModelFile.sha256` must be. */
  readonly sha256: string;
}

/**
 * Names, types and dims of an ONNX file, read without running it.
 *
 * @example
 * const signature = await onnxSignature('models/churn.onnx', { maxBatchSize: 32 });
 * const model = { name: 'churn', backend: 'onnxruntime', ...signature, versions: [...] };
 *
 * @param maxBatchSize 0: the dims are taken whole; more: the first of each is the batch's and left out
 * @throws ModelError when the file cannot be read, has a tensor that Triton cannot take, or cannot be batched so
 */
export async function onnxSignature(
  file: string,
  { maxBatchSize }: { readonly maxBatchSize: number },
): Promise<OnnxSignature> {
  const { inputs, outputs, sha256 } = await readModelFacts(file);
  const problems: Problem[] = [];
  const tensors = (specs: readonly TensorSpec[]): readonly TritonTensor[] =>
    specs.flatMap((spec) => {
      const tensor = tensorOf(spec, maxBatchSize);
      if ('code' in tensor) problems.push({ ...tensor, place: { file, key: spec.name } });
      return 'code' in tensor ? [] : [tensor];
    });
  const signature = { maxBatchSize, inputs: tensors(inputs), outputs: tensors(outputs), sha256 };
  const [first, ...rest] = problems;
  if (first !== undefined) throw new ModelError([first, ...rest]);
  return signature;
}

function tensorOf(spec: TensorSpec, maxBatchSize: number): TritonTensor | Problem {
  const type = types[spec.type];
  if (type === undefined) {
    return {
      code: 'no-triton-type',
      message: 'Triton has no such type',
      found: excerpt(spec.type),
      expected: 'a tensor of numbers, booleans or strings',
      fix: 'Export the model without it; for scikit-learn with the option zipmap=False.',
    };
  }
  if (spec.unranked === true) {
    return {
      code: 'unknown-rank',
      message: 'the file does not say how many dimensions the tensor has',
      fix: 'Write inputs and outputs out by hand, or export the model with its shapes.',
    };
  }
  const sizes = spec.shape.map((size) => (typeof size === 'number' ? size : -1));
  if (maxBatchSize === 0) return withDims(spec.name, type, sizes);
  const [batch, ...dims] = sizes;
  if (batch === -1) return withDims(spec.name, type, dims);
  return {
    code: 'no-batch-dimension',
    message: 'the first dimension is fixed, so requests cannot be batched',
    found: batch === undefined ? 'no dimension' : String(batch),
    expected: 'any size',
    fix: 'Export the model with a dynamic batch dimension, or set maxBatchSize to 0.',
  };
}

/** Triton's dims cannot be empty: one number a row is written as [ 1 ] and reshaped. */
function withDims(name: string, type: TritonType, dims: readonly number[]): TritonTensor {
  return dims.length === 0 ? { name, type, dims: [1], reshape: [] } : { name, type, dims };
}
