import { describe, expect, test } from 'vitest';
import { InputError } from '../../core/problem/index.ts';
import {
  conformanceAnswer,
  conformanceModel,
  type HttpRoutes,
  type StandInAnswer,
  startHttpStandIn,
  tensorConformance,
} from '../conformance.ts';
import type { Target } from '../target.ts';
import { openKserveV1 } from './kserve-v1.ts';

const { feeds, specs, expected } = conformanceModel;

/** KServe 0.21: FastAPI's compact JSON, orjson for predictions. */
const kserve: HttpRoutes = {
  isInference: ({ method, path }) => method === 'POST' && path.endsWith(':predict'),
  control: ({ path }) =>
    path === '/v1/models/model'
      ? { status: 200, body: '{"name":"model","ready":true}' }
      : { status: 404, body: '{"detail":"Not Found"}' },
  loading: { status: 503, body: '{"error":"Model with name model is not ready."}' },
  infer: (_, rows) => {
    const { label, probabilities } = conformanceAnswer(rows);
    const predictions = label.map((each, row) => ({ label: each, probabilities: probabilities[row] }));
    return { status: 200, body: JSON.stringify({ predictions }) };
  },
  refusal: {
    status: 400,
    body: '{"error":"Unrecognized request format: unexpected end of data: line 1 column 17 (char 16)"}',
  },
  failure: {
    status: 500,
    body: '{"error":"InvalidArgument : [ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Got invalid dimensions for input: X"}',
  },
};

/** TensorFlow Serving: indented JSON. */
const tensorflow: HttpRoutes = {
  ...kserve,
  control: ({ path }) =>
    path.endsWith('/metadata')
      ? { status: 200, body: tensorflowMetadata }
      : { status: 200, body: versionStatus('AVAILABLE') },
  loading: { status: 200, body: versionStatus('LOADING') },
  infer: (_, rows) => ({
    status: 200,
    body: `${JSON.stringify({ outputs: conformanceAnswer(rows) }, undefined, 4)}\n`,
  }),
};

function versionStatus(state: string): string {
  const status = { error_code: 'OK', error_message: '' };
  return `${JSON.stringify({ model_version_status: [{ version: '1', state, status }] }, undefined, 1)}\n`;
}

const tensorflowMetadata = JSON.stringify({
  model_spec: { name: 'model', signature_name: '', version: '3' },
  metadata: {
    signature_def: {
      signature_def: {
        serving_default: {
          inputs: {
            x: {
              dtype: 'DT_FLOAT',
              tensor_shape: {
                dim: [
                  { size: '-1', name: '' },
                  { size: '3', name: '' },
                ],
                unknown_rank: false,
              },
              name: 'serving_default_x:0',
            },
          },
          outputs: {
            label: {
              dtype: 'DT_INT64',
              tensor_shape: { dim: [{ size: '-1', name: '' }], unknown_rank: false },
              name: 'a:0',
            },
            any: { dtype: 'DT_STRING', tensor_shape: { dim: [], unknown_rank: true }, name: 'b:0' },
          },
          method_name: 'tensorflow/serving/predict',
        },
      },
    },
  },
});

tensorConformance({
  name: 'kserve-v1 against KServe',
  start: (behaviour) => startHttpStandIn(kserve, behaviour),
  open: openKserveV1,
});

tensorConformance({
  name: 'kserve-v1 against TensorFlow Serving, in columns',
  start: (behaviour) => startHttpStandIn(tensorflow, behaviour),
  open: (target) => openKserveV1(target, { format: 'inputs' }),
});

function target(url: URL, more: Partial<Target> = {}): Target {
  return { url, model: 'model', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000, ...more };
}

async function answered(answer: StandInAnswer): Promise<ReturnType<ReturnType<typeof openKserveV1>['infer']>> {
  await using standIn = await startHttpStandIn({ ...kserve, infer: () => answer }, 'right');
  await using protocol = openKserveV1(target(standIn.url));
  return await protocol.infer(feeds, specs);
}

describe('KServe V1', () => {
  test('sends one row for each instance, below the name and the version', async () => {
    await using standIn = await startHttpStandIn(kserve, 'right');
    await using protocol = openKserveV1(target(standIn.url, { model: 'a/b ?', version: '3' }));
    await protocol.infer(feeds, specs);
    expect(standIn.requests[0]).toMatchObject({
      method: 'POST',
      path: '/v1/models/a%2Fb%20%3F/versions/3:predict',
      headers: { 'content-type': 'application/json' },
    });
    expect(standIn.requests[0]?.body.toString()).toBe('{"instances":[[1,2,3],[4,5,6.5]]}');
  });

  test('sends columns by name when asked for', async () => {
    await using standIn = await startHttpStandIn(tensorflow, 'right');
    await using protocol = openKserveV1(target(standIn.url), { format: 'inputs' });
    await protocol.infer(feeds, specs);
    expect(standIn.requests[0]?.body.toString()).toBe('{"inputs":{"x":[[1,2,3],[4,5,6.5]]}}');
  });

  test('reads labels alone where the server gives nothing else', async () => {
    const { value } = await answered({ status: 200, body: '{"predictions":[1,0]}' });
    expect(value).toEqual({ label: expected['label'] });
  });

  test('reads one column of probabilities as what it is', async () => {
    const { value } = await answered({ status: 200, body: '{"predictions":[[0.25,0.75],[0.5,0.5]]}' });
    expect(value).toEqual({ probabilities: expected['probabilities'] });
  });

  test('is not ready when KServe says so in words', async () => {
    const routes = { ...kserve, control: () => ({ status: 200, body: '{"name":"model","ready":"False"}' }) };
    await using standIn = await startHttpStandIn(routes, 'right');
    await using protocol = openKserveV1(target(standIn.url));
    expect(await protocol.ready()).toMatchObject({ ready: false, status: 200, problem: { found: 'ready is "False"' } });
  });

  test('tells of a refusal what KServe says', async () => {
    await using standIn = await startHttpStandIn(kserve, 'fails');
    await using protocol = openKserveV1(target(standIn.url));
    expect(await protocol.infer(feeds, specs)).toMatchObject({
      status: 500,
      refusal: expect.stringMatching(/^InvalidArgument : \[ONNXRuntimeError\]/),
    });
  });

  test('describes the model by name with KServe, with its tensors with TensorFlow Serving', async () => {
    await using here = await startHttpStandIn(kserve, 'right');
    await using there = await startHttpStandIn(tensorflow, 'right');
    await using plain = openKserveV1(target(here.url));
    await using rich = openKserveV1(target(there.url));
    expect(await plain.describe()).toEqual({ name: 'model' });
    expect(await rich.describe()).toEqual({
      name: 'model',
      platform: 'tensorflow',
      versions: ['3'],
      inputs: [{ name: 'x', type: 'float32', shape: ['?', 3] }],
      outputs: [
        { name: 'label', type: 'int64', shape: ['?'] },
        { name: 'any', type: 'string', shape: [], unranked: true },
      ],
    });
  });

  test('needs the name of the model', () => {
    expect(() => openKserveV1({ ...target(new URL('http://a')), model: '' })).toThrow(InputError);
  });
});
