/**
 * What the constructs render, on nodes: the real API server, controllers and scheduler, and kwok in place of kubelets. Nothing runs in the
 * pods, so images, probes and programs are not tried here; where pods land, when they are made, ready and taken away is.
 */
import { Duration } from 'cdk8s';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { digest, pinnedFetchImages } from '../../constructs/kubernetes/fixtures/gallery.ts';
import { type Manifest, manifestsOf, one } from '../../constructs/kubernetes/fixtures/test-chart.ts';
import {
  OnnxDeployment,
  type OnnxDeploymentProps,
  VllmDeployment,
  type VllmDeploymentProps,
} from '../../constructs/kubernetes/index.ts';
import { newNamespace } from './access.ts';
import { type ControlPlane, startControlPlane } from './control-plane.ts';
import { applyAll, manifestPath } from './manifests.ts';
import { drainNode } from './nodes/drain.ts';
import { neverReady, type Pace, paceOf } from './nodes/kwok.ts';
import { isReady, type Pod, recordReadiness } from './nodes/readiness-record.ts';
import { claimsOfUser, isWorkload, type Rendered, renderedWorkloads } from './nodes/rendered.ts';
import { cpuNode, gpuNode, onPool } from './nodes/simulated-node.ts';
import { type SimulatedNodes, startSimulatedNodes } from './nodes/simulated-nodes.ts';
import { provideVolumes } from './nodes/simulated-volumes.ts';
import { lackOf, podsOf } from './nodes/workload-state.ts';

let cluster: ControlPlane;
let nodes: SimulatedNodes;
let volumes: AsyncDisposable;

const zones = ['zone-a', 'zone-b', 'zone-c'] as const;
const rendered = await renderedWorkloads();
/** Where each of them was applied. */
const namespaces = new Map<string, string>();

beforeAll(async () => {
  cluster = await startControlPlane({ scheduler: true });
  nodes = await startSimulatedNodes(
    cluster,
    ...zones.map((zone) => cpuNode(`cpu-${zone}`, zone)),
    ...zones.map((zone) => gpuNode(`gpu-l4-${zone}`, { zone, product: 'NVIDIA-L4', karpenterName: 'l4' })),
    gpuNode('gpu-a100', { product: 'NVIDIA-A100-SXM4-80GB', labels: { 'gpu-type': 'a100' } }),
    gpuNode('gpu-h100', { product: 'NVIDIA-H100-80GB-HBM3', karpenterName: 'h100' }),
    gpuNode('gpu-t4', {
      product: 'Tesla-T4-SHARED',
      labels: { 'gpu-type': 't4' },
      resource: 'nvidia.com/gpu.shared',
    }),
  );
  volumes = provideVolumes(cluster);
  await Promise.all(rendered.map(applyRendered));
  // The first time Kubernetes and kwok are built.
}, 1_800_000);

afterAll(async () => {
  await volumes?.[Symbol.asyncDispose]();
  await nodes?.[Symbol.asyncDispose]();
  await cluster?.[Symbol.asyncDispose]();
});

/** A namespace of its own, as strict as the constructs allow it: only what reaches into nodes needs more. */
async function applyRendered({ name, manifests }: Rendered): Promise<void> {
  const level = manifests.some(({ kind }) => kind === 'DaemonSet') ? 'privileged' : 'restricted';
  const namespace = await namespaceOf('rendered', level);
  namespaces.set(name, namespace);
  await applyAll(cluster, [...claimsOfUser(manifests), ...manifests], namespace);
}

function namespaceOf(prefix: string, level: 'restricted' | 'privileged' = 'restricted'): Promise<string> {
  return newNamespace(cluster, prefix, { 'pod-security.kubernetes.io/enforce': level });
}

/** Milliseconds until something must have happened: ten times what it takes on two idle cores. */
const patience = { timeout: 120_000, interval: 500 } as const;

/** Asks again and again until what is found is as it should be. (`expect.poll` knows only one test at a time.) */
function eventually<Found>(find: () => Promise<Found>, expected: (found: Found) => void): Promise<void> {
  return vi.waitFor(async () => expected(await find()), patience);
}

