import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { decodeInferResponse, encodeInferRequest } from '../core/inference/index.ts';
import { classifierModel, linearModel } from '../core/onnx/index.ts';
import { servingMetrics } from '../core/telemetry/index.ts';
import { inferRequest, RawClient } from './http/raw-client.ts';
import { type RunningServer, type ServerOptions, startServer } from './index.ts';

// Real sockets and the real ONNX Runtime, on loopback.

let directory: string;
let repository: string;
/** Starting one takes a while; who neither counts nor ends it uses this one. */
let common: Promise<RunningServer> | undefined;
const running: RunningServer[] = [];
const clients: RawClient[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-server-'));
  repository = join(directory, 'repository');
  // Y = X · [[1], [2]] + 0.5
  await put('double/1/model.onnx', linearModel([[1], [2]], [0.5]));
  await put('classes/1/model.onnx', classifierModel([[1, -1], [0, 0.5]], [0, 0])); // biome-ignore format: rows of weights
});
afterEach(async () => {
  for (const client of clients.splice(0)) client.close();
  await Promise.all(running.splice(0).map((server) => server.close()));
});
afterAll(async () => {
  await (await common)?.close();
  await rm(directory, { recursive: true, force: true });
});

async function put(path: string, bytes: Uint8Array): Promise<void> {
  const file = join(repository, path);
  await mkdir(join(file, '..'), { recursive: true });
  await writeFile(file, bytes);
}

async function start(options: Partial<Omit<ServerOptions, 'file' | 'repository'>> = {}): Promise<RunningServer> {
  const server = await startServer({ repository, ...options });
  running.push(server);
  return server;
}

function shared(): Promise<RunningServer> {
  common ??= startServer({ repository });
  return common;
}

function connectTo(server: RunningServer): RawClient {
  const client = new RawClient(server.port);
  clients.push(client);
  return client;
}

const rowOf = (a: number, b: number, id?: string): string =>
  JSON.stringify({
    ...(id === undefined ? {} : { id }),
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 2], data: [a, b] }],
  });
const row = rowOf(3, 4);
const answerOf = (body: string): unknown => (JSON.parse(body) as { outputs: { data: unknown }[] }).outputs[0]?.data;

async function call(
  server: RunningServer,
  method: string,
  path: string,
  options: {
    readonly body?: string | Uint8Array<ArrayBuffer>;
    readonly headers?: Readonly<Record<string, string>>;
  } = {},
): Promise<{ status: number; headers: Headers; text: string; json: unknown }> {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...options.headers },
    ...(options.body === undefined ? {} : { body: options.body }),
  });
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {}
  return { status: response.status, headers: response.headers, text, json };
}

