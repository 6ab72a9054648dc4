import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { debianFiles } from '../debian-packages.ts';
import { freePorts } from '../free-ports.ts';

/** A real NGINX on loopback, with the configuration of a `ModelGateway`. */
export interface Nginx extends AsyncDisposable {
  readonly url: string;
  /** The file that the Secret would be. */
  readonly tokens: string;
  readonly process: ChildProcess;
  /** Everything it logged, requests and errors. */
  log(): string;
}

/**
 * Starts NGINX with files as a gateway's ConfigMap has them. Their folders, which a pod has for itself, and the port are put elsewhere; nothing
 * else of them is changed.
 * @throws when there is no NGINX, with how to get it, or when it does not start, with what it said
 */
export async function startNginx(files: Readonly<Record<string, string>>): Promise<Nginx> {
  const { program, modules } = await nginxProgram();
  const folder = await mkdtemp(join(tmpdir(), 'sluice-nginx-'));
  const [port = 0] = await freePorts(1);
  const at = (name: string): string => join(folder, name);
  for (const name of ['tmp', 'cache', 'tokens', 'gateway']) {
    await mkdir(at(name));
    await chmod(at(name), 0o777);
  }
  await chmod(folder, 0o755);
  for (const [name, text] of Object.entries(files)) {
    const placed = text
      .replaceAll(/(?<= )\/(tmp|cache)(?=[/ ;])/g, `${folder}/$1`)
      .replaceAll('/etc/sluice/', `${folder}/`)
      .replaceAll('/usr/lib/nginx/modules', modules)
      .replace('listen 8080 ', `listen 127.0.0.1:${port} `);
    await writeFile(join(at('gateway'), name), placed);
  }
  // A file, since NGINX opens its output anew by name: Node's own pipes are sockets, which have none.
  const log = openSync(at('log'), 'a');
  const child = spawn(program, ['-e', 'stderr', '-c', join(at('gateway'), 'nginx.conf')], {
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const said = (): string => readFileSync(at('log'), 'utf8');
  const stop = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
  };
  for (let waited = 0; !(await listens(port)); waited++) {
    if (child.exitCode !== null || waited > 200) {
      await stop();
      throw new Error(`NGINX did not start: ${said()}`);
    }
    await sleep(50);
  }
  return {
    url: `http://127.0.0.1:${port}`,
    tokens: join(at('tokens'), 'tokens'),
    process: child,
    log: said,
    [Symbol.asyncDispose]: async () => {
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

const missing =
  'The test of the gateway needs NGINX with its JavaScript module, and there is none: install it (apt-get install nginx libnginx-mod-http-js), ' +
  'or let `apt-get download nginx libnginx-mod-http-js` reach a Debian mirror.';

/** The system's NGINX where it has the module, or Debian's, unpacked into the cache without being installed. */
async function nginxProgram(): Promise<{ readonly program: string; readonly modules: string }> {
  const module = 'ngx_http_js_module.so';
  if (existsSync('/usr/sbin/nginx') && existsSync(`/usr/lib/nginx/modules/${module}`))
    return { program: '/usr/sbin/nginx', modules: '/usr/lib/nginx/modules' };
  const cache = await debianFiles('nginx', ['nginx', 'libnginx-mod-http-js'], missing);
  return { program: join(cache, 'usr/sbin/nginx'), modules: join(cache, 'usr/lib/nginx/modules') };
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