/** Waits until every workload has what it wants, all of it of the newest version. */
async function settled(namespace: string, manifests: readonly Manifest[]): Promise<void> {
  const workloads = manifests.filter(isWorkload);
  const lacks = async () =>
    (await Promise.all(workloads.map((each) => lackOf(cluster, namespace, each)))).filter((lack) => lack !== undefined);
  await eventually(lacks, (found) => expect(found).toEqual([]));
}

/** The pods of a workload. */
function podsOfWorkload(namespace: string, workload: Manifest): Promise<readonly Pod[]> {
  return podsOf(cluster, namespace, workload['spec'].selector.matchLabels);
}

function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** What routers are told of a Service: ready addresses, and the ports of each. */
async function addressesOf(namespace: string, service: string): Promise<unknown> {
  const label = `kubernetes.io/service-name%3D${service}`;
  const path = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices?labelSelector=${label}`;
  const { items } = (await cluster.must('GET', path)) as { readonly items: readonly Manifest[] };
  const slices = items.filter(({ endpoints }) => (endpoints ?? []).length > 0);
  const ready = slices.flatMap(({ endpoints }) => endpoints).filter(({ conditions }) => conditions.ready === true);
  const ports = slices.flatMap((slice) => slice['ports']).map(({ name }: { readonly name: string }) => name);
  return { ready: ready.length, ports: [...new Set(ports)].sort() };
}

/** How many pods each PodDisruptionBudget lets go now: the fewest. */
async function evictionsAllowed(namespace: string, manifests: readonly Manifest[]): Promise<number> {
  const budgets = manifests.filter(({ kind }) => kind === 'PodDisruptionBudget');
  const found = await Promise.all(budgets.map((each) => cluster.must('GET', manifestPath(each, namespace))));
  return Math.min(...found.map((each) => (each as Manifest)['status'].disruptionsAllowed));
}

function isForGpuNodes({ metadata, spec }: Pod): boolean {
  const asks = spec.containers.some(({ resources }) =>
    Object.keys(resources?.limits ?? {}).some((name) => name.startsWith('nvidia.com/')),
  );
  return asks || (metadata.ownerReferences ?? []).some(({ kind }) => kind === 'DaemonSet');
}

describe.concurrent('what the constructs render', () => {
  test.each(rendered)(
    'of $name: every workload gets what it wants, every Service has addresses, every node can be drained',
    async ({ name, manifests }) => {
      const namespace = namespaces.get(name) ?? '';
      await settled(namespace, manifests);
      for (const { metadata, spec } of manifests.filter(({ kind }) => kind === 'Service')) {
        const made = manifests.some(
          (each) => isWorkload(each) && selects(spec.selector, each['spec'].template.metadata.labels),
        );
        if (!made) continue;
        const ready = (await podsOf(cluster, namespace, spec.selector)).filter(isReady).length;
        expect(ready).toBeGreaterThan(0);
        const ports = spec.ports.map((port: { readonly name: string }) => port.name).sort();
        await eventually(
          () => addressesOf(namespace, metadata.name),
          (found) => expect(found).toEqual({ ready, ports }),
        );
      }
      if (manifests.some(({ kind }) => kind === 'PodDisruptionBudget')) {
        await eventually(
          () => evictionsAllowed(namespace, manifests),
          (found) => expect(found).toBeGreaterThanOrEqual(1),
        );
      }
    },
  );

  test('puts pods that ask for GPUs and agents of GPU nodes there, and no others', async () => {
    const wrong = await Promise.all(
      rendered.map(async ({ name, manifests }) => {
        await settled(namespaces.get(name) ?? '', manifests);
        const pods = await podsOf(cluster, namespaces.get(name) ?? '', {});
        return pods
          .filter((pod) => isForGpuNodes(pod) !== pod.spec.nodeName?.startsWith('gpu-'))
          .map(({ metadata }) => `${name}: ${metadata.name}`);
      }),
    );
    expect(wrong.flat()).toEqual([]);
  });
});

/** Pods that take a while, each another, until they are ready and until they are gone. */
const slow: Pace = { ready: { from: 1, to: 4 }, gone: 2 };

interface Variant {
  readonly version?: string;
  readonly pace?: Pace;
}

/** A model server on CPUs, whose pods go to one pool. */
function onnx(pool: string, props: Partial<OnnxDeploymentProps> & Variant = {}): readonly Manifest[] {
  const { version = '3', pace = slow, ...rest } = props;
  return manifestsOf((chart) => {
    new OnnxDeployment(chart, 'churn', {
      image: `registry.example.com/sluice-serve:1.4.0@sha256:${digest}`,
      model: { name: 'churn', version },
      file: { uri: `s3://models/churn/${version}/model.onnx`, sha256: digest },
      cpu: 1,
      memory: '1Gi',
      fetchImages: pinnedFetchImages,
      podAnnotations: paceOf(pace),
      ...onPool(pool),
      ...rest,
    });
  });
}

