import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { servingProfiles } from '../../core/telemetry/index.ts';
import { OwnProcess } from '../../examples/canary/own-process.ts';
import { rolloutRole } from '../../rollout/guard/rollout-roles.ts';
import {
  type AnalysisPolicy,
  analysisSettings,
  openAnalysis,
  openPrometheus,
  type PrometheusOptions,
  type RolloutResult,
  type RolloutSettings,
  runRollout,
  type Turn,
} from '../../rollout/index.ts';
import { openKubernetes } from '../../rollout/kubernetes-client.ts';
import { openKubernetesTraffic } from '../../rollout/traffic/kubernetes-providers.ts';
import type { KubernetesTraffic } from '../../rollout/traffic/kubernetes-traffic.ts';
import { newAccount, newNamespace } from '../kubernetes/access.ts';
import { type ControlPlane, startControlPlane } from '../kubernetes/control-plane.ts';
import { installDefinitions } from '../kubernetes/custom-resources.ts';
import { type ModelKind, newModel, objectAt } from '../kubernetes/model-objects.ts';
import { startPrometheus } from '../prometheus/prometheus.ts';
import type { Peer } from '../serving/peer.ts';
import { DataPlane } from './data-plane.ts';
import { MeshTelemetry } from './mesh-telemetry.ts';
import { type RoutedKind, stablePredictor } from './route-table.ts';
import { modelName, patientRequests, Users } from './users.ts';

const models = join(import.meta.dirname, '..', '..', 'examples', 'breast-cancer', 'models');
const requestsPerSecond = 150;
const scrapeMs = 1000;

/** Servers of this test, each a process of its own. `failing` and `slow` are good ones behind a front that spoils answers. */
type ServerName = 'baseline' | 'good' | 'other' | 'failing' | 'slow';

let directory: string;
let cluster: ControlPlane;
let namespace: string;
let telemetry: MeshTelemetry;
let prometheus: Peer;
const processes: OwnProcess[] = [];
const servers = new Map<ServerName, URL>();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-releases-'));
  const serve = async (name: ServerName, model: string): Promise<URL> => {
    const file = join(directory, name, `${modelName}.onnx`);
    await mkdir(join(directory, name));
    await copyFile(join(models, `${model}.onnx`), file);
    const own = await OwnProcess.start('cli/index.ts', 'serve', file, '--port', '0', '--log', 'off');
    processes.push(own);
    servers.set(name, new URL(own.url));
    return new URL(own.url);
  };
  const front = async (name: ServerName, target: URL, ...shares: readonly string[]): Promise<void> => {
    const own = await OwnProcess.start('examples/canary/faulty-front.ts', target.href, ...shares);
    processes.push(own);
    servers.set(name, new URL(own.url));
  };
  telemetry = await MeshTelemetry.start();
  const [, good] = await Promise.all([serve('baseline', 'baseline'), serve('good', 'good'), serve('other', 'worse')]);
  await Promise.all([front('failing', good, '0.08', '0'), front('slow', good, '0', '0.6')]);
  cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio', 'gateway-api', 'kserve');
  namespace = await newNamespace(cluster, 'releases');
  prometheus = await newPrometheus();
});

afterAll(async () => {
  await prometheus?.stop();
  await cluster?.[Symbol.asyncDispose]();
  await telemetry?.[Symbol.asyncDispose]();
  for (const own of processes.toReversed()) await own[Symbol.asyncDispose]();
  await rm(directory, { recursive: true, force: true });
});

function newPrometheus(port?: number): Promise<Peer> {
  const pods = (['baseline', 'good', 'other'] as const).map((name) => ({
    url: urlOf(name),
    labels: { pod: `${name}-0`, namespace: 'shop' },
  }));
  const targets = [...pods, { url: telemetry.url, labels: { pod: 'mesh-0' } }];
  return startPrometheus(targets, { scrapeMs, ...(port === undefined ? {} : { port }) });
}

