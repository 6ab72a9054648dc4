/**
 * Dashboards and rules before a real Prometheus that scrapes our real servers under load: every expression has an answer, and a fault that is
 * put in makes the alert fire that is there for it.
 */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { isAlert, type PanelSource, servingDashboard, servingRules } from '../../constructs/dashboards/index.ts';
import { encodeInferRequest } from '../../core/inference/index.ts';
import { type RunningServer, startServer } from '../../server/index.ts';
import { loadHttp } from '../../smoke/load/index.ts';
import { startPrometheus } from '../prometheus/prometheus.ts';
import type { Peer } from '../serving/peer.ts';
import { startExporterStandIn } from './exporter-stand-in.ts';
import { filledIn, unanswered } from './prometheus-questions.ts';

/** Short, so that there is a past to compare with after some seconds. */
const drift = { window: '10s', reference: { offset: '5s', over: '30s' }, fewest: 10, accuracy: 0.5 } as const;
const { groups } = servingRules({
  profile: 'sluice',
  selector: { model: 'good' },
  drift,
  gpu: {},
  // Episodes are compared with those of seconds ago.
  reward: { window: '2m', usual: { offset: '1s', over: '5m' } },
});
const dashboard = servingDashboard({ profile: 'sluice', driftWindow: drift.window, reward: true }).content;

/** Panels that have no data on this machine, and why. Everything else must have some. */
const withoutData: Readonly<Record<Exclude<PanelSource, 'server' | 'rule'>, string>> = {
  cluster:
    'There is no GPU, no kubelet and no kube-state-metrics here; the names and labels are their documented ones.',
  job: 'Told by the drift check and by environments, which the server does not run.',
};

let folder = '';
let servers: Readonly<Record<'canary' | 'baseline', RunningServer>>;
let standIn: Awaited<ReturnType<typeof startExporterStandIn>>;
let prometheus: Peer;
let wanted = true;
let loading: Promise<void> = Promise.resolve();

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-monitoring-'));
  const models = join(import.meta.dirname, '..', '..', 'examples', 'breast-cancer', 'models');
  const serve = async (version: string, file: string, maxQueueSize: number): Promise<RunningServer> => {
    const repository = join(folder, version);
    mkdirSync(join(repository, 'good', version), { recursive: true });
    copyFileSync(join(models, file), join(repository, 'good', version, 'model.onnx'));
    const settings = { maxQueueSize, maxBatchSize: 1, cacheSize: 10_000 };
    return startServer({ repository, settings, accuracy: { good: 0.97 } });
  };
  servers = { canary: await serve('2', 'worse.onnx', 4), baseline: await serve('1', 'good.onnx', 1000) };
  standIn = await startExporterStandIn();
  const arm = (name: 'canary' | 'baseline') => ({
    url: new URL(servers[name].url),
    labels: { namespace: 'shop', pod: `good-${name}-0`, sluice_dev_model_version: name },
  });
  prometheus = await startPrometheus(
    [arm('canary'), arm('baseline'), { url: standIn.url, labels: { namespace: 'elsewhere' } }],
    { rules: groups.map((group) => ({ ...group, interval: '1s' })) },
  );
  loading = keepLoaded();
}, 600_000);

