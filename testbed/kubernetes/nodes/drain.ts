import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from '../control-plane.ts';
import type { Pod } from './readiness-record.ts';

/** Milliseconds between two tries, where kubectl waits five seconds. */
const again = 250;

export interface Drained {
  /** Evictions that a PodDisruptionBudget put off. */
  readonly refused: number;
}

/**
 * Drains a node as `kubectl drain` does: no new pods, then every pod is evicted, all at once, each again and again while a
 * PodDisruptionBudget forbids it, until all are gone.
 * @param limit milliseconds after which it has been blocked for too long; throws then
 */
export async function drainNode(cluster: ControlPlane, node: string, limit: number): Promise<Drained> {
  const unschedulable = { spec: { unschedulable: true } };
  await cluster.must('PATCH', `/api/v1/nodes/${node}`, unschedulable, 'application/merge-patch+json');
  const end = performance.now() + limit;
  const list = `/api/v1/pods?fieldSelector=spec.nodeName%3D${node}`;
  const { items } = (await cluster.must('GET', list)) as { readonly items: readonly (Pod & Placed)[] };
  const refused = await Promise.all(items.map((pod) => evict(cluster, pod, end)));
  return { refused: refused.reduce((sum, each) => sum + each, 0) };
}

interface Placed {
  readonly metadata: { readonly namespace: string };
}

/** Evicts a pod and waits until it is gone. */
async function evict(cluster: ControlPlane, { metadata }: Pod & Placed, end: number): Promise<number> {
  const { name, namespace, uid } = metadata;
  const path = `/api/v1/namespaces/${namespace}/pods/${name}`;
  const eviction = {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace },
    deleteOptions: { preconditions: { uid } },
  };
  let refused = 0;
  let evicted = false;
  for (; performance.now() < end; await sleep(again)) {
    if (!evicted) {
      const { status, body } = await cluster.ask('POST', `${path}/eviction`, eviction);
      if (status === 429) refused += 1;
      // 404 and 409: it is gone, or another has its name, which the look below tells.
      else if (status < 300 || status === 404 || status === 409) evicted = true;
      else throw new Error(`evicting ${name}: HTTP ${status} ${JSON.stringify(body)}`);
    }
    const { status, body } = await cluster.ask('GET', path);
    if (status === 404 || (body as Pod).metadata.uid !== uid) return refused;
  }
  const why = evicted ? 'it was evicted and does not go' : `its PodDisruptionBudget refused ${refused} times`;
  throw new Error(`the pod ${name} is still on its node: ${why}`);
}