function urlOf(name: ServerName): URL {
  const url = servers.get(name);
  if (url === undefined) throw new Error(`${name} was not started`);
  return url;
}

/** Compressed: a policy would take its time. */
const settings: RolloutSettings = {
  strategy: { kind: 'steps', weights: [20, 50] },
  lookEvery: 1000,
  warmUp: 3000,
  minStage: 3000,
  deadline: 150_000,
  readyDeadline: 30_000,
  lease: 60_000,
  resumeWithin: 60_000,
  approval: false,
};

/** Coarse, so that thousands of requests suffice. */
const analysis = {
  errors: { detectIncrease: 0.03 },
  latency: { sloMs: 250, maxShareIncrease: 0.03, detectShareIncrease: 0.15 },
  minRequests: 50,
  warmUp: 3000,
} satisfies AnalysisPolicy;

interface Release {
  readonly kind: ModelKind;
  readonly canary: ServerName;
  /** Whose counters decide: the servers' own, or those of the proxies before them, which see what no server counts. */
  readonly counters: 'servers' | 'mesh';
  readonly analysis?: AnalysisPolicy;
  readonly settings?: Partial<RolloutSettings>;
  readonly usersPerSecond?: number;
  readonly onTurn?: (turn: Turn) => void;
}

interface Outcome {
  readonly result: RolloutResult;
  readonly turns: readonly Turn[];
  readonly warnings: readonly string[];
  /** The object before the rollout and after it. */
  readonly before: unknown;
  readonly after: unknown;
  readonly plane: DataPlane;
  readonly names: { readonly baseline: string; readonly canary: string };
  /** Who answers users once it is over. */
  readonly servedBy: ReadonlySet<string | null>;
}

/** One release from the first request to the last. Whatever becomes of it, no request may have been lost on the way. */
async function release({
  kind,
  canary,
  counters,
  usersPerSecond = requestsPerSecond,
  ...more
}: Release): Promise<Outcome> {
  const model = await newModel(cluster, namespace, kind);
  const names = backendNames(model.traffic);
  const destination = (version: string) => ({ service: names.service, version, namespace: 'shop' });
  await using plane = await DataPlane.start({
    cluster,
    kind: routedKinds[kind],
    path: model.path,
    backends: {
      [names.baseline]: { url: urlOf('baseline'), destination: destination('v1') },
      [names.canary]: { url: urlOf(canary), destination: destination('v2') },
    },
    telemetry,
    follow: () => model.follow(),
  });
  const { kubeconfig } = await newAccount(cluster, namespace, rolloutRole(model.traffic, { guard: false }));
  const before = (await objectAt(cluster, model.path)).spec;
  const turns: Turn[] = [];
  const warnings: string[] = [];
  let result: RolloutResult;
  const users = usersPerSecond === 0 ? undefined : new Users(plane.url, usersPerSecond);
  try {
    await using provider = openKubernetesTraffic(model.traffic, openKubernetes({ files: [kubeconfig] }));
    await using source = openPrometheus({ ...armsOf(counters, canary, names.service), timeoutMs: 2000 });
    result = await runRollout({
      id: names.service,
      holder: `releases ${process.pid}`,
      provider,
      source,
      analyst: openAnalysis(analysisSettings({ ...analysis, ...more.analysis })),
      settings: { ...settings, ...more.settings },
      warn: (message) => warnings.push(message),
      onTurn: (turn) => {
        turns.push(turn);
        more.onTurn?.(turn);
      },
    });
    // Until the data plane has seen the last move.
    await sleep(1000);
  } finally {
    await users?.stop();
  }
  const servedBy = await whoServes(plane.url);
  if (users !== undefined) {
    const { sent, answered, failures } = users.asked;
    const spoiled = failures.filter(({ code, said }) => code === 'status' && said.startsWith('500 out of memory'));
    expect(failures.filter((failure) => !spoiled.includes(failure))).toEqual([]);
    const failed = spoiled.reduce((sum, { count }) => sum + count, 0);
    expect(sent).toBe(answered + failed);
    expect(failed).toBe(plane.answeredBy(names.canary, 500));
    expect(plane.answeredBy(names.baseline)).toBe(plane.answeredBy(names.baseline, 200));
    expect(sent).toBeGreaterThan(100);
  }
  expect(plane.lost).toBe(0);
  const after = (await objectAt(cluster, model.path)).spec;
  return { result, turns, warnings, before, after, plane, names, servedBy };
}

