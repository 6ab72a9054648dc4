import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SluiceError } from '../../core/problem/index.ts';
import { guardRollout } from '../../rollout/guard/lease-guard.ts';
import { guardRole, rolloutRole } from '../../rollout/guard/rollout-roles.ts';
import { openKubernetes } from '../../rollout/kubernetes-client.ts';
import { parseRecord, type RolloutRecord } from '../../rollout/state/record.ts';
import { beforeAnnotation, recordAnnotation } from '../../rollout/traffic/annotated-object.ts';
import { openKubernetesTraffic } from '../../rollout/traffic/kubernetes-providers.ts';
import { type Account, newAccount, newNamespace } from './access.ts';
import { type Fate, startApiProxy } from './api-proxy.ts';
import { startScript } from './child-process.ts';
import { type Component, type ControlPlane, startControlPlane } from './control-plane.ts';
import { installDefinitions } from './custom-resources.ts';
import { jumpingClock } from './jumping-clock.ts';
import { type ModelObjects, newModel, objectAt, type StoredObject } from './model-objects.ts';
import { runTrial, type TrialRollout } from './trial-rollout.ts';

// What the API server, the network and the clocks do to a rollout: it always ends promoted or with all requests at the baseline.

const hour = 3_600_000;

let cluster: ControlPlane;
let namespace: string;

beforeAll(async () => {
  cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio');
  namespace = await newNamespace(cluster, 'faulty');
});

afterAll(async () => {
  await cluster[Symbol.asyncDispose]();
});

interface Scene {
  readonly model: ModelObjects;
  readonly before: StoredObject;
  readonly account: Account;
  readonly guardAccount: Account;
  readonly trial: TrialRollout;
}

async function newScene(): Promise<Scene> {
  const model = await newModel(cluster, namespace, 'istio subsets');
  const account = await newAccount(cluster, namespace, rolloutRole(model.traffic, { guard: false }));
  return {
    model,
    before: await objectAt(cluster, model.path),
    account,
    guardAccount: await newAccount(cluster, namespace, guardRole(model.traffic)),
    trial: {
      id: 'trial',
      holder: 'run 1',
      traffic: model.traffic,
      kubeconfig: account.kubeconfig,
      course: 'harmless',
      patience: { answerMs: 1_000 },
    },
  };
}

async function recordOf({ model }: Scene): Promise<RolloutRecord> {
  const { annotations = {} } = (await objectAt(cluster, model.path)).metadata;
  return parseRecord(annotations[recordAnnotation] ?? '');
}

async function expectEnd(scene: Scene, end: 'promoted' | 'rolled-back'): Promise<void> {
  const object = await objectAt(cluster, scene.model.path);
  expect((await recordOf(scene)).phase).toBe(end);
  expect(object.metadata.annotations?.[beforeAnnotation]).toBeUndefined();
  const [, route] = object.spec['http'] as readonly { readonly route: readonly { readonly destination: unknown }[] }[];
  expect(route?.route).toMatchObject([{ destination: { subset: end === 'promoted' ? 'v2' : 'v1' } }]);
  if (end === 'rolled-back') expect(object.spec).toEqual(scene.before.spec);
}

/** Runs it until it is at 10 %, does something to its world, and gives how it ended. */
async function disturbed(
  scene: Scene,
  trial: Partial<TrialRollout>,
  disturb: (clock: ReturnType<typeof jumpingClock>) => Promise<void> | void,
): Promise<{ readonly outcome: string }> {
  const clock = jumpingClock();
  let done = false;
  const { outcome } = await runTrial(
    { ...scene.trial, ...trial },
    {
      clock,
      async onTurn({ record }) {
        if (done || record.phase !== 'step') return;
        done = true;
        await disturb(clock);
      },
    },
  );
  expect(done).toBe(true);
  return { outcome };
}

const conflict = {
  kind: 'Status',
  apiVersion: 'v1',
  status: 'Failure',
  reason: 'Conflict',
  code: 409,
  message: 'changed',
};
const faults: Readonly<Record<string, Fate>> = {
  'is answered 409 for it': { status: 409, body: conflict },
  'is answered 429 for it': { status: 429 },
  'is told by 429 to come back in a second': { status: 429, headers: { 'retry-after': '1' } },
  'is answered 500 for it': { status: 500, body: { kind: 'Status', message: 'etcdserver: leader changed' } },
  'is answered 503 by no API server': { status: 503, body: '<html>no healthy upstream</html>' },
  'loses the connection before it is heard': 'cut',
  'loses the connection after it is done': 'cut-after',
  'loses the connection in the middle of the answer': 'cut-within',
  'never gets an answer': 'hang',
};

