import { setTimeout as sleep } from 'node:timers/promises';
import { DataPlane } from '../testbed/canary/data-plane.ts';
import { MeshTelemetry } from '../testbed/canary/mesh-telemetry.ts';
import { newNamespace } from '../testbed/kubernetes/access.ts';
import { startControlPlane } from '../testbed/kubernetes/control-plane.ts';
import { installDefinitions } from '../testbed/kubernetes/custom-resources.ts';
import { keepPodsReady } from '../testbed/kubernetes/ready-pods.ts';
import { controllerTitle, startRolloutController } from '../testbed/kubernetes/rollout-controllers.ts';
import { startPrometheus } from '../testbed/prometheus/prometheus.ts';
import { argoRollouts } from './canary/live/argo-rollouts.ts';
import type { Contender, End, PreparedModel, Scene } from './canary/live/contender.ts';
import { startFailingServer } from './canary/live/failing-server.ts';
import { flagger } from './canary/live/flagger.ts';
import { sluice } from './canary/live/sluice.ts';
import { SteadyUsers } from './canary/live/steady-users.ts';
import type { Figures, Measurement } from './measurement.ts';

/** Of each contender's users. */
const requestsPerSecond = 50;
const baseRate = 0.01;
const faultyRate = 0.05;
/** Releases with the fault; a healthy one follows. In each the same request of the canary's fails, whoever rolls it out. */
const faultyRounds = 2;
/** Seconds: who has not come to an end by then is told as that, and gets no other release. */
const longest = 600;
/** Seconds with users before the first release: models serve before they are replaced. */
const lead = 240;
/** Seconds between releases: no window of PromQL may reach back into the one before. */
const pause = 75;

/**
 * Who knows the base rate (1 %) writes a bound between it and the fault; 3 % is the middle. Defaults are as the projects' own code has them
 * where a user writes nothing else, at a minute an interval; tuned is as fast as each can go without going back for a single unlucky window.
 */
const between = 0.03;
const contenders: readonly Contender[] = [
  sluice('defaults: any more errors than the baseline; 1 -> 2 % excluded at 50 %', undefined, [10, 20, 30, 40, 50]),
  sluice('told the size: 1 -> 5 % excluded at 50 %', { detectRatio: 5 }, [10, 20, 30, 40, 50]),
  flagger('defaults: interval 60 s, threshold 1', {
    interval: '60s',
    threshold: 1,
    window: '1m',
    highestErrorShare: between,
  }),
  flagger('tuned: interval 10 s (its least), threshold 2, window 30 s', {
    interval: '10s',
    threshold: 2,
    window: '30s',
    highestErrorShare: between,
  }),
  argoRollouts('defaults: failureLimit 0; interval 60 s', {
    interval: '60s',
    failureLimit: 0,
    window: '1m',
    highestErrorShare: between,
  }),
  argoRollouts('tuned: interval 10 s, failureLimit 1, window 30 s', {
    interval: '10s',
    failureLimit: 1,
    window: '30s',
    highestErrorShare: between,
  }),
];

/** What became of one release. */
interface Outcome {
  readonly end: End | 'neither';
  /** From the canary's first weight until users no longer reach it, or until it is promoted. */
  readonly seconds: number;
  readonly canaryRequests: number;
  /** Failed answers of the canary beyond those the baseline would have given. */
  readonly harmed: number;
}

/**
 * The real Flagger and the real Argo Rollouts beside Sluice: one API server, one Prometheus (a scrape a second), one kind of data plane, the
 * same users and the same fault, all at the same time. Pods are called ready; what answers users are servers on loopback that fail by chance.
 */
export async function canaryPeers(): Promise<Measurement> {
  await using telemetry = await MeshTelemetry.start();
  await using cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio', 'gateway-api');
  const prometheus = await startPrometheus([{ url: telemetry.url, labels: { pod: 'mesh-0' } }], { scrapeMs: 1000 });
  const controllers = await Promise.all(
    (['flagger', 'argo-rollouts'] as const).map((name) => startRolloutController(cluster, name, prometheus.url)),
  );
  const namespace = await newNamespace(cluster, 'bench');
  await using _pods = keepPodsReady(cluster, [namespace]);
  const scene = { cluster, namespace, prometheus: new URL(prometheus.url), telemetry };
  try {
    const results = await Promise.all(
      contenders.map((contender, index) => releasesOf(contender, scene, `contender-${index}`)),
    );
    return told(results);
  } finally {
    for (const controller of controllers) await controller.stop();
    await prometheus.stop();
  }
}

