import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { json } from 'node:stream/consumers';
import type { PodSpec } from '../../constructs/kubernetes/pod/pod-spec.ts';
import { goProgram } from '../go-program.ts';

export interface RayPod {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: PodSpec;
}

/** The version of KubeRay in ray-pods/go.mod. */
const kuberay = 'v1.5.1';

/**
 * The pods that KubeRay's own code makes of a RayService, the head's first: with its labels, and with the containers it adds. The program is built
 * once (three minutes on two cores).
 */
export async function rayPods(service: object): Promise<readonly RayPod[]> {
  const program = await goProgram({
    name: 'ray-pods',
    from: { folder: join(import.meta.dirname, 'ray-pods') },
    version: kuberay,
    command: '.',
    go: '1.24',
  });
  const running = spawn(program, { stdio: ['pipe', 'pipe', 'inherit'] });
  running.stdin.end(JSON.stringify(service));
  return (await json(running.stdout)) as readonly RayPod[];
}
