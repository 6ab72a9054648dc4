/**
 * Our server, driven by clients that others wrote: NVIDIA's tritonclient and KServe's Python client, over HTTP and gRPC.
 */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { datatypeOf } from '../../core/inference/index.ts';
import { type ElementType, identityModel, writeModel } from '../../core/onnx/index.ts';
import { type RunningServer, startServer } from '../../server/index.ts';
import { pythonEnvironment } from './python.ts';

const run = promisify(execFile);
const clients = join(import.meta.dirname, 'clients');

const types = [
  'float32',
  'float64',
  'float16',
  'int64',
  'uint64',
  'int32',
  'uint8',
  'bool',
  'string',
] as const satisfies readonly ElementType[];

/** `sum` = A + B as float32, and `B again`. */
const severalModel = writeModel({
  graph: {
    nodes: [
      { operator: 'Cast', inputs: ['B'], outputs: ['B as float'], attributes: { to: { int: 1 } } },
      { operator: 'Add', inputs: ['A', 'B as float'], outputs: ['sum'] },
      { operator: 'Identity', inputs: ['B'], outputs: ['B again'] },
    ],
    inputs: [
      { name: 'A', type: 'float32', shape: ['batch', 2] },
      { name: 'B', type: 'int64', shape: ['batch', 2] },
    ],
    outputs: [
      { name: 'sum', type: 'float32', shape: ['batch', 2] },
      { name: 'B again', type: 'int64', shape: ['batch', 2] },
    ],
  },
});

let repository = '';
let server: RunningServer;

beforeAll(async () => {
  repository = mkdtempSync(join(tmpdir(), 'sluice-conformance-'));
  const put = (name: string, model: Uint8Array): void => {
    mkdirSync(join(repository, name, '1'), { recursive: true });
    writeFileSync(join(repository, name, '1', 'model.onnx'), model);
  };
  for (const type of types) put(`identity-${datatypeOf(type).toLowerCase()}`, identityModel(type));
  put('several', severalModel);
  server = await startServer({ repository, grpcPort: 0, modelControl: true });
});

afterAll(async () => {
  await server?.close();
  rmSync(repository, { recursive: true, force: true });
});

type Outcomes = Readonly<Record<string, unknown>>;

/** Runs a client's program and reads what it got, by case. */
async function outcomesOf(
  program: string,
  environment: string,
  packages: readonly string[],
  args: readonly string[],
): Promise<Outcomes> {
  const { python } = await pythonEnvironment(environment, packages);
  const { stdout } = await run(python, [join(clients, program), ...args], {
    maxBuffer: 16 * 2 ** 20,
    env: { ...process.env, no_proxy: '*', NO_PROXY: '*', PYTHONDONTWRITEBYTECODE: '1' },
  });
  return JSON.parse(stdout) as Outcomes;
}

const tritonPackages = ['tritonclient[http,grpc]==2.73.0'];
const kservePackages = ['kserve==0.21.0', 'onnxruntime==1.31.1'];

/** What `samples` of clients/outcome.py are once they came back, by datatype. */
const samples: Outcomes = {
  FP32: { type: 'float32', values: [Math.fround(0.1), -2.5, Math.fround(3.4e38), Math.fround(1e-45)] },
  FP64: { type: 'float64', values: [0.1, -2.5, 1.7976931348623157e308, 5e-324] },
  FP16: { type: 'float16', values: [0.0999755859375, -2.5, 65504, 2 ** -24] },
  INT64: { type: 'int64', values: ['9007199254740993', '-9223372036854775808', '9223372036854775807', '0'] },
  UINT64: { type: 'uint64', values: ['9007199254740993', '18446744073709551615', '1', '0'] },
  INT32: { type: 'int32', values: ['-2147483648', '2147483647', '1', '0'] },
  UINT8: { type: 'uint8', values: ['0', '255', '1', '7'] },
  BOOL: { type: 'bool', values: [true, false, false, true] },
  BYTES: { type: 'object', values: ['one', '', 'zwölf 十二 🙂', 'a"b\\c\n'] },
};

function identityOf(datatype: string): object {
  return { ...(samples[datatype] as object), shape: [2, 2] };
}

const sum = { type: 'float32', shape: [1, 2], values: [11.5, 22.5] };
const again = { type: 'int64', shape: [1, 2], values: ['10', '20'] };