async function releasesOf(
  contender: Contender,
  { telemetry, ...scene }: Omit<Scene, 'service'> & { readonly telemetry: MeshTelemetry },
  service: string,
): Promise<Result> {
  const prepared = await contender.prepare({ ...scene, service });
  await using baseline = await startFailingServer(baseRate, 'baseline');
  await using canary = await startFailingServer(baseRate, 'canary');
  const destination = (version: string) => ({ service, version, namespace: 'shop' });
  await using plane = await DataPlane.start({
    cluster: scene.cluster,
    kind: prepared.kind,
    path: prepared.path,
    backends: {
      [prepared.baseline]: { url: baseline.url, destination: destination('v1') },
      [prepared.canary]: { url: canary.url, destination: destination('v2') },
    },
    telemetry,
  });
  await using users = new SteadyUsers(plane.url, requestsPerSecond);
  await sleep(lead * 1000);
  const outcomes: Outcome[] = [];
  for (let round = 0; round <= faultyRounds; round++) {
    if (outcomes.some(({ end }) => end !== 'rolled back')) break;
    if (round > 0) await sleep(pause * 1000);
    canary.fail(round < faultyRounds ? faultyRate : baseRate, `round ${round}`);
    outcomes.push(await releaseOnce(prepared, plane, `v${round + 2}`));
  }
  const faulty = outcomes.slice(0, faultyRounds);
  return { contender, faulty, healthy: outcomes[faultyRounds], lost: plane.lost + users.lost };
}

async function releaseOnce(prepared: PreparedModel, plane: DataPlane, version: string): Promise<Outcome> {
  const before = { all: plane.answeredBy(prepared.canary), failed: plane.answeredBy(prepared.canary, 500) };
  const began = performance.now();
  const late = new AbortController();
  const releasing = prepared.release(version);
  // Nobody may hear its end any more.
  releasing.catch(() => undefined);
  const end = await Promise.race([releasing, sleep(longest * 1000, 'neither' as const, { signal: late.signal })]);
  late.abort();
  const ended = performance.now();
  await sleep(500);
  const weightOf = (weights: Readonly<Record<string, number>>): number => weights[prepared.canary] ?? 0;
  const first = plane.moves.find(({ at, weights }) => at >= began && weightOf(weights) > 0)?.at ?? ended;
  const back = plane.moves.findLast(({ at, weights }) => at > first && weightOf(weights) === 0)?.at;
  const until = end === 'rolled back' ? (back ?? ended) : ended;
  const canaryRequests = plane.answeredBy(prepared.canary) - before.all;
  return {
    end,
    seconds: (until - first) / 1000,
    canaryRequests,
    harmed: plane.answeredBy(prepared.canary, 500) - before.failed - baseRate * canaryRequests,
  };
}

interface Result {
  readonly contender: Contender;
  readonly faulty: readonly Outcome[];
  /** Absent: a release before it did not come to its end. */
  readonly healthy: Outcome | undefined;
  readonly lost: number;
}

function told(results: readonly Result[]): Measurement {
  const found = ({ faulty }: Result): readonly Outcome[] => faulty.filter(({ end }) => end === 'rolled back');
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const rows = results.map((result) => {
    const { contender, healthy, faulty } = result;
    return {
      who: contender.name,
      settings: contender.settings,
      '1 -> 5 %: found': `${found(result).length} of ${faulty.length}`,
      's to rollback': faulty
        .map(({ seconds, end }) => (end === 'rolled back' ? seconds.toFixed(0) : `(${end})`))
        .join(', '),
      'canary requests': faulty.map(({ canaryRequests }) => canaryRequests).join(', '),
      'harmed, mean': mean(faulty.map(({ harmed }) => harmed)).toFixed(1),
      healthy: healthyText(healthy),
    };
  });
  const lost = results.reduce((sum, each) => sum + each.lost, 0);
  const json: Figures = {
    ...Object.fromEntries(
      results.map((result, index) => [
        `${result.contender.name} ${index}`,
        {
          found: found(result).length,
          secondsToRollback: mean(found(result).map(({ seconds }) => seconds)),
          harmed: mean(result.faulty.map(({ harmed }) => harmed)),
          secondsToPromote: result.healthy?.end === 'promoted' ? result.healthy.seconds : -1,
        },
      ]),
    ),
    lost,
  };
  return {
    json,
    tables: [
      {
        title: `${controllerTitle('flagger')}, ${controllerTitle('argo-rollouts')} and Sluice; ${requestsPerSecond} requests/s each, errors above ${between * 100} % fail their checks`,
        rows,
      },
    ],
    bounds: [{ text: `${lost} requests lost while weights moved`, holds: lost === 0 }],
  };
}

function healthyText(healthy: Outcome | undefined): string {
  if (healthy === undefined) return 'not tried';
  const { end, seconds } = healthy;
  return end === 'neither' ? `${longest} s without an end` : `${end} after ${seconds.toFixed(0)} s`;
}
