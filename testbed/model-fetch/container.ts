import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Container, PodSpec } from '../../constructs/kubernetes/pod/pod-spec.ts';
import { debianFiles } from '../debian-packages.ts';

const run = promisify(execFile);

/** What there is in a container beside its volumes, as Bubblewrap is told it. */
export type Image = readonly string[];

/** What a rendered pod finds where it runs. */
export interface Surroundings {
  /** The image of a container, by the name it is rendered with. */
  image(name: string): Image;
  /** The folder that each claim of a volume is. */
  readonly claims?: Readonly<Record<string, string>>;
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly configMaps?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Variables that have another value than the rendered one, where a test would wait for minutes. */
  readonly env?: Readonly<Record<string, string>>;
}

/** How a container ended. */
export interface Ended {
  /** 137 when it was killed. */
  readonly code: number;
  /** What `kubectl describe pod` shows of it: the last lines of everything it wrote. */
  readonly message: string;
  readonly log: string;
}

/** When a container is killed, if it still runs then. */
export interface Kill {
  /** What it has to write before. */
  readonly said: string;
  /** Milliseconds after that. */
  readonly after: number;
}

/** Init containers of one rendered pod, with its volumes. */
export interface InitContainers extends Disposable {
  /** Where a volume of the pod is here. */
  folder(volume: string): string;
  /** Runs one container; killed, it ends with everything in it. */
  run(name: string, kill?: Kill): Promise<Ended>;
  /** Runs all, one after the other, until one fails. */
  runAll(): Promise<Ended>;
}

/**
 * Runs init containers of a rendered pod by their own commands, arguments, variables, user and mounts, each in namespaces of its own with a root
 * that nobody can write, without capabilities: what a container engine would make of them, but for the network and the limits of memory, which
 * are the machine's.
 * @throws when Bubblewrap cannot be had or cannot make namespaces here, with what to do
 */
export async function initContainers(pod: PodSpec, surroundings: Surroundings): Promise<InitContainers> {
  const bubblewrap = await bubblewrapProgram();
  const home = mkdtempSync(join(tmpdir(), 'sluice-pod-'));
  const folders = Object.fromEntries(
    (pod.volumes ?? []).map((volume) => [volume.name, folderOf(volume, home, surroundings)]),
  );
  const folder = (volume: string): string => {
    const path = folders[volume];
    if (path === undefined) throw new Error(`The pod has no volume ${volume}.`);
    return path;
  };
  const runOne = async (name: string, kill?: Kill): Promise<Ended> => {
    const container = pod.initContainers?.find((each) => each.name === name);
    if (container === undefined) throw new Error(`The pod has no init container ${name}.`);
    return ended(spawnContainer(bubblewrap, container, pod, folder, surroundings), kill);
  };
  return {
    folder,
    run: runOne,
    runAll: async () => {
      let last: Ended = { code: 0, message: '', log: '' };
      for (const { name } of pod.initContainers ?? []) {
        last = await runOne(name);
        if (last.code !== 0) return last;
      }
      return last;
    },
    [Symbol.dispose]: () => rmSync(home, { recursive: true, force: true }),
  };
}

function folderOf(volume: NonNullable<PodSpec['volumes']>[number], home: string, surroundings: Surroundings): string {
  const { claims = {}, secrets = {}, configMaps = {} } = surroundings;
  if ('persistentVolumeClaim' in volume) {
    const claim = claims[volume.persistentVolumeClaim.claimName];
    if (claim === undefined) throw new Error(`There is no claim ${volume.persistentVolumeClaim.claimName}.`);
    return claim;
  }
  const path = join(home, volume.name);
  mkdirSync(path);
  if ('secret' in volume) {
    const secret = secrets[volume.secret.secretName] ?? {};
    const items = volume.secret.items ?? Object.keys(secret).map((key) => ({ key, path: key }));
    project(path, Object.fromEntries(items.map((item) => [item.path, secret[item.key] ?? ''])));
  }
  if ('configMap' in volume) project(path, configMaps[volume.configMap.name] ?? {});
  return path;
}

/** As the kubelet writes a Secret or a ConfigMap: every file is a link into a folder that can be exchanged. */
function project(path: string, files: Readonly<Record<string, string>>): void {
  mkdirSync(join(path, '..1'));
  symlinkSync('..1', join(path, '..data'));
  for (const [name, content] of Object.entries(files)) {
    writeFileSync(join(path, '..1', name), content);
    symlinkSync(`..data/${name}`, join(path, name));
  }
}