describe('the Open Inference Protocol', () => {
  test('live, ready, and the server by name', async () => {
    const server = await shared();
    expect((await call(server, 'GET', '/v2/health/live')).json).toEqual({ live: true });
    expect((await call(server, 'GET', '/v2/health/ready')).json).toEqual({ ready: true });
    expect((await call(server, 'GET', '/v2')).json).toMatchObject({ name: 'sluice', extensions: expect.any(Array) });
    expect((await call(server, 'GET', '/v2/models/double/ready')).json).toEqual({ name: 'double', ready: true });
  });

  test('metadata carries the digests of the file, for a release to check what runs', async () => {
    const server = await shared();
    expect((await call(server, 'GET', '/v2/models/double')).json).toEqual({
      name: 'double',
      versions: ['1'],
      platform: 'onnxruntime_onnx',
      inputs: [{ name: 'X', datatype: 'FP32', shape: [-1, 2] }],
      outputs: [{ name: 'Y', datatype: 'FP32', shape: [-1, 1] }],
      parameters: {
        version: '1',
        sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
        md5: expect.stringMatching(/^[0-9a-f]{32}$/),
      },
    });
    expect((await call(server, 'GET', '/v2/models/double/versions/1')).json).toMatchObject({ name: 'double' });
  });

  test('a request is answered with its id, by the version it names or the newest', async () => {
    const server = await shared();
    for (const path of ['/v2/models/double/infer', '/v2/models/double/versions/1/infer']) {
      const { status, json, headers } = await call(server, 'POST', path, { body: rowOf(3, 4, 'seven') });
      expect(status).toBe(200);
      expect(headers.get('content-type')).toBe('application/json');
      expect(json).toEqual({
        model_name: 'double',
        model_version: '1',
        id: 'seven',
        outputs: [{ name: 'Y', datatype: 'FP32', shape: [1, 1], data: [11.5] }],
      });
    }
  });

  test('binary tensors go both ways', async () => {
    const server = await shared();
    const { body, headers } = encodeInferRequest({
      feeds: { X: { type: 'float32', data: Float32Array.of(1, 1, 2, 2), dims: [2, 2] } },
      binary: true,
    });
    const response = await fetch(`${server.url}/v2/models/double/infer`, {
      method: 'POST',
      headers,
      body: Buffer.from(body),
    });
    const { outputs } = decodeInferResponse(
      new Uint8Array(await response.arrayBuffer()),
      response.headers.get('inference-header-content-length') ?? undefined,
    );
    expect(outputs['Y']).toEqual({ type: 'float32', dims: [2, 1], data: Float32Array.of(3.5, 6.5) });
  });

  test('chunks, compression and a path with escapes are answered as the plainest request is', async () => {
    const server = await shared();
    const plain = connectTo(server);
    plain.send(inferRequest('double', row));
    const expected = (await plain.answer())?.body;
    const chunked = connectTo(server);
    chunked.send(
      `POST /v2/models/double/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${row.length.toString(16)}\r\n${row}\r\n0\r\n\r\n`,
    );
    expect((await chunked.answer())?.body).toBe(expected);
    const zipped = await call(server, 'POST', '/v2/models/double/infer', {
      body: Buffer.from(gzipSync(row)),
      headers: { 'content-encoding': 'gzip' },
    });
    expect(zipped.text).toBe(expected);
    expect((await call(server, 'POST', '/v2/models/d%6Fuble/infer?x=1', { body: row })).text).toBe(expected);
  });

  test('the index lists every version with its state, statistics count what ran', async () => {
    const server = await start();
    await call(server, 'POST', '/v2/models/double/infer', { body: row });
    expect((await call(server, 'POST', '/v2/repository/index')).json).toEqual([
      { name: 'classes', version: '1', state: 'READY', reason: '' },
      { name: 'double', version: '1', state: 'READY', reason: '' },
    ]);
    expect((await call(server, 'GET', '/v2/models/double/stats')).json).toMatchObject({
      model_stats: [
        {
          name: 'double',
          version: '1',
          inference_count: 1,
          execution_count: 1,
          inference_stats: { success: { count: 1 } },
        },
      ],
    });
  });

  test('models are loaded and unloaded only where that is allowed', async () => {
    const closed = await shared();
    expect((await call(closed, 'POST', '/v2/repository/models/double/unload')).status).toBe(403);
    const server = await start({ modelControl: true });
    expect((await call(server, 'POST', '/v2/repository/models/double/unload')).status).toBe(200);
    expect((await call(server, 'POST', '/v2/models/double/infer', { body: row })).status).toBe(503);
    expect((await call(server, 'GET', '/v2/models/double/ready')).status).toBe(503);
    expect((await call(server, 'POST', '/v2/repository/models/double/load')).status).toBe(200);
    expect((await call(server, 'POST', '/v2/models/double/infer', { body: row })).status).toBe(200);
    const unknown = await call(server, 'POST', '/v2/repository/models/nowhere/load');
    expect(unknown.status).toBe(400);
    expect(unknown.text).not.toContain(directory);
  });
});