const routedKinds: Readonly<Record<ModelKind, RoutedKind>> = {
  'istio subsets': 'istio',
  'istio hosts': 'istio',
  'gateway-api': 'gateway-api',
  'kserve knative': 'kserve-knative',
  'kserve standard': 'kserve-standard',
  // Nothing here follows Seldon's objects.
  'seldon deployment': 'istio',
  'seldon experiment': 'istio',
};

function backendNames(traffic: KubernetesTraffic): {
  readonly service: string;
  readonly baseline: string;
  readonly canary: string;
} {
  if (traffic.provider === 'kserve') {
    const { inferenceService: service, mode, canary = '' } = traffic;
    return mode === 'knative'
      ? { service, baseline: `${service}-predictor-00001`, canary: `${service}-predictor-00002` }
      : { service, baseline: stablePredictor, canary };
  }
  const { baseline, canary } = traffic;
  return { service: baseline.replace(/-v1$/, ''), baseline, canary };
}

function armsOf(counters: Release['counters'], canary: ServerName, service: string): PrometheusOptions {
  const url = new URL(prometheus.url);
  if (counters === 'servers') {
    const [own, base] = [{ podPrefix: `${canary}-` }, { podPrefix: 'baseline-' }];
    return { url, profile: servingProfiles.sluice, model: modelName, canary: own, baseline: base };
  }
  return {
    url,
    profile: servingProfiles.istio,
    model: service,
    canary: { version: 'v2' },
    baseline: { version: 'v1' },
    means: [
      {
        name: 'agreement',
        sum: 'shadow_agreed_total',
        count: 'shadow_compared_total',
        canary: { destination_service_name: service, destination_version: 'v2' },
      },
    ],
  };
}

/** The backends that answer forty users in a row. */
async function whoServes(url: URL): Promise<ReadonlySet<string | null>> {
  const served = new Set<string | null>();
  for (const { path, headers, body } of patientRequests().slice(0, 40)) {
    const answer = await fetch(new URL(path, url), { method: 'POST', headers, body: body ?? null });
    await answer.arrayBuffer();
    expect([200, 500]).toContain(answer.status);
    served.add(answer.headers.get('x-served-by'));
  }
  return served;
}

const weightsOf = (turns: readonly Turn[]): readonly number[] => [
  ...new Set(turns.map(({ record }) => record.traffic.canaryWeight)),
];

describe.each(['istio hosts', 'gateway-api', 'kserve knative', 'kserve standard'] as const)('on %s', (kind) => {
  test('a good release takes over, and no request is lost on the way', async () => {
    const { result, turns, names, servedBy } = await release({
      kind,
      canary: 'good',
      counters: 'servers',
      analysis: { predictions: { maxShift: 0.3, detectShift: 0.6 } },
    });
    expect(result, result.record.reason).toMatchObject({ outcome: 'promoted', before: false });
    expect(weightsOf(turns)).toEqual([0, 20, 50, 100]);
    expect(servedBy).toEqual(new Set([names.canary]));
  });
});

