import { describe, expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import {
  conformanceAnswer,
  conformanceModel,
  type HttpRoutes,
  startHttpStandIn,
  tensorConformance,
} from '../conformance.ts';
import type { Target } from '../target.ts';
import { openTorchServe } from './torchserve.ts';

const { feeds, specs, expected } = conformanceModel;

/** TorchServe 0.12: its frontend pretty-prints its own JSON; predictions are what the handler gives. */
const inference: HttpRoutes = {
  isInference: ({ path }) => path.startsWith('/predictions/'),
  control: () => ({ status: 200, body: '{\n  "status": "Healthy"\n}\n' }),
  loading: { status: 500, body: '{\n  "status": "Unhealthy"\n}\n' },
  infer: (_, rows) => {
    const { label, probabilities } = conformanceAnswer(rows);
    const predictions = label.map((each, row) => ({ label: each, probabilities: probabilities[row] }));
    return { status: 200, body: JSON.stringify({ predictions }, undefined, 1) };
  },
  refusal: {
    status: 404,
    body: '{\n  "code": 404,\n  "type": "ModelNotFoundException",\n  "message": "Model not found: model"\n}\n',
  },
  failure: {
    status: 503,
    body: '{\n  "code": 503,\n  "type": "InternalServerException",\n  "message": "Prediction failed"\n}\n',
  },
};

const management: HttpRoutes = {
  ...inference,
  isInference: () => false,
  control: ({ path }) =>
    path === '/models/model'
      ? {
          status: 200,
          body: JSON.stringify(
            [
              {
                modelName: 'model',
                modelVersion: '1.0',
                modelUrl: 'model.mar',
                runtime: 'python',
                minWorkers: 1,
                maxWorkers: 1,
                batchSize: 1,
                maxBatchDelay: 100,
                loadedAtStartup: true,
                workers: [
                  {
                    id: '9000',
                    startTime: '2026-11-21T13:00:00.000Z',
                    status: 'READY',
                    memoryUsage: 0,
                    pid: 7,
                    gpu: false,
                    gpuUsage: 'N/A',
                  },
                ],
                jobQueueStatus: { remainingCapacity: 100, pendingRequests: 0 },
              },
            ],
            undefined,
            2,
          ),
        }
      : {
          status: 404,
          body: '{\n  "code": 404,\n  "type": "ModelNotFoundException",\n  "message": "Model not found: x"\n}\n',
        },
};

tensorConformance({
  name: 'torchserve',
  start: (behaviour) => startHttpStandIn(inference, behaviour),
  open: openTorchServe,
});

function target(url: URL, more: Partial<Target> = {}): Target {
  return { url, model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
}

describe('TorchServe', () => {
  test.each([
    ['instances', '{"instances":[[1,2,3],[4,5,6.5]]}'],
    ['rows', '[[1,2,3],[4,5,6.5]]'],
  ] as const)('is sent %s', async (format, body) => {
    await using standIn = await startHttpStandIn(inference, 'right');
    await using protocol = openTorchServe(target(standIn.url, { version: '2.0' }), { format });
    await protocol.infer(feeds, specs);
    expect(standIn.requests[0]).toMatchObject({ method: 'POST', path: '/predictions/model/2.0' });
    expect(standIn.requests[0]?.body.toString()).toBe(body);
  });

  test('may answer without an envelope, one array for each output', async () => {
    const { label, probabilities } = conformanceAnswer();
    const routes = { ...inference, infer: () => ({ status: 200, body: JSON.stringify([label, probabilities]) }) };
    await using standIn = await startHttpStandIn(routes, 'right');
    await using protocol = openTorchServe(target(standIn.url), { format: 'rows' });
    expect((await protocol.infer(feeds, specs)).value).toEqual(expected);
  });

  test('is not ready when it is only partly healthy', async () => {
    const routes = { ...inference, control: () => ({ status: 200, body: '{\n  "status": "Partial Healthy"\n}\n' }) };
    await using standIn = await startHttpStandIn(routes, 'right');
    await using protocol = openTorchServe(target(standIn.url));
    expect(await protocol.ready()).toMatchObject({
      ready: false,
      problem: { found: 'its status is "Partial Healthy"' },
    });
  });

  test.each([
    [[{ status: 'UNLOADING' }], 'no worker is READY: ["UNLOADING"]'],
    [[], 'the model has no worker'],
  ])('is not ready while nobody works for the model, however healthy /ping is: %j', async (workers, found) => {
    const control = () => ({ status: 200, body: JSON.stringify([{ modelName: 'model', workers }]) });
    await using standIn = await startHttpStandIn(inference, 'right');
    await using managed = await startHttpStandIn({ ...management, control }, 'right');
    await using protocol = openTorchServe(target(standIn.url), { management: managed.url });
    expect(await protocol.ready()).toMatchObject({ ready: false, problem: { found } });
  });

  test('is ready when /ping says so and the management API has a worker, or nothing to say', async () => {
    await using standIn = await startHttpStandIn(inference, 'right');
    await using managed = await startHttpStandIn(management, 'right');
    await using staffed = openTorchServe(target(standIn.url), { management: managed.url });
    await using unknown = openTorchServe(target(standIn.url, { model: 'x' }), { management: managed.url });
    await using unreachable = openTorchServe(target(standIn.url), { management: new URL('http://127.0.0.1:1') });
    expect(await staffed.ready()).toEqual({ ready: true });
    expect(await unknown.ready()).toEqual({ ready: true });
    expect(await unreachable.ready()).toEqual({ ready: true });
  });

  test('describes the model through the management API', async () => {
    await using standIn = await startHttpStandIn(management, 'right');
    await using protocol = openTorchServe(target(new URL('http://127.0.0.1:9')), { management: standIn.url });
    expect(await protocol.describe()).toEqual({ name: 'model', platform: 'torchserve python', versions: ['1.0'] });
  });

  test('is not described where the management API cannot be reached or does not know the model', async () => {
    await using standIn = await startHttpStandIn(management, 'right');
    await using unreachable = openTorchServe(target(new URL('http://127.0.0.1:1')));
    await using behindIngress = openTorchServe(target(new URL('http://models.invalid/')));
    await using unknown = openTorchServe(target(standIn.url, { model: 'x' }), { management: standIn.url });
    expect(await unreachable.describe()).toBeUndefined();
    expect(await behindIngress.describe()).toBeUndefined();
    expect(await unknown.describe()).toBeUndefined();
  });

  test('sends headers to no other host', () => {
    const management = new URL('http://elsewhere.invalid:8081');
    expect(() => openTorchServe(target(new URL('http://127.0.0.1:8080')), { management })).toThrow(InputError);
  });
});
