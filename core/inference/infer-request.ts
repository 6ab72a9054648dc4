import type { Feeds, Tensor } from '../onnx/index.ts';
import { BinaryParts, type HttpMessage, httpMessage, partsOf } from './http-message.ts';
import { parseJson } from './json-text.ts';
import { type MessageLimits, messageLimits } from './limits.ts';
import { decoding, eachOf, FaultError, shown } from './message-error.ts';
import { decodeTensor, encodeTensor, type JsonObject, listOf, nameOf, objectOf } from './wire-tensor.ts';

/** One output a request asks for. */
export interface RequestedOutput {
  readonly name: string;
  /** It is to come as binary data. */
  readonly binary: boolean;
}

/** What somebody asks a model, out of HTTP or gRPC. */
export interface InferRequest {
  readonly id?: string;
  /** The tensors by name; the object has no prototype. Nobody has held them against the model yet. */
  readonly feeds: Feeds;
  /** Undefined: all outputs. Names are not known to exist. */
  readonly outputs?: readonly RequestedOutput[];
  /** Outputs that `outputs` does not name are to come as binary data. */
  readonly binaryOutput: boolean;
  /** Of the request; empty when there are none. Values are whatever was sent. */
  readonly parameters: JsonObject;
}

const noParameters: JsonObject = {};

/**
 * Reads the body of an infer request: `inputs` in JSON, flat or nested, or in binary data after it. Members the protocol does not know
 * are passed over, as servers do.
 * @param headerLength the header `Inference-Header-Content-Length`, if it was sent
 * @throws MessageError with every fault found, never anything else. Memory is bounded by a small multiple of the body.
 */
export function decodeInferRequest(
  body: Uint8Array,
  headerLength?: string,
  limits: MessageLimits = messageLimits,
): InferRequest {
  return decoding('infer request', () => {
    const { json, binary } = partsOf(body, headerLength);
    const document = parseJson(json, 'infer request');
    const message = objectOf(document.value, '');
    const parts = new BinaryParts(binary);
    const feeds: Record<string, Tensor> = Object.create(null);
    eachOf(listOf(message['inputs'], 'inputs', limits), (entry, index) => {
      const key = `inputs[${index}]`;
      const input = objectOf(entry, key);
      const tensor = decodeTensor(refuseSharedMemory(input, key), 'inputs', index, document, parts, limits);
      feeds[nameOf(input['name'], (name) => name in feeds, key)] = tensor;
    });
    parts.end();
    const id = idOf(message['id']);
    const parameters = absent(message['parameters']) ? noParameters : objectOf(message['parameters'], 'parameters');
    const binaryOutput = parameters['binary_data_output'] === true;
    const outputs = message['outputs'];
    return {
      ...(id === undefined ? undefined : { id }),
      feeds,
      // An empty list asks for all, as no list does.
      ...(absent(outputs) || (Array.isArray(outputs) && outputs.length === 0)
        ? undefined
        : { outputs: requestedOutputs(outputs, binaryOutput, limits) }),
      binaryOutput,
      parameters,
    };
  });
}

/** Clients that serialise a class write null for what was not given. */
function absent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function idOf(id: unknown): string | undefined {
  if (absent(id)) return undefined;
  if (typeof id === 'string') return id;
  throw new FaultError({
    code: 'wrong-type',
    message: 'the id of a request is text',
    key: 'id',
    found: shown(id),
    expected: 'a string',
    fix: 'Write the id in quotes, or leave it out.',
  });
}

function requestedOutputs(value: unknown, binaryOutput: boolean, limits: MessageLimits): readonly RequestedOutput[] {
  const requested: RequestedOutput[] = [];
  const seen = new Set<string>();
  eachOf(listOf(value, 'outputs', limits), (entry, index) => {
    const key = `outputs[${index}]`;
    const output = refuseSharedMemory(objectOf(entry, key), key);
    const name = nameOf(output['name'], (candidate) => seen.has(candidate), key);
    const parameters = absent(output['parameters']) ? noParameters : objectOf(output['parameters'], key);
    if (parameters['classification'] !== undefined && parameters['classification'] !== 0) {
      throw unsupported('classification', `${key}.parameters`, 'Ask for the scores and take the largest yourself.');
    }
    seen.add(name);
    const binary = parameters['binary_data'];
    requested.push({ name, binary: typeof binary === 'boolean' ? binary : binaryOutput });
  });
  return requested;
}

function refuseSharedMemory(tensor: JsonObject, key: string): JsonObject {
  const { parameters } = tensor;
  if (typeof parameters === 'object' && parameters !== null && 'shared_memory_region' in parameters) {
    throw unsupported(
      'shared memory',
      `${key}.parameters`,
      'Send and ask for the values in the message, JSON or binary.',
    );
  }
  return tensor;
}

function unsupported(what: string, key: string, fix: string): FaultError {
  return new FaultError({ code: 'unsupported-extension', message: `this server has no ${what} extension`, key, fix });
}

/**
 * Writes an infer request for an HTTP server.
 * @param request.outputs names of the outputs wanted; all by default
 * @param request.binary inputs as binary data and outputs asked for so (Triton's extension `binary_tensor_data`); JSON by default
 */
export function encodeInferRequest(request: {
  readonly id?: string;
  readonly feeds: Feeds;
  readonly outputs?: readonly string[];
  readonly binary?: boolean;
}): HttpMessage {
  const { id, feeds, outputs, binary = false } = request;
  const parts: Uint8Array[] = [];
  const members = [
    ...(id === undefined ? [] : [`"id":${JSON.stringify(id)}`]),
    ...(binary ? ['"parameters":{"binary_data_output":true}'] : []),
    `"inputs":[${Object.entries(feeds).map(([name, tensor]) => encodeTensor(name, tensor, binary ? parts : undefined))}]`,
    ...(outputs === undefined ? [] : [`"outputs":${JSON.stringify(outputs.map((name) => ({ name })))}`]),
  ];
  return httpMessage(`{${members.join(',')}}`, parts);
}
