import {
  type handleUnaryCall,
  type MethodDefinition,
  type ServiceDefinition,
  status,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  decodeGrpc,
  decodeModelInferRequest,
  encodeGrpc,
  encodeModelInferResponse,
  type GrpcCall,
  type GrpcInferRequest,
  grpcCalls,
  grpcPath,
  tensorMetadata,
} from '../../core/inference/index.ts';
import { excerpt } from '../../core/text/index.ts';
import manifest from '../../package.json' with { type: 'json' };
import type { Engine, InferenceError, ServedVersion } from '../engine/engine.ts';
import { withoutPaths } from '../http/refusal.ts';
import { refused, statusOf, statusOfError } from './grpc-status.ts';

/** An engine, and where it counts what the fronts refuse (`MeteredEngine`), that too. */
export type CallEngine = Engine & {
  refused?(served: ServedVersion | undefined, kind: InferenceError['kind']): void;
};

export interface CallOptions {
  readonly engine: CallEngine;
  /** Models can be loaded and unloaded. */
  readonly modelControl: boolean;
  /** Asked at each call. */
  readonly draining: () => boolean;
}

/** One call, as bytes. */
export type Unary = handleUnaryCall<Uint8Array, Uint8Array>;

/**
 * Messages cross gRPC's own layer as bytes and are decoded by the calls: what grpc-js cannot deserialize it reports as INTERNAL, and
 * a broken request is the caller's fault.
 */
export function bytesMethod(path: string): MethodDefinition<Uint8Array, Uint8Array> {
  const toBuffer = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const same = (bytes: Buffer): Uint8Array => bytes;
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: toBuffer,
    requestDeserialize: same,
    responseSerialize: toBuffer,
    responseDeserialize: same,
  };
}

export const inferenceService: ServiceDefinition = Object.fromEntries(
  grpcCalls.map((call) => [call, bytesMethod(grpcPath(call))]),
);

/** The calls of GRPCInferenceService on an engine. */
export function inferenceCalls(options: CallOptions): UntypedServiceImplementation {
  const { engine, modelControl, draining } = options;

  /** A call that answers at once or after a promise. */
  const answer =
    (work: (request: Uint8Array) => Uint8Array | Promise<Uint8Array>): Unary =>
    ({ request }, done) => {
      // A promise either way, so that what is thrown and what is rejected end in the same place.
      Promise.resolve(request)
        .then(work)
        .then(
          (response) => done(null, response),
          (error: unknown) => done(statusOfError(error)),
        );
    };

  const control = (work: (request: Uint8Array) => Promise<Uint8Array>): Unary =>
    modelControl
      ? answer(work)
      : (_, done) =>
          done(
            refused(
              status.PERMISSION_DENIED,
              'loading and unloading is off; the server is started with --model-control to allow it',
            ),
          );

  const modelMetadata: Unary = ({ request }, done) => {
    try {
      const { name, version } = decodeGrpc('ModelMetadataRequest', request);
      const versions = engine
        .versions()
        .filter((each) => each.model === name && (version === '' || each.version === version));
      const shown = engine.find(name, version === '' ? undefined : version) ?? versions.at(-1);
      if (shown === undefined) return done(unknownModel(name, version));
      done(
        null,
        encodeGrpc('ModelMetadataResponse', {
          name: shown.model,
          versions: versions.map((each) => each.version),
          platform: 'onnxruntime_onnx',
          inputs: tensorMetadata(shown.inputs),
          outputs: tensorMetadata(shown.outputs),
        }),
      );
    } catch (error) {
      done(statusOfError(error));
    }
  };

  const calls: Record<GrpcCall, Unary> = {
    ServerLive: answer(() => encodeGrpc('ServerLiveResponse', { live: true })),
    ServerReady: answer(() => encodeGrpc('ServerReadyResponse', { ready: engine.ready && !draining() })),
    ModelReady: answer((request) => {
      const { name, version } = decodeGrpc('ModelReadyRequest', request);
      const ready = engine.find(name, version === '' ? undefined : version)?.state === 'ready' && !draining();
      return encodeGrpc('ModelReadyResponse', { ready });
    }),
    ServerMetadata: answer(() =>
      encodeGrpc('ServerMetadataResponse', {
        name: 'sluice',
        version: manifest.version,
        extensions: ['model_repository'],
      }),
    ),
    ModelMetadata: modelMetadata,
    ModelInfer: modelInfer(engine),
    RepositoryIndex: answer((request) => {
      const { ready } = decodeGrpc('RepositoryIndexRequest', request);
      return encodeGrpc('RepositoryIndexResponse', {
        models: engine
          .versions()
          .filter(({ state }) => !ready || state === 'ready')
          .map(({ model, version, state, error }) => ({
            name: model,
            version,
            state: state.toUpperCase(),
            reason: error === undefined ? '' : excerpt(withoutPaths(error), 500),
          })),
      });
    }),
    RepositoryModelLoad: control(async (request) => {
      await engine.load(decodeGrpc('RepositoryModelLoadRequest', request).modelName);
      return encodeGrpc('RepositoryModelLoadResponse', {});
    }),
    RepositoryModelUnload: control(async (request) => {
      await engine.unload(decodeGrpc('RepositoryModelUnloadRequest', request).modelName);
      return encodeGrpc('RepositoryModelUnloadResponse', {});
    }),
  };
  return calls;
}

