import { describe, expect, test } from 'vitest';
import type { Feeds } from '../../core/onnx/index.ts';
import {
  conformanceAnswer,
  conformanceModel,
  type HttpRoutes,
  type StandInRequest,
  startHttpStandIn,
  tensorConformance,
} from '../conformance.ts';
import { missingOutputs } from '../json-tensors.ts';
import type { Specs } from '../protocol.ts';
import type { Target } from '../target.ts';
import { type MlflowOptions, openMlflow } from './mlflow.ts';

const { feeds, specs, expected } = conformanceModel;

const stackTrace = 'Traceback (most recent call last):\\n  File \\"scoring_server/__init__.py\\", line 394\\n';

/** MLflow 3.17: Python's `json.dumps`, which puts a space after `:` and `,`. */
const mlflow: HttpRoutes = {
  isInference: ({ method, path }) => method === 'POST' && path === '/invocations',
  control: ({ path }) => {
    if (path === '/ping') return { status: 200, body: '\n' };
    if (path === '/version') return { status: 200, body: '3.17.2' };
    return { status: 404, body: '{"detail":"Not Found"}' };
  },
  loading: { status: 404, body: '\n' },
  infer: (_, rows) => {
    const { label, probabilities } = conformanceAnswer(rows);
    const lists = probabilities.map((row) => `[${row.join(', ')}]`).join(', ');
    return {
      status: 200,
      body: `{"predictions": {"label": [${label.join(', ')}], "probabilities": [${lists}]}}`,
    };
  },
  refusal: {
    status: 400,
    body: `{"error_code": "BAD_REQUEST", "message": "Encountered an unexpected error while evaluating the model. Verify that the serialized input Dataframe is compatible with the model for inference.", "stack_trace": "${stackTrace}"}`,
  },
  failure: { status: 500, headers: { 'content-type': 'text/plain; charset=utf-8' }, body: 'Internal Server Error' },
};

tensorConformance({
  name: 'mlflow',
  start: (behaviour) => startHttpStandIn(mlflow, behaviour),
  open: openMlflow,
});

async function sent(
  given: Feeds,
  options: MlflowOptions,
  takes: (request: StandInRequest) => boolean = () => true,
  body?: string,
): Promise<{ readonly bodies: readonly string[]; readonly answers: readonly unknown[] }> {
  const routes: HttpRoutes = {
    ...mlflow,
    infer: (request) => {
      if (!takes(request)) return mlflow.refusal;
      return body === undefined ? mlflow.infer(request) : { status: 200, body };
    },
  };
  await using standIn = await startHttpStandIn(routes, 'right');
  const target: Target = { url: standIn.url, headers: {}, timeoutMs: 20_000, maxAnswerBytes: 100_000 };
  await using protocol = openMlflow(target, options);
  const answers = [await protocol.infer(given, specs), await protocol.infer(given, specs)];
  if (answers.every(({ value }) => value !== undefined)) {
    const { body: wire } = protocol.wire({ feeds: given, specs }) ?? {};
    expect(Buffer.from(wire ?? []).toString()).toBe(standIn.requests.at(-1)?.body.toString());
  }
  return { bodies: standIn.requests.map((request) => request.body.toString()), answers };
}

const two: Feeds = {
  age: { type: 'int64', data: BigInt64Array.of(41n, 9007199254740993n), dims: [2] },
  name: { type: 'string', data: ['Jo "x"', 'Ü\n'], dims: [2, 1] },
};

