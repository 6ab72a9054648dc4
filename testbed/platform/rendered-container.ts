import { join } from 'node:path';
import type { PodSpec } from '../../constructs/kubernetes/pod/pod-spec.ts';
import { freePorts } from '../free-ports.ts';
import { allAnswer, type Peer, peerFolder, startPeer } from '../serving/peer.ts';
import type { PythonEnvironment } from '../serving/python.ts';

/** What of a rendered container is otherwise here: it has no pod's folders, and no port for itself. */
export interface Elsewhere {
  /** Folders of the pod, and where they are here. */
  readonly folders?: Readonly<Record<string, string>>;
  /** Values of variables that come from Secrets and from the pod. */
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Starts the first container of a rendered pod as a process, with its command, its arguments and its variables as they were rendered but for its
 * port and `elsewhere`; it is ready when its readiness probe's route answers.
 */
export async function startRendered(
  name: string,
  { containers: [container] }: PodSpec,
  python: PythonEnvironment,
  { folders = {}, env = {} }: Elsewhere,
): Promise<Peer> {
  const probe = container?.readinessProbe;
  const rendered = container?.ports?.[0]?.containerPort;
  if (container === undefined || rendered === undefined || probe === undefined || !('httpGet' in probe))
    throw new Error(`${name} has no HTTP server.`);
  const [port = 0] = await freePorts(1);
  const folder = peerFolder(name);
  const url = `http://127.0.0.1:${port}`;
  const [command = '', ...rest] = [...(container.command ?? []), ...(container.args ?? [])];
  const here = (text: string): string =>
    Object.entries(folders).reduce((moved, [from, to]) => moved.replaceAll(from, to), text);
  const variables = (container.env ?? []).flatMap(({ name: key, value }) =>
    value === undefined
      ? []
      : [
          [
            key,
            value
              .replaceAll(/\$\((\w+)\)/g, (_, other: string) => env[other] ?? '')
              .replaceAll(`:${rendered}`, `:${port}`),
          ] as const,
        ],
  );
  return startPeer({
    name,
    command: join(python.bin, command),
    args: rest.map((each) => (each === String(rendered) ? String(port) : here(each))),
    env: { PATH: `${python.bin}:${process.env['PATH'] ?? ''}`, ...Object.fromEntries(variables), HOME: folder, ...env },
    folder,
    addresses: { url },
    ready: () => allAnswer(`${url}${probe.httpGet.path}`),
  });
}
