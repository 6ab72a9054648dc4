import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SluiceError } from '../../core/problem/index.ts';
import { guardJobName } from '../../rollout/guard/guard-job.ts';
import { guardArguments, parseGuardOrder } from '../../rollout/guard/guard-order.ts';
import { guardRollout } from '../../rollout/guard/lease-guard.ts';
import { guardRole, rolloutRole } from '../../rollout/guard/rollout-roles.ts';
import { openKubernetes } from '../../rollout/kubernetes-client.ts';
import { isOver, parseRecord, type RolloutRecord } from '../../rollout/state/record.ts';
import { beforeAnnotation, recordAnnotation } from '../../rollout/traffic/annotated-object.ts';
import { openKubernetesTraffic } from '../../rollout/traffic/kubernetes-providers.ts';
import { type Account, newAccount, newNamespace } from './access.ts';
import { type ApiProxy, type ApiProxyOptions, startApiProxy } from './api-proxy.ts';
import { type Ended, type StartedProcess, startScript } from './child-process.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { installDefinitions } from './custom-resources.ts';
import { jumpingClock } from './jumping-clock.ts';
import { type ModelKind, type ModelObjects, newModel, objectAt, type StoredObject } from './model-objects.ts';
import { type PodRunner, startPodRunner } from './pod-runner.ts';
import { runTrial, type TrialRollout } from './trial-rollout.ts';

// A process runs a rollout and is killed (SIGKILL) right before or right after each of its writes at the API server. Then either the next
// run goes on, or nobody comes and the guard does its work when the lease is out.

let cluster: ControlPlane;
let namespace: string;
let runner: PodRunner;

beforeAll(async () => {
  cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio', 'gateway-api', 'kserve', 'seldon');
  namespace = await newNamespace(cluster, 'killed');
  // The guard's Job is real and its pod is said to run; what it would run is run below, by a clock that need not wait.
  runner = startPodRunner(cluster, {
    namespace,
    labels: 'app.kubernetes.io/name=sluice-guard',
    program: () => undefined,
  });
});

afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

interface Strike {
  /** Which write, from 1. */
  readonly write: number;
  readonly when: 'before' | 'after';
}

type Plan = Pick<TrialRollout, 'course' | 'stopAfter'> & { readonly kind: ModelKind; readonly guard: boolean };

interface Scene {
  readonly model: ModelObjects;
  readonly before: StoredObject;
  readonly account: Account;
  readonly guardAccount: Account;
  readonly trial: Omit<TrialRollout, 'kubeconfig'>;
}

async function newScene({ kind, guard, ...trial }: Plan): Promise<Scene> {
  const model = await newModel(cluster, namespace, kind);
  await model.follow();
  const { traffic } = model;
  const guardAccount = await newAccount(cluster, namespace, guardRole(traffic));
  return {
    model,
    before: await objectAt(cluster, model.path),
    account: await newAccount(cluster, namespace, rolloutRole(traffic, { guard })),
    guardAccount,
    trial: {
      ...trial,
      id: 'trial',
      holder: 'run 1',
      traffic,
      ...(guard ? { guard: { image: 'example.com/sluice', serviceAccount: guardAccount.name } } : {}),
    },
  };
}

/** The API server with the object's controller behind it, which follows every change at once. */
async function followed({ model }: Scene, options: ApiProxyOptions = {}): Promise<ApiProxy> {
  return startApiProxy(cluster, {
    ...options,
    async after(passing, passed) {
      if (passing.write > 0 && passed.status < 300 && !passing.path.includes('/jobs')) await model.follow();
      return (await options.after?.(passing, passed)) ?? 'pass';
    },
  });
}

/** One process that runs the rollout, killed where it is to be; what it wrote, in order. */
async function life(
  scene: Scene,
  strike?: Strike,
): Promise<{ readonly ended: Ended; readonly writes: readonly string[] }> {
  const writes: string[] = [];
  let child: StartedProcess | undefined;
  const struck = ({ write }: { readonly write: number }, when: Strike['when']): boolean =>
    write > 0 && write === strike?.write && when === strike.when;
  await using proxy = await followed(scene, {
    async before(passing) {
      if (!struck(passing, 'before')) return 'pass';
      await child?.kill();
      return 'cut';
    },
    async after(passing, passed) {
      if (passing.write > 0) writes.push(nameOfWrite(passing, passed));
      if (!struck(passing, 'after')) return 'pass';
      await child?.kill();
      return 'cut';
    },
  });
  const kubeconfig = cluster.kubeconfigWith(scene.account.token, proxy.url);
  child = startScript(join(import.meta.dirname, 'rollout-process.ts'), [
    JSON.stringify({ ...scene.trial, kubeconfig }),
  ]);
  return { ended: await child.ended, writes };
}