/** A model server on GPUs. */
function vllm(
  id: string,
  props: Pick<VllmDeploymentProps, 'gpu' | 'replicas' | 'update' | 'startup'> & Variant,
): readonly Manifest[] {
  const { version = '7', pace = slow, ...rest } = props;
  return manifestsOf((chart) => {
    new VllmDeployment(chart, id, {
      image: `docker.io/vllm/vllm-openai:v0.18.0@sha256:${digest}`,
      model: { name: 'assistant', version },
      weights: { huggingFace: 'Qwen/Qwen3-8B', revision: 'b968826d9c46dd6066d109eabc6255188de91218' },
      cpu: 8,
      memory: '64Gi',
      podAnnotations: paceOf(pace),
      ...rest,
    });
  });
}

/** A start that counts as failed soon. */
const impatient = {
  load: Duration.seconds(5),
  fetch: Duration.seconds(1),
  schedule: Duration.seconds(1),
  progressDeadline: Duration.seconds(12),
} as const;

/** Nodes that only these pods may use, one in each zone, and a namespace. */
async function newPool(pool: string, nodesPerZone = 1): Promise<string> {
  const names = zones.flatMap((zone) =>
    Array.from({ length: nodesPerZone }, (_, index) => ({ zone, name: `${pool}-${zone}-${index + 1}` })),
  );
  await nodes.add(...names.map(({ name, zone }) => cpuNode(name, zone, pool)));
  return namespaceOf(pool);
}

/** The zone of a pod in a pool, which is in its node's name. */
function zoneOf({ spec }: Pod): string | undefined {
  return zones.find((zone) => spec.nodeName?.includes(zone));
}

/** Applies a version and waits until it is all there is. */
async function released(namespace: string, manifests: readonly Manifest[]): Promise<void> {
  await applyAll(cluster, manifests, namespace);
  await settled(namespace, manifests);
}

/** The only Deployment among manifests, as the API server has it now. */
async function deploymentOf(namespace: string, manifests: readonly Manifest[]): Promise<Manifest> {
  return (await cluster.must('GET', manifestPath(one(manifests, 'Deployment'), namespace))) as Manifest;
}

/** ReplicaSets whose controller has not yet made, taken away and counted all pods that it was told to. */
async function uncountedSets(namespace: string): Promise<readonly string[]> {
  const path = `/apis/apps/v1/namespaces/${namespace}/replicasets`;
  const { items } = (await cluster.must('GET', path)) as { readonly items: readonly Manifest[] };
  return items.filter(({ spec, status }) => status.replicas !== spec.replicas).map(({ metadata }) => metadata.name);
}

/** Why a rollout goes on or not, in Kubernetes' own word. */
async function progressOf(namespace: string, manifests: readonly Manifest[]): Promise<string | undefined> {
  const { status } = await deploymentOf(namespace, manifests);
  return status.conditions?.find(({ type }: { readonly type: string }) => type === 'Progressing')?.reason;
}

/** Why the scheduler finds no node for a pod, in its own words. */
function unscheduled({ status }: Pod): string | undefined {
  return status.conditions?.find(({ type, reason }) => type === 'PodScheduled' && reason === 'Unschedulable')?.message;
}

function versionsOf(pods: readonly Pod[]): readonly (string | undefined)[] {
  return pods.map(({ metadata }) => metadata.labels['sluice.dev/model-version']);
}

