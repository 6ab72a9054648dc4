import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import { type GuardJobOptions, guardJobName, jobGuard } from '../../rollout/guard/guard-job.ts';
import { guardArguments, parseGuardOrder } from '../../rollout/guard/guard-order.ts';
import { roleManifests } from '../../rollout/guard/role-manifests.ts';
import { guardRole, rolloutRole } from '../../rollout/guard/rollout-roles.ts';
import { openKubernetes } from '../../rollout/kubernetes-client.ts';
import { parseRecord, type RolloutRecord, recordText } from '../../rollout/state/record.ts';
import { openKubernetesTraffic } from '../../rollout/traffic/kubernetes-providers.ts';
import type { TrafficProvider } from '../../rollout/traffic-provider.ts';
import { newAccount, newNamespace } from './access.ts';
import { startScript } from './child-process.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { installDefinitions } from './custom-resources.ts';
import { type ModelKind, type ModelObjects, newModel, objectAt } from './model-objects.ts';
import { type PodRunner, startPodRunner } from './pod-runner.ts';
import { runTrial } from './trial-rollout.ts';

const guardedKinds = [
  'istio subsets',
  'gateway-api',
  'kserve knative',
  'kserve standard',
  'seldon experiment',
] as const;
const labels = 'app.kubernetes.io/name=sluice-guard';

let cluster: ControlPlane;
let namespace: string;
let elsewhere: string;
let runner: PodRunner;

beforeAll(async () => {
  cluster = await startControlPlane();
  await installDefinitions(cluster, 'istio', 'gateway-api', 'kserve', 'seldon');
  // Pods that are less than restricted are refused here.
  namespace = await newNamespace(cluster, 'guarded', { 'pod-security.kubernetes.io/enforce': 'restricted' });
  elsewhere = await newNamespace(cluster, 'models');
  runner = startPodRunner(cluster, {
    namespace,
    labels,
    program: ({ spec }, folder) => {
      const [container] = spec.containers;
      const [, , , order = ''] = container?.args ?? [];
      return [process.execPath, join(import.meta.dirname, 'guard-process.ts'), folder, order];
    },
  });
});

afterAll(async () => {
  await runner[Symbol.asyncDispose]();
  await cluster[Symbol.asyncDispose]();
});

interface Scene extends AsyncDisposable {
  readonly model: ModelObjects;
  readonly provider: TrafficProvider;
  readonly options: GuardJobOptions;
  readonly jobPath: string;
  /** Puts the canary at so many percent, with a lease that runs out when it says. */
  open(weight: number, leaseMs: number): Promise<void>;
  /** Writes the record anew as the rollout's holder does. */
  renew(change: Partial<RolloutRecord>): Promise<void>;
  record(): Promise<RolloutRecord | undefined>;
}

/** A model, a rollout's provider with its minimal role, a guard's account with its own. */
async function newScene(kind: ModelKind): Promise<Scene> {
  // Pods of a model's own would be refused in the restricted namespace, so Istio's canary is not asked whether it is ready.
  const model = await newModel(cluster, kind === 'istio subsets' ? elsewhere : namespace, kind);
  const moved = await movedInto(model);
  const { traffic } = moved;
  const account = await newAccount(cluster, namespace, rolloutRole(traffic, { guard: true }));
  const guardAccount = await newAccount(cluster, namespace, guardRole(traffic));
  const options: GuardJobOptions = { image: 'ghcr.io/sluice-ml/sluice@sha256:0', serviceAccount: guardAccount.name };
  const client = openKubernetes({ files: [account.kubeconfig] });
  const provider = openKubernetesTraffic(traffic, client, { guard: jobGuard(client, traffic, options) });
  const now = async (): Promise<number> => (await provider.now?.()) ?? Date.now();
  return {
    model: moved,
    provider,
    options,
    jobPath: `/apis/batch/v1/namespaces/${namespace}/jobs/${guardJobName(traffic).name}`,
    async open(canaryWeight, leaseMs) {
      const at = await now();
      const record: RolloutRecord = {
        v: 1,
        id: 'r1',
        holder: 'the run',
        leaseUntil: at + leaseMs,
        phase: 'step',
        traffic: { canaryWeight, mirrorPercent: 0 },
        stage: 0,
        passed: 0,
        startedAt: at,
        stageAt: at,
        plan: 'p',
        looks: 0,
        drifts: 0,
      };
      await provider.move({ record: recordText(record), traffic: record.traffic, after: undefined });
      await moved.follow();
    },
    async renew(change) {
      const stored = await provider.record();
      const record = parseRecord(stored?.text ?? '');
      await provider.move({ record: recordText({ ...record, ...change }), after: stored?.revision });
    },
    async record() {
      const stored = await provider.record();
      return stored === undefined ? undefined : parseRecord(stored.text);
    },
    [Symbol.asyncDispose]: () => provider[Symbol.asyncDispose](),
  };
}