/** `step 10 %`, `POST job`: what a write came to. */
function nameOfWrite(
  { method, path }: { readonly method: string; readonly path: string },
  { status, body }: { readonly status: number; readonly body: string },
): string {
  if (path.includes('/jobs')) return `${method} job`;
  if (status > 299) return `HTTP ${status}`;
  const { annotations = {} } = (JSON.parse(body) as StoredObject).metadata;
  const { phase, traffic } = parseRecord(annotations[recordAnnotation] ?? '');
  const finished = annotations[beforeAnnotation] === undefined && (phase === 'finishing' || phase === 'rolling-back');
  return `${phase} ${traffic.canaryWeight} %${finished ? ', objects finished' : ''}`;
}

async function recordOf({ model }: Scene): Promise<RolloutRecord | undefined> {
  const { annotations = {} } = (await objectAt(cluster, model.path)).metadata;
  const text = annotations[recordAnnotation];
  return text === undefined ? undefined : parseRecord(text);
}

async function jobExists({ model }: Scene): Promise<boolean> {
  const { name } = guardJobName(model.traffic);
  return (await cluster.ask('GET', `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`)).status === 200;
}

/** All requests to one arm, the objects as that arm's owner wants them, nothing of the rollout left but its record. */
async function expectEnd(scene: Scene, end: 'promoted' | 'rolled-back'): Promise<void> {
  const object = await objectAt(cluster, scene.model.path);
  const record = await recordOf(scene);
  expect(record?.phase).toBe(end);
  expect(object.metadata.annotations?.[beforeAnnotation]).toBeUndefined();
  await using provider = openKubernetesTraffic(
    scene.model.traffic,
    openKubernetes({ files: [scene.account.kubeconfig] }),
  );
  expect((await provider.read()).desired).toEqual({ canaryWeight: end === 'promoted' ? 100 : 0, mirrorPercent: 0 });
  if (end === 'rolled-back') expect(object.spec).toEqual(scene.before.spec);
}

/** While somebody's lease is good, nobody else may begin. */
async function expectRefused(scene: Scene): Promise<void> {
  const record = await recordOf(scene);
  if (record === undefined || isOver(record)) return;
  const { guard: _, ...trial } = scene.trial;
  const other = { ...trial, id: 'other', holder: 'run of another', kubeconfig: scene.account.kubeconfig };
  const thrown = await runTrial(other).catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(SluiceError);
  const [problem] = (thrown as SluiceError).problems;
  expect(problem).toMatchObject({ code: 'rollout-held' });
  expect(problem.message).toContain('trial');
  expect(problem.found).toContain('held by run 1');
}

/** The next run of the same rollout, in this process. */
async function goOn(scene: Scene, course: TrialRollout['course']): Promise<string> {
  await using proxy = await followed(scene);
  const { stopAfter: _, ...trial } = scene.trial;
  const { outcome } = await runTrial({
    ...trial,
    course,
    holder: 'run 2',
    kubeconfig: cluster.kubeconfigWith(scene.account.token, proxy.url),
  });
  return outcome;
}

/** The guard, an hour and a half later (a rollout that holds is left alone for longer), by the order in its Job and with its own role. */
async function guardComes(scene: Scene): Promise<void> {
  const { traffic } = scene.model;
  const written = guardArguments({ rolloutId: 'trial', traffic, leaseMs: 1000 })[3] ?? '';
  const { name } = guardJobName(traffic);
  const job = await cluster.ask('GET', `/apis/batch/v1/namespaces/${namespace}/jobs/${name}`);
  const orders = (
    job.body as {
      readonly spec?: {
        readonly template: { readonly spec: { readonly containers: readonly { readonly args: readonly string[] }[] } };
      };
    }
  ).spec?.template.spec.containers.map(({ args }) => args[3] ?? '');
  const order = parseGuardOrder(orders?.[0] ?? written);
  await using proxy = await followed(scene);
  const kubeconfig = cluster.kubeconfigWith(scene.guardAccount.token, proxy.url);
  const client = openKubernetes({ files: [kubeconfig] });
  await using provider = openKubernetesTraffic(order.traffic, client, { readiness: false });
  const clock = jumpingClock();
  clock.jump(90 * 60_000);
  await guardRollout({ provider, rolloutId: order.rolloutId, holder: 'guard', patienceMs: 0, everyMs: 20, clock });
}