function spawnContainer(
  bubblewrap: string,
  container: Container,
  pod: PodSpec,
  folder: (volume: string) => string,
  surroundings: Surroundings,
): ChildProcess {
  const { securityContext: { runAsUser = 65_534, runAsGroup = 65_534 } = {} } = pod;
  const mounts = (container.volumeMounts ?? []).flatMap(({ name, mountPath, readOnly }) => [
    readOnly === true ? '--ro-bind' : '--bind',
    folder(name),
    mountPath,
  ]);
  const env = Object.entries(variables(container, surroundings)).flatMap(([key, value]) => ['--setenv', key, value]);
  return spawn(
    bubblewrap,
    [
      ...['--die-with-parent', '--unshare-user', '--unshare-pid', '--unshare-ipc', '--unshare-uts'],
      ...['--uid', String(runAsUser), '--gid', String(runAsGroup), '--cap-drop', 'ALL'],
      ...['--clearenv', '--setenv', 'PATH', '/usr/local/bin:/usr/bin:/bin', ...env],
      ...surroundings.image(container.image),
      ...['--proc', '/proc', '--dev', '/dev', ...mounts, '--remount-ro', '/', '--chdir', '/', '--'],
      ...[...(container.command ?? []), ...(container.args ?? [])].map((each) => expanded(each, {})),
    ],
    { stdio: ['ignore', 'pipe', 'pipe'], env: {}, detached: true },
  );
}

function variables(container: Container, { secrets = {}, env = {} }: Surroundings): Readonly<Record<string, string>> {
  const known: Record<string, string> = {};
  for (const variable of container.env ?? []) {
    if (variable.value !== undefined) known[variable.name] = expanded(variable.value, known);
    const from = variable.valueFrom;
    if (from?.secretKeyRef !== undefined) {
      known[variable.name] = secrets[from.secretKeyRef.name]?.[from.secretKeyRef.key] ?? '';
    }
    const other = env[variable.name];
    if (other !== undefined) known[variable.name] = other;
  }
  return known;
}

/** As the kubelet does it: `$(NAME)` is a variable that was named before, `$$(NAME)` is `$(NAME)`. */
function expanded(value: string, known: Readonly<Record<string, string>>): string {
  return value.replaceAll(/\$(\$|\(([^)]*)\))/g, (all, escaped: string, name: string | undefined) =>
    escaped === '$' ? '$' : name === undefined ? all : (known[name] ?? all),
  );
}

/** Bubblewrap's first process and those it has begun: killed alone in its first moments, it leaves one behind that waits for it for ever. */
function killAll({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

async function ended(child: ChildProcess, kill: Kill | undefined): Promise<Ended> {
  let log = '';
  let timer: NodeJS.Timeout | undefined;
  const written = (chunk: string): void => {
    log += chunk;
    if (kill !== undefined && timer === undefined && log.includes(kill.said)) {
      timer = setTimeout(() => killAll(child), kill.after);
    }
  };
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', written);
  written('');
  try {
    // All that has its output has ended when it is closed, so nothing writes to the volumes any more.
    const [code] = (await once(child, 'close')) as [number | null];
    return { code: code ?? 137, log, message: log.trimEnd().split('\n').slice(-80).join('\n').slice(-2048) };
  } finally {
    clearTimeout(timer);
  }
}

const missing =
  'The test of fetched models runs containers without an engine and needs Bubblewrap, and there is none: install it (apt-get install bubblewrap), ' +
  'or let `apt-get download bubblewrap` reach a Debian mirror.';

async function bubblewrapProgram(): Promise<string> {
  const program = existsSync('/usr/bin/bwrap')
    ? '/usr/bin/bwrap'
    : join(await debianFiles('bubblewrap', ['bubblewrap'], missing), 'usr/bin/bwrap');
  try {
    await run(program, ['--unshare-user', '--uid', '1000', '--unshare-pid', '--ro-bind', '/', '/', '/bin/true']);
  } catch (cause) {
    throw new Error(
      'Bubblewrap cannot make namespaces here: run the test as root, or allow them to everybody ' +
        '(sysctl kernel.apparmor_restrict_unprivileged_userns=0 on Ubuntu).',
      { cause },
    );
  }
  return program;
}