test('errors of a release on Istio take it back, and the object is as it was', async () => {
  const outcome = await release({ kind: 'istio hosts', canary: 'failing', counters: 'mesh' });
  const { result, before, after, servedBy, names, plane } = outcome;
  expect(result.outcome).toBe('rolled-back');
  expect(result.record.reason).toMatch(/^errors: /);
  expect(after).toEqual(before);
  expect(servedBy).toEqual(new Set([names.baseline]));
  expect(plane.answeredBy(names.canary, 500)).toBeGreaterThan(0);
});

test('late answers of a release on the Gateway API take it back, and the object is as it was', async () => {
  const { result, before, after, servedBy, names } = await release({
    kind: 'gateway-api',
    canary: 'slow',
    counters: 'mesh',
    analysis: { latency: { sloMs: 200, maxShareIncrease: 0.03, detectShareIncrease: 0.15 } },
  });
  expect(result.outcome).toBe('rolled-back');
  expect(result.record.reason).toMatch(/^latency: /);
  expect(after).toEqual(before);
  expect(servedBy).toEqual(new Set([names.baseline]));
});

test('other predictions of a release on KServe take it back, though no answer fails or is late', async () => {
  const { result, after, servedBy, names } = await release({
    kind: 'kserve knative',
    canary: 'other',
    counters: 'servers',
    analysis: { predictions: { maxShift: 0.05, detectShift: 0.2 } },
  });
  expect(result.outcome).toBe('rolled-back');
  expect(result.record.reason).toMatch(/^predictions: /);
  expect(after).toMatchObject({ predictor: { canaryTrafficPercent: 0 } });
  expect(servedBy).toEqual(new Set([names.baseline]));
});

test.each(['istio hosts', 'gateway-api'] as const)(
  'a shadow on %s that answers otherwise is taken back before any user has seen it',
  async (kind) => {
    const { result, before, after, turns, names, plane } = await release({
      kind,
      canary: 'other',
      counters: 'mesh',
      analysis: { agreement: { min: 0.9, detect: 0.5 } },
      settings: { strategy: { kind: 'steps', weights: [20, 50], shadow: { percent: 50 } } },
    });
    expect(result.outcome).toBe('rolled-back');
    expect(result.record.reason).toMatch(/^agreement: /);
    expect(weightsOf(turns)).toEqual([0]);
    expect(plane.mirrored).toBeGreaterThan(0);
    expect(plane.answeredBy(names.canary)).toBe(0);
    expect(after).toEqual(before);
  },
);

test('without users nothing passes: the first step is taken back when its time is over', async () => {
  const { result, turns, before, after } = await release({
    kind: 'istio hosts',
    canary: 'good',
    counters: 'mesh',
    usersPerSecond: 0,
    settings: { maxStage: 8000 },
  });
  expect(result.outcome).toBe('rolled-back');
  expect(result.record.reason).toContain('did not show the canary to be harmless');
  expect(weightsOf(turns)).toEqual([0, 20]);
  expect(after).toEqual(before);
});

test('while Prometheus is dead a release holds, and goes on once it is back with an empty memory', async () => {
  let restarted: Promise<void> | undefined;
  const restart = async (): Promise<void> => {
    const port = Number(new URL(prometheus.url).port);
    process.kill(prometheus.pid, 'SIGKILL');
    await prometheus.stop();
    await sleep(5000);
    prometheus = await newPrometheus(port);
  };
  const { result, turns, warnings } = await release({
    kind: 'gateway-api',
    canary: 'good',
    counters: 'servers',
    onTurn: ({ record }) => {
      if (record.traffic.canaryWeight === 20) restarted ??= restart();
    },
  });
  await restarted;
  expect(result.outcome).toBe('promoted');
  expect(warnings.join('\n')).toContain('cannot be asked, so nothing is known for now');
  const blind = turns.filter(({ look }) => look !== undefined && look.reading === undefined);
  expect(blind.length).toBeGreaterThan(0);
  for (const { before, record, analysed } of blind) {
    expect(record.traffic).toEqual(before.traffic);
    expect(analysed?.verdict).toBe('hold');
  }
});
