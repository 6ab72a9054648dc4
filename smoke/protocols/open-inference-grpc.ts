import { said } from '../../core/http/index.ts';
import {
  decodeGrpc,
  decodeModelInferResponse,
  encodeGrpc,
  encodeModelInferRequest,
  specsOfMetadata,
} from '../../core/inference/index.ts';
import type { Feeds } from '../../core/onnx/index.ts';
import { PeerError, type Problem } from '../../core/problem/index.ts';
import { modelName } from '../model-name.ts';
import type { Answer, Readiness, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { type GrpcAnswer, GrpcChannel, type GrpcChannelOptions } from './grpc-channel.ts';
import { readingAnswer } from './open-inference-http.ts';

export interface InferenceGrpcOptions extends GrpcChannelOptions {
  /** Tensors as raw contents, else as typed contents where their type has such. @default true */
  readonly raw?: boolean;
}

/**
 * The Open Inference Protocol v2 over gRPC (Triton, MLServer, KServe, `sluice serve`): GRPCInferenceService with raw contents, which all
 * of them take. The load generator cannot send it (`wire` gives nothing).
 *
 * Throws an InputError when the target names no model, or its URL is not `grpc://HOST:PORT` or `grpcs://HOST:PORT`.
 */
export function openInferenceGrpc(target: Target, options: InferenceGrpcOptions = {}): TensorProtocol {
  const name = modelName(target, 'v2-grpc');
  const channel = new GrpcChannel(target, options);
  const version = target.version ?? '';
  const { hide } = channel;
  const infer = (feeds: Feeds, model = name): Promise<GrpcAnswer> =>
    channel.call(
      'ModelInfer',
      encodeModelInferRequest({ modelName: model, modelVersion: version, feeds, raw: options.raw ?? true }),
    );

  const ready = async (): Promise<Readiness> => {
    const answer = await channel.call('ModelReady', encodeGrpc('ModelReadyRequest', { name, version }));
    const { bytes } = answer;
    if (bytes !== undefined && readingAnswer(hide, () => decodeGrpc('ModelReadyResponse', bytes).ready)) {
      return { ready: true };
    }
    // A model that loads and one that is not there look the same (MLServer: UNKNOWN); their metadata do not.
    if (bytes !== undefined || answer.code === 'UNKNOWN') {
      const metadata = await channel.call('ModelMetadata', encodeGrpc('ModelMetadataRequest', { name, version }));
      if (metadata.bytes === undefined) return notReady(metadata.code, metadata.refusal);
    }
    return answer.bytes === undefined ? notReady(answer.code, answer.refusal) : notReady('OK', 'ready is false');
  };

  return {
    kind: 'tensor',
    name: 'v2-grpc',
    ready: () =>
      ready().catch((cause: unknown) => {
        if (cause instanceof PeerError) return { ready: false, problem: cause.problems[0] };
        throw cause;
      }),
    describe: async () => {
      const answer = await channel.call('ModelMetadata', encodeGrpc('ModelMetadataRequest', { name, version }));
      if (answer.bytes === undefined) {
        throw new PeerError({
          code: 'no-metadata',
          message: `the server does not tell of its model (${answer.code})`,
          found: answer.refusal,
          fix: 'Check the name and the version of the model.',
        });
      }
      const told = readingAnswer(hide, () => decodeGrpc('ModelMetadataResponse', answer.bytes));
      const inputs = specsOfMetadata(told.inputs);
      const outputs = specsOfMetadata(told.outputs);
      return {
        ...(told.name === '' ? {} : { name: told.name }),
        ...(told.platform === '' ? {} : { platform: told.platform }),
        ...(told.versions.length === 0 ? {} : { versions: told.versions }),
        ...(inputs === undefined ? {} : { inputs }),
        ...(outputs === undefined ? {} : { outputs }),
      };
    },
    infer: async (feeds) => {
      const answer = await infer(feeds);
      if (answer.bytes === undefined) return refused(answer);
      return readingAnswer(hide, () => {
        const { outputs, modelVersion } = decodeModelInferResponse(answer.bytes);
        return {
          status: 200,
          milliseconds: answer.milliseconds,
          value: outputs,
          ...(modelVersion === undefined ? {} : { modelVersion: said(modelVersion, hide) }),
        };
      });
    },
    malformed: () => {
      const send = async (feeds: Feeds, model?: string): Promise<Answer<unknown>> => {
        const answer = await infer(feeds, model);
        if (answer.bytes === undefined) return refused(answer);
        return { status: 200, milliseconds: answer.milliseconds, value: answer.bytes };
      };
      const unknownInput: Feeds = {
        'no-input-has-this-name': { type: 'float32', dims: [1, 1], data: Float32Array.of(1) },
      };
      return [
        { title: 'a request without inputs', send: () => send({}) },
        { title: 'an unknown input', send: () => send(unknownInput) },
        { title: 'an unknown model', send: () => send(unknownInput, 'no-model-has-this-name') },
      ];
    },
    wire: () => undefined,
    [Symbol.asyncDispose]: () => channel[Symbol.asyncDispose](),
  };
}

function refused<Value>({
  status,
  milliseconds,
  refusal,
}: Exclude<GrpcAnswer, { readonly bytes: Uint8Array }>): Answer<Value> {
  return { status, milliseconds, refusal };
}

const fixes: Readonly<Record<string, string>> = {
  UNAUTHENTICATED: 'Give the token as a header (`Authorization: Bearer ...`).',
  PERMISSION_DENIED: 'Give a token that may use this model.',
  NOT_FOUND: 'Correct the name and the version of the model, or load it.',
  UNIMPLEMENTED: 'Check that the port is that of a server for the Open Inference Protocol v2.',
};

function notReady(code: string, found: string): Readiness {
  const problem: Problem = {
    code: 'not-ready',
    message: `the server is not ready${code === 'OK' ? '' : ` (${code})`}`,
    found,
    fix: fixes[code] ?? "Wait longer, or read in the server's log why the model does not load.",
  };
  return { ready: false, status: code, problem };
}
