import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { Feeds, Tensor } from '../onnx/index.ts';
import { datatypeOf } from './datatype.ts';
import { contentsOfTensor, hasContents, tensorOfContents } from './grpc-contents.ts';
import type { InferRequest, RequestedOutput } from './infer-request.ts';
import type { InferAnswer, InferResponse } from './infer-response.ts';
import { type MessageLimits, messageLimits } from './limits.ts';
import { decoding, eachOf, FaultError } from './message-error.ts';
import { rawOfTensor, tensorOfRaw } from './raw-data.ts';
import { headOf, nameOf } from './wire-tensor.ts';

/** A ModelInferRequest as it came. */
export interface GrpcInferRequest extends InferRequest {
  readonly modelName: string;
  /** Empty: the server chooses. */
  readonly modelVersion: string;
  /** The inputs came as raw contents; the answer is to be coded alike. */
  readonly raw: boolean;
}

/**
 * Reads a ModelInferRequest, raw or typed. ModelInfer's two messages are read here and not by protobufjs: values go straight into their
 * typed arrays, and what a few bytes may claim (a million inputs, a 64-bit integer object for each byte) is bounded.
 * @throws MessageError with every fault found, never anything else
 */
export function decodeModelInferRequest(bytes: Uint8Array, limits: MessageLimits = messageLimits): GrpcInferRequest {
  return decoding('ModelInferRequest', () => {
    const reader = new BinaryReader(bytes);
    let modelName = '';
    let modelVersion = '';
    let id = '';
    const parameters: Record<string, unknown> = Object.create(null);
    const inputs: WireTensor[] = [];
    const requested: Uint8Array[] = [];
    const raw: Uint8Array[] = [];
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited || field > 7) reader.skip(wireType, field);
      else if (field === 1) modelName = reader.string(true);
      else if (field === 2) modelVersion = reader.string(true);
      else if (field === 3) id = reader.string(true);
      else if (field === 4) readParameter(reader.bytes(), parameters, limits);
      else if (field === 5) add(inputs, readTensor(reader.bytes(), limits), 'inputs', limits);
      else if (field === 6) add(requested, reader.bytes(), 'outputs', limits);
      else add(raw, reader.bytes(), 'raw_input_contents', limits);
    }
    const outputs = readRequestedOutputs(requested, limits);
    return {
      modelName,
      modelVersion,
      ...(id === '' ? undefined : { id }),
      feeds: tensorsOf(inputs, raw, 'inputs', limits),
      ...(outputs.length === 0 ? undefined : { outputs }),
      binaryOutput: true,
      parameters,
      raw: raw.length > 0 || inputs.length === 0,
    };
  });
}

/** Writes a ModelInferRequest. @param request.raw raw contents, which every server takes; else typed. @default true */
export function encodeModelInferRequest(request: {
  readonly modelName: string;
  readonly modelVersion?: string;
  readonly id?: string;
  readonly feeds: Feeds;
  readonly outputs?: readonly string[];
  readonly raw?: boolean;
}): Uint8Array {
  const { modelName, modelVersion = '', id = '', feeds, outputs = [], raw = true } = request;
  const writer = new BinaryWriter();
  writeHead(writer, modelName, modelVersion, id);
  const payloads = writeTensors(writer, feeds, raw);
  for (const name of outputs) {
    writer.tag(6, WireType.LengthDelimited).fork();
    text(writer, 1, name);
    writer.join();
  }
  for (const payload of payloads) writer.tag(7, WireType.LengthDelimited).bytes(payload);
  return writer.finish();
}

/** Writes a ModelInferResponse. @param raw raw contents, else typed ones as far as every output has such. */
export function encodeModelInferResponse(answer: InferAnswer, raw: boolean): Uint8Array {
  const { modelName, modelVersion, id = '', outputs } = answer;
  const writer = new BinaryWriter();
  writeHead(writer, modelName, modelVersion, id);
  for (const payload of writeTensors(writer, outputs, raw)) writer.tag(6, WireType.LengthDelimited).bytes(payload);
  return writer.finish();
}