describe.concurrent('a pod that asks for a GPU', () => {
  test('goes to the nodes of its product, and waits when all eight GPUs are taken until one is free', async () => {
    await nodes.add(gpuNode('gpu-b200', { product: 'NVIDIA-B200' }));
    const namespace = await namespaceOf('gpus');
    const gpu = { count: 1, product: 'b200' } as const;
    const eight = vllm('eight', { gpu, replicas: 8 });
    await released(namespace, eight);
    const taken = await podsOfWorkload(namespace, one(eight, 'Deployment'));
    expect(taken.map(({ spec }) => spec.nodeName)).toEqual(Array.from({ length: 8 }, () => 'gpu-b200'));

    const ninth = vllm('ninth', { gpu, replicas: 1 });
    await applyAll(cluster, ninth, namespace);
    const waiting = async () => (await podsOfWorkload(namespace, one(ninth, 'Deployment'))).map(unscheduled);
    await eventually(waiting, (found) =>
      expect(found).toEqual([expect.stringContaining('1 Insufficient nvidia.com/gpu')]),
    );
    // Nodes with free GPUs of another product are not taken instead.
    expect(await waiting()).toEqual([expect.stringContaining("didn't match Pod's node affinity/selector")]);

    await released(namespace, vllm('eight', { gpu, replicas: 7 }));
    await settled(namespace, ninth);
    const [lucky] = await podsOfWorkload(namespace, one(ninth, 'Deployment'));
    expect(lucky?.spec.nodeName).toBe('gpu-b200');
  });

  test('has the node for itself: a pod that asks for none goes nowhere rather than there', async () => {
    await nodes.add(gpuNode('gpu-v100', { product: 'Tesla-V100-SXM2-16GB' }));
    const namespace = await namespaceOf('taint');
    const nodeSelector = { 'kubernetes.io/hostname': 'gpu-v100' };
    const server = onnx('none', { nodeSelector, tolerations: [] });
    await applyAll(cluster, server, namespace);
    const why = async () => (await podsOfWorkload(namespace, one(server, 'Deployment'))).map(unscheduled);
    const taint = expect.stringContaining('had untolerated taint {nvidia.com/gpu: true}');
    await eventually(why, (found) => expect(found).toEqual([taint, taint]));
    // Nothing but the taint was in its way.
    await released(
      namespace,
      onnx('none', {
        nodeSelector,
        tolerations: [{ key: 'nvidia.com/gpu', operator: 'Exists', effect: 'NoSchedule' }],
      }),
    );
  });
});

