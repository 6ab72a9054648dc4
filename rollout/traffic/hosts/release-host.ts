import { PeerError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { HostFolder, HostState, ModelFile } from './host-folder.ts';
import type { HostProbe } from './host-probe.ts';
import type { HostShell } from './host-shell.ts';

/** A command of the policy's. `{host}`, `{version}` and `{directory}` in its words stand for those of the host it is run for. */
export interface HostCommand {
  readonly run: readonly string[];
  /** Where: a load balancer, say. On the host itself when not given. */
  readonly shell?: HostShell | undefined;
  /** Milliseconds. */
  readonly withinMs: number;
}

export interface HostCommands {
  readonly restart: HostCommand;
  /** Before the host is touched, and after it is well again: takes it out of the load balancer, and back in. */
  readonly drain?: HostCommand | undefined;
  readonly undrain?: HostCommand | undefined;
}

export interface ReleaseHostOptions {
  readonly name: string;
  /** Of the server, as the runner reaches it. */
  readonly url: string;
  readonly directory: string;
  readonly shell: HostShell;
  readonly folder: Pick<HostFolder, 'state' | 'stage' | 'begin' | 'point' | 'end' | 'discard'>;
  readonly commands: HostCommands;
  readonly probe: Pick<HostProbe, 'trouble' | 'untilWell' | 'warmUp'>;
}

/** One plain server, and how it is brought from one release to another. Every step may be repeated after a death anywhere. */
export class ReleaseHost {
  readonly name: string;
  readonly #options: ReleaseHostOptions;

  constructor(options: ReleaseHostOptions) {
    this.#options = options;
    this.name = options.name;
  }

  state(baseline: string): Promise<HostState> {
    return this.#options.folder.state(baseline);
  }

  /** Why the server is not well; `undefined` if it is. */
  trouble(version: string): Promise<string | undefined> {
    return this.#options.probe.trouble(this.#options.url, version);
  }

  /** Brings the model and lets the server run it. Throws a PeerError at the first step that fails: the host is then unfinished. */
  async release(version: string, model: ModelFile): Promise<void> {
    const { folder, probe, url, commands } = this.#options;
    await folder.stage(version, model);
    await folder.begin();
    await this.#command('drain', commands.drain, version);
    await folder.point(version);
    await this.#command('restart', commands.restart, version);
    await probe.untilWell(this.name, url, version);
    await probe.warmUp(this.name, url);
    await this.#command('undrain', commands.undrain, version);
    await folder.end();
  }

  /**
   * Lets the server run the release from before. A load balancer that does not drain the host does not keep it from going back. When going
   * back fails, the host is at least drained, as far as that can be done from elsewhere. Throws a PeerError.
   */
  async restore(version: string): Promise<void> {
    const { folder, probe, url, commands } = this.#options;
    try {
      await folder.begin();
      await this.#command('drain', commands.drain, version).catch(ignorePeer);
      await folder.point(version);
      await this.#command('restart', commands.restart, version);
      await probe.untilWell(this.name, url, version);
    } catch (error) {
      await this.#command('drain', commands.drain, version).catch(ignorePeer);
      throw error;
    }
    await this.#command('undrain', commands.undrain, version);
    await folder.end();
  }

  /** Removes a release that was brought, unless it runs. */
  discard(version: string): Promise<void> {
    return this.#options.folder.discard(version);
  }

  async #command(what: string, command: HostCommand | undefined, version: string): Promise<void> {
    if (command === undefined) return;
    const { directory } = this.#options;
    const { run, shell = this.#options.shell, withinMs } = command;
    const stands: Readonly<Record<string, string>> = { host: this.name, version, directory };
    const words = run.map((word) => word.replaceAll(/\{(host|version|directory)\}/g, (all, key) => stands[key] ?? all));
    const { code, output, errors } = await shell.run(words, { timeoutMs: withinMs });
    if (code === 0) return;
    throw new PeerError({
      code: 'host-command-failed',
      message: `${what} of ${this.name} ended with ${code}`,
      place: { key: `canary.traffic.${what}` },
      found: excerpt((errors.trim() === '' ? output : errors).trim(), 300),
      fix: `Run it by hand on ${shell.title}: ${excerpt(words.join(' '), 200)}`,
    });
  }
}

function ignorePeer(error: unknown): void {
  if (!(error instanceof PeerError)) throw error;
}
