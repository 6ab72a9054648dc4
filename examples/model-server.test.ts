/** A model behind a server is judged as the file is: the same numbers on the same rows, whatever the protocol. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import { describe, expect, onTestFinished, test } from 'vitest';
import { judgeModel, type ModelJudgement } from '../actions/quality-gate/run.ts';
import { openEngine } from '../core/data/index.ts';
import { silentHost } from '../core/host/index.ts';
import { headOnly, parsePolicy } from '../core/policy/index.ts';
import { startServer } from '../server/index.ts';

interface Example {
  readonly name: string;
  readonly evaluation: string;
  readonly gates: string;
  readonly measured: readonly string[];
}

const examples: readonly Example[] = [
  {
    name: 'breast-cancer',
    evaluation:
      '{ source: data/test.csv, target: diagnosis, positive: malignant, slices: [{ mean smoothness: [0.095] }] }',
    gates:
      'accuracy: { min: 0.9, max_regression: 0.05 }, recall: { min: 0.75 }, roc_auc: { min: 0.95 }, log_loss: { max: 0.25 }',
    measured: ['accuracy', 'recall', 'roc_auc', 'log_loss'],
  },
  {
    name: 'diabetes',
    evaluation: '{ source: data/test.parquet, target: progression }',
    gates: 'mae: { max: 52, max_regression: 5% }, rmse: { max: 65 }, r2: { min: 0.2 }',
    measured: ['mae', 'rmse', 'r2'],
  },
];

/** What the gate says of the example's model where `model` says how it is reached. */
async function judged({ name, evaluation, gates }: Example, model: string, token?: string): Promise<ModelJudgement> {
  const text = [
    'version: 1',
    `model: { ${model}, baseline: { path: models/baseline.onnx } }`,
    `evaluation: ${evaluation}`,
    `gates: { ${gates} }`,
    '',
  ].join('\n');
  await using engine = await openEngine({ threads: 1 });
  return await judgeModel({
    policy: headOnly(parsePolicy(text, 'sluice.yaml')),
    directory: join(import.meta.dirname, name),
    engine,
    host: silentHost,
    environment: token === undefined ? {} : { SLUICE_ENDPOINT_TOKEN: token },
  });
}

/** Every check alike, every number to what single precision leaves of it when other rows are multiplied together. */
function expectAlike(served: ModelJudgement, file: ModelJudgement, { measured }: Example): void {
  const statuses = ({ checks }: ModelJudgement) => checks.map(({ id, status }) => `${id} ${status}`);
  expect(statuses(served)).toEqual(
    statuses(file).filter((each) => !/^(gate\/(signature|size|latency)|model\/)/.test(each)),
  );
  const compared = new Set<string>();
  for (const check of served.checks) {
    const own = file.checks.find(({ id }) => id === check.id);
    expect(check.observed, check.id).toBeCloseTo(Number(own?.observed), 6);
    if (own?.baseline !== undefined) expect(check.baseline, check.id).toBeCloseTo(Number(own.baseline), 9);
    expect(check.evidence?.n, check.id).toBe(own?.evidence?.n);
    compared.add(/^gate\/(\w+)\//.exec(check.id)?.[1] ?? '');
  }
  for (const metric of measured) expect(compared).toContain(metric);
}

/** A row of a request: the values of the only input, or of each by its name. */
type Instance = number[] | Readonly<Record<string, number[] | number>>;

/** A server of KServe's V1 protocol that asks one of v2: rows in, an object of outputs for each row back. */
async function kserveV1(v2: string): Promise<string> {
  const front = createServer(async (request, response) => {
    if (request.method === 'GET') {
      // KServe tells whether it is ready, and nothing of inputs and outputs.
      if (request.url === '/v1/models/good') response.end('{"name":"good","ready":true}');
      else response.writeHead(404).end('{"detail":"Not Found"}');
      return;
    }
    const { instances } = (await json(request)) as { readonly instances: readonly Instance[] };
    const { inputs } = (await (await fetch(`${v2}/v2/models/good`)).json()) as {
      readonly inputs: readonly { readonly name: string; readonly datatype: string }[];
    };
    const answer = await fetch(`${v2}/v2/models/good/infer`, {
      method: 'POST',
      body: JSON.stringify({
        inputs: inputs.map(({ name, datatype }) => {
          const rows = instances.map((row) => [Array.isArray(row) ? row : row[name]].flat());
          return { name, datatype, shape: [rows.length, rows[0]?.length ?? 0], data: rows.flat() };
        }),
      }),
    });
    const { outputs } = (await answer.json()) as {
      readonly outputs: readonly {
        readonly name: string;
        readonly shape: readonly number[];
        readonly data: readonly unknown[];
      }[];
    };
    const predictions = instances.map((_, row) =>
      Object.fromEntries(
        outputs.map(({ name, shape: [, width], data }) => [
          name,
          width === undefined ? data[row] : data.slice(row * width, (row + 1) * width),
        ]),
      ),
    );
    response.end(JSON.stringify({ predictions }));
  }).listen(0, '127.0.0.1');
  await once(front, 'listening');
  onTestFinished(() => {
    front.closeAllConnections();
    front.close();
  });
  return `http://127.0.0.1:${(front.address() as AddressInfo).port}`;
}

const fileOf = ({ name }: Example) => join(import.meta.dirname, name, 'models', 'good.onnx');

describe.each(examples)('$name', (example) => {
  test('is judged behind `sluice serve` as its file is, over HTTP and gRPC', async () => {
    const token = 'tok-1f40b7d2aa';
    await using server = await startServer({ file: fileOf(example), token, grpcPort: 0 });
    const file = await judged(example, 'path: models/good.onnx');
    const options = 'model: good, token_env: SLUICE_ENDPOINT_TOKEN';
    expectAlike(
      await judged(example, `endpoint: { url: "${server.url}", ${options}, batch: 7 }`, token),
      file,
      example,
    );
    const grpc = `grpc://127.0.0.1:${server.grpcPort}`;
    const overGrpc = await judged(example, `endpoint: { url: "${grpc}", protocol: v2-grpc, ${options} }`, token);
    expectAlike(overGrpc, file, example);
    expect(overGrpc.notices[0]?.message).toBe(`The predictions are those of ${grpc}/good, asked now.`);
    expect(JSON.stringify(overGrpc)).not.toContain(token);
  });

  test('is judged behind KServe’s V1 protocol as its file is; the file says what it takes', async () => {
    await using server = await startServer({ file: fileOf(example) });
    const url = await kserveV1(server.url);
    const endpoint = `url: "${url}", protocol: kserve-v1, model: good`;
    const served = await judged(example, `endpoint: { ${endpoint}, signature: models/good.onnx }`);
    expectAlike(served, await judged(example, 'path: models/good.onnx'), example);
    await expect(judged(example, `endpoint: { ${endpoint} }`)).rejects.toThrow(/does not tell the inputs and outputs/);
  });
});
