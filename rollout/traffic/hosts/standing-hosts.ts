import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { HostFolder } from './host-folder.ts';
import { HostProbe } from './host-probe.ts';
import { type HostShell, openLocalShell } from './host-shell.ts';
import { openHostsTraffic } from './hosts.ts';
import { type HostCommand, ReleaseHost } from './release-host.ts';
import { RemoteRevisionFolder } from './revision-store.ts';

// For unit tests: plain hosts that are folders of this machine, with a server each that runs what its restart command found, and a load
// balancer that asks those in turn which are not drained.

/** What a model file says is what its server does. `old` and `new` answer, `ill` is never well, `mute` refuses warm-up requests. */
export type StandingModel = 'old' | 'new' | 'ill' | 'mute';

export interface StandingHost {
  readonly name: string;
  readonly directory: string;
  readonly url: string;
  /** Restarting it fails from now on, or works again. */
  breakRestart(broken: boolean): Promise<void>;
  /** What a user who reaches it now would be answered by. */
  running(): Promise<string>;
  drained(): Promise<boolean>;
}

export class StandingHosts implements AsyncDisposable {
  readonly directory: string;
  readonly model: string;
  readonly hosts: readonly StandingHost[];
  readonly #request: string;
  readonly #close: () => Promise<void>;
  #turn = 0;

  private constructor(directory: string, hosts: readonly StandingHost[], close: () => Promise<void>) {
    this.directory = directory;
    this.model = join(directory, 'release.onnx');
    this.#request = join(directory, 'request.json');
    this.hosts = hosts;
    this.#close = close;
  }

  static async start(count: number, model: StandingModel = 'new'): Promise<StandingHosts> {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-hosts-'));
    const closes: (() => void)[] = [];
    const hosts: StandingHost[] = [];
    for (let number = 1; number <= count; number++) {
      const { host, close } = await startHost(directory, `web-${number}`);
      hosts.push(host);
      closes.push(close);
    }
    const standing = new StandingHosts(directory, hosts, async () => {
      for (const close of closes) close();
      await rm(directory, { recursive: true, force: true });
    });
    await writeFile(standing.model, model);
    await writeFile(standing.#request, '{"x":1}');
    return standing;
  }

  /** A provider with shells of its own; `wrap` stands between it and this machine. */
  provider(wrap: (shell: HostShell, host: string) => HostShell = (shell) => shell): TrafficProvider {
    const probe = new HostProbe({ path: '/health', contains: '{version}', withinMs: 300 }, [
      { path: '/predict', body: this.#request, times: 2 },
    ]);
    const local = openLocalShell();
    const store = new RemoteRevisionFolder(wrap(local, 'state'), join(this.directory, 'state'));
    return openHostsTraffic({
      baseline: 'v1',
      canary: 'v2',
      model: { path: this.model, name: 'models/churn.onnx' },
      store,
      probe,
      hosts: this.hosts.map(({ name, url, directory }) => {
        const shell = wrap(local, name);
        const folder = new HostFolder(shell, name, directory, 'model.onnx');
        return new ReleaseHost({ name, url, directory, shell, folder, commands, probe });
      }),
    });
  }

  /** Asks the hosts in turn that are not drained. */
  async ask(): Promise<string> {
    for (let tried = 0; tried < this.hosts.length; tried++) {
      const host = this.hosts[this.#turn++ % this.hosts.length];
      if (host !== undefined && !(await host.drained()))
        return (await fetch(`${host.url}/predict`, { method: 'POST' })).text();
    }
    throw new Error('every host is drained');
  }

  async running(): Promise<readonly string[]> {
    return Promise.all(this.hosts.map((host) => host.running()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#close();
  }
}

const command = (script: string): HostCommand => ({
  run: ['sh', '-c', script, 'sh', '{directory}', '{version}', '{host}'],
  withinMs: 10_000,
});
const commands = {
  restart: command(
    'if [ -e "$1/broken" ]; then echo "cannot start $3" >&2; exit 7; fi; echo "$(cat "$1/current/model.onnx") $2" > "$1/running"',
  ),
  drain: command(': > "$1/drained"'),
  undrain: command('rm -f "$1/drained"'),
};

async function startHost(
  parent: string,
  name: string,
): Promise<{ readonly host: StandingHost; readonly close: () => void }> {
  const directory = join(parent, name);
  await mkdir(join(directory, 'releases', 'v1'), { recursive: true });
  await writeFile(join(directory, 'releases', 'v1', 'model.onnx'), 'old');
  await symlink('releases/v1', join(directory, 'current'));
  await writeFile(join(directory, 'running'), 'old v1\n');
  const server = createServer(async (request, response) => {
    request.resume();
    const [model = '', version = ''] = (await readFile(join(directory, 'running'), 'utf8')).trim().split(' ');
    if (request.url === '/health') response.writeHead(model === 'ill' ? 503 : 200).end(`ready ${version}`);
    else response.writeHead(model === 'mute' ? 500 : 200).end(model);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const host: StandingHost = {
    name,
    directory,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    breakRestart: (broken) =>
      broken ? writeFile(join(directory, 'broken'), '') : rm(join(directory, 'broken'), { force: true }),
    running: async () => ((await readFile(join(directory, 'running'), 'utf8')).split(' ')[0] ?? '').trim(),
    drained: () => exists(join(directory, 'drained')),
  };
  return {
    host,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** Writes down what is run, and where. */
export class Diary {
  /** As `web-1: sh ...`, over all hosts. */
  readonly ran: string[] = [];

  wrap = (shell: HostShell, host: string): HostShell => ({
    title: shell.title,
    run: (words, options) => {
      this.ran.push(`${host}: ${words.join(' ')}`);
      return shell.run(words, options);
    },
  });
}
