import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** How this machine can take the network away from a process: a namespace of its own with nothing but the loopback. */
function namespaceCommand(): readonly string[] | undefined {
  for (const command of [
    ['unshare', '--net'],
    ['unshare', '--map-root-user', '--net'],
  ]) {
    try {
      execFileSync(command[0] ?? '', [...command.slice(1), 'ip', 'link', 'set', 'lo', 'up'], { stdio: 'ignore' });
      return command;
    } catch {
      // Not this way: no right to make a namespace, or no such program.
    }
  }
  return undefined;
}

const namespace = namespaceCommand();

/** Whether this machine can really take the network away. It needs root or user namespaces, and the programs unshare and ip. */
export const networkCanBeTaken = namespace !== undefined;

/**
 * `command` without a network: only the GitHub stand-in answers, on the same port of the new loopback, through its socket. On a
 * machine without namespaces the command keeps the network, and only `closedDoors` keep Sluice off it.
 */
export function withoutNetwork(
  command: readonly string[],
  github: { readonly url: string; readonly socket: string },
): readonly string[] {
  if (namespace === undefined) return command;
  const bridge = [process.execPath, join(import.meta.dirname, 'bridge.ts'), github.socket, new URL(github.url).port];
  return [...namespace, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...bridge, ...command];
}

/** Variables that lead everything but the GitHub stand-in to a port where nobody listens; none where the network can be taken. */
export const closedDoors: Readonly<Record<string, string>> = networkCanBeTaken
  ? {}
  : {
      HTTP_PROXY: 'http://127.0.0.1:9',
      HTTPS_PROXY: 'http://127.0.0.1:9',
      NO_PROXY: '127.0.0.1',
      SLUICE_NPM_REGISTRY: 'http://127.0.0.1:9/',
    };