describe('a rollout that at each of its requests once', () => {
  test.each(Object.entries(faults))(
    '%s is promoted all the same',
    async (_, fate) => {
      // The same number of requests each time: all waits in it are for answers.
      await using counted = await startApiProxy(cluster);
      const first = await newScene();
      const kubeconfig = cluster.kubeconfigWith(first.account.token, counted.url);
      await runTrial({ ...first.trial, kubeconfig });
      const { writes, requests } = counted.counts;
      expect(writes).toBe(10);
      // 409 is no answer to a question; hanging is slow to try.
      const readsToo = typeof fate === 'object' ? fate.status !== 409 : fate !== 'hang';
      const strikes = [
        ...Array.from({ length: writes }, (_each, index) => ({ write: index + 1, number: 0 })),
        ...(readsToo ? Array.from({ length: requests }, (_each, index) => ({ write: 0, number: index + 1 })) : []),
      ];
      const one = async (strike: { readonly write: number; readonly number: number }): Promise<void> => {
        const scene = await newScene();
        let struck = false;
        await using proxy = await startApiProxy(cluster, {
          before({ number, write }) {
            if (struck || !(write === strike.write || (strike.write === 0 && number === strike.number))) return 'pass';
            if (strike.write === 0 && number !== strike.number) return 'pass';
            struck = true;
            return fate;
          },
        });
        const at = cluster.kubeconfigWith(scene.account.token, proxy.url);
        try {
          const { outcome } = await runTrial({ ...scene.trial, kubeconfig: at });
          expect(outcome).toBe('promoted');
          expect(struck).toBe(true);
          await expectEnd(scene, 'promoted');
        } catch (error) {
          throw new Error(`at ${JSON.stringify(strike)}`, { cause: error });
        }
      };
      const left = [...strikes];
      const worker = async (): Promise<void> => {
        for (let strike = left.shift(); strike !== undefined; strike = left.shift()) await one(strike);
      };
      await Promise.all(Array.from({ length: 4 }, worker));
    },
    600_000,
  );
});

describe('a rollout whose every second write', () => {
  test.each(['cut-after', 'cut-within'] as const)('is %s goes forward and back as it should', async (fate) => {
    for (const [course, end] of [
      ['harmless', 'promoted'],
      ['harmful at 50 %', 'rolled-back'],
    ] as const) {
      const scene = await newScene();
      await using proxy = await startApiProxy(cluster, { before: ({ write }) => (write % 2 === 1 ? fate : 'pass') });
      const kubeconfig = cluster.kubeconfigWith(scene.account.token, proxy.url);
      expect((await runTrial({ ...scene.trial, course, kubeconfig })).outcome).toBe(end);
      await expectEnd(scene, end);
    }
  });
});

/** A part of the control plane goes, a minute passes by the rollout's clock, and it is there again. */
const outages: readonly (readonly [string, Component, NodeJS.Signals])[] = [
  ['the API server is killed', 'kube-apiserver', 'SIGKILL'],
  ['the API server takes connections and answers nothing', 'kube-apiserver', 'SIGSTOP'],
  ['etcd answers nothing', 'etcd', 'SIGSTOP'],
];

async function outage(component: Component, signal: NodeJS.Signals, minute: () => void): Promise<void> {
  cluster.signal(component, signal);
  await sleep(2_500);
  minute();
  if (signal === 'SIGKILL') await cluster.start(component);
  else cluster.signal(component, 'SIGCONT');
  while ((await cluster.ask('GET', '/readyz').catch(() => ({ status: 0 }))).status !== 200) await sleep(100);
}

describe.each(outages)('when %s for a minute', (_, component, signal) => {
  test('a rollout with a longer lease goes on', async () => {
    const scene = await newScene();
    let back: Promise<void> | undefined;
    const { outcome } = await disturbed(scene, {}, (clock) => {
      back = outage(component, signal, () => clock.jump(60_000));
    });
    await back;
    expect(outcome).toBe('promoted');
    await expectEnd(scene, 'promoted');
  });

  test('a rollout with a shorter lease goes back once it can', async () => {
    const scene = await newScene();
    let back: Promise<void> | undefined;
    const { outcome } = await disturbed(scene, { settings: { lease: 50_000 } }, (clock) => {
      back = outage(component, signal, () => clock.jump(60_000));
    });
    await back;
    expect(outcome).toBe('rolled-back');
    expect((await recordOf(scene)).reason).toContain('lease ran out');
    await expectEnd(scene, 'rolled-back');
  });

  test('a rollout whose run vanished meanwhile is ended by its guard once it can', async () => {
    const scene = await newScene();
    const held = await runTrial({ ...scene.trial, course: 'unsettled at 10 %', stopAfter: 0 });
    expect(held.outcome).toBe('holding');
    const client = openKubernetes({ files: [scene.guardAccount.kubeconfig], patience: { answerMs: 1_000 } });
    await using provider = openKubernetesTraffic(scene.model.traffic, client, { readiness: false });
    const clock = jumpingClock();
    const said: string[] = [];
    const guard = guardRollout({
      provider,
      rolloutId: 'trial',
      holder: 'guard',
      patienceMs: 0,
      everyMs: 50,
      clock,
      say: (message) => said.push(message),
    });
    await sleep(500);
    await outage(component, signal, () => clock.jump(hour));
    expect(await guard).toBe('restored');
    await expectEnd(scene, 'rolled-back');
  });
});

