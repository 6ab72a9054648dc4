import { describe, expect, test } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import { conformanceModel, type HttpRoutes, startHttpStandIn, tensorConformance } from '../conformance.ts';
import type { Target } from '../target.ts';
import { conformanceMetadata, kserveV2 } from './inference-stand-in.ts';
import { openTriton, type TritonProtocol } from './triton.ts';

const index = [
  { name: 'model', version: '2', state: 'READY' },
  { name: 'model', version: '1', state: 'UNAVAILABLE', reason: 'unloaded' },
  {
    name: 'broken',
    version: '1',
    state: 'UNAVAILABLE',
    reason: 'Internal: failed to load model.onnx: Protobuf parsing failed.',
  },
  { name: 'cold' },
];

/** Triton 2.51: empty bodies for readiness, 400 for whatever is not ready. */
const triton: HttpRoutes = {
  ...kserveV2,
  control: ({ method, path }) => {
    if (path === '/v2/repository/index' && method === 'POST') return { status: 200, body: JSON.stringify(index) };
    if (path === '/v2/models/model/ready') return { status: 200, body: '' };
    if (path.endsWith('/ready')) return { status: 400, body: '{"error":"Model version not ready"}' };
    if (path === '/v2/models/model') return { status: 200, body: JSON.stringify(conformanceMetadata) };
    if (path === '/v2/models/model/config') return { status: 200, body: '{"name":"model","max_batch_size":32}' };
    if (path === '/v2/models/model/stats') return { status: 200, body: JSON.stringify({ model_stats: [statistics] }) };
    return { status: 404, body: '{"error":"Request for unknown model: is not found"}' };
  },
  loading: { status: 400, body: '{"error":"Model version not ready"}' },
  refusal: {
    status: 400,
    body: '{"error":"[request id: <id_unknown>] unexpected shape for input \'x\' for model \'model\'"}',
  },
  failure: {
    status: 500,
    body: '{"error":"Unable to parse \'data\': Shape does not match true shape of \'data\' field"}',
  },
};

const statistics = {
  name: 'model',
  version: '2',
  inference_count: 64,
  execution_count: '4',
  inference_stats: {
    success: { count: 60, ns: 5000 },
    fail: { count: 1, ns: 10 },
    queue: { count: 60, ns: 600 },
    compute_infer: { count: 60, ns: 3000 },
  },
};

tensorConformance({
  name: 'triton',
  start: (behaviour) => startHttpStandIn(triton, behaviour),
  open: openTriton,
});

async function against<Result>(
  work: (protocol: TritonProtocol) => Promise<Result>,
  more: Partial<Target> = {},
  routes: Partial<HttpRoutes> = {},
): Promise<Result> {
  await using standIn = await startHttpStandIn({ ...triton, ...routes }, 'right');
  const target = { url: standIn.url, model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
  await using protocol = openTriton(target);
  return await work(protocol);
}

describe('Triton', () => {
  test.each([
    [{ model: 'other' }, 'unknown-model', /one of model, broken, cold/],
    [{ version: '9' }, 'unknown-model', /one of version 2, version 1/],
    [{ model: 'broken' }, 'not-ready', /UNAVAILABLE: Internal: failed to load.*config\.pbtxt/],
    [{ model: 'cold' }, 'not-ready', /the model is not loaded.*--load-model/],
    [{ version: '1' }, 'not-ready', /version 1 is UNAVAILABLE: unloaded.*--load-model/],
  ])('that is not ready with %o says why from its repository', async (target, code, words) => {
    const readiness = await against((protocol) => protocol.ready(), target);
    expect(readiness).toMatchObject({ ready: false, problem: { code } });
    expect(JSON.stringify(readiness)).toMatch(words);
  });

  test('without its repository extension still says that it is not ready', async () => {
    const control: HttpRoutes['control'] = ({ path }) =>
      path.endsWith('/ready') ? triton.loading : { status: 403, body: '{"error":"restricted"}' };
    expect(await against((protocol) => protocol.ready(), {}, { control })).toMatchObject({
      ready: false,
      status: 400,
      problem: { found: 'Model version not ready' },
    });
  });

  test('tells repository, configuration and statistics', async () => {
    expect(await against((protocol) => protocol.index())).toEqual(index);
    expect(await against((protocol) => protocol.config())).toEqual({ name: 'model', max_batch_size: 32 });
    expect(await against((protocol) => protocol.statistics())).toEqual([
      {
        name: 'model',
        version: '2',
        inferences: 64,
        executions: 4,
        success: { count: 60, nanoseconds: 5000 },
        failure: { count: 1, nanoseconds: 10 },
        queue: { count: 60, nanoseconds: 600 },
        compute: { count: 60, nanoseconds: 3000 },
      },
    ]);
    await expect(against((protocol) => protocol.config(), { model: 'other' })).rejects.toThrow(PeerError);
  });

  test('sends and asks for binary data', async () => {
    await using standIn = await startHttpStandIn(triton, 'right');
    const target = { url: standIn.url, model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000 };
    await using protocol = openTriton(target);
    await protocol.infer(conformanceModel.feeds, conformanceModel.specs);
    expect(standIn.requests[0]?.headers['inference-header-content-length']).toBeDefined();
    expect(standIn.requests[0]?.body.toString('latin1')).toContain('"binary_data_output":true');
  });
});