describe.concurrent('an update', () => {
  test.each([1, 3])(
    'with replicas %i never leaves fewer ready, however long each pod takes, and ends with each in another zone',
    async (replicas) => {
      const pool = `update-${replicas}`;
      const namespace = await newPool(pool, 2);
      await released(namespace, onnx(pool, { replicas }));
      await using record = await recordReadiness(cluster, namespace, 'churn');
      const next = onnx(pool, { replicas, version: '4' });
      await released(namespace, next);
      const pods = await podsOfWorkload(namespace, one(next, 'Deployment'));
      expect(versionsOf(pods)).toEqual(Array.from({ length: replicas }, () => '4'));
      expect(new Set(pods.map(zoneOf)).size).toBe(replicas);
      expect({ pods: record.readyPods.least, endpoints: record.readyEndpoints.least }).toEqual({
        pods: replicas,
        endpoints: replicas,
      });
      // It adds a pod first, so there was something to see.
      expect(record.readyPods.most).toBe(replicas + 1);
    },
  );

  test('that is taken back half-way ends with the pods of before, and never leaves fewer than replicas', async () => {
    const namespace = await newPool('back');
    const before = onnx('back', { replicas: 3 });
    const workload = one(before, 'Deployment');
    await released(namespace, before);
    const [first] = await podsOfWorkload(namespace, workload);
    await using record = await recordReadiness(cluster, namespace, 'churn');
    await applyAll(cluster, onnx('back', { version: '4', replicas: 3 }), namespace);
    const ready = async () => versionsOf((await podsOfWorkload(namespace, workload)).filter(isReady)).toSorted();
    await eventually(ready, (found) => expect(found).toEqual(['3', '3', '4']));
    // In the moment after a step of its own, Kubernetes' controller counts the pod that goes as if it stayed, and would take one too many.
    await eventually(
      () => uncountedSets(namespace),
      (found) => expect(found).toEqual([]),
    );
    await released(namespace, before);
    const pods = await podsOfWorkload(namespace, workload);
    expect(pods.map(({ metadata }) => metadata.labels['pod-template-hash'])).toEqual(
      Array.from({ length: 3 }, () => first?.metadata.labels['pod-template-hash']),
    );
    expect({ pods: record.readyPods.least, endpoints: record.readyEndpoints.least }).toEqual({ pods: 3, endpoints: 3 });
  });

  test.each([
    { fault: 'never gets ready', pool: 'unready', pace: neverReady },
    { fault: 'dies four seconds after it got ready', pool: 'dying', pace: { stopped: 4 } },
  ])(
    'to a version that $fault takes no old pod away, is reported as failed, and is taken back at once',
    async ({ pool, pace }) => {
      const namespace = await newPool(pool);
      const good = onnx(pool, { startup: impatient });
      const workload = one(good, 'Deployment');
      await released(namespace, good);
      const before = (await podsOfWorkload(namespace, workload)).map(({ metadata }) => metadata.uid).toSorted();
      await using record = await recordReadiness(cluster, namespace, 'churn');
      const bad = onnx(pool, { version: '4', pace, startup: impatient });
      await applyAll(cluster, bad, namespace);
      await eventually(
        () => progressOf(namespace, bad),
        (found) => expect(found).toBe('ProgressDeadlineExceeded'),
      );
      expect(versionsOf((await podsOfWorkload(namespace, workload)).filter(isReady))).toEqual(['3', '3']);
      await released(namespace, good);
      expect((await podsOfWorkload(namespace, workload)).map(({ metadata }) => metadata.uid).toSorted()).toEqual(
        before,
      );
      expect({ pods: record.readyPods.least, endpoints: record.readyEndpoints.least }).toEqual({
        pods: 2,
        endpoints: 2,
      });
      expect(await progressOf(namespace, good)).toBe('NewReplicaSetAvailable');
    },
  );

  test('of servers that take all GPUs waits for a GPU and is reported, and with maxUnavailable 1 goes on one pod after another', async () => {
    await nodes.add(gpuNode('gpu-h200', { product: 'NVIDIA-H200' }));
    const namespace = await namespaceOf('full');
    const full = { gpu: { count: 4, product: 'h200' }, replicas: 2, startup: impatient } as const;
    await released(namespace, vllm('assistant', full));
    await using record = await recordReadiness(cluster, namespace, 'assistant');
    const waits = vllm('assistant', { ...full, version: '8' });
    const workload = one(waits, 'Deployment');
    await applyAll(cluster, waits, namespace);
    await eventually(
      () => progressOf(namespace, waits),
      (found) => expect(found).toBe('ProgressDeadlineExceeded'),
    );
    const reasons = (await podsOfWorkload(namespace, workload)).flatMap((pod) => unscheduled(pod) ?? []);
    expect(reasons).toEqual([expect.stringContaining('1 Insufficient nvidia.com/gpu')]);
    expect(record.readyEndpoints.least).toBe(2);

    await released(namespace, vllm('assistant', { ...full, version: '8', update: { maxSurge: 0, maxUnavailable: 1 } }));
    expect(versionsOf(await podsOfWorkload(namespace, workload))).toEqual(['8', '8']);
    expect({ pods: record.readyPods.least, endpoints: record.readyEndpoints.least }).toEqual({ pods: 1, endpoints: 1 });
  });
});

