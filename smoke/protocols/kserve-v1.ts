import { type HttpOptions, type HttpRequest, openHttp } from '../../core/http/index.ts';
import type { TensorSpec } from '../../core/onnx/index.ts';
import { PeerError } from '../../core/problem/index.ts';
import { exchange, jsonOf, jsonPost, probe, send } from '../json-exchange.ts';
import { memberOf, within } from '../json-selection.ts';
import { columnsJson, readOutputs, rowsJson, unwrapped } from '../json-tensors.ts';
import { modelName } from '../model-name.ts';
import type { ServedModel, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';

export interface KserveV1Options extends HttpOptions {
  /** `instances`: one JSON value a row (`predictions` come back); `inputs`: one array an input (`outputs`). @default 'instances' */
  readonly format?: 'instances' | 'inputs';
}

/**
 * KServe's V1 protocol, which is TensorFlow Serving's REST API: `GET /v1/models/M` and `POST /v1/models/M:predict`. A version goes into
 * the path as `/versions/V`, which only TensorFlow Serving knows. NaN goes as null: KServe's parser takes strict JSON only.
 *
 * TensorFlow Serving tells inputs and outputs (`/v1/models/M/metadata`); KServe does not.
 *
 * References: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol,
 * https://www.tensorflow.org/tfx/serving/api_rest; answers of KServe 0.21 (kserve/protocol/rest/v1_endpoints.py, kserve/errors.py).
 * Throws an InputError when the target names no model.
 */
export function openKserveV1(target: Target, options: KserveV1Options = {}): TensorProtocol {
  const name = modelName(target, 'kserve-v1');
  const http = openHttp(target, options);
  const format = options.format ?? 'instances';
  const version = target.version === undefined ? '' : `/versions/${encodeURIComponent(target.version)}`;
  const model = `/v1/models/${encodeURIComponent(name)}${version}`;
  const predict = (body: string, path = model): HttpRequest => jsonPost(`${path}:predict`, body);
  const request: (input: Parameters<TensorProtocol['wire']>[0]) => HttpRequest = ({ feeds }) =>
    predict(
      format === 'instances'
        ? `{"instances":${rowsJson(feeds, 'strict')}}`
        : `{"inputs":${columnsJson(feeds, 'strict')}}`,
    );

  return {
    kind: 'tensor',
    name: 'kserve-v1',
    ready: () => probe(http, model, { judge: (answer) => whyNotServing(jsonOf(answer, http.hide).value) }),
    describe: async () => {
      const known: ServedModel = { name };
      const answer = await exchange(http, { method: 'GET', path: `${model}/metadata` }, ({ value }) => value).catch(
        (cause: unknown) => {
          // A server that answers this path with a page of its own does not tell either.
          if (cause instanceof PeerError && cause.problems[0].code === 'broken-answer') return undefined;
          throw cause;
        },
      );
      return answer?.value === undefined ? known : { ...known, ...metadataOf(answer.value) };
    },
    infer: (feeds, specs) =>
      exchange(http, request({ feeds, specs }), (json) => readOutputs(within(json, unwrapped), specs, feeds)),
    malformed: () => [
      { title: 'broken JSON', send: () => send(http, predict('{"instances": [[')) },
      { title: 'a request without instances', send: () => send(http, predict('{}')) },
      { title: 'text instead of instances', send: () => send(http, predict('{"instances": "text"}')) },
      {
        title: 'rows of different lengths',
        send: () => send(http, predict('{"instances": [[1.0], [1.0, 2.0, 3.0]]}')),
      },
      {
        title: 'an unknown model',
        send: () => send(http, predict('{"instances": [[1.0]]}', '/v1/models/no-model-has-this-name')),
      },
    ],
    wire: (input) => http.wire(request(input)),
    [Symbol.asyncDispose]: () => http[Symbol.asyncDispose](),
  };
}

/** KServe: `{"name":"m","ready":true}` ("True" before 0.11); TensorFlow Serving: the state of each version. */
function whyNotServing(value: unknown): string | undefined {
  const states = memberOf(value, 'model_version_status');
  if (Array.isArray(states)) {
    if (states.some((each) => memberOf(each, 'state') === 'AVAILABLE')) return undefined;
    const told = states.map((each) => `version ${memberOf(each, 'version')} is ${memberOf(each, 'state')}`);
    return told.join(', ') || 'no version is loaded';
  }
  const ready = memberOf(value, 'ready');
  return ready === undefined || /^true$/i.test(String(ready)) ? undefined : `ready is ${JSON.stringify(ready)}`;
}

function metadataOf(value: unknown): ServedModel {
  const version = memberOf(memberOf(value, 'model_spec'), 'version');
  const signatures = memberOf(memberOf(memberOf(value, 'metadata'), 'signature_def'), 'signature_def');
  const serving = memberOf(signatures, 'serving_default');
  const inputs = tensorsOf(memberOf(serving, 'inputs'));
  const outputs = tensorsOf(memberOf(serving, 'outputs'));
  return {
    platform: 'tensorflow',
    ...(typeof version === 'string' ? { versions: [version] } : {}),
    ...(inputs === undefined ? {} : { inputs }),
    ...(outputs === undefined ? {} : { outputs }),
  };
}

/** tensorflow/core/framework/types.proto. */
const dataTypes: ReadonlyMap<unknown, TensorSpec['type']> = new Map([
  ['DT_FLOAT', 'float32'],
  ['DT_DOUBLE', 'float64'],
  ['DT_HALF', 'float16'],
  ['DT_BFLOAT16', 'bfloat16'],
  ['DT_INT8', 'int8'],
  ['DT_UINT8', 'uint8'],
  ['DT_INT16', 'int16'],
  ['DT_UINT16', 'uint16'],
  ['DT_INT32', 'int32'],
  ['DT_UINT32', 'uint32'],
  ['DT_INT64', 'int64'],
  ['DT_UINT64', 'uint64'],
  ['DT_BOOL', 'bool'],
  ['DT_STRING', 'string'],
]);

/** Undefined when a tensor has a type that ONNX does not have. */
function tensorsOf(value: unknown): readonly TensorSpec[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const specs = Object.entries(value).map(([name, info]): TensorSpec | undefined => {
    const type = dataTypes.get(memberOf(info, 'dtype'));
    const shape = memberOf(info, 'tensor_shape');
    const dims = memberOf(shape, 'dim');
    if (type === undefined) return undefined;
    if (memberOf(shape, 'unknown_rank') === true) return { name, type, shape: [], unranked: true };
    const sizes = Array.isArray(dims) ? dims.map((dim) => Number(memberOf(dim, 'size'))) : [];
    return { name, type, shape: sizes.map((size) => (size >= 0 ? size : '?')) };
  });
  return specs.every((spec) => spec !== undefined) ? specs : undefined;
}
