import { Metadata, Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import {
  decodeGrpc,
  decodeModelInferRequest,
  encodeGrpc,
  encodeModelInferResponse,
  type GrpcCall,
  grpcCalls,
  grpcPath,
} from '../../core/inference/index.ts';
import { InputError, PeerError } from '../../core/problem/index.ts';
import { type Behaviour, conformanceModel, type StandIn, startHttpStandIn, tensorConformance } from '../conformance.ts';
import type { TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { conformanceMetadata, conformanceOutputs, kserveV2 } from './inference-stand-in.ts';
import { openInferenceGrpc } from './open-inference-grpc.ts';

const { feeds, specs } = conformanceModel;

type Calls = Partial<
  Record<GrpcCall, (call: ServerUnaryCall<Uint8Array, Uint8Array>, done: sendUnaryData<Uint8Array>) => void>
>;

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

/** A server of grpc-js with these calls; the others are UNIMPLEMENTED. */
async function serve(calls: Calls): Promise<{ readonly url: URL; close(): void }> {
  const server = new Server({ 'grpc.max_send_message_length': -1 });
  const same = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  const method = (path: string) => ({
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: same,
    requestDeserialize: same,
    responseSerialize: same,
    responseDeserialize: same,
  });
  server.addService(Object.fromEntries(grpcCalls.map((call) => [call, method(grpcPath(call))])), calls);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  const close = (): void => server.forceShutdown();
  closing.push(close);
  return { url: new URL(`grpc://127.0.0.1:${port}`), close };
}

const refusal = { code: status.INVALID_ARGUMENT, details: "unexpected shape for input 'x'" };

function standInCalls(behaviour: Behaviour): Calls {
  return {
    ModelReady: (_, done) => done(null, encodeGrpc('ModelReadyResponse', { ready: behaviour !== 'loading' })),
    ModelMetadata: (_, done) => done(null, encodeGrpc('ModelMetadataResponse', conformanceMetadata)),
    ModelInfer: (_, done) => {
      const answer = (rows?: number): Uint8Array =>
        encodeModelInferResponse({ modelName: 'model', modelVersion: '2', outputs: conformanceOutputs(rows) }, true);
      switch (behaviour) {
        case 'refuses':
          return done(refusal);
        case 'fails':
          return done({ code: status.INTERNAL, details: 'onnx runtime error 2' });
        case 'broken':
          return done(null, answer().subarray(0, 30));
        case 'too-big':
          return done(null, new Uint8Array(2_000_000));
        case 'wrong-shape':
          return done(null, answer(3));
        case 'slow':
          return;
        default:
          return done(null, answer());
      }
    },
  };
}

tensorConformance({
  name: 'v2-grpc',
  start: async (behaviour): Promise<StandIn> => {
    const { url, close } = await serve(standInCalls(behaviour));
    return { url, requests: [], [Symbol.asyncDispose]: async () => close() };
  },
  open: openInferenceGrpc,
  scheme: 'grpc',
  without: ['redirects'],
});

function open(url: URL, more: Partial<Target> = {}): TensorProtocol {
  const protocol = openInferenceGrpc({
    url,
    model: 'model',
    headers: {},
    timeoutMs: 20_000,
    maxAnswerBytes: 100_000,
    ...more,
  });
  closing.push(() => void protocol[Symbol.asyncDispose]());
  return protocol;
}

describe('the Open Inference Protocol over gRPC', () => {
  test('asks for the model and its version, with raw contents and the headers as metadata', async () => {
    const heard: (readonly [Uint8Array, Metadata])[] = [];
    const { url } = await serve({
      ModelInfer: ({ request, metadata }, done) => {
        heard.push([request, metadata]);
        done(null, encodeModelInferResponse({ modelName: 'model', modelVersion: '3', outputs: {} }, true));
      },
    });
    const protocol = open(url, { version: '3', headers: { Authorization: 'Bearer secret-token' } });
    expect(await protocol.infer(feeds, specs)).toMatchObject({ status: 200, modelVersion: '3' });
    const [bytes = new Uint8Array(), metadata = new Metadata()] = heard[0] ?? [];
    expect(decodeModelInferRequest(bytes)).toMatchObject({ modelName: 'model', modelVersion: '3', raw: true });
    expect(metadata.get('authorization')).toEqual(['Bearer secret-token']);
  });

  test('describes the model', async () => {
    const { url } = await serve(standInCalls('right'));
    expect(await open(url).describe()).toMatchObject({
      name: 'model',
      versions: ['1', '2'],
      inputs: [{ name: 'x', type: 'float32', shape: ['?', 3] }],
    });
  });

  test.each<[string, Calls]>([
    ['Triton', standInCalls('loading')],
    ['MLServer', { ModelReady: (_, done) => done({ code: status.UNKNOWN, details: 'Unexpected ModelNotFound' }) }],
  ])('a model that %s does not have is told apart from one that loads', async (_, calls) => {
    const { url } = await serve({
      ...calls,
      ModelMetadata: (_, done) =>
        done({ code: status.NOT_FOUND, details: "Request for unknown model: 'model' is not found" }),
    });
    expect(await open(url).ready()).toMatchObject({
      ready: false,
      status: 'NOT_FOUND',
      problem: { found: expect.stringContaining('unknown model') },
    });
  });

  test.each([
    ['INVALID_ARGUMENT', 400],
    ['NOT_FOUND', 404],
    ['UNAUTHENTICATED', 401],
    ['PERMISSION_DENIED', 403],
    ['RESOURCE_EXHAUSTED', 429],
    ['UNAVAILABLE', 503],
    ['DEADLINE_EXCEEDED', 504],
    ['INTERNAL', 500],
    ['UNKNOWN', 500],
  ] as const)('%s of the server is an answer with status %d', async (code, httpStatus) => {
    const { url } = await serve({ ModelInfer: (_, done) => done({ code: status[code], details: 'it says so' }) });
    expect(await open(url).infer(feeds, specs)).toMatchObject({ status: httpStatus, refusal: 'it says so' });
  });

  test('a refusal that comes after the headers of an answer is an answer too', async () => {
    const { url } = await serve({
      ModelInfer: (call, done) => {
        call.sendMetadata(new Metadata());
        setImmediate(() => done({ code: status.UNAVAILABLE, details: 'draining' }));
      },
    });
    expect(await open(url).infer(feeds, specs)).toMatchObject({ status: 503, refusal: 'draining' });
  });

  test('a server that repeats the token it refuses does not bring it into a message', async () => {
    const { url } = await serve({
      ModelInfer: ({ metadata }, done) =>
        done({ code: status.UNAUTHENTICATED, details: `bad ${metadata.get('authorization')}` }),
    });
    const { refusal: said } = await open(url, { headers: { authorization: 'Bearer secret-token' } }).infer(
      feeds,
      specs,
    );
    expect(said).toMatch(/^bad/);
    expect(said).not.toContain('secret');
  });

  test('an HTTP/1.1 server is a PeerError that names the other port', async () => {
    await using standIn = await startHttpStandIn(kserveV2, 'right');
    const answer = open(new URL(`grpc://${standIn.url.host}`)).infer(feeds, specs);
    await expect(answer).rejects.toThrow(PeerError);
    await expect(answer).rejects.toThrow(/does not speak gRPC.*the HTTP API has another/);
  });

  test('a server without TLS on grpcs is told as such', async () => {
    const { url } = await serve(standInCalls('right'));
    const answer = open(new URL(`grpcs://localhost:${url.port}`)).infer(feeds, specs);
    await expect(answer).rejects.toThrow(PeerError);
    await expect(answer).rejects.toThrow(/grpcs:\/\/localhost:\d+ does not speak TLS/);
  });

  test('a name without an address is told as such', async () => {
    const answer = open(new URL('grpc://no-such-host.invalid:8001')).infer(feeds, specs);
    await expect(answer).rejects.toThrow(/has no address/);
  });

  test('a server that breaks off is a PeerError', async () => {
    const { url, close } = await serve({ ModelInfer: () => setImmediate(() => close()) });
    await expect(open(url).infer(feeds, specs)).rejects.toThrow(PeerError);
  });

  test('the server that comes up later is found without a new protocol', async () => {
    const first = await serve(standInCalls('right'));
    const protocol = open(first.url);
    expect(await protocol.ready()).toEqual({ ready: true });
    first.close();
    await expect.poll(async () => (await protocol.ready()).ready).toBe(false);
    const server = new Server();
    server.addService(
      {
        ModelReady: {
          path: grpcPath('ModelReady'),
          requestStream: false,
          responseStream: false,
          requestSerialize: (bytes: Buffer) => bytes,
          requestDeserialize: (bytes: Buffer) => decodeGrpc('ModelReadyRequest', bytes),
          responseSerialize: (bytes: Uint8Array) => Buffer.from(bytes),
          responseDeserialize: (bytes: Buffer) => bytes,
        },
      },
      { ModelReady: standInCalls('right').ModelReady ?? (() => {}) },
    );
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(first.url.host, ServerCredentials.createInsecure(), (error) =>
        error === null ? resolve() : reject(error),
      );
    });
    closing.push(() => server.forceShutdown());
    await expect.poll(async () => (await protocol.ready()).ready, { timeout: 10_000 }).toBe(true);
  });

  test.each([
    ['http://a:1', 'wrong-scheme'],
    ['grpc://a', 'no-port'],
    ['grpc://a:1/path', 'path-in-grpc-url'],
    ['grpc://169.254.169.254:80', 'forbidden-address'],
    ['grpc://[fd00:ec2::254]:80', 'forbidden-address'],
  ])('%s is refused (%s)', (url, code) => {
    let thrown: unknown;
    try {
      open(new URL(url));
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(InputError);
    expect((thrown as InputError).problems[0].code).toBe(code);
  });

  test('a header or a certificate that cannot be used is refused without showing it', () => {
    const url = new URL('grpcs://a:1');
    expect(() => open(url, { headers: { 'x(y': 'secret-value' } })).toThrow(InputError);
    expect(() => open(url, { ca: 'not a certificate' })).toThrow(InputError);
  });
});
