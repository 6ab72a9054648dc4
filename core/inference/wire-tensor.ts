import type { Tensor } from '../onnx/index.ts';
import { datatypeOf, datatypes, runnableTypeOf } from './datatype.ts';
import type { BinaryParts } from './http-message.ts';
import { jsonOfTensor, tensorOfJson } from './json-data.ts';
import type { JsonDocument } from './json-text.ts';
import type { MessageLimits } from './limits.ts';
import { FaultError, shown } from './message-error.ts';
import { rawOfTensor, tensorOfRaw } from './raw-data.ts';
import { elementsOf } from './shape.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

/** A JSON value that has to be an object. */
export function objectOf(value: unknown, key: string): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new FaultError({
    code: 'wrong-type',
    message: 'a JSON object belongs here',
    key,
    found: shown(value),
    expected: 'an object',
    fix: 'Write it as the Open Inference Protocol describes it.',
  });
}

/** An optional list of at most `limits.tensors` entries. */
export function listOf(value: unknown, key: string, limits: MessageLimits): readonly unknown[] {
  if (!Array.isArray(value) || value.length > limits.tensors) {
    throw new FaultError({
      code: 'wrong-type',
      message: `${key} has to be a list`,
      key,
      found: shown(value),
      expected: `an array of at most ${limits.tensors} objects`,
      fix: `Give "${key}" as an array of tensors.`,
    });
  }
  return value;
}

/** A tensor's name; each only once. */
export function nameOf(name: unknown, taken: (name: string) => boolean, key: string): string {
  if (typeof name !== 'string' || name === '') {
    throw new FaultError({
      code: 'missing-name',
      message: 'a tensor has no name',
      key: `${key}.name`,
      found: shown(name),
      expected: 'a string',
      fix: 'Give the name that the model metadata (GET /v2/models/<model>) tells.',
    });
  }
  if (taken(name)) {
    throw new FaultError({
      code: 'duplicate-tensor',
      message: `the tensor ${JSON.stringify(name)} comes twice`,
      key,
      fix: 'Send each tensor once.',
    });
  }
  return name;
}

/** What all forms of a tensor begin with: its type, its shape and how many elements that makes. */
export function headOf(datatype: unknown, shape: unknown, key: string, limits: MessageLimits): TensorHead {
  const type = typeof datatype === 'string' ? runnableTypeOf(datatype) : undefined;
  if (type === undefined) {
    throw new FaultError({
      code: 'unknown-datatype',
      message: 'the datatype is not one a model can be run with',
      key: `${key}.datatype`,
      found: shown(datatype),
      expected: `one of ${datatypes.join(', ')}`,
      fix: 'Give the datatype that the model metadata tells.',
    });
  }
  const elements = elementsOf(shape, limits, `${key}.shape`);
  return { type, dims: shape as readonly number[], elements };
}

export interface TensorHead {
  readonly type: Tensor['type'];
  readonly dims: readonly number[];
  readonly elements: number;
}

/**
 * One tensor of an HTTP request or response, in JSON or in the bytes after it.
 * @param list which list of the message it stands in; `index` which entry
 */
export function decodeTensor(
  tensor: JsonObject,
  list: 'inputs' | 'outputs',
  index: number,
  document: JsonDocument,
  binary: BinaryParts,
  limits: MessageLimits,
): Tensor {
  const key = `${list}[${index}]`;
  const { parameters } = tensor;
  const binarySize =
    typeof parameters === 'object' && parameters !== null
      ? (parameters as { readonly binary_data_size?: unknown }).binary_data_size
      : undefined;
  // Taken before anything else of this tensor is judged: the next one's bytes stand behind these.
  const bytes =
    binarySize === undefined || binarySize === null
      ? undefined
      : binary.take(binarySize, `${key}.parameters.binary_data_size`);
  const { type, dims, elements } = headOf(tensor['datatype'], tensor['shape'], key, limits);
  if (bytes !== undefined) {
    if (Array.isArray(tensor['data'])) {
      throw new FaultError({
        code: 'data-twice',
        message: 'the tensor has both data and binary_data_size',
        key,
        fix: 'Send its values in the JSON or after it, not both.',
      });
    }
    return tensorOfRaw(type, dims, elements, bytes, key);
  }
  return tensorOfJson(type, dims, elements, {
    data: tensor['data'],
    key: `${key}.data`,
    exact: () => {
      const again = document.exact() as Readonly<Record<string, readonly { readonly data: unknown }[]>>;
      return again[list]?.[index]?.data;
    },
  });
}

/** One tensor of an HTTP message as JSON text; its binary data, if it is to have any, are put into `binary`. */
export function encodeTensor(name: string, tensor: Tensor, binary: Uint8Array[] | undefined): string {
  const head = `{"name":${JSON.stringify(name)},"datatype":"${datatypeOf(tensor.type)}","shape":[${tensor.dims.join(',')}]`;
  if (binary === undefined) return `${head},"data":${jsonOfTensor(tensor)}}`;
  const bytes = rawOfTensor(tensor);
  binary.push(bytes);
  return `${head},"parameters":{"binary_data_size":${bytes.length}}}`;
}
