import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlPlane } from './control-plane.ts';
import { status } from './model-objects.ts';

/** A pod as the API server has it: what a kubelet reads to run it. */
export interface Pod {
  readonly metadata: { readonly name: string; readonly uid: string; readonly labels: Readonly<Record<string, string>> };
  readonly spec: {
    readonly serviceAccountName: string;
    readonly securityContext?: Readonly<Record<string, unknown>>;
    readonly containers: readonly {
      readonly image: string;
      readonly command?: readonly string[];
      readonly args?: readonly string[];
      readonly securityContext?: Readonly<Record<string, unknown>>;
    }[];
  };
}

export interface PodRunnerOptions {
  readonly namespace: string;
  /** `app=churn`: only pods with these labels. */
  readonly labels: string;
  /**
   * What runs on this machine in place of the pod's container, whose image is not here. `folder` holds the service account's token, authority
   * and namespace, as a kubelet mounts them; the environment says where the API server is. `undefined`: it is said to run, and nothing does.
   */
  readonly program: (pod: Pod, folder: string) => readonly [string, ...string[]] | undefined;
}

/** Plays the kubelet for some pods. */
export interface PodRunner extends AsyncDisposable {
  /** What the pods' processes wrote so far. */
  readonly output: string;
  /** Pods that were started, in order. */
  readonly pods: readonly Pod[];
  /** Ends the running processes at once, as a node that goes down does; the kubelet starts them anew. */
  kill(): void;
}

/** Runs pods as processes until they are deleted: says in their status that they are ready, and how they ended. */
export function startPodRunner(cluster: ControlPlane, options: PodRunnerOptions): PodRunner {
  const { namespace, labels, program } = options;
  const list = `/api/v1/namespaces/${namespace}/pods`;
  const running = new Map<string, { child?: ChildProcess; gone: boolean; readonly done: Promise<void> }>();
  const pods: Pod[] = [];
  let output = '';
  let over = false;

  const run = async (pod: Pod, entry: { child?: ChildProcess; gone: boolean }): Promise<void> => {
    const path = `${list}/${pod.metadata.name}`;
    // As a kubelet: until the API server hears it.
    const say = async (value: unknown): Promise<void> => {
      for (;;) {
        try {
          return await status(cluster, path, value);
        } catch {
          if (entry.gone || over) return;
          await sleep(100);
        }
      }
    };
    const folder = mkdtempSync(join(tmpdir(), 'sluice-pod-'));
    try {
      writeFileSync(join(folder, 'token'), await cluster.token(namespace, pod.spec.serviceAccountName), {
        mode: 0o600,
      });
      writeFileSync(join(folder, 'ca.crt'), cluster.ca);
      writeFileSync(join(folder, 'namespace'), namespace);
      const [command, ...args] = program(pod, folder) ?? [];
      const ready = { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] };
      for (;;) {
        await say(ready);
        if (command === undefined || entry.gone) return;
        const { hostname, port } = new URL(cluster.url);
        const child = spawn(command, args, {
          stdio: ['ignore', 'pipe', 'pipe'],
          env: { PATH: process.env['PATH'], KUBERNETES_SERVICE_HOST: hostname, KUBERNETES_SERVICE_PORT: port },
        });
        entry.child = child;
        child.stdout.on('data', (part: Buffer) => (output += part.toString('utf8')));
        child.stderr.on('data', (part: Buffer) => (output += part.toString('utf8')));
        const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
        if (entry.gone) return;
        // restartPolicy: OnFailure.
        if (code !== 0) continue;
        await say({ phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'False' }] });
        return;
      }
    } catch (error) {
      // It was deleted in between, or the cluster is gone with the test.
      if (!entry.gone && !over) output += `${error instanceof Error ? error.message : error}\n`;
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
  const look = async (): Promise<void> => {
    const answer = await cluster.ask('GET', `${list}?labelSelector=${encodeURIComponent(labels)}`);
    if (answer.status !== 200) return;
    const { items } = answer.body as { readonly items: readonly Pod[] };
    for (const pod of items) {
      if (running.has(pod.metadata.uid)) continue;
      pods.push(pod);
      const entry: { child?: ChildProcess; gone: boolean; done: Promise<void> } = {
        gone: false,
        done: Promise.resolve(),
      };
      entry.done = run(pod, entry);
      running.set(pod.metadata.uid, entry);
    }
    for (const [uid, entry] of running) {
      if (items.some(({ metadata }) => metadata.uid === uid)) continue;
      entry.gone = true;
      entry.child?.kill('SIGKILL');
    }
  };
  const looking = (async () => {
    while (!over) {
      // The API server may be away.
      await look().catch(() => {});
      await sleep(50);
    }
  })();
  return {
    get output() {
      return output;
    },
    pods,
    kill() {
      for (const { child } of running.values()) child?.kill('SIGKILL');
    },
    async [Symbol.asyncDispose]() {
      over = true;
      await looking;
      for (const entry of running.values()) {
        entry.gone = true;
        entry.child?.kill('SIGKILL');
      }
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