afterAll(async () => {
  wanted = false;
  await loading;
  await prometheus?.stop();
  standIn?.close();
  await servers?.canary.close();
  await servers?.baseline.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What the inputs are, from 0 to 1: another world gives other answers. */
let world = 0.2;

/** `different` rows, new each time: the cache has none of them before. */
async function send(
  arm: 'canary' | 'baseline',
  {
    concurrency,
    durationMs,
    different,
  }: { readonly concurrency: number; readonly durationMs: number; readonly different: number },
): Promise<void> {
  const bodies = Array.from({ length: different }, () => {
    const data = Float32Array.from({ length: 30 }, () => world * 400 * Math.random());
    return encodeInferRequest({ feeds: { features: { type: 'float32', data, dims: [1, 30] } } });
  });
  const target = { url: new URL(servers[arm].url), headers: {}, timeoutMs: 10_000, maxAnswerBytes: 1_000_000 };
  const requests = bodies.map(({ headers, body }) => ({
    method: 'POST' as const,
    path: '/v2/models/good/infer',
    headers,
    body,
  }));
  await loadHttp(target, requests, { mode: 'closed', concurrency, durationMs }, { warmUpMs: 0 });
}

const little = { concurrency: 1, durationMs: 400, different: 16 } as const;

/** A little, on both sides, until the tests are over. */
async function keepLoaded(): Promise<void> {
  while (wanted) {
    await Promise.all((['baseline', 'canary'] as const).map((arm) => send(arm, little)));
    await sleep(100);
  }
}

const panels = dashboard.rows.flatMap((row) => row.panels);
const expressionsOf = (chosen: (source: PanelSource) => boolean, namespace: string) =>
  panels
    .filter(({ source }) => chosen(source))
    .flatMap(({ queries }) => queries.map(({ expr }) => filledIn(expr, { namespace })));
const hereOnly = (source: PanelSource): boolean => source === 'server' || source === 'rule';

describe('every expression', () => {
  test('of the dashboard has an answer from the real server under load', async () => {
    expect(await unanswered(prometheus.url, expressionsOf(hereOnly, 'shop'), 90_000)).toEqual([]);
  });

  test('that has none here is of an exporter that is not here, and has one where its names are shown', async () => {
    expect(Object.keys(withoutData)).toEqual(
      [...new Set(panels.map(({ source }) => source).filter((source) => !hereOnly(source)))].toSorted(),
    );
    const elsewhere = (namespace: string) => expressionsOf((source) => !hereOnly(source), namespace);
    expect(await unanswered(prometheus.url, elsewhere('shop'), 0)).toEqual(elsewhere('shop'));
    expect(await unanswered(prometheus.url, elsewhere('elsewhere'), 30_000)).toEqual([]);
  });

  test('that a rule records is recorded, and what alerts select is there', async () => {
    const rules = groups.flatMap((group) => group.rules);
    const recorded = rules.flatMap((rule) => (isAlert(rule) ? [] : [`${rule.record}{model_name="good"}`]));
    const selected = rules
      .filter(isAlert)
      .flatMap(({ expr }) => [...expr.matchAll(/[a-zA-Z_:][\w:]*\{[^}]*\}/g)].map(([selector]) => selector));
    expect(recorded.length).toBeGreaterThan(15);
    expect(await unanswered(prometheus.url, [...new Set([...recorded, ...selected])], 60_000)).toEqual([]);
  });

  test('that asks for the values of a variable finds some', async () => {
    for (const { name, query } of dashboard.variables) {
      const [, series = '', label = ''] =
        /^label_values\((.*), (\w+)\)$/.exec(filledIn(query, { namespace: 'shop' })) ?? [];
      const response = await fetch(
        `${prometheus.url}/api/v1/label/${label}/values?match[]=${encodeURIComponent(series)}`,
      );
      const { data } = (await response.json()) as { readonly data: readonly string[] };
      expect([name, data.length > 0]).toEqual([name, true]);
    }
  });
});

interface ActiveAlert {
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly state: string;
}

async function activeAlerts(): Promise<readonly ActiveAlert[]> {
  const response = await fetch(`${prometheus.url}/api/v1/alerts`);
  const { data } = (await response.json()) as { readonly data: { readonly alerts: readonly ActiveAlert[] } };
  // Those of the stand-in's numbers are of no interest.
  return data.alerts.filter(({ labels }) => labels['namespace'] !== 'elsewhere');
}

/** Waits until the alert is active, and gives it. */
async function active(name: string, state: RegExp): Promise<ActiveAlert> {
  const until = performance.now() + 90_000;
  for (;;) {
    const alerts = await activeAlerts();
    const found = alerts.find(({ labels, state: now }) => labels['alertname'] === name && state.test(now));
    if (found !== undefined) return found;
    if (performance.now() > until) throw new Error(`${name} is not there: ${JSON.stringify(alerts)}`);
    await sleep(500);
  }
}

/** Waits until the alert is not even pending. */
async function inactive(name: string): Promise<void> {
  const until = performance.now() + 90_000;
  while ((await activeAlerts()).some(({ labels }) => labels['alertname'] === name)) {
    if (performance.now() > until) throw new Error(`${name} stays`);
    await sleep(500);
  }
}

describe('an alert', () => {
  test('of error budgets is silent while all is well', async () => {
    const names = (await activeAlerts()).map(({ labels }) => labels['alertname']);
    expect(names.filter((name) => /Errors|Missing|NotReady|Skew/.test(name ?? ''))).toEqual([]);
  });

  test('of errors fires when the canary is flooded and refuses requests, and says which model', async () => {
    await send('canary', { concurrency: 64, durationMs: 3000, different: 3000 });
    const { labels, annotations } = await active('ModelErrorsBurnFast', /firing/);
    expect(labels).toMatchObject({ model_name: 'good', namespace: 'shop', severity: 'critical' });
    expect(annotations['summary']).toMatch(/^Model good in shop: [\d.]+% of requests fail\.$/);
    for (const text of Object.values(annotations)) expect(text).not.toMatch(/error expanding|<no value>|\{\{/);
  });

  test('of drift waits to fire when the answers are others than before', async () => {
    await inactive('ModelPredictionsDrifted');
    world = 0.9;
    const { annotations } = await active('ModelPredictionsDrifted', /pending|firing/);
    expect(annotations['summary']).toMatch(/^Model good in shop, version [12]: what output .+ gives has drifted\.$/);
  });

  test('of a model that is gone waits to fire when its last server has stopped', async () => {
    wanted = false;
    await loading;
    await servers.canary.close();
    await servers.baseline.close();
    await active('ModelMissing', /pending|firing/);
  });
});