/** The model's traffic object, in the restricted namespace: the guard lives where the object is. */
async function movedInto(model: ModelObjects): Promise<ModelObjects> {
  const { traffic } = model;
  if (traffic.provider !== 'istio') return model;
  const { spec } = await objectAt(cluster, model.path);
  const list = `/apis/networking.istio.io/v1/namespaces/${namespace}/virtualservices`;
  await cluster.must('POST', list, {
    apiVersion: 'networking.istio.io/v1',
    kind: 'VirtualService',
    metadata: { name: traffic.virtualService },
    spec,
  });
  const { destinationRule: _, ...rest } = traffic;
  return { ...model, traffic: { ...rest, namespace }, path: `${list}/${traffic.virtualService}` };
}

/** Waits for what must come about, however slow the machine is. */
async function until(what: string, done: () => Promise<boolean>): Promise<void> {
  const limit = performance.now() + 90_000;
  while (!(await done().catch(() => false))) {
    if (performance.now() > limit) throw new Error(`${what} did not come about. The guards said:\n${runner.output}`);
    await sleep(100);
  }
}

/** The object's controller follows meanwhile, as it does in a cluster. */
async function isRolledBack(scene: Scene): Promise<boolean> {
  await scene.model.follow();
  return (await scene.record())?.phase === 'rolled-back';
}

async function jobOf(scene: Scene): Promise<Job | undefined> {
  const answer = await cluster.ask('GET', scene.jobPath);
  return answer.status === 404 ? undefined : (answer.body as Job);
}

interface Job {
  readonly metadata: { readonly uid: string };
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly serviceAccountName: string;
        readonly securityContext: unknown;
        readonly containers: readonly { readonly args: readonly string[]; readonly securityContext: unknown }[];
      };
    };
  };
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
}

const isComplete = (job: Job | undefined): boolean =>
  job?.status?.conditions?.some(({ type, status }) => type === 'Complete' && status === 'True') ?? false;

