import { ModelError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { readTextFormat, TextFormatError, type TextMessage, type TextValue } from './protobuf-text.ts';

/** Which versions of a model are served. Triton's default is the newest one. */
export type VersionPolicy =
  | { readonly kind: 'latest'; readonly count: number }
  | { readonly kind: 'all' }
  | { readonly kind: 'specific'; readonly versions: readonly string[] };

/** What Triton's `config.pbtxt` says that this server goes by. */
export interface ModelConfig {
  readonly versionPolicy: VersionPolicy;
  /** Rows in one batch at most; 0 or 1 turns batching off. Undefined: not given. */
  readonly maxBatchSize?: number;
  readonly maxQueueDelayUs?: number;
  /** A batch of one of these sizes does not wait for more. Ascending. */
  readonly preferredBatchSizes?: readonly number[];
}

export const defaultConfig: ModelConfig = { versionPolicy: { kind: 'latest', count: 1 } };

const onnxNames = new Set(['onnxruntime_onnx', 'onnxruntime', 'onnx', 'ort']);
const largestNumber = 2 ** 31 - 1;

/**
 * Reads a `config.pbtxt`. Fields this server has no use for are ignored. Throws a ModelError when the text cannot be read, a number is out
 * of range, or the model is for another backend than ONNX Runtime. `file` is how messages call it.
 */
export function readModelConfig(text: string, file: string): ModelConfig {
  let config: TextMessage;
  try {
    config = readTextFormat(text);
  } catch (cause) {
    if (!(cause instanceof TextFormatError)) throw cause;
    throw new ModelError({
      code: 'bad-model-config',
      message: 'the model configuration is not in protobuf text format',
      place: { file, line: cause.line },
      found: excerpt(cause.message, 200),
      fix: "Write it as Triton's documentation of the model configuration shows.",
    });
  }
  checkBackend(config, file);
  const maxBatchSize = wholeNumber(config, 'max_batch_size', 0, file);
  const batching = messageIn(config, 'dynamic_batching');
  const delay = batching && wholeNumber(batching, 'max_queue_delay_microseconds', 0, file);
  const preferred = batching
    ?.get('preferred_batch_size')
    ?.map((value) => number('preferred_batch_size', value, 1, file));
  return {
    versionPolicy: versionPolicyOf(messageIn(config, 'version_policy'), file),
    ...(maxBatchSize === undefined ? {} : { maxBatchSize }),
    ...(delay === undefined ? {} : { maxQueueDelayUs: delay }),
    ...(preferred === undefined ? {} : { preferredBatchSizes: preferred.toSorted((a, b) => a - b) }),
  };
}

function checkBackend(config: TextMessage, file: string): void {
  for (const field of ['backend', 'platform']) {
    const name = config.get(field)?.at(-1);
    if (typeof name !== 'string' || name === '' || onnxNames.has(name)) continue;
    throw new ModelError({
      code: 'other-backend',
      message: 'the model is not for ONNX Runtime',
      place: { file, key: field },
      found: excerpt(name),
      expected: field === 'backend' ? 'onnxruntime' : 'onnxruntime_onnx',
      fix: 'Export the model to ONNX, or serve it with Triton.',
    });
  }
}

function versionPolicyOf(policy: TextMessage | undefined, file: string): VersionPolicy {
  if (policy?.has('all') === true) return { kind: 'all' };
  const specific = policy && messageIn(policy, 'specific');
  if (specific !== undefined) {
    const versions = specific.get('versions') ?? [];
    return { kind: 'specific', versions: versions.map((value) => String(number('versions', value, 1, file))) };
  }
  const latest = policy && messageIn(policy, 'latest');
  return { kind: 'latest', count: (latest && wholeNumber(latest, 'num_versions', 1, file)) ?? 1 };
}

function messageIn(message: TextMessage, field: string): TextMessage | undefined {
  const value = message.get(field)?.at(-1);
  return typeof value === 'string' ? undefined : value;
}

function wholeNumber(message: TextMessage, field: string, least: number, file: string): number | undefined {
  const value = message.get(field)?.at(-1);
  return value === undefined ? undefined : number(field, value, least, file);
}

function number(field: string, value: TextValue, least: number, file: string): number {
  const written = typeof value === 'string' ? value : 'a message';
  const found = /^\d{1,15}$/.test(written) ? Number(written) : Number.NaN;
  if (found >= least && found <= largestNumber) return found;
  throw new ModelError({
    code: 'bad-model-config',
    message: `${field} of the model configuration is no usable number`,
    place: { file, key: field },
    found: excerpt(written),
    expected: `a whole number from ${least} to ${largestNumber}`,
    fix: 'Correct the number.',
  });
}
