/**
 * The dashboard and the rules for NVIDIA Triton before a real Prometheus that scrapes a real Triton: what has no answer is exactly what needs a
 * setting, a GPU or a cluster.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlert, servingDashboard, servingRules } from '../../constructs/dashboards/index.ts';
import { startPrometheus } from '../prometheus/prometheus.ts';
import type { Peer } from '../serving/peer.ts';
import { trainedModels } from '../serving/trained-models.ts';
import { startTriton } from '../serving/triton.ts';
import { filledIn, unanswered } from './prometheus-questions.ts';

const { groups } = servingRules({ profile: 'triton', selector: { labels: { job: 'models' } } });
const dashboard = servingDashboard({ profile: 'triton' }).content;

/** Panels without an answer from a Triton as it is started here, and why. */
const withoutData: Readonly<Record<string, string>> = {
  Latency: 'needs --metrics-config histogram_latencies=true, as the panel says',
  'Latency p95 by version': 'needs the same',
  'Requests within 0.25 s': 'needs the same',
  'Latency of both sides': 'needs the same',
  'Latency p95: canary over baseline': 'needs the same',
  'GPU load as the server tells': 'there is no GPU',
  'GPU memory as the server tells': 'there is no GPU',
};

let triton: Peer;
let prometheus: Peer;
let wanted = true;
let loading: Promise<void> = Promise.resolve();

beforeAll(async () => {
  const models = await trainedModels();
  triton = await startTriton([{ name: 'gb', file: models.gb.onnx }]);
  const url = new URL(triton.metrics ?? '');
  prometheus = await startPrometheus([{ url, labels: { namespace: 'shop', pod: 'gb-0' } }], {
    rules: groups.map((group) => ({ ...group, interval: '1s' })),
  });
  const body = JSON.stringify({
    inputs: [{ name: 'X', datatype: 'FP32', shape: [1, 30], data: [...models.rows.slice(0, 30)] }],
  });
  loading = (async () => {
    while (wanted) {
      const response = await fetch(`${triton.url}/v2/models/gb/infer`, { method: 'POST', body });
      await response.arrayBuffer();
      expect(response.ok).toBe(true);
      await sleep(20);
    }
  })();
}, 600_000);

afterAll(async () => {
  wanted = false;
  await loading;
  await prometheus?.stop();
  await triton?.stop();
});

const panels = dashboard.rows.flatMap((row) => row.panels).filter(({ source }) => source === 'server');
const expressionsOf = (chosen: (title: string) => boolean) =>
  panels
    .filter(({ title }) => chosen(title))
    .flatMap(({ queries }) =>
      queries.map(({ expr }) => filledIn(expr, { namespace: 'shop', model: 'gb', canary: '1' })),
    );

describe('with a real Triton under load', () => {
  test('every expression of its dashboard has an answer, but those that say why not', async () => {
    const expected = expressionsOf((title) => !(title in withoutData));
    expect(expected.length).toBeGreaterThan(10);
    expect(await unanswered(prometheus.url, expected, 90_000)).toEqual([]);
    const without = expressionsOf((title) => title in withoutData);
    expect(await unanswered(prometheus.url, without, 0)).toEqual(without);
  });

  test('what its rules record is recorded, but for latency, which it shows without buckets', async () => {
    const recorded = groups
      .filter(({ name }) => name === 'sluice-errors')
      .flatMap(({ rules }) => rules.flatMap((rule) => (isAlert(rule) ? [] : [`${rule.record}{model="gb"}`])));
    expect(recorded.length).toBeGreaterThan(5);
    expect(await unanswered(prometheus.url, recorded, 60_000)).toEqual([]);
  });
});
