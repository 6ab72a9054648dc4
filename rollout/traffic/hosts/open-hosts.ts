import { resolve } from 'node:path';
import { type CanaryTraffic, durationMs, policyDefaults } from '../../../core/policy/index.ts';
import { InputError } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { TrafficProvider } from '../../traffic-provider.ts';
import { RevisionFolder } from '../revision-folder.ts';
import { HostFolder } from './host-folder.ts';
import { HostProbe } from './host-probe.ts';
import { type HostShell, openLocalShell, openSshShell } from './host-shell.ts';
import { openHostsTraffic } from './hosts.ts';
import { type HostCommand, ReleaseHost } from './release-host.ts';
import { RemoteRevisionFolder, type RevisionStore } from './revision-store.ts';

export type HostsPolicy = Extract<CanaryTraffic, { provider: 'hosts' }>;
type CommandPolicy = HostsPolicy['restart'];
export type RecordFolderPolicy = NonNullable<HostsPolicy['state']>;

const { hosts: defaults } = policyDefaults.canary;

/** Opens the hosts that the policy names; `directory` is what its paths are relative to. Nothing is asked yet. Throws an InputError. */
export function openHosts(policy: HostsPolicy, directory: string): TrafficProvider {
  const { baseline, canary, hosts, file = defaults.file } = policy;
  const shellAt = shellsOf(policy.ssh_config, directory);
  const command = ({ run, at, within }: CommandPolicy): HostCommand => ({
    run,
    ...(at === undefined ? {} : { shell: shellAt(at) }),
    withinMs: time(within, defaults.command_within),
  });
  const { health, warm_up = [] } = policy;
  const warmUp = warm_up.map(({ path, body, times }) => ({
    path,
    ...(body === undefined ? {} : { body: resolve(directory, body) }),
    ...(times === undefined ? {} : { times }),
  }));
  const probe = new HostProbe(
    { path: health.path, contains: health.contains, withinMs: time(health.within, defaults.health_within) },
    warmUp,
  );
  const commands = {
    restart: command(policy.restart),
    drain: policy.drain === undefined ? undefined : command(policy.drain),
    undrain: policy.undrain === undefined ? undefined : command(policy.undrain),
  };
  const [first] = hosts;
  if (first === undefined) throw new RangeError('the policy names no host');
  const { store, now } = openRecordFolder(
    policy.state ?? { at: first.at, directory: `${first.directory ?? policy.directory}/sluice` },
    directory,
    shellAt,
  );
  return openHostsTraffic({
    baseline,
    canary,
    model: { path: resolve(directory, policy.model), name: policy.model },
    files: warm_up.flatMap(({ body }) => (body === undefined ? [] : [{ path: resolve(directory, body), name: body }])),
    store,
    ...(now === undefined ? {} : { now }),
    probe,
    hosts: hosts.map(({ name, at, url, directory: own = policy.directory }) => {
      const shell = shellAt(at);
      const folder = new HostFolder(shell, name, own, file);
      return new ReleaseHost({ name, url, directory: own, shell, folder, commands, probe });
    }),
  });
}

/** One shell for each place; `here` is this machine. */
export function shellsOf(config: string | undefined, directory: string): (at: string) => HostShell {
  const shells = new Map<string, HostShell>();
  return (at) => {
    const known = shells.get(at);
    if (known !== undefined) return known;
    const shell =
      at === 'here'
        ? openLocalShell()
        : openSshShell({ at, config: config === undefined ? undefined : resolve(directory, config) });
    shells.set(at, shell);
    return shell;
  };
}

/** Where a record is kept, and that machine's clock. */
export function openRecordFolder(
  { at = 'here', directory: folder }: RecordFolderPolicy,
  directory: string,
  shellAt: (at: string) => HostShell,
): { readonly store: RevisionStore; readonly now?: () => Promise<number> } {
  if (at === 'here') return { store: new RevisionFolder(resolve(directory, folder), folder) };
  if (!folder.startsWith('/')) {
    throw new InputError({
      code: 'relative-folder',
      message: 'the folder of a record on another machine has to be an absolute path',
      place: { key: 'canary.traffic.state.directory' },
      found: excerpt(folder),
      fix: 'Begin it with "/".',
    });
  }
  const store = new RemoteRevisionFolder(shellAt(at), folder);
  return { store, now: () => store.now() };
}

function time(given: string | undefined, usual: string): number {
  const found = durationMs(given ?? usual);
  if (found === undefined) throw new RangeError(`"${given ?? usual}" is not a time`);
  return found;
}
