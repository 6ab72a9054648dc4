import { encodeInferResponse } from '../../core/inference/index.ts';
import type { Outputs } from '../../core/onnx/index.ts';
import { conformanceAnswer, type HttpRoutes } from '../conformance.ts';

/** For tests: what the conformance model answers, `rows` of them. */
export function conformanceOutputs(rows?: number): Outputs {
  const { label, probabilities } = conformanceAnswer(rows);
  return {
    label: { type: 'int64', dims: [label.length], data: BigInt64Array.from(label, BigInt) },
    probabilities: { type: 'float32', dims: [label.length, 2], data: Float32Array.from(probabilities.flat()) },
  };
}

/** For tests: the metadata of the conformance model. */
export const conformanceMetadata = {
  name: 'model',
  versions: ['1', '2'],
  platform: 'onnxruntime_onnx',
  inputs: [{ name: 'x', datatype: 'FP32', shape: [-1, 3] }],
  outputs: [
    { name: 'label', datatype: 'INT64', shape: [-1] },
    { name: 'probabilities', datatype: 'FP32', shape: [-1, 2] },
  ],
};

/** For tests: a server of the Open Inference Protocol v2 as KServe 0.21 answers. */
export const kserveV2: HttpRoutes = {
  isInference: ({ method, path }) => method === 'POST' && path.endsWith('/infer'),
  control: ({ path }) =>
    path.endsWith('/ready')
      ? { status: 200, body: '{"name":"model","ready":true}' }
      : { status: 200, body: JSON.stringify(conformanceMetadata) },
  loading: { status: 503, body: '{"error":"Model with name model is not ready."}' },
  infer: ({ headers }, rows) => {
    const binary = headers['inference-header-content-length'] !== undefined;
    const answer = { modelName: 'model', modelVersion: '2', outputs: conformanceOutputs(rows) };
    const { body, headers: own } = encodeInferResponse(answer, () => binary);
    return { status: 200, headers: own, body };
  },
  refusal: { status: 400, body: '{"error":"Input data contains references to non-existing inputs"}' },
  failure: {
    status: 500,
    body: '{"error":"InvalidArgument : [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: x"}',
  },
};