describe('MLflow', () => {
  test.each<[MlflowOptions, Feeds, string]>([
    [{ format: 'inputs' }, feeds, '{"inputs":[[1,2,3],[4,5,6.5]]}'],
    [{ format: 'named-inputs' }, feeds, '{"inputs":{"x":[[1,2,3],[4,5,6.5]]}}'],
    [{ format: 'instances' }, feeds, '{"instances":[[1,2,3],[4,5,6.5]]}'],
    [{ format: 'dataframe_split' }, feeds, '{"dataframe_split":{"columns":["0","1","2"],"data":[[1,2,3],[4,5,6.5]]}}'],
    [
      { format: 'dataframe_split', columns: ['a', 'b', 'c'] },
      feeds,
      '{"dataframe_split":{"columns":["a","b","c"],"data":[[1,2,3],[4,5,6.5]]}}',
    ],
    [{ format: 'inputs' }, two, '{"inputs":{"age":[41,9007199254740993],"name":[["Jo \\"x\\""],["Ü\\n"]]}}'],
    [
      { format: 'dataframe_split' },
      two,
      '{"dataframe_split":{"columns":["age","name"],"data":[[41,"Jo \\"x\\""],[9007199254740993,"Ü\\n"]]}}',
    ],
  ])('sends %j as it is told', async (options, given, body) => {
    expect((await sent(given, options)).bodies[0]).toBe(body);
  });

  test('finds out which format the model takes, and keeps to it', async () => {
    const named = await sent(feeds, {}, ({ body }) => body.includes('{"x":'));
    expect(named.bodies.map((body) => body.slice(0, 12))).toEqual(['{"inputs":[[', '{"inputs":{"', '{"inputs":{"']);
    const table = await sent(two, {}, ({ body }) => body.includes('dataframe_split'));
    expect(table.bodies.map((body) => body.slice(0, 8))).toEqual(['{"inputs', '{"datafr', '{"datafr']);
    for (const answer of [...named.answers, ...table.answers]) expect(answer).toMatchObject({ value: expected });
  });

  test('gives the first refusal when the model takes no format', async () => {
    const { answers, bodies } = await sent(two, {}, () => false);
    expect(answers[0]).toMatchObject({
      status: 400,
      refusal: expect.stringMatching(/^Encountered an unexpected error/),
    });
    expect(bodies).toHaveLength(4);
    expect(bodies[1]).toContain('dataframe_split');
  });

  test('writes what is no number as Python does', async () => {
    const odd: Feeds = {
      x: { type: 'float32', data: Float32Array.of(Number.NaN, Number.POSITIVE_INFINITY, -0.5, 0), dims: [2, 2] },
    };
    expect((await sent(odd, { format: 'inputs' })).bodies[0]).toBe('{"inputs":[[NaN,Infinity],[-0.5,0]]}');
  });

  test('reads the labels that scikit-learn gives, and says what did not come', async () => {
    const { answers } = await sent(feeds, {}, undefined, '{"predictions": [1, 0]}');
    expect(answers[0]).toMatchObject({ value: { label: expected['label'] } });
    expect(missingOutputs(specs, { ...(answers[0] as { value: typeof expected }).value })).toEqual(['probabilities']);
  });

  test('reads a data frame, also one whose only column has no name', async () => {
    const named = await sent(feeds, {}, undefined, '{"predictions": [{"label": 1}, {"label": 0}]}');
    expect(named.answers[0]).toMatchObject({ value: { label: expected['label'] } });
    const bare = await sent(feeds, {}, undefined, '{"predictions": [{"0": 1}, {"0": 0}]}');
    expect(bare.answers[0]).toMatchObject({ value: { label: expected['label'] } });
  });

  test('reads NaN as Python writes it', async () => {
    const scores: Specs = { inputs: specs.inputs, outputs: [{ name: 'score', type: 'float32', shape: ['N', 1] }] };
    await using standIn = await startHttpStandIn(
      { ...mlflow, infer: () => ({ status: 200, body: '{"predictions": [NaN, -Infinity]}' }) },
      'right',
    );
    await using protocol = openMlflow({ url: standIn.url, headers: {}, timeoutMs: 20_000, maxAnswerBytes: 1000 });
    const { value } = await protocol.infer(feeds, scores);
    expect(value?.['score']).toEqual({ type: 'float32', data: Float32Array.of(Number.NaN, -Infinity), dims: [2, 1] });
  });

  test('describes itself by its version, if it tells one', async () => {
    await using standIn = await startHttpStandIn(mlflow, 'right');
    await using other = await startHttpStandIn(
      { ...mlflow, control: () => ({ status: 200, body: '<html>' }) },
      'right',
    );
    const target = { headers: {}, timeoutMs: 20_000, maxAnswerBytes: 1000 };
    await using protocol = openMlflow({ ...target, url: standIn.url });
    await using unknown = openMlflow({ ...target, url: other.url });
    expect(await protocol.describe()).toEqual({ platform: 'mlflow 3.17.2' });
    expect(await unknown.describe()).toBeUndefined();
  });
});