/** Reads a ModelInferResponse, raw or typed. @throws MessageError with every fault found, never anything else */
export function decodeModelInferResponse(bytes: Uint8Array, limits: MessageLimits = messageLimits): InferResponse {
  return decoding('ModelInferResponse', () => {
    const reader = new BinaryReader(bytes);
    let modelName = '';
    let modelVersion = '';
    let id = '';
    const outputs: WireTensor[] = [];
    const raw: Uint8Array[] = [];
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited || field > 6 || field === 4) reader.skip(wireType, field);
      else if (field === 1) modelName = reader.string(true);
      else if (field === 2) modelVersion = reader.string(true);
      else if (field === 3) id = reader.string(true);
      else if (field === 5) add(outputs, readTensor(reader.bytes(), limits), 'outputs', limits);
      else add(raw, reader.bytes(), 'raw_output_contents', limits);
    }
    return {
      ...(modelName === '' ? undefined : { modelName }),
      ...(modelVersion === '' ? undefined : { modelVersion }),
      ...(id === '' ? undefined : { id }),
      outputs: tensorsOf(outputs, raw, 'outputs', limits),
    };
  });
}

/** InferInputTensor and InferOutputTensor have the same fields. */
interface WireTensor {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly contents: readonly Uint8Array[];
}

function readTensor(bytes: Uint8Array, limits: MessageLimits): WireTensor {
  const reader = new BinaryReader(bytes);
  let name = '';
  let datatype = '';
  const shape: number[] = [];
  const contents: Uint8Array[] = [];
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 3 && wireType === WireType.Varint) addSize(shape, reader, limits);
    else if (wireType !== WireType.LengthDelimited) reader.skip(wireType, field);
    else if (field === 1) name = reader.string(true);
    else if (field === 2) datatype = reader.string(true);
    else if (field === 3) {
      const packed = new BinaryReader(reader.bytes());
      while (packed.pos < packed.len) addSize(shape, packed, limits);
    } else if (field === 5) add(contents, reader.bytes(), 'contents', limits);
    else reader.skip(wireType, field);
  }
  return { name, datatype, shape, contents };
}

function addSize(shape: number[], reader: BinaryReader, limits: MessageLimits): void {
  // One more than allowed is enough for the shape to be refused with its reason.
  const size = Number(reader.int64());
  if (shape.length <= limits.dimensions) shape.push(size);
}

function add<Item>(list: Item[], item: Item, what: string, limits: MessageLimits): void {
  if (list.push(item) <= limits.tensors) return;
  throw new FaultError({
    code: 'too-many-tensors',
    message: `there are too many ${what}`,
    expected: `at most ${limits.tensors}`,
    fix: 'Send only the tensors that the model metadata tells.',
  });
}

function tensorsOf(
  tensors: readonly WireTensor[],
  raw: readonly Uint8Array[],
  list: 'inputs' | 'outputs',
  limits: MessageLimits,
): Readonly<Record<string, Tensor>> {
  if (raw.length > 0 && raw.length !== tensors.length) {
    throw new FaultError({
      code: 'raw-count',
      message: 'raw contents are given for some tensors only',
      found: `${raw.length} raw contents`,
      expected: `${tensors.length}, one for each of the ${list}`,
      fix: 'Send raw contents for every tensor, in the order of the tensors, or typed contents for every tensor.',
    });
  }
  const decoded: Record<string, Tensor> = Object.create(null);
  eachOf(tensors, ({ name, datatype, shape, contents }, index) => {
    const key = `${list}[${index}]`;
    const head = headOf(datatype, shape, key, limits);
    const payload = raw[index];
    // MLServer 1.7 sends an empty `contents` beside every raw one.
    if (payload !== undefined && contents.some(({ length }) => length > 0)) {
      throw new FaultError({
        code: 'data-twice',
        message: 'a tensor has both typed and raw contents',
        key,
        fix: 'Send its values once: raw or typed.',
      });
    }
    decoded[nameOf(name, (candidate) => candidate in decoded, key)] =
      payload === undefined
        ? tensorOfContents(head, contents, key)
        : tensorOfRaw(head.type, head.dims, head.elements, payload, `${key} raw contents`);
  });
  return decoded;
}

