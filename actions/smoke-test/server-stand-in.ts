import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Model, Outputs, Tensor } from '../../core/onnx/index.ts';

/** What can be wrong with a deployment, one at a time. */
export interface Faults {
  /** Another model's answers, under the right signature. */
  readonly answersOf?: Model;
  /** Added to every number that is served. */
  readonly shift?: number;
  /** Milliseconds each inference takes. */
  readonly delay?: number;
  /** Every inference is answered with this status. */
  readonly inferStatus?: number;
  readonly readyStatus?: number;
  /** What metadata says instead of the model's. */
  readonly metadata?: (told: Metadata) => Metadata;
  readonly version?: string;
  /** The status malformed requests get. */
  readonly malformedStatus?: number;
  /** From the first malformed request on it is not ready. */
  readonly dies?: boolean;
}

interface Metadata {
  readonly name: string;
  readonly versions: readonly string[];
  readonly platform: string;
  readonly inputs: readonly TensorMetadata[];
  readonly outputs: readonly TensorMetadata[];
  readonly parameters: Readonly<Record<string, string>>;
}

interface TensorMetadata {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
}

export interface ServerStandIn extends AsyncDisposable {
  readonly url: URL;
  /** Requests by `METHOD path`, in order. */
  readonly seen: readonly string[];
}

const datatypes: Readonly<Record<string, string>> = {
  float32: 'FP32',
  float64: 'FP64',
  int64: 'INT64',
  string: 'BYTES',
};

/**
 * For tests: a model server of the Open Inference Protocol on loopback, JSON only, with what `faults` says wrong. It shares no code with
 * the client under test or with `server/`.
 */
export async function startStandIn(model: Model, faults: Faults = {}): Promise<ServerStandIn> {
  const seen: string[] = [];
  let dead = false;
  const metadata = (): Metadata => {
    const told = {
      name: 'm',
      versions: [faults.version ?? '1'],
      platform: 'onnxruntime_onnx',
      inputs: model.inputs.map(described),
      outputs: model.outputs.map(described),
      parameters: { sha256: (faults.answersOf ?? model).facts.sha256 },
    };
    return faults.metadata?.(told) ?? told;
  };
  const reply = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname.replace(/\/versions\/[^/]+/, '');
    seen.push(`${request.method} ${path}`);
    const body = await bodyOf(request);
    if (path.startsWith('/v2/health') || /^\/v2\/models\/m\/ready$/.test(path)) {
      const status = dead ? 503 : (faults.readyStatus ?? 200);
      return reply(response, status, status === 200 ? {} : { error: 'the model is loading' });
    }
    if (path === '/v2/models/m') return reply(response, 200, metadata());
    if (path !== '/v2/models/m/infer') return reply(response, 404, { error: 'no such model' });
    const feeds = feedsIn(body, model);
    if (feeds === undefined) {
      if (faults.dies === true) dead = true;
      return reply(response, faults.malformedStatus ?? 400, { error: 'the request is malformed' });
    }
    if (faults.delay !== undefined) await new Promise((done) => setTimeout(done, faults.delay));
    if (faults.inferStatus !== undefined) return reply(response, faults.inferStatus, { error: 'something broke' });
    const outputs = await (faults.answersOf ?? model).run(feeds).catch(() => undefined);
    if (outputs === undefined) return reply(response, 400, { error: 'the model does not take this' });
    reply(response, 200, {
      model_name: 'm',
      model_version: faults.version ?? '1',
      outputs: served(outputs, faults.shift ?? 0),
    });
  };
  const server = createServer((request, response) => {
    handle(request, response).catch(() => reply(response, 500, { error: 'the stand-in broke' }));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}`),
    seen,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
}

function described({ name, type, shape }: Model['inputs'][number]): TensorMetadata {
  return {
    name,
    datatype: datatypes[type] ?? type,
    shape: shape.map((size) => (typeof size === 'number' ? size : -1)),
  };
}

function served(outputs: Outputs, shift: number): readonly unknown[] {
  return Object.entries(outputs).map(([name, { type, dims, data }]) => ({
    name,
    datatype: datatypes[type] ?? type,
    shape: dims,
    data: Array.from<unknown, unknown>(data as ArrayLike<unknown>, (value) =>
      typeof value === 'bigint' ? Number(value) : typeof value === 'number' ? value + shift : value,
    ),
  }));
}

/** The tensors of a good request for float32 inputs; `undefined` for any other. Binary tensors are read too. */
function feedsIn(body: Buffer, model: Model): Record<string, Tensor> | undefined {
  try {
    const parsed = JSON.parse(body.toString()) as { readonly inputs: readonly Input[] };
    const feeds: Record<string, Tensor> = {};
    for (const { name, shape, datatype, data } of parsed.inputs) {
      const spec = model.inputs.find((input) => input.name === name);
      const flat = data.flat(Number.POSITIVE_INFINITY) as readonly unknown[];
      const size = shape.reduce((product, each) => product * each, 1);
      if (spec === undefined || datatype !== 'FP32' || flat.length !== size) return undefined;
      if (!flat.every((value) => typeof value === 'number')) return undefined;
      if (spec.shape.length !== shape.length) return undefined;
      if (spec.shape.some((its, index) => typeof its === 'number' && its !== shape[index])) return undefined;
      feeds[name] = { type: 'float32', dims: shape, data: Float32Array.from(flat.map(Number)) };
    }
    return Object.keys(feeds).length === model.inputs.length ? feeds : undefined;
  } catch {
    return undefined;
  }
}

interface Input {
  readonly name: string;
  readonly shape: readonly number[];
  readonly datatype: string;
  readonly data: readonly unknown[];
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts);
}