describe('a request that cannot be answered', () => {
  const cases: readonly (readonly [
    what: string,
    status: number,
    method: string,
    path: string,
    body: string | undefined,
  ])[] = [
    ['broken JSON', 400, 'POST', '/v2/models/double/infer', '{"inputs":'],
    ['no body', 400, 'POST', '/v2/models/double/infer', ''],
    ['a wrong shape', 400, 'POST', '/v2/models/double/infer', row.replace('[1,2]', '[2,2]')],
    ['a wrong type', 400, 'POST', '/v2/models/double/infer', row.replace('FP32', 'INT64')],
    ['an unknown input', 400, 'POST', '/v2/models/double/infer', row.replace('"X"', '"Z"')],
    [
      'an unknown output',
      400,
      'POST',
      '/v2/models/double/infer',
      row.replace('{"inputs"', '{"outputs":[{"name":"Q"}],"inputs"'),
    ],
    ['an unknown model', 404, 'POST', '/v2/models/nowhere/infer', row],
    ['an unknown version', 404, 'POST', '/v2/models/double/versions/9/infer', row],
    ['metadata of an unknown model', 404, 'GET', '/v2/models/nowhere', undefined],
    ['an unknown route', 404, 'GET', '/v3', undefined],
    ['a path upwards', 404, 'GET', '/v2/models/..%2f..%2fetc', undefined],
    ['another method', 405, 'GET', '/v2/models/double/infer', undefined],
    ['another method', 405, 'DELETE', '/v2/models/double', undefined],
  ];
  test.each(cases)('%s: %i, one line, no stack', async (_, status, method, path, body) => {
    const server = await shared();
    const found = await call(server, method, path, body === undefined ? {} : { body });
    expect(found.status, found.text).toBe(status);
    expect(found.json).toEqual({ error: expect.stringMatching(/^\S[^\n]*$/) });
    expect(found.text).not.toMatch(/\bat .*:\d+:\d+|node_modules/);
    expect(found.text).not.toContain(directory);
    expect((await call(server, 'GET', '/v2/health/ready')).status).toBe(200);
  });

  test('too large a body is a 413, told or not, packed or not', async () => {
    const server = await start({ limits: { maxBodyBytes: 1000 } });
    const large = 'x'.repeat(2000);
    expect((await call(server, 'POST', '/v2/models/double/infer', { body: large })).status).toBe(413);
    const told = connectTo(server);
    told.send(inferRequest('double', large));
    expect((await told.answer())?.status).toBe(413);
    const chunked = connectTo(server);
    chunked.send(
      `POST /v2/models/double/infer HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n${large}\r\n0\r\n\r\n`,
    );
    expect((await chunked.answer())?.status).toBe(413);
  });

  test('a bomb is stopped at the limit', async () => {
    const server = await start({ limits: { maxBodyBytes: 100_000 } });
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    expect(bomb.length).toBeLessThan(100_000);
    const found = await call(server, 'POST', '/v2/models/double/infer', {
      body: bomb,
      headers: { 'content-encoding': 'gzip' },
    });
    expect(found.status).toBe(413);
  });

  test("broken or unknown compression is the client's fault", async () => {
    const server = await shared();
    const send = (encoding: string) =>
      call(server, 'POST', '/v2/models/double/infer', { body: row, headers: { 'content-encoding': encoding } });
    expect((await send('gzip')).status).toBe(400);
    expect((await send('zstd')).status).toBe(415);
  });

  test('bodies that together take too much memory are a 503 to come back after', async () => {
    const server = await start({ limits: { maxBufferedBytes: 100_000 } });
    const first = connectTo(server);
    first.send(inferRequest('double', 'x'.repeat(90_000)).slice(0, 80_000));
    // The first request holds its memory while its body is on the way.
    await new Promise((resolve) => setTimeout(resolve, 50));
    const second = await call(server, 'POST', '/v2/models/double/infer', { body: 'y'.repeat(90_000 + 64 * 1024) });
    expect(second.status).toBe(503);
    expect(second.headers.get('retry-after')).toBe('1');
    first.close();
  });

  test('headers that are too large are a 431, nonsense is a 400', async () => {
    const server = await shared();
    const large = connectTo(server);
    large.send(inferRequest('double', row, [`X-Large: ${'x'.repeat(20_000)}`]));
    expect((await large.answer())?.status).toBe(431);
    const nonsense = connectTo(server);
    nonsense.send('\x16\x03\x01\x02\0nonsense\r\n\r\n');
    expect((await nonsense.answer())?.status).toBe(400);
    const smuggled = connectTo(server);
    smuggled.send(inferRequest('double', row, ['Transfer-Encoding: chunked']));
    expect((await smuggled.answer())?.status).toBe(400);
    await smuggled.ended();
  });

  test('with a full queue it is a 429 with Retry-After, and nobody else is hurt', async () => {
    const server = await start({ settings: { maxQueueSize: 2, maxQueueDelayUs: 20_000 } });
    const answers = await Promise.all(
      Array.from({ length: 20 }, async () => {
        const client = connectTo(server);
        client.send(inferRequest('double', row));
        return client.answer();
      }),
    );
    const refused = answers.filter((answer) => answer?.status === 429);
    const served = answers.filter((answer) => answer?.status === 200);
    expect(refused.length).toBeGreaterThan(0);
    expect(served.length).toBeGreaterThan(0);
    expect(refused.length + served.length).toBe(20);
    for (const answer of refused) expect(answer?.headers['retry-after']).toBe('1');
    for (const answer of served) expect(answerOf(answer?.body ?? '')).toEqual([11.5]);
  });

  test('past its time it is a 504', async () => {
    const server = await start({ settings: { maxQueueDelayUs: 200_000 } });
    // Triton's parameter, in microseconds.
    const { status } = await call(server, 'POST', '/v2/models/double/infer', {
      body: row.replace('{"inputs"', '{"parameters":{"timeout":1000},"inputs"'),
    });
    expect(status).toBe(504);
  });
});