function readRequestedOutputs(messages: readonly Uint8Array[], limits: MessageLimits): readonly RequestedOutput[] {
  const seen = new Set<string>();
  eachOf(messages, (bytes, index) => {
    const reader = new BinaryReader(bytes);
    let name = '';
    const parameters: Record<string, unknown> = Object.create(null);
    while (reader.pos < reader.len) {
      const [field, wireType] = reader.tag();
      if (wireType !== WireType.LengthDelimited || field > 2) reader.skip(wireType, field);
      else if (field === 1) name = reader.string(true);
      else readParameter(reader.bytes(), parameters, limits);
    }
    if (parameters['classification'] !== undefined && Number(parameters['classification']) !== 0) {
      throw new FaultError({
        code: 'unsupported-extension',
        message: 'this server has no classification extension',
        key: `outputs[${index}].parameters`,
        fix: 'Ask for the scores and take the largest yourself.',
      });
    }
    seen.add(nameOf(name, (candidate) => seen.has(candidate), `outputs[${index}]`));
  });
  return [...seen].map((name) => ({ name, binary: true }));
}

/** One entry of a map from text to InferParameter. */
function readParameter(bytes: Uint8Array, into: Record<string, unknown>, limits: MessageLimits): void {
  const reader = new BinaryReader(bytes);
  let name = '';
  let value: unknown;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.LengthDelimited) name = reader.string(true);
    else if (field === 2 && wireType === WireType.LengthDelimited) value = parameterOf(reader.bytes());
    else reader.skip(wireType, field);
  }
  if (Object.keys(into).length < limits.tensors) into[name] = value;
}

function parameterOf(bytes: Uint8Array): unknown {
  const reader = new BinaryReader(bytes);
  let value: unknown;
  while (reader.pos < reader.len) {
    const [field, wireType] = reader.tag();
    if (field === 1 && wireType === WireType.Varint) value = reader.bool();
    else if (field === 2 && wireType === WireType.Varint) value = reader.int64();
    else if (field === 3 && wireType === WireType.LengthDelimited) value = reader.string(true);
    else if (field === 4 && wireType === WireType.Bit64) value = reader.double();
    else if (field === 5 && wireType === WireType.Varint) value = reader.uint64();
    else reader.skip(wireType, field);
  }
  return value;
}

function writeHead(writer: BinaryWriter, modelName: string, modelVersion: string, id: string): void {
  text(writer, 1, modelName);
  text(writer, 2, modelVersion);
  text(writer, 3, id);
}

/** Writes the tensors (field 5 of both messages) and gives back the raw contents, which follow them. */
function writeTensors(
  writer: BinaryWriter,
  tensors: Readonly<Record<string, Tensor>>,
  raw: boolean,
): readonly Uint8Array[] {
  const entries = Object.entries(tensors);
  // Raw and typed contents can't be mixed in one message.
  const typed = !raw && entries.every(([, tensor]) => hasContents(tensor.type));
  for (const [name, tensor] of entries) {
    writer.tag(5, WireType.LengthDelimited).fork();
    text(writer, 1, name);
    text(writer, 2, datatypeOf(tensor.type));
    if (tensor.dims.length > 0) {
      writer.tag(3, WireType.LengthDelimited).fork();
      for (const size of tensor.dims) writer.int64(size);
      writer.join();
    }
    if (typed) writer.tag(5, WireType.LengthDelimited).bytes(contentsOfTensor(tensor));
    writer.join();
  }
  return typed ? [] : entries.map(([, tensor]) => rawOfTensor(tensor));
}

/** proto3 leaves out what is empty. */
function text(writer: BinaryWriter, field: number, value: string): void {
  if (value !== '') writer.tag(field, WireType.LengthDelimited).string(value);
}
