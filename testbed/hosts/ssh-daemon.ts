import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { debianFiles } from '../debian-packages.ts';
import { freePorts } from '../free-ports.ts';

const run = promisify(execFile);

/** A real OpenSSH server on loopback, that lets this user in by a key of its own. */
export interface SshDaemon extends AsyncDisposable {
  /** For `ssh -F`: each of the hosts by its name, the key, and the known host keys. */
  readonly config: string;
  /** Ends it: the hosts cannot be reached any more. */
  stop(): Promise<void>;
}

/**
 * Starts OpenSSH's sshd. As root it gets a mount namespace of its own, in which the user and the folder are there that it wants; without
 * root it needs nothing. Everything it writes is in a temporary folder.
 * @throws when there is no sshd, with how to get it
 */
export async function startSshDaemon(hosts: readonly string[]): Promise<SshDaemon> {
  const daemon = await daemonProgram();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-sshd-'));
  const [port = 0] = await freePorts(1);
  const at = (name: string): string => join(folder, name);
  for (const key of ['host', 'user']) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  await writeFile(at('authorized'), await readFile(at('user.pub'), 'utf8'), { mode: 0o600 });
  await writeFile(at('known'), `[127.0.0.1]:${port} ${await readFile(at('host.pub'), 'utf8')}`);
  await writeFile(
    at('sshd_config'),
    [
      `Port ${port}`,
      'ListenAddress 127.0.0.1',
      `HostKey ${at('host')}`,
      `AuthorizedKeysFile ${at('authorized')}`,
      `PidFile ${at('pid')}`,
      'StrictModes no',
      'UsePAM no',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
      'PermitRootLogin prohibit-password',
      'MaxStartups 100',
      'LogLevel ERROR',
      '',
    ].join('\n'),
  );
  await writeFile(
    at('ssh_config'),
    [
      ...hosts.map((host) => `Host ${host}\n  HostName 127.0.0.1`),
      'Host *',
      `  Port ${port}`,
      `  User ${userInfo().username}`,
      `  IdentityFile ${at('user')}`,
      '  IdentitiesOnly yes',
      `  UserKnownHostsFile ${at('known')}`,
      '  GlobalKnownHostsFile /dev/null',
      '',
    ].join('\n'),
  );
  const words = [daemon.program, '-D', '-e', '-f', at('sshd_config')];
  const [program = '', ...rest] =
    process.getuid?.() === 0 ? ['unshare', '--mount', 'sh', '-c', ownUsers, 'sh', ...words] : words;
  const child = spawn(program, rest, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, LD_LIBRARY_PATH: daemon.libraries },
    detached: true,
  });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (part: string) => {
    said += part;
  });
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.pid === undefined) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGKILL');
    await ended;
  };
  for (let waited = 0; !(await listens(port)); waited++) {
    if (child.exitCode !== null || waited > 1200) {
      await stop();
      throw new Error(`sshd did not start: ${said}`);
    }
    await sleep(50);
  }
  return {
    config: at('ssh_config'),
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** In a mount namespace: the folder and the user that sshd separates privileges with, which a machine without its package has not. */
const ownUsers = `set -e
mount -t tmpfs tmpfs /run
mkdir -m 755 /run/sshd
grep -v '^sshd:' /etc/passwd > /run/passwd
echo 'sshd:x:65533:65534::/run/sshd:/usr/sbin/nologin' >> /run/passwd
mount --bind /run/passwd /etc/passwd
exec "$@"`;

const missing =
  'The test of plain hosts needs an OpenSSH server, and there is none: install it (apt-get install openssh-server; on other systems ' +
  'the package with sshd), or let `apt-get download openssh-server libwrap0` reach a Debian mirror.';

/** The system's sshd, or Debian's, unpacked into the cache without being installed. */
async function daemonProgram(): Promise<{ readonly program: string; readonly libraries: string }> {
  for (const program of ['/usr/sbin/sshd', '/usr/local/sbin/sshd']) {
    if (existsSync(program)) return { program, libraries: process.env['LD_LIBRARY_PATH'] ?? '' };
  }
  const cache = await debianFiles('openssh-server', ['openssh-server', 'libwrap0'], missing);
  const libraries = join(cache, 'usr', 'lib');
  const [triplet = ''] = (await readdir(libraries)).filter((name) => name.includes('-linux-'));
  return { program: join(cache, 'usr', 'sbin', 'sshd'), libraries: join(libraries, triplet) };
}

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.on('error', () => resolve(false));
  });
}
