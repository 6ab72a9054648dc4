import { describe, expect, test } from 'vitest';
import type { Feeds } from '../../core/onnx/index.ts';
import { InputError, PeerError, type SluiceError } from '../../core/problem/index.ts';
import {
  conformanceAnswer,
  conformanceModel,
  type HttpRoutes,
  type StandIn,
  startHttpStandIn,
  tensorConformance,
} from '../conformance.ts';
import type { Answer, Specs } from '../protocol.ts';
import type { Target } from '../target.ts';
import { openRest, type RestTemplate } from './rest.ts';

const { feeds, specs, expected } = conformanceModel;

/** BentoML 1.4 with an API `classify`: `/readyz` answers 200 with a line break, errors are `{"error": ...}`. */
const bento: HttpRoutes = {
  isInference: ({ path }) => path === '/classify',
  control: ({ path }) =>
    path === '/readyz' ? { status: 200, body: '\n' } : { status: 404, body: '{"error":"Not Found"}' },
  loading: { status: 503, body: '{"error":"Runners are not ready."}' },
  infer: (_, rows) => {
    const { label, probabilities } = conformanceAnswer(rows);
    const results = label.map((each, row) => ({ class: each, 'p/q': { all: probabilities[row] } }));
    return { status: 200, body: JSON.stringify({ results, meta: { version: 'v7' } }) };
  },
  refusal: {
    status: 400,
    body: '{"error":"1 validation error for Input\\ninput_series\\n  Input should be a valid list [type=list_type]"}',
  },
  failure: { status: 500, body: '{"error":"An unexpected error has occurred, please check the server log."}' },
};

const template: RestTemplate = {
  path: '/classify',
  body: { input_series: '{{rows}}', options: { explain: false, name: '{{model}}' } },
  outputs: { label: '/results/*/class', probabilities: '/results/*/p~1q/all' },
  version: '$.meta.version',
  ready: { path: '/readyz', status: 200 },
};

tensorConformance({
  name: 'rest against BentoML',
  start: (behaviour) => startHttpStandIn(bento, behaviour),
  open: (target) => openRest(target, { template }),
});

function target(url: URL): Target {
  return { url, model: 'a "model"', version: '1/2', headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000 };
}

async function asked(
  given: RestTemplate,
  options: { readonly feeds?: Feeds; readonly specs?: Specs; readonly body?: string } = {},
): Promise<{ readonly answer: Answer<unknown>; readonly requests: StandIn['requests'] }> {
  const routes: HttpRoutes = {
    ...bento,
    isInference: () => true,
    infer: (request) => (options.body === undefined ? bento.infer(request) : { status: 200, body: options.body }),
  };
  await using standIn = await startHttpStandIn(routes, 'right');
  await using protocol = openRest(target(standIn.url), { template: given });
  const answer = await protocol.infer(options.feeds ?? feeds, options.specs ?? specs);
  return { answer, requests: standIn.requests };
}

describe('the generic REST protocol', () => {
  test('sends the filled template and reads outputs and version where it is told', async () => {
    const { answer, requests } = await asked(template);
    expect(requests[0]?.body.toString()).toBe(
      '{"input_series":[[1,2,3],[4,5,6.5]],"options":{"explain":false,"name":"a \\"model\\""}}',
    );
    expect(answer).toMatchObject({ status: 200, value: expected, modelVersion: 'v7' });
  });

  test('puts model and version into the path, encoded', async () => {
    const { requests } = await asked({ ...template, path: '/m/{{model}}/{{ version }}:run?x=1' });
    expect(requests[0]?.path).toBe('/m/a%20%22model%22/1%2F2:run?x=1');
  });

  test('asks with GET where there is no body', async () => {
    const { requests } = await asked({ ...template, method: 'GET', body: undefined });
    expect(requests[0]).toMatchObject({ method: 'GET', body: Buffer.alloc(0) });
  });

  test('reads one bare number for one row', async () => {
    const { answer } = await asked(
      { path: '/', body: { row: '{{row}}' }, outputs: { score: '' } },
      {
        feeds: { x: { type: 'float32', data: Float32Array.of(1), dims: [1, 1] } },
        specs: { inputs: specs.inputs, outputs: [{ name: 'score', type: 'float64', shape: ['N', 1] }] },
        body: '0.125',
      },
    );
    expect(answer.value).toEqual({ score: { type: 'float64', data: Float64Array.of(0.125), dims: [1, 1] } });
  });

  test('keeps all digits of large integers', async () => {
    const { answer } = await asked(
      { path: '/', body: {}, outputs: { id: '$[*].id' } },
      {
        specs: { inputs: specs.inputs, outputs: [{ name: 'id', type: 'int64', shape: ['N'] }] },
        body: '[{"id": 9007199254740993}, {"id": -9223372036854775808}]',
      },
    );
    expect(answer.value).toMatchObject({ id: { data: BigInt64Array.of(9007199254740993n, -9223372036854775808n) } });
  });

  test('says where it looked when nothing is there', async () => {
    const failure = await asked(template, { body: '{"scores": [1], "\\u001b[31m": 2}' }).catch(
      (error: unknown) => error,
    );
    expect(failure).toBeInstanceOf(PeerError);
    expect((failure as PeerError).problems[0]).toMatchObject({
      code: 'no-outputs',
      found: 'an object with "scores", "\\u{1b}[31m"',
      expected: 'label at /results/*/class, probabilities at /results/*/p~1q/all',
    });
  });

  test('refuses outputs that the model does not have', async () => {
    await expect(asked({ ...template, outputs: { lable: '/a' } })).rejects.toThrow(InputError);
    await expect(asked({ ...template, outputs: {} })).rejects.toThrow(InputError);
  });

  test.each<[string, unknown]>([
    ['missing', undefined],
    ['an unknown key', { ...template, bodi: {} }],
    ['a method that changes things', { ...template, method: 'DELETE' }],
    ['a path to elsewhere', { ...template, path: 'http://elsewhere.invalid/' }],
    ['a path with a line break', { ...template, path: '/a HTTP/1.1\r\nX: y' }],
    ['a path that holds rows', { ...template, path: '/{{rows}}' }],
    ['a selector with a script', { ...template, outputs: { label: '$[?(@.a)]' } }],
    ['a GET with a body', { ...template, method: 'GET' }],
    ['a header with a line break', { ...template, headers: { a: 'b\r\nc: d' } }],
  ])('refuses a template before or when it is used: %s', async (_, wrong) => {
    const work = async (): Promise<unknown> => {
      await using protocol = openRest(target(new URL('http://127.0.0.1:1')), { template: wrong });
      return await protocol.infer(feeds, specs);
    };
    const failure = await work().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(InputError);
    expect((failure as SluiceError).problems[0].fix).toMatch(/\S/);
  });
});
