/**
 * `sluice smoke` against the servers of the field: green for the model that should run, and red, for the right reason, for one that
 * is wrong, slow, broken, not there, or of another shape. Each server is started once with all of these models.
 */
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startKserve } from './kserve.ts';
import { startMlflow } from './mlflow.ts';
import { startMlserver } from './mlserver.ts';
import type { Peer, PeerModel } from './peer.ts';
import { startRayServe } from './ray-serve.ts';
import { smokeRun } from './smoke-run.ts';
import { startTorchserve } from './torchserve.ts';
import { startTriton } from './triton.ts';

const examples = join(import.meta.dirname, '..', '..', 'examples', 'breast-cancer', 'models');
const good = join(examples, 'good.onnx');

const models = [
  { name: 'good', file: good },
  // The same inputs and outputs, and other weights.
  { name: 'wrong', file: join(examples, 'worse.onnx') },
  { name: 'slow', file: good, fault: 'slow' },
  { name: 'raises', file: good, fault: 'raises' },
  { name: 'narrow', file: good, fault: 'narrow' },
  { name: 'never-ready', file: good, fault: 'never-ready' },
] as const satisfies readonly PeerModel[];
type ModelName = (typeof models)[number]['name'];

/** How a server is smoke-tested. */
interface Way {
  readonly protocol: string;
  /** @default the server's URL */
  readonly address?: (peer: Peer) => string;
  /** Where an answer of another shape shows: JSON without shapes that does not fit the model is no answer. @default by comparison */
  readonly misfit?: 'smoke/answers';
  /** What the policy's `smoke` needs beside the protocol. */
  readonly plan?: object;
}

interface Server {
  readonly name: string;
  readonly start: (models: readonly PeerModel[]) => Promise<Peer>;
  /** It serves one model only: each needs a server of its own. */
  readonly single?: true;
  readonly ways: readonly [Way, ...Way[]];
}

const grpc: Way = { protocol: 'v2-grpc', address: ({ grpc }) => `grpc://${grpc}` };

/** Triton 2.51 answers 500 to JSON it cannot read: a finding, and not one of the model's. */
const tolerant = { malformed: { severity: 'warn', reason: 'Triton 2.51 answers 500 to JSON it cannot read' } };

const rest = {
  path: '/{{model}}',
  body: { rows: '{{rows}}' },
  outputs: { label: '/label', probabilities: '/probabilities' },
  ready: { path: '/{{model}}/ready' },
};

const servers: readonly Server[] = [
  {
    name: 'Triton',
    start: startTriton,
    ways: [{ protocol: 'v2', plan: tolerant }, grpc, { protocol: 'triton', plan: tolerant }],
  },
  { name: 'MLServer', start: startMlserver, ways: [{ protocol: 'v2' }, grpc] },
  { name: "KServe's Python server", start: startKserve, ways: [{ protocol: 'v2' }, grpc, { protocol: 'kserve-v1' }] },
  { name: 'TorchServe', start: startTorchserve, ways: [{ protocol: 'torchserve', misfit: 'smoke/answers' }] },
  { name: 'Ray Serve', start: startRayServe, ways: [{ protocol: 'rest', misfit: 'smoke/answers', plan: { rest } }] },
  {
    name: "MLflow's scoring server",
    start: startMlflow,
    single: true,
    ways: [{ protocol: 'mlflow', misfit: 'smoke/answers', plan: { format: 'named-inputs' } }],
  },
];

describe.each(servers)('$name', ({ start, single, ways }) => {
  const peers = new Map<string, Peer>();

  beforeAll(async () => {
    if (single === undefined) {
      const peer = await start(models);
      for (const { name } of models) peers.set(name, peer);
      return;
    }
    // All at once: what each does is import Python, one core's work.
    await Promise.all(models.map(async (model) => peers.set(model.name, await start([model]))));
  });

  afterAll(async () => {
    await Promise.all([...new Set(peers.values())].map((peer) => peer.stop()));
  });

  const smoke = (name: ModelName, { protocol, address, plan }: Way, more: object = {}) => {
    const peer = peers.get(name);
    if (peer === undefined) throw new Error(`${name} is not served`);
    const whole = { protocol, timeout: '5s', ready: { deadline: '30s' }, golden: { rows: 6 }, ...plan, ...more };
    return smokeRun(address?.(peer) ?? peer.url, whole, { model: good, name });
  };

  test.each(ways)('serves the model that should run, says $protocol', async (way) => {
    const run = await smoke('good', way, { warm_up: 5, latency: { p50_ms: 250, concurrency: 2, duration: '1s' } });
    expect(run.failed).toEqual({});
    expect(run.exitCode, run.log).toBe(0);
    expect(run.statuses).toMatchObject({
      'smoke/ready': 'pass',
      'smoke/answers': 'pass',
      'smoke/golden/label': 'pass',
      'smoke/golden/probabilities': 'pass',
      'smoke/latency/p50_ms': 'pass',
    });
  });

  const [way] = ways;

  test('is red for another model of the same signature, by its answers', async () => {
    const run = await smoke('wrong', way);
    expect(run.exitCode).toBe(100);
    expect(Object.keys(run.failed)).toEqual(expect.arrayContaining(['smoke/golden/probabilities']));
    expect(Object.keys(run.failed).every((id) => id.startsWith('smoke/golden/'))).toBe(true);
  });

  test('is red for a slow model, by its latency', async () => {
    const run = await smoke('slow', way, {
      warm_up: 1,
      malformed: false,
      latency: { p50_ms: 100, concurrency: 4, duration: '4s' },
    });
    expect(run.exitCode).toBe(100);
    expect(Object.keys(run.failed)).toEqual(['smoke/latency/p50_ms']);
  });

  test('is red for a model that raises, by its refusals', async () => {
    const run = await smoke('raises', way, { malformed: false });
    expect(run.exitCode).toBe(100);
    expect(Object.keys(run.failed)).toContain('smoke/answers');
    expect(run.failed['smoke/answers']).toMatch(/\b(400|500|503)\b/);
  });

  test('is red for answers of another shape, by their shape', async () => {
    const run = await smoke('narrow', way);
    expect(run.exitCode).toBe(100);
    const { misfit = 'smoke/golden/probabilities' } = way;
    expect(Object.keys(run.failed)).toEqual([misfit]);
    expect(run.failed[misfit]).toContain('shape');
  });

  test('is red for a model that is not ready, and asks it nothing else', async () => {
    const run = await smoke('never-ready', way, { timeout: '1s', ready: { deadline: '2s' } });
    expect(run.exitCode).toBe(100);
    expect(run.statuses).toEqual({ 'smoke/ready': 'fail' });
  });
});
