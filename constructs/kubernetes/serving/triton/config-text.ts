import {
  backends,
  type InstanceGroup,
  type TritonBackendModel,
  type TritonModel,
  type TritonTensor,
} from './triton-model.ts';

/** A value in protobuf's text format. `word`: an enum's name. Messages are their fields in order; undefined ones are left out. */
type TextValue = string | number | boolean | { readonly word: string } | readonly TextValue[] | TextFields;
interface TextFields {
  readonly fields: readonly (readonly [name: string, value: TextValue | undefined])[];
}

/**
 * The `config.pbtxt` of a model. Fields and numbers: model_config.proto of Triton's `common` repository.
 */
export function modelConfigText(model: TritonModel): string {
  return write(modelFields(model), 0);
}

function modelFields(model: TritonModel): TextFields {
  const own = model.ensemble === undefined ? backendFields(model) : ensembleFields(model);
  return message([
    ['name', model.name],
    ...own.head,
    ['max_batch_size', model.maxBatchSize],
    ...model.inputs.map((each) => ['input', tensor(each)] as const),
    ...model.outputs.map((each) => ['output', tensor(each)] as const),
    ...own.tail,
    ['response_cache', model.responseCache === true ? message([['enable', true]]) : undefined],
  ]);
}

type Fields = TextFields['fields'];

function backendFields(model: TritonBackendModel): { readonly head: Fields; readonly tail: Fields } {
  const { backend, versionPolicy = 'all', dynamicBatching, sequenceBatching, instanceGroups = [], warmUp = [] } = model;
  const { platform } = backends[backend];
  const policy =
    versionPolicy === 'all'
      ? message([['all', message([])]])
      : 'latest' in versionPolicy
        ? message([['latest', message([['num_versions', versionPolicy.latest]])]])
        : message([['specific', message([['versions', versionPolicy.specific]])]]);
  const queue = dynamicBatching?.queuePolicy;
  const accelerator = model.tensorrtAccelerator;
  return {
    head: [
      ['platform', platform],
      ['backend', backend],
      ['version_policy', policy],
    ],
    tail: [
      [
        'dynamic_batching',
        dynamicBatching &&
          message([
            ['preferred_batch_size', dynamicBatching.preferredBatchSizes],
            ['max_queue_delay_microseconds', dynamicBatching.maxQueueDelayMicroseconds],
            [
              'default_queue_policy',
              queue &&
                message([
                  ['timeout_action', queue.timeoutAction && { word: queue.timeoutAction }],
                  ['default_timeout_microseconds', queue.timeoutMicroseconds],
                  ['max_queue_size', queue.maxQueueSize],
                ]),
            ],
          ]),
      ],
      [
        'sequence_batching',
        sequenceBatching &&
          message([
            ['direct', message([])],
            ['max_sequence_idle_microseconds', sequenceBatching.maxSequenceIdleMicroseconds],
          ]),
      ],
      ...instanceGroups.map((each) => ['instance_group', instances(each)] as const),
      [
        'optimization',
        accelerator &&
          message([
            [
              'execution_accelerators',
              message([
                [
                  'gpu_execution_accelerator',
                  message([
                    ['name', 'tensorrt'],
                    ...parameters({
                      ...(accelerator.precision === undefined ? {} : { precision_mode: accelerator.precision }),
                      ...(accelerator.maxWorkspaceBytes === undefined
                        ? {}
                        : { max_workspace_size_bytes: String(accelerator.maxWorkspaceBytes) }),
                    }).map(([key, value]) => ['parameters', pair(key, value)] as const),
                  ]),
                ],
              ]),
            ],
          ]),
      ],
      ...warmUp.map(
        ({ name, batchSize = 1, data }) =>
          [
            'model_warmup',
            message([
              ['name', name],
              ['batch_size', batchSize],
              ...model.inputs.map(
                (input) =>
                  [
                    'inputs',
                    message([
                      ['key', input.name],
                      [
                        'value',
                        message([
                          ['data_type', type(input)],
                          // A warm-up has to have a size where a request may have any.
                          ['dims', input.dims.map((size) => Math.max(1, size))],
                          [data === 'zero' ? 'zero_data' : 'random_data', true],
                        ]),
                      ],
                    ]),
                  ] as const,
              ),
            ]),
          ] as const,
      ),
      ...parameters(model.parameters ?? {}).map(
        ([key, value]) =>
          [
            'parameters',
            message([
              ['key', key],
              ['value', message([['string_value', value]])],
            ]),
          ] as const,
      ),
    ],
  };
}

function ensembleFields({ ensemble }: Extract<TritonModel, { readonly ensemble: object }>): {
  readonly head: Fields;
  readonly tail: Fields;
} {
  const steps = ensemble.map(
    ({ model, version = -1, inputs, outputs }) =>
      [
        'step',
        message([
          ['model_name', model],
          ['model_version', version],
          ...parameters(inputs).map(([key, value]) => ['input_map', pair(key, value)] as const),
          ...parameters(outputs).map(([key, value]) => ['output_map', pair(key, value)] as const),
        ]),
      ] as const,
  );
  return { head: [['platform', 'ensemble']], tail: [['ensemble_scheduling', message(steps)]] };
}

function tensor(each: TritonTensor): TextFields {
  return message([
    ['name', each.name],
    ['data_type', type(each)],
    ['dims', each.dims],
    ['reshape', each.reshape === undefined ? undefined : message([['shape', each.reshape]])],
    ['optional', each.optional === true ? true : undefined],
  ]);
}

function type({ type: name }: TritonTensor): TextValue {
  return { word: `TYPE_${name}` };
}

function instances({ count, kind, gpus }: InstanceGroup): TextFields {
  return message([
    ['count', count],
    ['kind', { word: `KIND_${kind}` }],
    ['gpus', gpus],
  ]);
}

function parameters(values: Readonly<Record<string, string>>): readonly (readonly [string, string])[] {
  return Object.entries(values).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

function pair(key: string, value: string): TextFields {
  return message([
    ['key', key],
    ['value', value],
  ]);
}

function message(fields: Fields): TextFields {
  return { fields };
}

function write({ fields }: TextFields, depth: number): string {
  const indent = '  '.repeat(depth);
  return fields
    .map(([name, value]) => {
      if (value === undefined) return '';
      return isMessage(value)
        ? `${indent}${name} {\n${write(value, depth + 1)}${indent}}\n`
        : `${indent}${name}: ${written(value)}\n`;
    })
    .join('');
}

function written(value: Exclude<TextValue, TextFields>): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'object' && 'word' in value) return value.word;
  if (typeof value === 'object')
    return `[${value.map((each) => (isMessage(each) ? '' : ` ${written(each)}`)).join(',')} ]`;
  return String(value);
}

function isMessage(value: TextValue): value is TextFields {
  return typeof value === 'object' && 'fields' in value;
}

/** Bytes that are no printable ASCII as octal escapes, which every reader of the text format knows. */
function quoted(text: string): string {
  const escaped = Array.from(Buffer.from(text, 'utf8'), (byte) => {
    const sign = String.fromCharCode(byte);
    if (sign === '"' || sign === '\\') return `\\${sign}`;
    return byte >= 0x20 && byte < 0x7f ? sign : `\\${byte.toString(8).padStart(3, '0')}`;
  });
  return `"${escaped.join('')}"`;
}
