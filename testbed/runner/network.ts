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

/**
 * `command` without a network: only the GitHub stand-in answers, on the same port of the new loopback, through its socket.
 * @throws on a machine that cannot make network namespaces
 */
export function withoutNetwork(
  command: readonly string[],
  github: { readonly url: string; readonly socket: string },
): readonly string[] {
  const namespace = namespaceCommand();
  if (namespace === undefined) {
    throw new Error(
      'This machine cannot take the network away from a process. Run as root or allow user namespaces, and install util-linux (unshare) and iproute2 (ip).',
    );
  }
  const bridge = [process.execPath, join(import.meta.dirname, 'bridge.ts'), github.socket, new URL(github.url).port];
  return [...namespace, 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh', ...bridge, ...command];
}
