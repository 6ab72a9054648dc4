import { Client, credentials, Metadata, type ServiceError, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from 'vitest';
import {
  decodeGrpc,
  decodeModelInferResponse,
  encodeGrpc,
  encodeModelInferRequest,
  type GrpcCall,
  grpcPath,
} from '../../core/inference/index.ts';
import type { Feeds } from '../../core/onnx/index.ts';
import { InputError } from '../../core/problem/index.ts';
import { EchoEngine } from './fixtures/echo-engine.ts';
import { type GrpcFront, type GrpcOptions, startGrpc } from './index.ts';

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

interface Running {
  readonly engine: EchoEngine;
  readonly front: GrpcFront;
  call(
    name: GrpcCall | 'health',
    message: Uint8Array,
    options?: { readonly token?: string; readonly deadline?: number },
  ): Promise<Uint8Array>;
}

async function start(options: Partial<GrpcOptions> = {}): Promise<Running> {
  const engine = new EchoEngine();
  const front = await startGrpc({ engine, port: 0, ...options });
  const client = new Client(`127.0.0.1:${front.port}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
    'grpc.enable_http_proxy': 0,
    'grpc.enable_retries': 0,
  });
  closing.push(() => {
    client.close();
    front.close();
  });
  return {
    engine,
    front,
    call: (name, message, { token, deadline } = {}) =>
      new Promise((resolve, reject) => {
        const metadata = new Metadata();
        if (token !== undefined) metadata.set('authorization', token);
        client.makeUnaryRequest(
          name === 'health' ? '/grpc.health.v1.Health/Check' : grpcPath(name),
          (bytes: Uint8Array) => Buffer.from(bytes),
          (bytes) => new Uint8Array(bytes),
          message,
          metadata,
          deadline === undefined ? {} : { deadline: Date.now() + deadline },
          (error: ServiceError | null, answer?: Uint8Array) =>
            error === null && answer !== undefined ? resolve(answer) : reject(error),
        );
      }),
  };
}

const X = { type: 'float32', dims: [1, 2], data: Float32Array.of(1.5, -2) } as const;
const feeds: Feeds = { X };
const nothing = new Uint8Array();

function codeOf(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => 'OK',
    (error: ServiceError) => status[error.code],
  );
}

describe('the gRPC server', () => {
  test('tells whether it is live and ready, and what it is', async () => {
    const { call, engine } = await start();
    expect(decodeGrpc('ServerLiveResponse', await call('ServerLive', nothing))).toEqual({ live: true });
    expect(decodeGrpc('ServerReadyResponse', await call('ServerReady', nothing))).toEqual({ ready: true });
    engine.ready = false;
    expect(decodeGrpc('ServerReadyResponse', await call('ServerReady', nothing))).toEqual({ ready: false });
    expect(decodeGrpc('ServerMetadataResponse', await call('ServerMetadata', nothing))).toMatchObject({
      name: 'sluice',
      extensions: ['model_repository'],
    });
  });

  test('answers the standard health check for the server and for a model', async () => {
    const { call, engine } = await start();
    const ofModel = (name: string): Uint8Array => Buffer.from([0x0a, name.length, ...Buffer.from(name)]);
    expect([...(await call('health', nothing))]).toEqual([8, 1]);
    expect([...(await call('health', ofModel('echo')))]).toEqual([8, 1]);
    expect([...(await call('health', ofModel('broken')))]).toEqual([8, 2]);
    expect(await codeOf(call('health', ofModel('other')))).toBe('NOT_FOUND');
    expect(await codeOf(call('health', Uint8Array.of(0x0a, 99)))).toBe('INVALID_ARGUMENT');
    engine.ready = false;
    expect([...(await call('health', nothing))]).toEqual([8, 2]);
  });

  test('tells of models', async () => {
    const { call } = await start();
    const ready = async (name: string, version = ''): Promise<boolean> =>
      decodeGrpc('ModelReadyResponse', await call('ModelReady', encodeGrpc('ModelReadyRequest', { name, version })))
        .ready;
    expect(
      await Promise.all([ready('echo'), ready('echo', '1'), ready('echo', '9'), ready('broken'), ready('no')]),
    ).toEqual([true, true, false, false, false]);
    const metadata = await call('ModelMetadata', encodeGrpc('ModelMetadataRequest', { name: 'echo' }));
    expect(decodeGrpc('ModelMetadataResponse', metadata)).toEqual({
      name: 'echo',
      versions: ['1', '2'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }],
    });
    expect(await codeOf(call('ModelMetadata', encodeGrpc('ModelMetadataRequest', { name: 'no' })))).toBe('NOT_FOUND');
    expect(await codeOf(call('ModelMetadata', Uint8Array.of(0x0f)))).toBe('INVALID_ARGUMENT');
  });

  test('lists the repository without telling paths of its machine', async () => {
    const { call } = await start();
    const { models } = decodeGrpc('RepositoryIndexResponse', await call('RepositoryIndex', nothing));
    expect(models.map(({ name, version, state }) => `${name} ${version} ${state}`)).toEqual([
      'echo 1 READY',
      'echo 2 READY',
      'broken 1 UNAVAILABLE',
    ]);
    expect(models[2]?.reason).toContain('cannot read');
    expect(models[2]?.reason).not.toContain('/var');
    const readyOnly = await call('RepositoryIndex', encodeGrpc('RepositoryIndexRequest', { ready: true }));
    expect(decodeGrpc('RepositoryIndexResponse', readyOnly).models).toHaveLength(2);
  });

  test('loads and unloads only where that is allowed', async () => {
    const message = encodeGrpc('RepositoryModelLoadRequest', { modelName: 'echo' });
    const closed = await start();
    expect(await codeOf(closed.call('RepositoryModelLoad', message))).toBe('PERMISSION_DENIED');
    expect(await codeOf(closed.call('RepositoryModelUnload', message))).toBe('PERMISSION_DENIED');
    const open = await start({ modelControl: true });
    expect(await codeOf(open.call('RepositoryModelLoad', message))).toBe('OK');
    expect(await codeOf(open.call('RepositoryModelUnload', message))).toBe('OK');
    const wrong = open.call('RepositoryModelLoad', encodeGrpc('RepositoryModelLoadRequest', { modelName: 'no' }));
    await expect(wrong).rejects.toMatchObject({ code: status.NOT_FOUND, details: 'there is no (path)' });
  });
});

describe('ModelInfer', () => {
  test.each([true, false])('answers in the form of the request (raw: %s), with id and version', async (raw) => {
    const { call, engine } = await start();
    const answer = await call(
      'ModelInfer',
      encodeModelInferRequest({ modelName: 'echo', id: 'a', feeds, raw, outputs: ['X'] }),
    );
    expect(decodeModelInferResponse(answer)).toEqual({
      modelName: 'echo',
      modelVersion: '2',
      id: 'a',
      outputs: Object.assign(Object.create(null), { X }),
    });
    expect(Buffer.from(answer).includes(Buffer.from(X.data.buffer))).toBe(true);
    expect(engine.requests[0]).toMatchObject({ model: 'echo', version: '2', outputs: ['X'] });
  });

  test.each([
    ['unknown-model', 'NOT_FOUND'],
    ['not-ready', 'UNAVAILABLE'],
    ['invalid-input', 'INVALID_ARGUMENT'],
    ['queue-full', 'RESOURCE_EXHAUSTED'],
    ['timeout', 'DEADLINE_EXCEEDED'],
    ['model-failed', 'INTERNAL'],
    ['draining', 'UNAVAILABLE'],
  ] as const)('a request that is %s gets %s', async (kind, code) => {
    const { call, engine } = await start();
    engine.failing = kind;
    const answer = call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds }));
    await expect(answer).rejects.toMatchObject({ code: status[code], details: `it is ${kind}` });
  });

  test('refuses broken messages and unknown models itself, and counts them', async () => {
    const { call, engine } = await start();
    expect(await codeOf(call('ModelInfer', Uint8Array.of(0x2a, 99)))).toBe('INVALID_ARGUMENT');
    expect(await codeOf(call('ModelInfer', encodeModelInferRequest({ modelName: 'no', feeds })))).toBe('NOT_FOUND');
    const version = encodeModelInferRequest({ modelName: 'echo', modelVersion: '7', feeds });
    expect(await codeOf(call('ModelInfer', version))).toBe('NOT_FOUND');
    expect(engine.refusals).toEqual(['undefined invalid-input', 'undefined unknown-model', 'undefined unknown-model']);
    expect(engine.requests).toEqual([]);
  });

  test('hands the deadline of the call to the engine', async () => {
    const { call, engine } = await start();
    await call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds }));
    await call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds }), { deadline: 60_000 });
    expect(engine.requests[0]).not.toHaveProperty('timeoutMs');
    const timeout = engine.requests[1]?.timeoutMs ?? 0;
    expect(timeout).toBeGreaterThan(0);
    expect(timeout).toBeLessThanOrEqual(60_000);
  });

  test('a caller that does not wait gets DEADLINE_EXCEEDED, and the late answer harms nobody', async () => {
    const { call, engine } = await start();
    engine.held = true;
    const message = encodeModelInferRequest({ modelName: 'echo', feeds });
    expect(await codeOf(call('ModelInfer', message, { deadline: 50 }))).toBe('DEADLINE_EXCEEDED');
    engine.release();
    expect(await codeOf(call('ModelInfer', message))).toBe('OK');
  });

  test('refuses a message that is too large and goes on', async () => {
    const { call } = await start({ maxMessageBytes: 1000 });
    const large = { X: { type: 'float32', dims: [1, 1000], data: new Float32Array(1000) } } as const;
    const answer = call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds: large }));
    expect(await codeOf(answer)).toBe('RESOURCE_EXHAUSTED');
    expect(await codeOf(call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds })))).toBe('OK');
  });
});

describe('a token', () => {
  test('is wanted by every call but those that probes make', async () => {
    const { call, engine } = await start({ token: 'secret' });
    const message = encodeModelInferRequest({ modelName: 'echo', feeds });
    expect(await codeOf(call('ModelInfer', message))).toBe('UNAUTHENTICATED');
    expect(await codeOf(call('ModelInfer', message, { token: 'Bearer wrong' }))).toBe('UNAUTHENTICATED');
    expect(await codeOf(call('ModelInfer', message, { token: 'secret' }))).toBe('UNAUTHENTICATED');
    expect(await codeOf(call('RepositoryIndex', nothing))).toBe('UNAUTHENTICATED');
    expect(engine.requests).toEqual([]);
    expect(await codeOf(call('ModelInfer', message, { token: 'Bearer secret' }))).toBe('OK');
    expect(await codeOf(call('ServerLive', nothing))).toBe('OK');
    expect(await codeOf(call('ServerReady', nothing))).toBe('OK');
    expect(await codeOf(call('health', nothing))).toBe('OK');
  });
});

describe('draining', () => {
  test('answers the calls it has, takes no more and ends', async () => {
    const { call, engine, front } = await start();
    engine.held = true;
    const waiting = call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds }));
    await expect.poll(() => engine.requests.length).toBe(1);
    const drained = front.drain();
    expect(front.drain()).toBe(drained);
    engine.release();
    expect(decodeModelInferResponse(await waiting).modelName).toBe('echo');
    await drained;
    expect(await codeOf(call('ServerLive', nothing))).toBe('UNAVAILABLE');
  });

  test('can be announced: not ready, and still answering', async () => {
    const { call, front } = await start();
    front.announceEnd();
    expect(decodeGrpc('ServerReadyResponse', await call('ServerReady', nothing))).toEqual({ ready: false });
    expect([...(await call('health', nothing))]).toEqual([8, 2]);
    expect(await codeOf(call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds })))).toBe('OK');
  });

  test.each([
    ['out of patience', (front: GrpcFront) => front.drain(20)],
    ['closed at once', (front: GrpcFront) => front.close()],
  ] as const)('%s, it cuts the calls that are open', async (_, end) => {
    const { call, engine, front } = await start();
    engine.held = true;
    const waiting = codeOf(call('ModelInfer', encodeModelInferRequest({ modelName: 'echo', feeds })));
    await expect.poll(() => engine.requests.length).toBe(1);
    await end(front);
    expect(await waiting).not.toBe('OK');
    engine.release();
  });
});

test('a port that is taken is an InputError with what to do', async () => {
  const { front } = await start();
  const second = startGrpc({ engine: new EchoEngine(), port: front.port });
  await expect(second).rejects.toThrow(InputError);
  await expect(second).rejects.toThrow(/Choose another port/);
});
