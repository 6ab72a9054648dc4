import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentHost } from '../../../core/host/index.ts';
import { decodeInferRequest, encodeInferResponse, headerLengthName } from '../../../core/inference/index.ts';
import { classifierModel } from '../../../core/onnx/index.ts';
import { describeProblem, type Problem, SluiceError } from '../../../core/problem/index.ts';
import { checkOf, csv, judge, type Scene } from '../scene.ts';

const count = 300;
const truth = (row: number) => (row % 2 === 0 ? 1 : 0);
const rows = csv(
  ['x', 'label'],
  Array.from({ length: count }, (_, row) => [row % 10 === 0 ? -1 : truth(row) * 2 - 1, truth(row)]),
);
const points = { min: 0.85, observed: 0.9 } as const;

interface Said {
  readonly status?: number;
  readonly body?: string | Uint8Array;
  /** Rows more or fewer than were asked for. */
  readonly more?: number;
  readonly wide?: boolean;
  /** Says 1 of every row. */
  readonly always?: boolean;
  readonly afterMs?: number;
}

/** A server of the Open Inference Protocol v2 that says 1 where x is over 0; `of` says how it answers the request of a number, from 0. */
async function server(of: (request: number, path: string) => Said = () => ({}), metadata: unknown = modelMetadata) {
  const seen = { requests: 0, rows: [] as number[], authorization: new Set<string | undefined>(), most: 0 };
  let running = 0;
  const listener = createServer(async (request, response) => {
    seen.authorization.add(request.headers.authorization);
    if (request.method === 'GET') {
      response.end(request.url?.endsWith('/ready') ? '' : JSON.stringify(metadata));
      return;
    }
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    const { feeds } = decodeInferRequest(
      Buffer.concat(parts),
      String(request.headers[headerLengthName] ?? '') || undefined,
    );
    const values = Array.from(feeds['features']?.data ?? [], Number);
    const {
      status = 200,
      body,
      more = 0,
      wide = false,
      always = false,
      afterMs = 0,
    } = of(seen.requests++, request.url ?? '');
    seen.rows.push(values.length);
    seen.most = Math.max(seen.most, ++running);
    if (afterMs > 0) await new Promise((done) => setTimeout(done, afterMs));
    running--;
    const probability = Array.from({ length: values.length + more }, (_, row) =>
      always || (values[row] ?? 0) > 0 ? 0.9 : 0.1,
    );
    const width = wide ? 3 : 2;
    const data = Float32Array.from(probability.flatMap((one) => (wide ? [1 - one, one, 0] : [1 - one, one])));
    const answer = encodeInferResponse(
      {
        modelName: 'churn',
        modelVersion: '1',
        outputs: { probabilities: { type: 'float32', dims: [probability.length, width], data } },
      },
      () => false,
    );
    response.writeHead(status, answer.headers).end(body ?? answer.body);
  }).listen(0, '127.0.0.1');
  await once(listener, 'listening');
  onTestFinished(() => {
    listener.closeAllConnections();
    listener.close();
  });
  return { url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`, seen };
}

const modelMetadata = {
  name: 'churn',
  versions: ['1'],
  platform: 'onnxruntime_onnx',
  inputs: [{ name: 'features', datatype: 'FP32', shape: [-1, 1] }],
  outputs: [{ name: 'probabilities', datatype: 'FP32', shape: [-1, 2] }],
};

const scene = (url: string, options = '', more: Partial<Scene> & { readonly baseline?: string } = {}): Scene => ({
  files: { 'rows.csv': rows, ...more.files },
  ...more,
  policy: [
    'version: 1',
    `model: { endpoint: { url: "${url}", model: churn${options} }, baseline: ${more.baseline ?? 'none'} }`,
    'evaluation: { source: rows.csv, target: label }',
    `gates: { accuracy: { min: ${points.min}${more.baseline === undefined ? '' : ', max_regression: 0.01'} } }`,
    '',
  ].join('\n'),
});

async function refused(of: Scene): Promise<Problem> {
  const error: unknown = await judge(of).catch((thrown: unknown) => thrown);
  if (error instanceof SluiceError) return error.problems[0];
  throw new Error(`expected a SluiceError, not ${String(error)}`);
}

describe('a model server', () => {
  it('is asked for every row, some a request and some requests at a time', async () => {
    const { url, seen } = await server(() => ({ afterMs: 5 }));
    const judgement = await judge(scene(url, ', batch: 40, concurrency: 3'));
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({
      status: 'pass',
      observed: points.observed,
      evidence: { method: 'Wilson', n: count },
    });
    expect(seen.rows.toSorted((one, other) => one - other)).toEqual([20, ...Array.from({ length: 7 }, () => 40)]);
    expect(seen.most).toBe(3);
    expect(judgement.notices[0]?.message).toBe(`The predictions are those of ${url}/churn, asked now.`);
  });

  it('may answer in any order', async () => {
    const { url } = await server((request) => ({ afterMs: 40 - request * 5 }));
    expect(checkOf(await judge(scene(url, ', batch: 40')), 'gate/accuracy/min').observed).toBe(points.observed);
  });

  it('is asked again where it is only busy', async () => {
    const { url, seen } = await server((request) => (request === 0 ? { status: 503, body: 'busy' } : {}));
    expect(checkOf(await judge(scene(url, ', batch: 300')), 'gate/accuracy/min').observed).toBe(points.observed);
    expect(seen.requests).toBe(2);
  });

  it('is held against a model file on the same rows', async () => {
    const { url } = await server();
    const judgement = await judge(
      scene(url, '', {
        baseline: '{ path: old.onnx }',
        files: { 'rows.csv': rows, 'old.onnx': classifierModel([[0, 4]], [0, 0]) },
      }),
    );
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'pass',
      baseline: points.observed,
    });
  });

  it('is held against the version that the policy of the base names, on the same server', async () => {
    const { url } = await server((_, path) => ({ always: path.includes('/versions/2/') }));
    const of = (version: number) => scene(url, `, version: "${version}"`, { baseline: 'base' });
    const regression = 'gate/accuracy/max_regression';
    const worse = await judge({ ...of(2), basePolicy: of(1).policy });
    expect(checkOf(worse, regression)).toMatchObject({ status: 'fail', observed: 0.5, baseline: points.observed });
    const same = await judge({ ...of(1), basePolicy: of(1).policy });
    expect(checkOf(same, regression)).toMatchObject({
      status: 'skipped',
      message: expect.stringMatching(/names no other version/),
    });
  });

  it('is sent the token of the environment, which nobody is shown', async () => {
    const token = 'tok-77aa10c3e9';
    const { url, seen } = await server((request) =>
      request === 2 ? { status: 403, body: `{"error":"not ${token}"}` } : {},
    );
    const secrets: string[] = [];
    const lines: string[] = [];
    const problem = await refused(
      scene(url, ', batch: 40, token_env: SLUICE_ENDPOINT_TOKEN', {
        environment: { SLUICE_ENDPOINT_TOKEN: token },
        host: { ...silentHost, secret: (value) => secrets.push(value), info: (line) => lines.push(line) },
      }),
    );
    expect(seen.authorization).toEqual(new Set([`Bearer ${token}`]));
    expect(secrets).toEqual([token]);
    expect(problem).toMatchObject({ code: 'endpoint-refused', found: expect.stringMatching(/^HTTP 403/) });
    expect(describeProblem(problem) + lines.join()).not.toContain(token);
  });
});

describe('a model server is one problem that says what to do where it', () => {
  it.each([
    ['fails', { status: 500, body: '{"error":"out of memory"}' }, 'endpoint-refused', /HTTP 500: out of memory/],
    ['wants to know who asks', { status: 401, body: '' }, 'endpoint-refused', /HTTP 401/],
    ['answers with a page', { body: '<html>' }, 'broken-answer', /infer response/],
    [
      'answers with something else',
      { body: '{"outputs":[{"name":"probabilities"}]}' },
      'broken-answer',
      /outputs\[0\]/,
    ],
    ['answers a row more', { more: 1 }, 'wrong-rows', /\[41, 2\] for 40 rows/],
    ['answers a row less', { more: -1 }, 'wrong-rows', /\[39, 2\] for 40 rows/],
    ['answers no output', { body: '{"outputs":[]}' }, 'missing-output', undefined],
  ])('%s', async (_what, said, code, found) => {
    const { url, seen } = await server(() => said);
    const problem = await refused(scene(url, ', batch: 40, concurrency: 1'));
    expect(problem).toMatchObject({ code, place: { file: 'sluice.yaml' } });
    if (found !== undefined) expect(problem.found).toMatch(found);
    expect(problem.fix).not.toBe('');
    // After the first answer that cannot be used nobody asks on.
    if (code !== 'missing-output') expect(seen.requests).toBe(1);
  });

  it('answers a row too many for some rows and one too few for others, which are as many in sum', async () => {
    const { url } = await server((request) => (request === 0 ? { more: 1 } : request === 1 ? { more: -1 } : {}));
    expect((await refused(scene(url, ', batch: 150, concurrency: 2'))).code).toBe('wrong-rows');
  });

  it('answers with more classes for some rows than for others', async () => {
    const { url } = await server((request) => ({ wide: request === 1 }));
    expect((await refused(scene(url, ', batch: 150'))).code).toBe('uneven-answers');
  });

  it('takes longer than the policy gives it', async () => {
    const { url, seen } = await server(() => ({ afterMs: 2000 }));
    expect(await refused(scene(url, ', batch: 300, timeout: 50ms'))).toMatchObject({
      code: 'timeout',
      place: { file: 'sluice.yaml' },
    });
    expect(seen.requests).toBe(4);
  });

  it('does not tell what its model takes', async () => {
    const { url } = await server(undefined, { name: 'churn' });
    expect(await refused(scene(url))).toMatchObject({
      code: 'unknown-signature',
      fix: expect.stringMatching(/signature:/),
    });
  });

  it('is not there, or lies where clouds hand out credentials', async () => {
    expect(await refused(scene('http://127.0.0.1:1'))).toMatchObject({
      code: 'connection-refused',
      place: { file: 'sluice.yaml' },
    });
    expect((await refused(scene('http://169.254.169.254'))).code).toBe('forbidden-address');
    expect((await refused(scene('http://user:pw@127.0.0.1'))).fix).not.toBe('');
  });

  it('needs a token that is not set', async () => {
    const { url } = await server();
    expect(await refused(scene(url, ', token_env: SLUICE_ENDPOINT_TOKEN'))).toMatchObject({ code: 'no-token' });
  });
});
