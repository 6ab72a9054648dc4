/**
 * Our clients of the Open Inference Protocol against the servers that others wrote: Triton, MLServer and KServe, over HTTP and gRPC.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { classifierModel, type Feeds, type Outputs, openModel } from '../../core/onnx/index.ts';
import type { TensorProtocol } from '../../smoke/protocol.ts';
import { openInferenceGrpc } from '../../smoke/protocols/open-inference-grpc.ts';
import { openInferenceHttp } from '../../smoke/protocols/open-inference-http.ts';
import { openTriton } from '../../smoke/protocols/triton.ts';
import type { Target } from '../../smoke/target.ts';
import { startKserve } from './kserve.ts';
import { startMlserver } from './mlserver.ts';
import type { Peer } from './peer.ts';
import { startTriton } from './triton.ts';

const feeds: Feeds = { X: { type: 'float32', dims: [2, 3], data: Float32Array.of(1, 2, 3, 4, 5, 6.5) } };

let folder = '';
let file = '';
let expected: Outputs = {};

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-v2-clients-'));
  file = join(folder, 'classifier.onnx');
  writeFileSync(
    file,
    classifierModel(
      [
        [1, -1],
        [0.5, 0.25],
        [-1, 2],
      ],
      [0, 0.5],
    ),
  );
  await using model = await openModel(file);
  expected = await model.run(feeds);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Open = (peer: Peer, model: string) => TensorProtocol;

function target(url: string, model: string): Target {
  return { url: new URL(url), model, headers: {}, timeoutMs: 20_000, maxAnswerBytes: 1_000_000 };
}

const overHttp: Open = (peer, model) => openInferenceHttp(target(peer.url, model));
const overHttpInBinary: Open = (peer, model) => openInferenceHttp(target(peer.url, model), { binary: true });
const overGrpc: Open = (peer, model) => openInferenceGrpc(target(`grpc://${peer.grpc}`, model));
const overGrpcTyped: Open = (peer, model) => openInferenceGrpc(target(`grpc://${peer.grpc}`, model), { raw: false });
const asTriton: Open = (peer, model) => openTriton(target(peer.url, model));

const peers: readonly {
  readonly name: string;
  readonly start: typeof startTriton;
  readonly protocols: Readonly<Record<string, Open>>;
}[] = [
  {
    name: 'Triton',
    start: startTriton,
    protocols: {
      v2: overHttp,
      'v2 in binary data': overHttpInBinary,
      'v2-grpc': overGrpc,
      'v2-grpc, typed': overGrpcTyped,
      triton: asTriton,
    },
  },
  {
    name: 'MLServer',
    start: startMlserver,
    protocols: { v2: overHttp, 'v2-grpc': overGrpc, 'v2-grpc, typed': overGrpcTyped },
  },
  {
    name: 'KServe',
    start: startKserve,
    protocols: {
      v2: overHttp,
      'v2 in binary data': overHttpInBinary,
      'v2-grpc': overGrpc,
      'v2-grpc, typed': overGrpcTyped,
    },
  },
];

describe.each(peers)('against $name', ({ name, start, protocols }) => {
  let peer: Peer;

  beforeAll(async () => {
    peer = await start([{ name: 'classifier', file }]);
  });
  afterAll(() => peer?.stop());

  describe.each(Object.entries(protocols))('%s', (protocolName, open) => {
    test('is ready and describes the inputs', async () => {
      await using protocol = open(peer, 'classifier');
      expect(await protocol.ready()).toEqual({ ready: true });
      expect(await protocol.describe()).toMatchObject({
        name: 'classifier',
        inputs: [{ name: 'X', type: 'float32', shape: ['?', 3] }],
        outputs: [
          { name: 'label', type: 'int64' },
          { name: 'probabilities', type: 'float32' },
        ],
      });
    });

    test('gives what the model gives here', async () => {
      await using protocol = open(peer, 'classifier');
      const { status, value } = await protocol.infer(feeds, { inputs: [], outputs: [] });
      expect(status).toBe(200);
      expect([...(value?.['label']?.data ?? [])]).toEqual([...(expected['label']?.data ?? [])]);
      const [served, own] = [value?.['probabilities'], expected['probabilities']];
      expect(served?.dims).toEqual([2, 2]);
      expect(served?.type).toBe('float32');
      const difference = [...(own?.data ?? [])].map((each, index) =>
        Math.abs(Number(each) - Number(served?.data[index])),
      );
      expect(Math.max(...difference)).toBeLessThan(1e-6);
    });

    test('is not ready for a model it does not have, and says so', async () => {
      await using protocol = open(peer, 'no-such-model');
      const readiness = await protocol.ready();
      expect(readiness).toMatchObject({ ready: false, status: /grpc/.test(protocolName) ? 'NOT_FOUND' : 404 });
      expect(JSON.stringify(readiness)).toMatch(/no-such-model/);
    });

    // Triton answers broken JSON with 500; as `triton` such requests are left out.
    test.runIf(name !== 'Triton' || protocolName === 'triton' || protocolName === 'v2-grpc')(
      'answers malformed requests with a 4xx',
      async () => {
        await using protocol = open(peer, 'classifier');
        for (const { title, send } of protocol.malformed()) {
          const { status, refusal } = await send();
          expect(status, title).toBeGreaterThanOrEqual(400);
          expect(status, title).toBeLessThan(500);
          expect(refusal, title).toMatch(/\S/);
        }
      },
    );
  });

  test.runIf(name === 'Triton')('as triton tells repository, configuration and statistics', async () => {
    await using protocol = openTriton(target(peer.url, 'classifier'));
    expect(await protocol.index()).toEqual([{ name: 'classifier', version: '1', state: 'READY' }]);
    expect(await protocol.config()).toMatchObject({ name: 'classifier', platform: 'onnxruntime_onnx' });
    const [statistics] = await protocol.statistics();
    expect(statistics).toMatchObject({ name: 'classifier', version: '1' });
    expect(statistics?.success.count).toBeGreaterThan(0);
    expect(statistics?.compute.nanoseconds).toBeGreaterThan(0);
  });
});
