/**
 * The metrics of real servers, read by their profiles: what they counted is what was sent. Where a server counts otherwise than one would
 * think, the profile's cautions say so, and the numbers here are why.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import {
  type CounterDifference,
  countersOf,
  difference,
  type ExactMatcher,
  parseExposition,
  type ServingProfileName,
  servingProfiles,
} from '../../core/telemetry/index.ts';
import { startKserve } from '../serving/kserve.ts';
import { startMlserver } from '../serving/mlserver.ts';
import type { Peer, PeerModel } from '../serving/peer.ts';
import { startRayServe } from '../serving/ray-serve.ts';
import { startSluice } from '../serving/sluice.ts';
import { startTorchserve } from '../serving/torchserve.ts';
import { type TrainedModels, trainedModels } from '../serving/trained-models.ts';
import { startTriton } from '../serving/triton.ts';

interface Sending {
  path(model: string): string;
  body(row: readonly number[]): unknown;
}

const inferenceV2: Sending = {
  path: (model) => `/v2/models/${model}/infer`,
  body: (row) => ({ inputs: [{ name: 'X', datatype: 'FP32', shape: [1, row.length], data: row }] }),
};

let models: TrainedModels;
let row: readonly number[] = [];

beforeAll(async () => {
  models = await trainedModels();
  row = [...models.rows.slice(0, 30)];
}, 600_000);

/** Seven good requests, two with too few numbers, three to a model that raises, one to a model that is not there. */
const sent = { good: 7, malformed: 2, broken: 3, unknown: 1 } as const;

/**
 * Starts a server, sends to it, and answers what its metrics say happened.
 * @param complete whether all has arrived in the metrics; asked until it has, for two minutes
 */
