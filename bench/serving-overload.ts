/**
 * `npm run bench -- serving-overload`: what the server does when three times as many requests come as it can answer. The model is heavy
 * enough for that to be a rate which a client on the same machine can send. SLUICE_OVERLOAD_SECONDS shortens the overload (60).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeInferResponse, encodeInferRequest } from '../core/inference/index.ts';
import { type Feeds, floatTensor, openModel, writeModel } from '../core/onnx/index.ts';
import { servingMetrics } from '../core/telemetry/index.ts';
import { type LoadResult, loadHttp } from '../smoke/load/index.ts';
import type { WireRequest } from '../smoke/protocol.ts';
import { freePorts } from '../testbed/free-ports.ts';
import { allAnswer, type Peer, peerFolder, startPeer } from '../testbed/serving/peer.ts';
import type { Measurement } from './measurement.ts';
import { quantile } from './quantile.ts';

const seconds = Number(process.env['SLUICE_OVERLOAD_SECONDS'] ?? 60);
const calmSeconds = 5;
const queueSize = 64;
const width = 16;
const hidden = 2048;
const differentRequests = 32;

export async function servingOverload(): Promise<Measurement> {
  const folder = mkdtempSync(join(tmpdir(), 'sluice-overload-'));
  let server: Peer | undefined;
  try {
    const file = join(folder, 'heavy.onnx');
    writeFileSync(file, heavyModel());
    server = await start(file);
    const { url } = server;
    const { requests, check } = await requestsTo(file);
    const load = (shape: Parameters<typeof loadHttp>[2], warmUpMs = 500): Promise<LoadResult> =>
      loadHttp({ url: new URL(url), headers: {}, timeoutMs: 10_000, maxAnswerBytes: 1e6 }, requests, shape, {
        check,
        warmUpMs,
        mostConnections: 512,
      });
    // As long a warm-up as the measurement: a cold server answers two thirds of what it can, and three times that would be no overload.
    const calm = (): Promise<LoadResult> =>
      load({ mode: 'closed', concurrency: 16, durationMs: calmSeconds * 1000 }, calmSeconds * 1000);

    const before = await calm();
    const capacity = before.answered / before.seconds;
    const memory: number[] = [];
    const watch = setInterval(async () => {
      const bytes = await residentBytes(url);
      if (bytes !== undefined) memory.push(bytes);
    }, 1000);
    const overload = await load({ mode: 'open', rate: 3 * capacity, durationMs: seconds * 1000 });
    clearInterval(watch);
    const after = await calm();

    const refused = overload.statuses[429] ?? 0;
    const lost = overload.sent - overload.answered - refused;
    const early = Math.max(...memory.slice(0, Math.ceil(memory.length / 3)));
    const late = Math.max(...memory.slice(-Math.ceil(memory.length / 3)));
    const recovered = after.answered / after.seconds / capacity;
    const text = await (await fetch(`${url}/metrics`)).text();
    const counted = new RegExp(`^${servingMetrics.predictions.name}\\{[^}]*status="queue_full"\\} (\\d+)$`, 'm').exec(
      text,
    )?.[1];
    const mib = (bytes: number): number => Math.round(bytes / 2 ** 20);
    const row = (phase: string, result: LoadResult) => ({
      phase,
      'sent/s': Math.round(result.sent / result.seconds),
      'answered/s': Math.round(result.answered / result.seconds),
      '429/s': Math.round((result.statuses[429] ?? 0) / result.seconds),
      'p50 ms': quantile(result.latenciesMs, 0.5).toFixed(1),
      'p99 ms': quantile(result.latenciesMs, 0.99).toFixed(1),
    });
    return {
      json: {
        capacity,
        overload: { sent: overload.sent, answered: overload.answered, refused, lost, seconds: overload.seconds },
        memoryMiB: { early: mib(early), late: mib(late) },
        recovered,
      },
      tables: [
        {
          title: `A queue of ${queueSize} requests, ${seconds} s at three times what the server can answer`,
          rows: [row('before', before), row('overload', overload), row('after', after)],
        },
        { title: 'Memory of the server, MiB', rows: [{ 'first third': mib(early), 'last third': mib(late) }] },
        {
          title: 'What came beside right answers and 429',
          rows: overload.failures
            .filter(({ said }) => !said.startsWith('429'))
            .map(({ code, said, count }) => ({ code, said, count })),
        },
      ],
      bounds: [
        { text: 'every answer was right', holds: [before, overload, after].every(allRight) },
        {
          text: `every request was answered or got a 429 (${lost} of ${overload.sent} did not)`,
          holds: lost === 0 && refused > 0,
        },
        { text: `the server counted each refusal (${counted} of ${refused})`, holds: Number(counted) >= refused },
        {
          text: `it still answered at ${Math.round((100 * overload.answered) / overload.seconds / capacity)} % of its capacity beside a client that takes a core (at least 50 %)`,
          holds: overload.answered / overload.seconds >= capacity / 2,
        },
        {
          text: `memory did not grow: ${mib(early)} MiB, then ${mib(late)} MiB`,
          holds: late <= 1.15 * early + 16 * 2 ** 20,
        },
        {
          text: `afterwards it was as fast as before (${Math.round(100 * recovered)} %, at least 70 %)`,
          holds: recovered >= 0.7,
        },
      ],
    };
  } finally {
    await server?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A network whose run takes a millisecond or more: 16.8 MB of weights have to come from memory. */