describe('the guard of a rollout, on a real API server', () => {
  test('is a Job that the minimal role may make and that a restricted namespace takes', async () => {
    await using scene = await newScene('gateway-api');
    const { guard } = scene.provider;
    await scene.open(10, 600_000);
    await guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' });
    const job = await jobOf(scene);
    const { serviceAccountName, securityContext, containers } = job?.spec.template.spec ?? {};
    expect(serviceAccountName).toBe(scene.options.serviceAccount);
    expect(securityContext).toMatchObject({ runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } });
    expect(containers?.[0]?.securityContext).toMatchObject({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    });
    expect(containers?.[0]?.args.slice(0, 3)).toEqual(['canary', 'guard', '--order']);
    expect(parseGuardOrder(containers?.[0]?.args[3] ?? '')).toMatchObject({
      rolloutId: 'r1',
      traffic: scene.model.traffic,
    });
    // Once more, as every run does that goes on: the same Job.
    await guard?.install({ expires: new Date(Date.now() + 900_000), rolloutId: 'r1' });
    expect((await jobOf(scene))?.metadata.uid).toBe(job?.metadata.uid);
    await guard?.remove();
    expect(await jobOf(scene)).toBeUndefined();
    expect((await scene.record())?.phase).toBe('step');
  });

  test.each(guardedKinds)('restores the baseline on %s when the lease runs out, with its own role', async (kind) => {
    await using scene = await newScene(kind);
    const before = await objectAt(cluster, scene.model.path);
    await scene.open(50, 3_600_000);
    await scene.provider.guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' });
    // The runner is gone from here on: its lease was until now.
    await scene.renew({ leaseUntil: 1 });
    await until('the end of the rollout', () => isRolledBack(scene));
    expect(await scene.record()).toMatchObject({
      holder: expect.stringMatching(/^guard /),
      reason: expect.stringContaining('lease ran out'),
    });
    expect((await objectAt(cluster, scene.model.path)).spec).toEqual(before.spec);
    await until('the end of the Job', async () => isComplete(await jobOf(scene)));
    await scene.provider.guard?.remove();
  });

  test('takes a lease that runs out by itself for what it is', async () => {
    await using scene = await newScene('gateway-api');
    await scene.open(25, 4_000);
    await scene.provider.guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' });
    await until('the end of the rollout', () => isRolledBack(scene));
    const { endedAt = 0, startedAt = 0 } = (await scene.record()) ?? {};
    expect(endedAt - startedAt).toBeGreaterThan(4_000);
    expect((await scene.provider.read()).desired.canaryWeight).toBe(0);
    await scene.provider.guard?.remove();
  });

  test('leaves a rollout alone whose lease is renewed, and ends when it is over', async () => {
    await using scene = await newScene('gateway-api');
    await scene.open(25, 600_000);
    await scene.provider.guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' });
    for (let looks = 1; looks <= 10; looks++) {
      await scene.renew({ looks, leaseUntil: Date.now() + 600_000 });
      await sleep(100);
    }
    expect(await scene.record()).toMatchObject({ holder: 'the run', phase: 'step', looks: 10 });
    expect((await scene.provider.read()).desired.canaryWeight).toBe(25);
    await scene.renew({ phase: 'promoted', endedAt: Date.now() });
    await until('the end of the Job', async () => isComplete(await jobOf(scene)));
    expect((await scene.provider.read()).desired.canaryWeight).toBe(25);
    await scene.provider.guard?.remove();
  });

  test('goes on after its node was lost, and after the API server was', async () => {
    await using scene = await newScene('istio subsets');
    await scene.open(50, 3_600_000);
    await scene.provider.guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' });
    runner.kill();
    await scene.renew({ leaseUntil: 1, looks: 1 });
    cluster.signal('kube-apiserver', 'SIGKILL');
    await sleep(2000);
    await cluster.start('kube-apiserver');
    await until('the end of the rollout', () => isRolledBack(scene));
    expect((await scene.provider.read()).desired.canaryWeight).toBe(0);
    await scene.provider.guard?.remove();
  });

  test('does not touch a rollout that is not the one it was started for', async () => {
    await using scene = await newScene('gateway-api');
    await scene.open(25, 600_000);
    await scene.provider.guard?.install({ expires: new Date(Date.now() + 20_000), rolloutId: 'another' });
    await scene.renew({ leaseUntil: 1 });
    await until('the end of the Job', async () => isComplete(await jobOf(scene)));
    expect((await scene.record())?.phase).toBe('step');
    expect((await scene.provider.read()).desired.canaryWeight).toBe(25);
    // The next rollout's guard takes its place.
    await scene.provider.guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' });
    await until('the end of the rollout', () => isRolledBack(scene));
    await scene.provider.guard?.remove();
  });

  test('says that it does not run, and what to look at, when its service account is not there', async () => {
    await using scene = await newScene('gateway-api');
    const { traffic } = scene.model;
    const account = await newAccount(cluster, namespace, rolloutRole(traffic, { guard: true }));
    const client = openKubernetes({ files: [account.kubeconfig] });
    const options = { ...scene.options, serviceAccount: 'nobody', startWithinMs: 2_000 };
    await using provider = openKubernetesTraffic(traffic, client, { guard: jobGuard(client, traffic, options) });
    const thrown = await provider.guard
      ?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' })
      .catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(PeerError);
    expect((thrown as PeerError).problems[0]).toMatchObject({ code: 'guard-not-running' });
    expect((thrown as PeerError).problems[0].fix).toContain('describe pods');
    await provider.guard?.remove();
  });

  test('cannot be made by a role that has no guard in it', async () => {
    await using scene = await newScene('gateway-api');
    const { traffic } = scene.model;
    const account = await newAccount(cluster, namespace, rolloutRole(traffic, { guard: false }));
    const client = openKubernetes({ files: [account.kubeconfig] });
    await using provider = openKubernetesTraffic(traffic, client, { guard: jobGuard(client, traffic, scene.options) });
    await expect(
      provider.guard?.install({ expires: new Date(Date.now() + 600_000), rolloutId: 'r1' }),
    ).rejects.toMatchObject({ problems: [{ code: 'forbidden' }] });
  });

  test('works as the command that its image runs', async () => {
    await using scene = await newScene('gateway-api');
    await scene.open(25, 600_000);
    await scene.renew({ leaseUntil: 1 });
    const guardAccount = await newAccount(cluster, namespace, guardRole(scene.model.traffic));
    const args = guardArguments({ rolloutId: 'r1', traffic: scene.model.traffic, leaseMs: 600_000 });
    const command = startScript(join(import.meta.dirname, '../../cli/index.ts'), args, {
      env: { KUBECONFIG: guardAccount.kubeconfig },
    });
    await until('the end of the rollout', () => isRolledBack(scene));
    expect(await command.ended).toMatchObject({ code: 0 });
  });
});

describe('the manifests of a rollout', () => {
  test('are taken by the API server, and are all that a rollout and its guard need', async () => {
    const { traffic } = await newModel(cluster, namespace, 'gateway-api');
    const manifests = roleManifests(traffic, {
      subject: { kind: 'ServiceAccount', name: 'ci' },
      guardAccount: 'sluice-guard',
    });
    for (const manifest of manifests) {
      const isRole = manifest['kind'] !== 'ServiceAccount';
      const api = isRole ? '/apis/rbac.authorization.k8s.io/v1' : '/api/v1';
      const plural = `${String(manifest['kind']).toLowerCase()}s`;
      await cluster.must('POST', `${api}/namespaces/${namespace}/${plural}?fieldValidation=Strict`, manifest);
    }
    const { outcome } = await runTrial({
      id: 'r1',
      holder: 'run 1',
      kubeconfig: cluster.kubeconfigWith(await cluster.token(namespace, 'ci')),
      traffic,
      course: 'harmless',
      guard: { image: 'ghcr.io/sluice-ml/sluice', serviceAccount: 'sluice-guard' },
    });
    expect(outcome).toBe('promoted');
    expect(runner.pods.at(-1)?.spec.serviceAccountName).toBe('sluice-guard');
  });
});
