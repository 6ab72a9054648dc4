import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePorts } from '../../free-ports.ts';
import { peerFolder, startPeer, textOf } from '../../serving/peer.ts';
import type { ControlPlane } from '../control-plane.ts';
import { kwokBinary, kwokStages, kwokTitle } from './kwok.ts';
import { nodeObject, type SimulatedNode } from './simulated-node.ts';

/** Nodes of a cluster whose kubelets kwok plays: pods that the scheduler puts there start, get ready and go, and run nothing. */
export interface SimulatedNodes extends AsyncDisposable {
  /** Registers further nodes, and waits until pods can come. */
  add(...nodes: readonly SimulatedNode[]): Promise<void>;
}

/** Starts kwok for every node of the cluster, and registers these. The cluster needs its scheduler. */
export async function startSimulatedNodes(
  cluster: ControlPlane,
  ...nodes: readonly SimulatedNode[]
): Promise<SimulatedNodes> {
  const [command, stages, [port = 0]] = await Promise.all([kwokBinary(), kwokStages(), freePorts(1)]);
  const folder = peerFolder('kwok');
  const configuration = join(folder, 'stages.yaml');
  writeFileSync(configuration, stages);
  const kwok = await startPeer({
    name: kwokTitle,
    command,
    args: [
      `--kubeconfig=${cluster.kubeconfig}`,
      `--config=${configuration}`,
      '--manage-all-nodes=true',
      '--node-lease-duration-seconds=40',
      `--server-address=127.0.0.1:${port}`,
    ],
    env: {},
    folder,
    addresses: { url: `http://127.0.0.1:${port}` },
    ready: async () => (await textOf(`http://127.0.0.1:${port}/healthz`)) !== undefined,
  });
  const add: SimulatedNodes['add'] = async (...more) => {
    await Promise.all(more.map((node) => cluster.must('POST', '/api/v1/nodes', nodeObject(node))));
    for (const { name } of more) while (!(await takesPods(cluster, name))) await sleep(50);
  };
  try {
    await add(...nodes);
  } catch (error) {
    await kwok.stop();
    throw error;
  }
  return { add, [Symbol.asyncDispose]: () => kwok.stop() };
}

/** Whether a node is ready, and the taint of those that are not is gone. */
async function takesPods(cluster: ControlPlane, name: string): Promise<boolean> {
  const { spec, status } = (await cluster.must('GET', `/api/v1/nodes/${name}`)) as {
    readonly spec: { readonly taints?: readonly { readonly key: string }[] };
    readonly status: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] };
  };
  const ready = status.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') ?? false;
  return ready && !(spec.taints ?? []).some(({ key }) => key.startsWith('node.kubernetes.io/'));
}