describe.concurrent('draining nodes', () => {
  const limit = 60_000;

  test('takes one pod at a time, and goes on as soon as another is ready in its place', async () => {
    const namespace = await newPool('drain');
    const server = onnx('drain', { replicas: 3 });
    const workload = one(server, 'Deployment');
    await released(namespace, server);
    await using record = await recordReadiness(cluster, namespace, 'churn');
    await drainNode(cluster, 'drain-zone-a-1', limit);
    await drainNode(cluster, 'drain-zone-b-1', limit);
    const places = async () =>
      (await podsOfWorkload(namespace, workload)).filter(isReady).map(({ spec }) => spec.nodeName);
    await eventually(places, (found) => expect(found).toEqual(Array.from({ length: 3 }, () => 'drain-zone-c-1')));
    await uncordon('drain-zone-a-1');
    // Now all three are on one node.
    const { refused } = await drainNode(cluster, 'drain-zone-c-1', limit);
    expect(refused).toBeGreaterThan(0);
    await eventually(places, (found) => expect(found).toEqual(Array.from({ length: 3 }, () => 'drain-zone-a-1')));
    expect({ pods: record.readyPods.least, endpoints: record.readyEndpoints.least }).toEqual({ pods: 2, endpoints: 2 });
  });

  test('in the middle of an update that takes a pod away waits for the new one', async () => {
    const namespace = await newPool('both');
    const props = { update: { maxSurge: 0, maxUnavailable: 1 } } as const;
    await released(namespace, onnx('both', props));
    await using record = await recordReadiness(cluster, namespace, 'churn');
    const next = onnx('both', { ...props, version: '4' });
    const workload = one(next, 'Deployment');
    await applyAll(cluster, next, namespace);
    const old = async () =>
      (await podsOfWorkload(namespace, workload)).filter(
        (pod) => isReady(pod) && pod.metadata.labels['sluice.dev/model-version'] === '3',
      );
    await eventually(old, (found) => expect(found).toHaveLength(1));
    const [last] = await old();
    // Kubernetes' own controller hears of the pod that goes a moment later; until then a budget allows what it should not.
    await eventually(
      () => evictionsAllowed(namespace, next),
      (found) => expect(found).toBe(0),
    );
    const { refused } = await drainNode(cluster, last?.spec.nodeName ?? '', limit);
    expect(refused).toBeGreaterThan(0);
    await settled(namespace, next);
    expect({ pods: record.readyPods.least, endpoints: record.readyEndpoints.least }).toEqual({ pods: 1, endpoints: 1 });
  });

  test('is not held up by pods that never get ready', async () => {
    const namespace = await newPool('stuck');
    const server = onnx('stuck', { pace: neverReady });
    await applyAll(cluster, server, namespace);
    const places = async () =>
      (await podsOfWorkload(namespace, one(server, 'Deployment'))).flatMap(({ spec, status }) =>
        status.phase === 'Running' ? (spec.nodeName ?? []) : [],
      );
    await eventually(places, (found) => expect(found).toHaveLength(2));
    const [first = ''] = await places();
    const budget = manifestPath(one(server, 'PodDisruptionBudget'), namespace);
    const policy = (value: string | null) =>
      cluster.must('PATCH', budget, { spec: { unhealthyPodEvictionPolicy: value } }, 'application/merge-patch+json');
    // By Kubernetes' own default it would be.
    await policy(null);
    await expect(drainNode(cluster, first, 2000)).rejects.toThrow('its PodDisruptionBudget refused');
    await applyAll(cluster, server, namespace);
    await drainNode(cluster, first, limit);
  });
});

async function uncordon(node: string): Promise<void> {
  await cluster.must(
    'PATCH',
    `/api/v1/nodes/${node}`,
    { spec: { unschedulable: false } },
    'application/merge-patch+json',
  );
}

describe.concurrent('replicas', () => {
  test('are in different zones and on different nodes, also those of the next version, though one zone has all the room', async () => {
    const namespace = await newPool('spread', 2);
    await fill(['spread-zone-a-1', 'spread-zone-a-2', 'spread-zone-b-1', 'spread-zone-b-2']);
    const update = { maxSurge: 6, maxUnavailable: 0 } as const;
    for (const version of ['3', '4']) {
      const server = onnx('spread', { version, replicas: 6, update });
      await released(namespace, server);
      const pods = await podsOfWorkload(namespace, one(server, 'Deployment'));
      expect(versionsOf(pods)).toEqual(Array.from({ length: 6 }, () => version));
      expect(pods.map(({ spec }) => spec.nodeName).toSorted()).toEqual(
        zones.flatMap((zone) => [`spread-${zone}-1`, `spread-${zone}-2`]),
      );
    }
  });
});

/** Takes all of each node but room for a few servers. The scheduler by itself would rather put every pod onto an empty node. */
async function fill(names: readonly string[]): Promise<void> {
  const namespace = await namespaceOf('filler', 'privileged');
  for (const nodeName of names) {
    const resources = { requests: { cpu: '60', memory: '480Gi' } };
    const spec = { nodeName, containers: [{ name: 'filler', image: 'registry.example.com/filler:1', resources }] };
    await cluster.must('POST', `/api/v1/namespaces/${namespace}/pods`, { metadata: { name: nodeName }, spec });
  }
}