function modelInfer(engine: CallEngine): Unary {
  return (call, done) => {
    const receivedAt = performance.now();
    let request: GrpcInferRequest;
    try {
      request = decodeModelInferRequest(call.request);
    } catch (error) {
      engine.refused?.(undefined, 'invalid-input');
      return done(statusOfError(error));
    }
    const { modelName, modelVersion, id, feeds, outputs: wanted, parameters, raw } = request;
    const served = engine.find(modelName, modelVersion === '' ? undefined : modelVersion);
    if (served === undefined) {
      engine.refused?.(undefined, 'unknown-model');
      return done(unknownModel(modelName, modelVersion));
    }
    const timeoutMs = timeoutOf(call.getDeadline(), parameters['timeout']);
    if (timeoutMs !== undefined && timeoutMs <= 0) {
      engine.refused?.(served, 'timeout');
      return done(refused(status.DEADLINE_EXCEEDED, 'the deadline was over before the request was read'));
    }
    // A metered engine counts from when the request came.
    const asked: Parameters<Engine['infer']>[0] & { readonly receivedAt: number } = {
      model: served.model,
      version: served.version,
      feeds,
      receivedAt,
      ...(wanted === undefined ? undefined : { outputs: wanted.map(({ name }) => name) }),
      ...(timeoutMs === undefined ? undefined : { timeoutMs }),
    };
    engine.infer(asked, (error, outputs) => {
      if (outputs === undefined) {
        return done(statusOf(error ?? { kind: 'model-failed', message: 'the model gave no outputs' }));
      }
      let response: Uint8Array;
      try {
        response = encodeModelInferResponse(
          {
            modelName: served.model,
            modelVersion: served.version,
            outputs,
            ...(id === undefined ? undefined : { id }),
          },
          raw,
        );
      } catch {
        return done(refused(status.INTERNAL, 'the outputs of the model cannot be written in this protocol'));
      }
      done(null, response);
    });
  };
}

/** Milliseconds left: of the call's deadline, or of Triton's request parameter (microseconds) where that is shorter. */
function timeoutOf(deadline: Date | number, parameter: unknown): number | undefined {
  const left = Number(deadline) - Date.now();
  const asked = typeof parameter === 'bigint' || typeof parameter === 'number' ? Number(parameter) / 1000 : 0;
  const timeout = asked > 0 ? Math.min(left, asked) : left;
  return Number.isFinite(timeout) ? timeout : undefined;
}

function unknownModel(name: string, version: string): ReturnType<typeof refused> {
  const named = version === '' ? name : `${excerpt(name)} version ${version}`;
  return refused(
    status.NOT_FOUND,
    `there is no model ${excerpt(named)} here that is ready; RepositoryIndex lists what is`,
  );
}