describe('a token', () => {
  test('is asked for everywhere but at health routes, and compared whole', async () => {
    const server = await start({ token: 'right' });
    const status = async (path: string, authorization?: string, body?: string) =>
      (
        await call(server, body === undefined ? 'GET' : 'POST', path, {
          ...(body === undefined ? {} : { body }),
          ...(authorization === undefined ? {} : { headers: { authorization } }),
        })
      ).status;
    expect(await status('/v2/health/ready')).toBe(200);
    expect(await status('/v2/health/live')).toBe(200);
    for (const path of ['/v2', '/metrics', '/v2/models/double', '/v2/models/double/stats', '/nowhere']) {
      expect(await status(path), path).toBe(401);
      expect(await status(path, 'Bearer right'), path).not.toBe(401);
    }
    for (const wrong of [
      undefined,
      'Bearer wrong',
      'Bearer right2',
      'Bearer righ',
      'Bearer ',
      'Basic right',
      'right',
    ]) {
      expect(await status('/v2/models/double/infer', wrong, row)).toBe(401);
      expect(await status('/v2/models/double/infer?x', wrong, row)).toBe(401);
    }
    expect(await status('/v2/models/double/infer', 'bearer right', row)).toBe(200);
  });

  test('is not needed for metrics where that was asked for', async () => {
    const server = await start({ token: 'right', openMetrics: true });
    expect((await call(server, 'GET', '/metrics')).status).toBe(200);
    expect((await call(server, 'GET', '/v2')).status).toBe(401);
  });
});

describe('a connection', () => {
  test('answers requests sent ahead in their order, whatever their form', async () => {
    const server = await shared();
    const client = connectTo(server);
    const numbers = Array.from({ length: 50 }, (_, index) => index);
    client.send(numbers.map((number) => inferRequest('double', rowOf(number, 0))).join(''));
    client.send('GET /v2/health/live HTTP/1.1\r\nHost: a\r\n\r\n');
    client.send(inferRequest('double', rowOf(100, 0)));
    client.send(inferRequest('nowhere', row));
    for (const number of numbers) expect(answerOf((await client.answer())?.body ?? '')).toEqual([number + 0.5]);
    expect((await client.answer())?.body).toBe('{"live":true}');
    expect(answerOf((await client.answer())?.body ?? '')).toEqual([100.5]);
    expect((await client.answer())?.status).toBe(404);
  });

  test('may bring a request in pieces of any size', async () => {
    const server = await shared();
    const bytes = inferRequest('double', row) + inferRequest('double', rowOf(1, 1));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(bytes.length), { maxLength: 6 }), async (cuts) => {
        const client = connectTo(server);
        const places = [0, ...cuts.toSorted((a, b) => a - b), bytes.length];
        for (let index = 1; index < places.length; index++) {
          client.send(bytes.slice(places[index - 1], places[index]));
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(answerOf((await client.answer())?.body ?? '')).toEqual([11.5]);
        expect(answerOf((await client.answer())?.body ?? '')).toEqual([3.5]);
        client.close();
      }),
      { numRuns: 40 },
    );
  });

  test('that asks for its end gets its answer and the end', async () => {
    const server = await shared();
    const client = connectTo(server);
    client.send(inferRequest('double', row, ['Connection: close']) + inferRequest('double', row));
    const answer = await client.answer();
    expect([answer?.status, answer?.headers['connection']]).toEqual([200, 'close']);
    expect(await client.answer()).toBeUndefined();
  });

  test('whose client stops sending still gets what it waits for', async () => {
    const server = await shared();
    const client = connectTo(server);
    client.socket.end(inferRequest('double', row));
    expect((await client.answer())?.status).toBe(200);
    await client.ended();
  });

  test('that does not get on is ended: no bytes, half a head, half a body', async () => {
    const server = await start({ limits: { headersTimeoutMs: 300, requestTimeoutMs: 600, keepAliveTimeoutMs: 500 } });
    const silent = connectTo(server);
    const halfHead = connectTo(server);
    halfHead.send('POST /v2/models/double/infer HTTP/1.1\r\nHost: a\r\nX-Slow: ');
    const halfBody = connectTo(server);
    halfBody.send(inferRequest('double', row).slice(0, -5));
    const idle = connectTo(server);
    idle.send(inferRequest('double', row));
    expect((await idle.answer())?.status).toBe(200);
    expect((await halfHead.answer())?.status).toBe(408);
    expect((await halfBody.answer())?.status).toBe(408);
    await Promise.all([silent, halfHead, halfBody, idle].map((client) => client.ended()));
    expect((await call(server, 'GET', '/v2/health/ready')).status).toBe(200);
  });

  test('beyond the limit is closed, and those before go on', async () => {
    const server = await start({ limits: { maxConnections: 2 } });
    const [first, second] = [connectTo(server), connectTo(server)];
    for (const client of [first, second]) {
      client.send(inferRequest('double', row));
      expect((await client.answer())?.status).toBe(200);
    }
    await connectTo(server).ended();
    first.send(inferRequest('double', row));
    expect((await first.answer())?.status).toBe(200);
  });
});

