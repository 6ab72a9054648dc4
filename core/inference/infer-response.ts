import type { Outputs, Tensor } from '../onnx/index.ts';
import { BinaryParts, type HttpMessage, httpMessage, partsOf } from './http-message.ts';
import { parseJson } from './json-text.ts';
import { type MessageLimits, messageLimits } from './limits.ts';
import { decoding, eachOf } from './message-error.ts';
import { decodeTensor, encodeTensor, listOf, nameOf, objectOf } from './wire-tensor.ts';

/** What a model answered, on its way into a response. */
export interface InferAnswer {
  readonly modelName: string;
  readonly modelVersion: string;
  readonly id?: string;
  readonly outputs: Outputs;
}

/**
 * Writes an infer response: the outputs in the order of their object.
 * @param binary which outputs go as binary data after the JSON; none by default
 */
export function encodeInferResponse(answer: InferAnswer, binary?: (output: string) => boolean): HttpMessage {
  const { modelName, modelVersion, id, outputs } = answer;
  const parts: Uint8Array[] = [];
  let json = `{"model_name":${JSON.stringify(modelName)},"model_version":${JSON.stringify(modelVersion)}`;
  if (id !== undefined) json += `,"id":${JSON.stringify(id)}`;
  json += ',"outputs":[';
  let separator = '';
  for (const name of Object.keys(outputs)) {
    const tensor = outputs[name];
    if (tensor === undefined) continue;
    json += separator + encodeTensor(name, tensor, binary?.(name) === true ? parts : undefined);
    separator = ',';
  }
  return httpMessage(`${json}]}`, parts);
}

/** What a server answered; parts it left out are absent. */
export interface InferResponse {
  readonly modelName?: string;
  readonly modelVersion?: string;
  readonly id?: string;
  readonly outputs: Outputs;
}

/**
 * Reads the body of an infer response, JSON or binary, flat or nested.
 * @param headerLength the header `Inference-Header-Content-Length` of the response, if there was one
 * @throws MessageError with every fault found, never anything else
 */
export function decodeInferResponse(
  body: Uint8Array,
  headerLength?: string,
  limits: MessageLimits = messageLimits,
): InferResponse {
  return decoding('infer response', () => {
    const { json, binary } = partsOf(body, headerLength);
    const document = parseJson(json, 'infer response');
    const message = objectOf(document.value, '');
    const parts = new BinaryParts(binary);
    const outputs: Record<string, Tensor> = Object.create(null);
    eachOf(listOf(message['outputs'], 'outputs', limits), (entry, index) => {
      const output = objectOf(entry, `outputs[${index}]`);
      const tensor = decodeTensor(output, 'outputs', index, document, parts, limits);
      outputs[nameOf(output['name'], (name) => name in outputs, `outputs[${index}]`)] = tensor;
    });
    parts.end();
    const { model_name: modelName, model_version: modelVersion, id } = message;
    return {
      ...(typeof modelName === 'string' ? { modelName } : undefined),
      ...(typeof modelVersion === 'string' ? { modelVersion } : undefined),
      ...(typeof id === 'string' ? { id } : undefined),
      outputs,
    };
  });
}