function heavyModel(): Uint8Array {
  let state = 1;
  const random = (): number => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647 - 0.5;
  };
  const weights = (name: string, rows: number, columns: number) =>
    floatTensor(
      name,
      [rows, columns],
      Array.from({ length: rows * columns }, () => random() / Math.sqrt(rows)),
    );
  return writeModel({
    graph: {
      nodes: [
        { operator: 'MatMul', inputs: ['X', 'first'], outputs: ['a'] },
        { operator: 'Relu', inputs: ['a'], outputs: ['b'] },
        { operator: 'MatMul', inputs: ['b', 'second'], outputs: ['c'] },
        { operator: 'Relu', inputs: ['c'], outputs: ['d'] },
        { operator: 'MatMul', inputs: ['d', 'third'], outputs: ['Y'] },
      ],
      inputs: [{ name: 'X', type: 'float32', shape: ['batch', width] }],
      outputs: [{ name: 'Y', type: 'float32', shape: ['batch', 1] }],
      initializers: [weights('first', width, hidden), weights('second', hidden, hidden), weights('third', hidden, 1)],
    },
  });
}

async function start(file: string): Promise<Peer> {
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const cli = join(import.meta.dirname, '..', 'cli', 'index.ts');
  return startPeer({
    name: 'sluice',
    command: process.execPath,
    args: [
      cli,
      'serve',
      file,
      '--port',
      String(port),
      '--max-queue',
      String(queueSize),
      '--max-batch',
      '4',
      '--workers',
      '1',
    ],
    env: {},
    folder: peerFolder('overload'),
    addresses: { url, metrics: `${url}/metrics` },
    ready: () => allAnswer(`${url}/v2/health/ready`),
  });
}

/** Requests that differ, and a check that each answer is that of its own request. */
async function requestsTo(file: string): Promise<{
  readonly requests: readonly WireRequest[];
  readonly check: (answer: { readonly body: Uint8Array }, index: number) => string | undefined;
}> {
  await using model = await openModel(file);
  const requests: WireRequest[] = [];
  const expected: number[] = [];
  for (let index = 0; index < differentRequests; index++) {
    const data = Float32Array.from({ length: width }, (_, column) => Math.sin(index * width + column));
    const feeds: Feeds = { X: { type: 'float32', dims: [1, width], data } };
    const { body, headers } = encodeInferRequest({ feeds });
    requests.push({ method: 'POST', path: '/v2/models/heavy/infer', headers, body });
    expected.push(Number((await model.run(feeds))['Y']?.data[0]));
  }
  return {
    requests,
    check: ({ body }, index) => {
      const observed = Number(decodeInferResponse(body).outputs['Y']?.data[0]);
      const wanted = expected[index] ?? Number.NaN;
      return Math.abs(observed - wanted) <= 1e-5 + 1e-3 * Math.abs(wanted)
        ? undefined
        : `${observed} and not ${wanted}`;
    },
  };
}

function allRight({ answered, failures }: LoadResult): boolean {
  return answered > 0 && failures.every(({ code }) => code !== 'wrong-answer');
}

async function residentBytes(url: string): Promise<number | undefined> {
  const text = await fetch(`${url}/metrics`).then(
    (response) => response.text(),
    () => '',
  );
  const found = /^process_resident_memory_bytes (\d+)$/m.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}