test('whatever bytes come, the server stays alive and answers the next', async () => {
  const server = await shared();
  const good = inferRequest('double', row);
  const mutated = fc
    .array(fc.tuple(fc.nat(good.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 })
    .map((changes) => {
      const bytes = Buffer.from(good);
      for (const [at, value] of changes) bytes[at] = value;
      return bytes;
    });
  const bytes = fc.oneof(
    mutated,
    fc.uint8Array({ maxLength: 300 }).map((random) => Buffer.from(random)),
    fc.json().map((body) => Buffer.from(inferRequest('double', body))),
    fc
      .tuple(fc.json(), fc.nat(400))
      .map(([body, length]) =>
        Buffer.from(inferRequest('double', body, [`Inference-Header-Content-Length: ${length}`])),
      ),
  );
  await fc.assert(
    fc.asyncProperty(bytes, async (request) => {
      const client = connectTo(server);
      client.socket.end(request);
      await client.ended();
      const next = connectTo(server);
      next.send(good);
      expect((await next.answer())?.body).toContain('11.5');
      next.close();
    }),
    { numRuns: 300 },
  );
});

describe('metrics', () => {
  test('count answers, refusals, latency, batches and what was predicted', async () => {
    const server = await start({ accuracy: { double: 0.93 } });
    for (const value of [1, 2, 3]) await call(server, 'POST', '/v2/models/double/infer', { body: rowOf(value, 0) });
    await call(server, 'POST', '/v2/models/double/infer', { body: '{' });
    await call(server, 'POST', '/v2/models/nowhere/infer', { body: row });
    await call(server, 'POST', '/v2/models/classes/infer', { body: row });
    server.setAccuracy('classes', 0.5);
    const { text, headers } = await call(server, 'GET', '/metrics');
    expect(headers.get('content-type')).toContain('text/plain; version=0.0.4');
    const { latency, predictions, batchRows, predictionValue, predictionClass, accuracy, ready } = servingMetrics;
    const of = 'model_name="double",model_version="1"';
    for (const line of [
      `${predictions.name}{${of},status="ok"} 3`,
      `${predictions.name}{${of},status="invalid_input"} 1`,
      `${predictions.name}{model_name="",model_version="",status="unknown_model"} 1`,
      `${latency.name}_count{${of}} 3`,
      `${latency.name}_bucket{${of},le="+Inf"} 3`,
      `${batchRows.name}_bucket{${of},le="1"} 3`,
      `${predictionValue.name}_bucket{${of},output="Y",le="1"} 0`,
      `${predictionValue.name}_bucket{${of},output="Y",le="2"} 1`,
      `${predictionValue.name}_sum{${of},output="Y"} 7.5`,
      `${predictionClass.name}{model_name="classes",model_version="1",output="label",class="0"} 1`,
      `${predictionValue.name}_count{model_name="classes",model_version="1",output="probabilities[1]"} 1`,
      `${accuracy.name}{model_name="double"} 0.93`,
      `${accuracy.name}{model_name="classes"} 0.5`,
      `${ready.name}{${of}} 1`,
    ]) {
      expect(text.split('\n')).toContain(line);
    }
    for (const { name, help, kind } of Object.values(servingMetrics)) {
      expect(text).toContain(`# HELP ${name} ${help}\n# TYPE ${name} ${kind}\n`);
    }
    expect(text).not.toContain('nowhere');
  });

  test('an accuracy that is none is refused', async () => {
    const server = await shared();
    expect(() => server.setAccuracy('double', 1.2)).toThrow(/0 to 1/);
  });
});

test('the access log has each request and nothing of its body, query or token', async () => {
  const lines: string[] = [];
  const server = await start({ token: 'secret-token', accessLog: { write: (text) => lines.push(text) } });
  const headers = { authorization: 'Bearer secret-token' };
  await call(server, 'POST', '/v2/models/double/infer', { body: rowOf(424242, 1), headers });
  await call(server, 'POST', '/v2/models/double/infer?secret=query', { body: rowOf(424242, 1), headers });
  await call(server, 'GET', '/v2/models/double?secret=query', { headers });
  await call(server, 'GET', '/v2/health/live?secret=query', { headers });
  await server.close();
  const text = lines.join('');
  const entries = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(
    entries.filter(({ event }) => event === 'request').map(({ method, path, status }) => [method, path, status]),
  ).toEqual([
    ['POST', '/v2/models/double/infer', 200],
    ['POST', '/v2/models/double/infer', 200],
    ['GET', '/v2/models/double', 200],
    ['GET', '/v2/health/live', 200],
  ]);
  expect(text).not.toMatch(/424242|secret/);
  expect([entries[0]?.['event'], entries.at(-1)?.['event']]).toEqual(['ready', 'stopped']);
});

describe('the end of a server', () => {
  test('is announced: not ready, still answering, every connection ended by its next answer', async () => {
    const server = await start();
    const [busy, general] = [connectTo(server), connectTo(server)];
    for (const client of [busy, general]) {
      client.send(client === busy ? inferRequest('double', row) : 'GET /v2 HTTP/1.1\r\nHost: a\r\n\r\n');
      expect((await client.answer())?.headers['connection']).not.toBe('close');
    }
    const drained = server.drain({ delayMs: 300 });
    expect((await call(server, 'GET', '/v2/health/ready')).status).toBe(503);
    expect((await call(server, 'GET', '/v2/models/double/ready')).status).toBe(503);
    expect((await call(server, 'GET', '/v2/health/live')).status).toBe(200);
    for (const client of [busy, general]) {
      client.send(inferRequest('double', row));
      const answer = await client.answer();
      expect([answer?.status, answer?.headers['connection']]).toEqual([200, 'close']);
      await client.ended();
    }
    await drained;
    await expect(fetch(`${server.url}/v2`)).rejects.toThrow();
  });

  test('waits for a request whose body is on its way', async () => {
    const server = await start();
    const client = connectTo(server);
    const request = inferRequest('double', row);
    client.send(request.slice(0, -10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    const drained = server.drain();
    await new Promise((resolve) => setTimeout(resolve, 1500));
    client.send(request.slice(-10));
    expect((await client.answer())?.status).toBe(200);
    await drained;
  });

  test('does not wait for a client for longer than it was told', async () => {
    const server = await start();
    const client = connectTo(server);
    client.send(inferRequest('double', row).slice(0, -10));
    await new Promise((resolve) => setTimeout(resolve, 50));
    await server.drain({ patienceMs: 1100 });
    await client.ended();
  });
});

test('under more load than it takes, every request gets its own right answer or a 429', async () => {
  const server = await start({ settings: { maxQueueSize: 8 } });
  const tally = { served: 0, refused: 0 };
  await Promise.all(
    Array.from({ length: 64 }, async (_, number) => {
      const client = connectTo(server);
      for (let turn = 0; turn < 40; turn++) {
        client.send(inferRequest('double', rowOf(number, turn)));
        const answer = await client.answer();
        if (answer?.status === 200) {
          expect(answerOf(answer.body)).toEqual([number + 2 * turn + 0.5]);
          tally.served++;
        } else {
          expect([answer?.status, answer?.headers['retry-after']]).toEqual([429, '1']);
          tally.refused++;
        }
      }
    }),
  );
  expect(tally.served + tally.refused).toBe(64 * 40);
  expect(tally.served).toBeGreaterThan(0);
  expect((await call(server, 'POST', '/v2/models/double/infer', { body: row })).status).toBe(200);
});

test('a model that cannot be served, a port that is taken and an address that is none are told', async () => {
  const server = await shared();
  await expect(startServer({ repository, port: server.port })).rejects.toThrow(/already listens/);
  await expect(startServer({ repository, address: '192.0.2.1' })).rejects.toThrow(/no address/);
  const broken = join(directory, 'broken.onnx');
  await writeFile(broken, 'no model');
  await expect(startServer({ file: broken })).rejects.toThrow(/cannot be served/);
  await expect(startServer({ file: join(directory, 'nowhere.onnx') })).rejects.toThrow(/nowhere|no such/);
});
