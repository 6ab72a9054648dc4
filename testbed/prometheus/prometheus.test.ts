import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeInferRequest } from '../../core/inference/index.ts';
import { servingProfiles } from '../../core/telemetry/index.ts';
import { metricsConformance } from '../../rollout/conformance.ts';
import { CountingServer } from '../../rollout/metrics/counting-server.ts';
import { openPrometheus } from '../../rollout/metrics/prometheus.ts';
import { openScrape } from '../../rollout/metrics/scrape.ts';
import type { SeriesCounts } from '../../rollout/metrics-source.ts';
import { type RunningServer, startServer } from '../../server/index.ts';
import { type LoadResult, loadHttp } from '../../smoke/load/index.ts';
import type { Peer } from '../serving/peer.ts';
import { startPrometheus } from './prometheus.ts';

const profile = servingProfiles.sluice;
const model = 'good';

metricsConformance('prometheus (the real one)', async () => {
  const servers = { canary: new CountingServer(model, '2'), baseline: new CountingServer(model, '1') };
  const peer = await startPrometheus([
    { url: await servers.canary.listen(), labels: { pod: 'churn-canary-0' } },
    { url: await servers.baseline.listen(), labels: { pod: 'churn-0' } },
  ]);
  const source = openPrometheus({
    url: new URL(peer.url),
    profile,
    model,
    canary: { podPrefix: 'churn-canary-', version: '2' },
    baseline: { version: '1' },
    timeoutMs: 1000,
  });
  return {
    source,
    // The second scrape from now begins after the first was taken in.
    send: async (arm, requests, failing) => {
      servers[arm].count(requests, failing);
      const seen = servers[arm].shown;
      while (servers[arm].shown < seen + 2) await sleep(20);
    },
    restart: async (arm) => servers[arm].reset(),
    vanish: async (arm) => {
      servers[arm].close();
      while ((await source.read())[arm].length > 0) await sleep(50);
    },
    without: ['fails', 'babbles'],
    fail: async (how) => {
      process.kill(peer.pid, how === 'hangs' ? 'SIGSTOP' : 'SIGKILL');
      // Until the system has closed its port.
      while (how === 'is-gone' && (await answers(peer.url))) await sleep(20);
    },
    [Symbol.asyncDispose]: async () => {
      await source[Symbol.asyncDispose]();
      await peer.stop();
      servers.canary.close();
      servers.baseline.close();
    },
  };
});

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    () => true,
    () => false,
  );
}

describe('our servers under load, read by the real Prometheus', () => {
  const models = join(import.meta.dirname, '..', '..', 'examples', 'breast-cancer', 'models');
  let servers: { readonly canary: RunningServer; readonly baseline: RunningServer };
  let peer: Peer;

  beforeAll(async () => {
    const start = (queue: number) =>
      startServer({ file: join(models, 'good.onnx'), settings: { maxQueueSize: queue, maxBatchSize: 1 } });
    // The canary takes few requests at once and refuses the others.
    servers = { canary: await start(2), baseline: await start(1000) };
    peer = await startPrometheus(
      (['canary', 'baseline'] as const).map((arm) => ({
        url: new URL(servers[arm].url),
        labels: { pod: `${arm}-0`, namespace: 'shop' },
      })),
    );
  });
  afterAll(async () => {
    await peer?.stop();
    await servers?.canary.close();
    await servers?.baseline.close();
  });

  const load = async (arm: 'canary' | 'baseline', concurrency: number): Promise<LoadResult> => {
    const { body, headers } = encodeInferRequest({
      feeds: { features: { type: 'float32', data: new Float32Array(30), dims: [1, 30] } },
    });
    const target = { url: new URL(servers[arm].url), headers: {}, timeoutMs: 10_000, maxAnswerBytes: 1_000_000 };
    const request = { method: 'POST' as const, path: `/v2/models/${model}/infer`, headers, body };
    return await loadHttp(target, [request], { mode: 'closed', concurrency, durationMs: 1500 }, { warmUpMs: 0 });
  };

  test('counts every request and every refusal that the load saw, as a scrape does', async () => {
    await using prometheus = openPrometheus({
      url: new URL(peer.url),
      profile,
      model,
      canary: { podPrefix: 'canary-', namespace: 'shop' },
      baseline: { podPrefix: 'baseline-', namespace: 'shop' },
    });
    const targets = (arm: 'canary' | 'baseline') => ({
      targets: [{ url: new URL('/metrics', servers[arm].url) }],
      model,
    });
    await using scrape = openScrape({ profile, canary: targets('canary'), baseline: targets('baseline') });
    const [canary, baseline] = [await load('canary', 64), await load('baseline', 4)];
    const refused = canary.sent - canary.answered;
    expect(refused).toBeGreaterThan(0);
    const expected = {
      canary: [{ requests: canary.sent, errors: refused }],
      baseline: [{ requests: baseline.sent, errors: 0 }],
    };
    const now = await scrape.read();
    expect(now).toMatchObject(expected);
    // The next two scrapes.
    await sleep(600);
    const later = await prometheus.read();
    expect(later).toMatchObject(expected);
    expect(later.canary[0]?.id).toBe('shop/canary-0');
    const counts = ({ latency, predictions }: SeriesCounts) => ({ ...latency, predictions });
    expect(later.baseline.map(counts)).toEqual(now.baseline.map(counts));
    expect(later.baseline[0]?.latency?.cumulative.at(-1)).toBe(baseline.answered);
    // Both loads and what came after them: the baseline as it grew.
    const history = (await prometheus.history?.(250, 60)) ?? [];
    const grown = history.map(({ baseline: series }) => series[0]?.requests ?? Number.NaN);
    expect(history.every(({ canary: series }) => series.length === 0)).toBe(true);
    expect(grown).toEqual(grown.toSorted((one, other) => one - other));
    expect(new Set(grown).size).toBeGreaterThan(3);
    expect(history.at(-1)?.baseline.map(counts)).toEqual(now.baseline.map(counts));
  });
});