describe.each(['http', 'grpc'] as const)('tritonclient 2.73 over %s', (transport) => {
  let outcomes: Outcomes = {};

  beforeAll(async () => {
    const address = `127.0.0.1:${transport === 'http' ? server.port : server.grpcPort}`;
    outcomes = await outcomesOf('triton_client.py', 'triton-client', tritonPackages, [transport, address]);
  });

  const ways = ['binary in, binary out', 'binary in, JSON out', 'JSON in, binary out', 'JSON in, JSON out'];
  const cases = Object.keys(samples).flatMap((datatype) =>
    transport === 'grpc'
      ? [[datatype, datatype] as const]
      : (datatype === 'FP16' ? ways.slice(0, 1) : ways).map((way) => [datatype, `${datatype} ${way}`] as const),
  );
  test.each(cases)('%s comes back as it was (%s)', (datatype, name) => {
    expect(outcomes[name]).toEqual(identityOf(datatype));
  });

  test('several inputs, the id of the request and the version of the model', () => {
    expect(outcomes['several inputs, all outputs']).toEqual({
      id: 'request 7',
      version: '1',
      outputs: { sum, 'B again': again },
    });
    expect(outcomes['several inputs, one output']).toEqual({ id: 'request 7', version: '1', outputs: { sum } });
  });

  test.each([
    ['wrong shape', '400', 'INVALID_ARGUMENT'],
    ['wrong datatype', '400', 'INVALID_ARGUMENT'],
    ['unknown input', '400', 'INVALID_ARGUMENT'],
    ['missing input', '400', 'INVALID_ARGUMENT'],
    ['unknown output', '400', 'INVALID_ARGUMENT'],
    ['unknown model', '404', 'NOT_FOUND'],
    ['unknown version', '404', 'NOT_FOUND'],
  ])('%s is refused', (name, httpStatus, code) => {
    expect(outcomes[name]).toEqual({
      status: transport === 'http' ? httpStatus : `StatusCode.${code}`,
      message: expect.stringMatching(/\S/),
    });
  });

  test('an empty batch is answered or refused, not failed', () => {
    expect(outcomes['an empty batch']).toEqual(
      'status' in (outcomes['an empty batch'] as object)
        ? { status: transport === 'http' ? '400' : 'StatusCode.INVALID_ARGUMENT', message: expect.any(String) }
        : { type: 'float32', shape: [0, 2], values: [] },
    );
  });

  test.runIf(transport === 'http')('compressed requests are read', () => {
    expect(outcomes['gzip']).toEqual(identityOf('FP32'));
    expect(outcomes['deflate']).toEqual(identityOf('FP32'));
  });

  test.runIf(transport === 'http')('NaN and infinities come back', () => {
    const unusual = { type: 'float32', shape: [2, 2], values: ['nan', 'inf', '-inf', 1] };
    expect(outcomes['NaN and infinities binary']).toEqual(unusual);
    expect(outcomes['NaN and infinities JSON']).toEqual(unusual);
  });

  test('live, ready, and which models are', () => {
    expect(outcomes).toMatchObject({ live: true, ready: true, 'model ready': true, 'unknown model ready': false });
  });

  test('metadata of the server and of a model', () => {
    expect(outcomes['server metadata']).toMatchObject({
      name: 'sluice',
      extensions: expect.arrayContaining(['model_repository']),
    });
    const size = (number: number): number | string => (transport === 'grpc' ? String(number) : number);
    expect(outcomes['model metadata']).toMatchObject({
      name: 'several',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [
        { name: 'A', datatype: 'FP32', shape: [size(-1), size(2)] },
        { name: 'B', datatype: 'INT64', shape: [size(-1), size(2)] },
      ],
      outputs: [
        { name: 'sum', datatype: 'FP32', shape: [size(-1), size(2)] },
        { name: 'B again', datatype: 'INT64', shape: [size(-1), size(2)] },
      ],
    });
  });

  test('the repository is listed; models are unloaded and loaded', () => {
    const index = outcomes['repository index'];
    const models = transport === 'grpc' ? (index as { readonly models: unknown }).models : index;
    expect(models).toContainEqual(expect.objectContaining({ name: 'several', version: '1', state: 'READY' }));
    expect(models).toHaveLength(types.length + 1);
    expect(outcomes).toMatchObject({ unload: null, unloaded: false, load: null, loaded: true });
    expect(outcomes['load of an unknown model']).toMatchObject({ message: expect.stringMatching(/\S/) });
  });
});

describe.each(['http', 'grpc'] as const)("KServe's client 0.21 over %s", (transport) => {
  let outcomes: Outcomes = {};

  beforeAll(async () => {
    const address = transport === 'http' ? server.url : `127.0.0.1:${server.grpcPort}`;
    outcomes = await outcomesOf('kserve_client.py', 'kserve', kservePackages, [transport, address]);
  });

  const ways = transport === 'http' ? ['binary', 'JSON'] : ['raw', 'typed'];
  const cases = Object.keys(samples).flatMap((datatype) =>
    (datatype === 'FP16' ? ways.slice(0, 1) : ways).map((way) => [datatype, way] as const),
  );
  test.each(cases)('%s comes back as it was (%s)', (datatype, way) => {
    expect(outcomes[`${datatype} ${way}`]).toEqual(identityOf(datatype));
  });

  test('several inputs, the id of the request and the version of the model', () => {
    expect(outcomes['several inputs, all outputs']).toEqual({
      id: 'request 7',
      // KServe's HTTP client does not keep the version (InferResponse.from_bytes).
      version: transport === 'http' ? null : '1',
      outputs: { sum, 'B again': again },
    });
  });

  test('what is wrong is refused', () => {
    const status = (http: string, code: string): string => (transport === 'http' ? http : `StatusCode.${code}`);
    expect(outcomes['wrong shape']).toMatchObject({ status: status('400', 'INVALID_ARGUMENT') });
    expect(outcomes['unknown model']).toMatchObject({ status: status('404', 'NOT_FOUND') });
  });

  test.runIf(transport === 'http')('NaN comes back', () => {
    const unusual = { type: 'float32', shape: [2, 2], values: ['nan', 1, 2, 3] };
    expect(outcomes['NaN binary']).toEqual(unusual);
    expect(outcomes['NaN JSON']).toEqual(unusual);
  });

  test('live, ready, model ready', () => {
    expect(outcomes).toMatchObject({ live: true, ready: true, 'model ready': true });
  });
});
