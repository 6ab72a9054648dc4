import { describe, expect, test } from 'vitest';
import { decodeInferRequest } from '../../core/inference/index.ts';
import type { Feeds } from '../../core/onnx/index.ts';
import { InputError, PeerError } from '../../core/problem/index.ts';
import {
  conformanceModel,
  type HttpRoutes,
  type StandIn,
  startHttpStandIn,
  tensorConformance,
} from '../conformance.ts';
import type { Readiness, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { conformanceOutputs, kserveV2 } from './inference-stand-in.ts';
import { openInferenceHttp } from './open-inference-http.ts';

const { feeds, specs } = conformanceModel;

tensorConformance({
  name: 'v2 in JSON',
  start: (behaviour) => startHttpStandIn(kserveV2, behaviour),
  open: openInferenceHttp,
});

tensorConformance({
  name: 'v2 in binary data',
  start: (behaviour) => startHttpStandIn(kserveV2, behaviour),
  open: (target) => openInferenceHttp(target, { binary: true }),
});

async function against<Result>(
  routes: Partial<HttpRoutes>,
  work: (protocol: TensorProtocol, standIn: StandIn) => Promise<Result>,
  more: Partial<Target> = {},
): Promise<Result> {
  await using standIn = await startHttpStandIn({ ...kserveV2, ...routes }, 'right');
  const target = { url: standIn.url, model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
  await using protocol = openInferenceHttp(target);
  return await work(protocol, standIn);
}

function readiness(control: HttpRoutes['control']): Promise<Readiness> {
  return against({ control }, (protocol) => protocol.ready());
}

describe('the Open Inference Protocol over HTTP', () => {
  test('asks below the name and the version of the model', async () => {
    await against(
      {},
      async (protocol, { requests }) => {
        await protocol.ready();
        await protocol.infer(feeds, specs);
        expect(requests.map(({ method, path }) => `${method} ${path}`)).toEqual([
          'GET /v2/models/a%2Fb%20%3F/versions/3/ready',
          'POST /v2/models/a%2Fb%20%3F/versions/3/infer',
        ]);
        expect(requests[1]?.body.toString()).toBe(
          '{"inputs":[{"name":"x","datatype":"FP32","shape":[2,3],"data":[1,2,3,4,5,6.5]}]}',
        );
      },
      { model: 'a/b ?', version: '3' },
    );
  });

  test('tells the version that answered', async () => {
    expect(await against({}, (protocol) => protocol.infer(feeds, specs))).toMatchObject({ modelVersion: '2' });
  });

  test.each<[string, Feeds]>([
    ['half precision', { x: { type: 'float16', dims: [1], data: Float32Array.of(0.5) } }],
    ['NaN', { x: { type: 'float32', dims: [1], data: Float32Array.of(Number.NaN) } }],
    ['infinity', { x: { type: 'float64', dims: [1], data: Float64Array.of(-Infinity) } }],
  ])('sends %s in binary data, which JSON cannot carry everywhere', async (_, unusual) => {
    await against({}, async (protocol, { requests }) => {
      await protocol.infer(unusual, specs);
      const { body = Buffer.of(), headers = {} } = requests[0] ?? {};
      const length = headers['inference-header-content-length'];
      expect(length).toBeDefined();
      expect({ ...decodeInferRequest(body, length).feeds }).toEqual(unusual);
    });
  });

  test('an empty 200 is ready, as MLServer and Triton answer', async () => {
    expect(await readiness(() => ({ status: 200, body: '' }))).toEqual({ ready: true });
  });

  test.each(['{"name":"model","ready":false}', '{"ready":"False"}'])(
    'a 200 that says %s is not ready',
    async (body) => {
      expect(await readiness(() => ({ status: 200, body }))).toMatchObject({ ready: false, status: 200 });
    },
  );

  test('a login page with status 200 is not ready', async () => {
    const page = { status: 200, headers: { 'content-type': 'text/html' }, body: '<html>Sign in</html>' };
    expect(await readiness(() => page)).toMatchObject({ ready: false, problem: { code: 'broken-answer' } });
  });

  test("Triton's 400 for a model it does not have is told apart from one that loads", async () => {
    const notReady = { status: 400, body: '{"error":"Model version not ready"}' };
    const unknown = { status: 404, body: '{"error":"Request for unknown model: \'model\' is not found"}' };
    expect(await readiness(({ path }) => (path.endsWith('/ready') ? notReady : unknown))).toMatchObject({
      ready: false,
      status: 404,
      problem: { found: expect.stringContaining('unknown model'), fix: expect.stringContaining('Correct the name') },
    });
    expect(
      await readiness(({ path }) => (path.endsWith('/ready') ? notReady : { status: 200, body: '{}' })),
    ).toMatchObject({ ready: false, status: 400, problem: { found: 'Model version not ready' } });
  });

  test('describes the model, and leaves out what the server does not tell', async () => {
    expect(await against({}, (protocol) => protocol.describe())).toEqual({
      name: 'model',
      versions: ['1', '2'],
      platform: 'onnxruntime_onnx',
      ...specsWithQuestionMarks,
    });
    const mlserver = { status: 200, body: '{"name":"model","versions":[],"platform":"","inputs":[],"outputs":[]}' };
    expect(await against({ control: () => mlserver }, (protocol) => protocol.describe())).toEqual({ name: 'model' });
    const untyped = {
      status: 200,
      body: '{"name":"model","inputs":[{"name":"x"}],"outputs":[{"name":"y","shape":[-1]}]}',
    };
    expect(await against({ control: () => untyped }, (protocol) => protocol.describe())).toEqual({
      name: 'model',
      inputs: [{ name: 'x', type: 'opaque(untyped)', shape: [], unranked: true }],
      outputs: [{ name: 'y', type: 'opaque(untyped)', shape: ['?'] }],
    });
  });

  test('metadata that are refused are a PeerError with what the server says', async () => {
    const refused = { status: 404, body: '{"error":"no such model here"}' };
    const described = against({ control: () => refused }, (protocol) => protocol.describe());
    await expect(described).rejects.toThrow(PeerError);
    await expect(described).rejects.toThrow(/HTTP 404.*no such model here/);
  });

  test('64-bit integers of an answer keep every digit', async () => {
    const body =
      '{"model_name":"m","outputs":[{"name":"id","datatype":"INT64","shape":[1],"data":[9007199254740993]}]}';
    const { value } = await against({ infer: () => ({ status: 200, body }) }, (protocol) =>
      protocol.infer(feeds, specs),
    );
    expect(value?.['id']?.data).toEqual(BigInt64Array.of(9007199254740993n));
  });

  test('an answer that breaks the protocol is a PeerError that names the place and shows no secret', async () => {
    const body = '{"model_name":"m","outputs":[{"name":"id","datatype":"hunter2-token","shape":[1],"data":[1]}]}';
    const answer = against({ infer: () => ({ status: 200, body }) }, (protocol) => protocol.infer(feeds, specs), {
      headers: { authorization: 'Bearer hunter2-token' },
    });
    await expect(answer).rejects.toThrow(PeerError);
    await expect(answer).rejects.toThrow(/outputs\[0\]\.datatype/);
    await expect(answer).rejects.not.toThrow(/hunter2/);
  });

  test('needs the name of the model', () => {
    const target = { url: new URL('http://a'), headers: {}, timeoutMs: 1, maxAnswerBytes: 1 };
    expect(() => openInferenceHttp(target)).toThrow(InputError);
  });
});

const specsWithQuestionMarks = {
  inputs: [{ name: 'x', type: 'float32', shape: ['?', 3] }],
  outputs: [
    { name: 'label', type: 'int64', shape: ['?'] },
    { name: 'probabilities', type: 'float32', shape: ['?', 2] },
  ],
};

test('the stand-in answers what the conformance model expects', () => {
  expect(conformanceOutputs()).toEqual(conformanceModel.expected);
});