/** Four at a time: they wait for one another's controllers more than for the processor. */
async function forEach<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const left = [...items];
  const worker = async (): Promise<void> => {
    for (let item = left.shift(); item !== undefined; item = left.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

type Sequel = 'the next run goes on' | 'nobody comes but the guard';

/** One history: killed at a write, another refused, then an end. */
async function history(plan: Plan, strike: Strike, sequel: Sequel, names: readonly string[]): Promise<void> {
  const what = `${plan.kind}, ${plan.course}, killed ${strike.when} ${strike.write} (${names[strike.write - 1]}), ${sequel}`;
  try {
    const scene = await newScene(plan);
    const { ended } = await life(scene, strike);
    expect(ended).toMatchObject({ signal: 'SIGKILL', stderr: '' });
    await expectRefused(scene);
    const left = await recordOf(scene);
    if (sequel === 'the next run goes on') {
      const course = plan.course === 'unsettled at 10 %' ? 'harmless' : plan.course;
      const end = course === 'harmless' ? 'promoted' : 'rolled-back';
      expect(await goOn(scene, course)).toBe(end);
      await expectEnd(scene, end);
      // A run that finds its rollout over has nothing to remove.
      if (plan.guard && left !== undefined && !isOver(left)) expect(await jobExists(scene)).toBe(false);
      return;
    }
    if (plan.guard && !(await jobExists(scene)) && (left === undefined || left.phase === 'starting')) {
      // It was killed before there was a guard: then nothing has moved.
      expect((await objectAt(cluster, scene.model.path)).spec).toEqual(scene.before.spec);
      return;
    }
    await guardComes(scene);
    if (left === undefined) {
      expect((await objectAt(cluster, scene.model.path)).spec).toEqual(scene.before.spec);
      return;
    }
    await expectEnd(scene, left.phase === 'finishing' || left.phase === 'promoted' ? 'promoted' : 'rolled-back');
  } catch (error) {
    throw new Error(what, { cause: error });
  }
}

const sequels: readonly Sequel[] = ['the next run goes on', 'nobody comes but the guard'];

describe('a rollout on Istio with its guard', () => {
  const plan: Plan = { kind: 'istio subsets', course: 'harmless', guard: true };
  const forward = [
    'starting 0 %',
    'POST job',
    'shadow 0 %',
    'header 0 %',
    'step 10 %',
    'step 50 %',
    'awaiting-approval 50 %',
    'promoting 100 %',
    'finishing 100 %',
    'finishing 100 %, objects finished',
    'promoted 100 %',
    'DELETE job',
  ];

  test('writes these things, in this order', async () => {
    const scene = await newScene(plan);
    const { ended, writes } = await life(scene);
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('"promoted"') });
    expect(writes).toEqual(forward);
    await expectEnd(scene, 'promoted');
  });

  test.each(sequels)(
    'killed before and after each of them: %s',
    async (sequel) => {
      const strikes = forward.flatMap((_, index) =>
        (['before', 'after'] as const).map((when): Strike => ({ write: index + 1, when })),
      );
      await forEach(strikes, (strike) => history(plan, strike, sequel, forward));
    },
    900_000,
  );

  const back = [
    ...forward.slice(0, 6),
    'rolling-back 0 %',
    'rolling-back 0 %',
    'rolling-back 0 %, objects finished',
    'rolled-back 0 %',
    'DELETE job',
  ];

  test.each(sequels)(
    'killed before and after each write of going back: %s',
    async (sequel) => {
      const harmful: Plan = { ...plan, course: 'harmful at 50 %' };
      expect((await life(await newScene(harmful))).writes).toEqual(back);
      const strikes = [7, 8, 9, 10, 11].flatMap((write) =>
        (['before', 'after'] as const).map((when): Strike => ({ write, when })),
      );
      await forEach(strikes, (strike) => history(harmful, strike, sequel, back));
    },
    900_000,
  );

  test.each(sequels)('killed before and after the write that stops at a safe point: %s', async (sequel) => {
    const holding: Plan = { ...plan, course: 'unsettled at 10 %', stopAfter: 0 };
    const { ended, writes } = await life(await newScene(holding));
    expect(ended.stdout).toContain('"holding"');
    expect(writes).toEqual([...forward.slice(0, 5), 'holding 10 %']);
    const strikes = (['before', 'after'] as const).map((when): Strike => ({ write: writes.length, when }));
    await forEach(strikes, (strike) => history(holding, strike, sequel, writes));
  });
});

describe.each(['gateway-api', 'kserve knative', 'kserve standard', 'istio hosts', 'seldon experiment'] as const)(
  'a rollout on %s',
  (kind) => {
    test.each(['harmless', 'harmful at 50 %'] as const)(
      'that is %s, killed at each transition, is gone on with or ended by its guard',
      async (course) => {
        const plan: Plan = { kind, course, guard: false };
        const scene = await newScene(plan);
        const { writes } = await life(scene);
        await expectEnd(scene, course === 'harmless' ? 'promoted' : 'rolled-back');
        // What is before the first step back was killed in the harmless course.
        const first = course === 'harmless' ? 1 : writes.indexOf('rolling-back 0 %') + 1;
        expect(first).toBeGreaterThan(0);
        expect(writes.length).toBeGreaterThan(6);
        const histories = writes.slice(first - 1).flatMap((_, index): readonly (readonly [Strike, Sequel])[] => [
          [{ write: first + index, when: 'after' }, 'the next run goes on'],
          [{ write: first + index, when: 'before' }, 'nobody comes but the guard'],
        ]);
        await forEach(histories, ([strike, sequel]) => history(plan, strike, sequel, writes));
      },
      900_000,
    );
  },
);