describe('a rollout whose run', () => {
  test('slept for three hours goes back, as nobody watched', async () => {
    const scene = await newScene();
    const { outcome } = await disturbed(scene, {}, (clock) => clock.jump(3 * hour));
    expect(outcome).toBe('rolled-back');
    await expectEnd(scene, 'rolled-back');
  });

  test('slept for three hours, in which its guard ended it, touches nothing any more', async () => {
    const scene = await newScene();
    const { outcome } = await disturbed(scene, {}, async (clock) => {
      clock.jump(3 * hour);
      const client = openKubernetes({ files: [scene.guardAccount.kubeconfig] });
      await using provider = openKubernetesTraffic(scene.model.traffic, client, { readiness: false });
      const ahead = jumpingClock();
      ahead.jump(3 * hour);
      const work = { provider, rolloutId: 'trial', holder: 'guard', patienceMs: 0, everyMs: 50, clock: ahead };
      expect(await guardRollout(work)).toBe('restored');
    });
    expect(outcome).toBe('rolled-back');
    expect((await recordOf(scene)).holder).toBe('guard');
    await expectEnd(scene, 'rolled-back');
  });

  test.each([
    ['ahead', 5 * hour],
    ['behind', -5 * hour],
  ])('is on a machine whose clock is five hours %s writes leases by the clock of the API server', async (_, off) => {
    const scene = await newScene();
    const wrong = `const now = Date.now; Date.now = () => now() + ${off}`;
    const trial = { ...scene.trial, course: 'unsettled at 10 %', stopAfter: 0, patience: {} };
    const script = join(import.meta.dirname, 'rollout-process.ts');
    const preload = `data:text/javascript,${encodeURIComponent(wrong)}`;
    const { stdout } = await startScript(script, [JSON.stringify(trial)], { preload }).ended;
    expect(stdout).toContain('"holding"');
    const { leaseUntil } = await recordOf(scene);
    // Resumed within twenty minutes; a slow machine takes some of them.
    expect(leaseUntil - Date.now()).toBeGreaterThan(10 * 60_000);
    expect(leaseUntil - Date.now()).toBeLessThanOrEqual(20 * 60_000 + 2_000);
  });
});

describe('of two runs at once', () => {
  const script = join(import.meta.dirname, 'rollout-process.ts');

  test('of one rollout, one brings it to its end and the other touches nothing after it lost it', async () => {
    for (let times = 0; times < 4; times++) {
      const scene = await newScene();
      const both = await Promise.all(
        ['run 1', 'run 2'].map((holder) => startScript(script, [JSON.stringify({ ...scene.trial, holder })]).ended),
      );
      const said = both.map(({ stdout, stderr }) => {
        expect(stderr).toBe('');
        return JSON.parse(stdout) as { readonly outcome?: string; readonly problem?: { readonly code: string } };
      });
      expect(said.filter(({ outcome }) => outcome === 'promoted').length).toBeGreaterThan(0);
      for (const { outcome, problem } of said) {
        expect([undefined, 'rollout-taken-over']).toContain(problem?.code);
        if (problem === undefined) expect(outcome).toBe('promoted');
      }
      await expectEnd(scene, 'promoted');
    }
  });

  test('of two rollouts, the second to come is refused, or comes when the first is over', async () => {
    const scene = await newScene();
    const slow = { ...scene.trial, settings: { minStage: 1_000, lookEvery: 100 } };
    const first = runTrial(slow);
    while ((await objectAt(cluster, scene.model.path)).metadata.annotations?.[recordAnnotation] === undefined) {
      await sleep(20);
    }
    const thrown = await runTrial({ ...slow, id: 'other', holder: 'run of another' }).catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(SluiceError);
    expect((thrown as SluiceError).problems[0]).toMatchObject({
      code: 'rollout-held',
      message: expect.stringContaining('trial'),
      found: expect.stringContaining('held by run 1'),
    });
    expect((await first).outcome).toBe('promoted');
    await expectEnd(scene, 'promoted');
  });
});