async function happenedAt(
  profile: ServingProfileName,
  start: (models: readonly PeerModel[]) => Promise<Peer>,
  { path, body }: Sending,
  options: {
    readonly labels?: Readonly<Record<string, ExactMatcher>>;
    readonly alone?: boolean;
    readonly complete?: (happened: CounterDifference) => boolean;
  } = {},
): Promise<CounterDifference> {
  const good: PeerModel = { name: 'gb', file: models.gb.onnx };
  const peer = await start(options.alone === true ? [good] : [good, { ...good, name: 'broken', fault: 'raises' }]);
  try {
    const look = async () => {
      const response = await fetch(peer.metrics ?? '');
      const { samples, errors } = parseExposition(await response.text());
      expect(errors).toEqual([]);
      return countersOf(
        servingProfiles[profile],
        samples,
        { at: Date.now(), version: 'canary' },
        { labels: options.labels ?? {} },
      );
    };
    const send = async (model: string, numbers: readonly number[], times: number): Promise<void> => {
      for (let index = 0; index < times; index += 1) {
        const response = await fetch(`${peer.url}${path(model)}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body(numbers)),
        });
        await response.arrayBuffer();
        expect(response.ok).toBe(model === 'gb' && numbers === row);
      }
    };
    const before = await look();
    await send('gb', row, sent.good);
    await send('gb', row.slice(0, 7), sent.malformed);
    if (options.alone !== true) await send('broken', row, sent.broken);
    await send('nosuch', row, sent.unknown);
    const limit = performance.now() + 120_000;
    for (;;) {
      const happened = difference(before, await look());
      if (options.complete?.(happened) !== false || performance.now() > limit) return happened;
      await sleep(500);
    }
  } finally {
    await peer.stop();
  }
}

/** Of a model. */
function of({ versions }: CounterDifference, model: string) {
  return versions.find((each) => each.model === model);
}

describe('what real servers count', () => {
  test('Sluice counts every request, by version and by whose fault it was', async () => {
    const happened = await happenedAt('sluice', startSluice, inferenceV2, { alone: true });
    expect(of(happened, 'gb')).toMatchObject({
      version: '1',
      requests: 9,
      success: 7,
      errors: { client: 2, server: 0, unclear: 0 },
      latency: { count: 7 },
      queue: { count: 7 },
      batch: { count: 7, sum: 7 },
    });
    expect(of(happened, '')).toMatchObject({ version: '', requests: 1, errors: { client: 1 } });
    expect(of(happened, 'gb')?.latency?.buckets?.at(-1)).toEqual({ le: Number.POSITIVE_INFINITY, count: 7 });
  });

  test("Triton counts what it scheduled, and its Python backend's errors as successes", async () => {
    const happened = await happenedAt('triton', startTriton, inferenceV2);
    expect(of(happened, 'gb')).toMatchObject({
      version: '1',
      requests: 7,
      success: 7,
      errors: { client: 0, server: 0, unclear: 0 },
      latency: { count: 7 },
      queue: { count: 7 },
      batch: { sum: 7 },
    });
    expect(of(happened, 'gb')?.latency?.sum).toBeGreaterThan(of(happened, 'gb')?.queue?.sum ?? Number.NaN);
    expect(of(happened, 'broken')).toMatchObject({ requests: 3, success: 3 });
    expect(of(happened, 'nosuch')).toBeUndefined();
  });

  test('MLServer counts every request, by fault only for HTTP as a whole', async () => {
    const happened = await happenedAt('mlserver', startMlserver, inferenceV2);
    expect(of(happened, 'gb')).toMatchObject({
      version: 'canary',
      requests: 9,
      success: 7,
      errors: { unclear: 2 },
      latency: { count: 9 },
    });
    expect(of(happened, 'broken')).toMatchObject({ requests: 3, success: 0, errors: { unclear: 3 } });
    expect(of(happened, 'nosuch')).toMatchObject({ requests: 1 });
    expect(happened.server).toMatchObject({
      requests: 13,
      success: 7,
      errors: { client: 3, server: 3 },
      latency: { count: 13 },
    });
  });

  test('KServe counts what reached a model, failed or not, without saying which', async () => {
    const happened = await happenedAt('kserve', startKserve, inferenceV2);
    expect(of(happened, 'gb')).toMatchObject({ version: 'canary', requests: 9, latency: { count: 9 } });
    expect(of(happened, 'gb')?.errors).toBeUndefined();
    expect(of(happened, 'broken')).toMatchObject({ requests: 3 });
    expect(of(happened, 'nosuch')).toBeUndefined();
  });

  test('TorchServe counts requests by model, and errors for the whole server', async () => {
    const happened = await happenedAt('torchserve', startTorchserve, {
      path: (model) => `/predictions/${model}`,
      body: (numbers) => ({ instances: [numbers] }),
    });
    expect(of(happened, 'gb')).toMatchObject({ version: 'canary', requests: 9 });
    expect(of(happened, 'broken')).toMatchObject({ requests: 3 });
    // A look at the metrics is itself a request, and is counted before it is answered or after.
    expect(happened.server).toMatchObject({ errors: { client: 3, server: 3, unclear: 0 } });
    expect(happened.server?.success).toBeGreaterThanOrEqual(7);
  });

  test('Ray Serve counts every request by its status, some seconds later', async () => {
    const happened = await happenedAt(
      'ray-serve',
      startRayServe,
      { path: (model) => `/${model}`, body: (numbers) => ({ rows: [numbers] }) },
      {
        // Its readiness is asked with GET.
        labels: { method: 'POST' },
        complete: (so) => so.versions.reduce((sum, { requests }) => sum + requests, 0) >= 13,
      },
    );
    expect(of(happened, 'gb')).toMatchObject({
      version: 'canary',
      requests: 9,
      success: 7,
      errors: { client: 2, server: 0, unclear: 0 },
      latency: { count: 9 },
    });
    expect(of(happened, 'broken')).toMatchObject({ requests: 3, errors: { server: 3 } });
    expect(of(happened, '')).toMatchObject({ requests: 1, errors: { client: 1 } });
  });
});
