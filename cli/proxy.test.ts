import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openLocalTraffic } from '../rollout/index.ts';
import { record } from './recorded-streams.ts';

let directory: string;
let children: ChildProcess[] = [];
let servers: Server[] = [];
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-proxy-command-'));
});
afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
  [children, servers] = [[], []];
  await rm(directory, { recursive: true, force: true });
});

async function named(name: string): Promise<string> {
  const server = createServer((_, response) => response.end(name));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  servers.push(server);
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function startCommand(
  ...args: readonly string[]
): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'index.ts'), 'proxy', '--port', '0', ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  children.push(child);
  let told = '';
  for await (const chunk of child.stderr) {
    told += String(chunk);
    const [, url] = /Ready on (http:\S+)/.exec(told) ?? [];
    if (url !== undefined) return { url, child };
  }
  throw new Error(`it ended: ${told}`);
}

/** What a runner does that is then lost: it opens the traffic and takes a lease, and lives for ever. */
const runner = `
import { openLocalTraffic } from ${JSON.stringify(join(import.meta.dirname, '..', 'rollout', 'index.ts'))};
const provider = openLocalTraffic({ state: process.argv[1] });
await provider.move({ record: 'mine', traffic: { canaryWeight: 100, mirrorPercent: 0 }, after: undefined });
await provider.guard.install({ expires: new Date(Date.now() + 4000), rolloutId: 'r-1' });
console.log('open');
setInterval(() => {}, 1000);`;

test('a runner that is killed leaves the traffic flowing, and the proxy gives it back when the lease is over', async () => {
  const state = join(directory, 'state');
  const proxy = await startCommand('--state', state, '--baseline', await named('old'), '--canary', await named('new'));
  const ask = async () => (await fetch(proxy.url)).text();
  expect(await ask()).toBe('old');
  const killed = spawn(process.execPath, ['--input-type=module', '-e', runner, state], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  children.push(killed);
  await once(killed.stdout, 'data');
  killed.kill('SIGKILL');
  await once(killed, 'close');
  const seen = new Set<string>();
  for (let answer = await ask(); ; answer = await ask()) {
    seen.add(answer);
    if (seen.has('new') && answer === 'old') break;
    await sleep(20);
  }
  expect(seen).toEqual(new Set(['old', 'new']));
  await using provider = openLocalTraffic({ state });
  expect(await provider.read()).toMatchObject({ desired: { canaryWeight: 0 }, settled: true });
  expect((await provider.record())?.text).toBe('mine');
  proxy.child.kill('SIGTERM');
  expect(await once(proxy.child, 'close')).toEqual([0, null]);
});

test('a proxy that is killed goes on with its weights when it is started again', async () => {
  const state = join(directory, 'state');
  const args = ['--state', state, '--baseline', await named('old'), '--canary', await named('new')];
  const first = await startCommand(...args);
  await using provider = openLocalTraffic({ state });
  await provider.move({ record: 'r', traffic: { canaryWeight: 100, mirrorPercent: 0 }, after: undefined });
  first.child.kill('SIGKILL');
  await once(first.child, 'close');
  expect((await provider.read()).notReady).toContain('sluice proxy');
  const second = await startCommand(...args);
  expect(await (await fetch(second.url)).text()).toBe('new');
});

test.each([
  [['--state', 's'], '--baseline'],
  [['--state', 's', '--baseline', 'localhost'], 'Write a URL'],
  [['--state', 's', '--baseline', 'http://a', '--timeout', '0'], 'Write a number of seconds'],
])('%j is refused with what is expected', async (args, expected) => {
  const { exitCode, stderr } = await record(directory, ['proxy', ...args]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain(expected);
});
