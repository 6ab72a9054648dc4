import { execFile, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { PeerError } from '../core/problem/index.ts';
import { openTraffic } from '../rollout/index.ts';
import { freePorts } from './free-ports.ts';
import { type SshDaemon, startSshDaemon } from './hosts/ssh-daemon.ts';

// Two plain hosts behind a real OpenSSH server, each with our own model server and a release folder of its own.

const root = join(import.meta.dirname, '..');
const models = join(root, 'examples', 'breast-cancer', 'models');
const names = ['web-1', 'web-2'] as const;
const all = { canaryWeight: 100, mirrorPercent: 0 };
const half = { canaryWeight: 50, mirrorPercent: 0 };
const none = { canaryWeight: 0, mirrorPercent: 0 };
type Policy = Parameters<typeof openTraffic>[0];

let daemon: SshDaemon;
let directory: string;
let ports: readonly number[];

beforeAll(async () => {
  daemon = await startSshDaemon(names);
});
afterAll(() => daemon?.[Symbol.asyncDispose]());

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-plain-hosts-'));
  ports = await freePorts(names.length);
  await writeFile(join(directory, 'one.json'), JSON.stringify(oneRow));
  await writeFile(join(directory, 'restart.sh'), restart);
  for (const [index, name] of names.entries()) {
    await mkdir(join(directory, name, 'releases', 'v1'), { recursive: true });
    await copyFile(join(models, 'baseline.onnx'), join(directory, name, 'releases', 'v1', 'model.onnx'));
    await symlink('releases/v1', join(directory, name, 'current'));
    await writeFile(join(directory, name, 'port'), String(ports[index]));
    await promisify(execFile)('sh', [join(directory, 'restart.sh'), join(directory, name), 'v1', process.execPath]);
  }
  for (const index of names.keys()) {
    while ((await modelOf(index)) !== (await digestOf('baseline.onnx'))) await sleep(100);
  }
});

afterEach(async () => {
  for (const name of names) {
    const pid = Number(await readFile(join(directory, name, 'pid'), 'utf8').catch(() => 'NaN'));
    if (pid > 0) safelyKill(pid);
  }
  await rm(directory, { recursive: true, force: true, maxRetries: 5 });
});

/** What an administrator would have written: ends the server of a host, and starts it with what `current` leads to. */
const restart = `set -e
cd "$1"
if [ -f pid ]; then
  kill "$(cat pid)" 2> /dev/null || true
  while kill -0 "$(cat pid)" 2> /dev/null; do sleep 0.1; done
fi
# On some host a version finds less memory than it needs.
if [ -f cramped ] && [ "$(cat cramped)" = "$2" ]; then ulimit -v 100000; fi
NODE_COMPILE_CACHE='${process.env['NODE_COMPILE_CACHE'] ?? ''}' setsid "$3" '${join(root, 'cli', 'index.ts')}' serve current/model.onnx --port "$(cat port)" --drain-delay 0 --log off > log 2>&1 < /dev/null &
echo $! > pid
`;

const oneRow = {
  inputs: [{ name: 'features', datatype: 'FP32', shape: [1, 30], data: Array.from({ length: 30 }, () => 1) }],
};

function policyOf(model: string, canary = 'v2'): Policy {
  return {
    provider: 'hosts',
    baseline: 'v1',
    canary,
    model: join(models, model),
    directory,
    hosts: names.map((name, index) => ({
      name,
      at: name,
      url: `http://127.0.0.1:${ports[index]}`,
      directory: join(directory, name),
    })),
    restart: { run: ['sh', join(directory, 'restart.sh'), '{directory}', '{version}', process.execPath] },
    health: { path: '/v2/models/model/ready', within: '30s' },
    warm_up: [{ path: '/v2/models/model/infer', body: 'one.json', times: 3 }],
    ssh_config: daemon.config,
  };
}

async function digestOf(model: string): Promise<string> {
  return createHash('sha256')
    .update(await readFile(join(models, model)))
    .digest('hex');
}

/** The digest of the model that the server of a host runs, by its own word. */
async function modelOf(index: number): Promise<string | undefined> {
  try {
    const response = await fetch(`http://127.0.0.1:${ports[index]}/v2/models/model`);
    const { parameters } = (await response.json()) as { readonly parameters?: { readonly sha256?: string } };
    return parameters?.sha256;
  } catch {
    return undefined;
  }
}

async function expectAll(model: string): Promise<void> {
  const digest = await digestOf(model);
  for (const index of names.keys()) expect(await modelOf(index), names[index]).toBe(digest);
}

async function failureOf(happens: Promise<unknown>): Promise<PeerError['problems'][0]> {
  const error = await happens.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof PeerError) return error.problems[0];
  throw new Error(`expected a PeerError, not ${String(error)}`);
}

function safelyKill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended.
  }
}

describe('hosts behind a real SSH server', () => {
  test('get a good release one by one, by weight', async () => {
    await using provider = openTraffic(policyOf('good.onnx'), { directory });
    expect(await provider.read()).toMatchObject({ desired: none, settled: true });
    expect((await provider.read()).notReady).toBeUndefined();
    const first = await provider.move({ record: 'half', traffic: half, after: undefined });
    expect([await modelOf(0), await modelOf(1)]).toEqual([
      await digestOf('good.onnx'),
      await digestOf('baseline.onnx'),
    ]);
    const second = await provider.move({ record: 'all', traffic: all, after: first });
    await provider.finish('promoted');
    await expectAll('good.onnx');
    expect(await provider.record()).toEqual({ text: 'all', revision: second });
    expect(await provider.now?.()).toBeGreaterThan(Date.now() - 3_600_000);
    await provider.clear(second);
    expect(await provider.record()).toBeUndefined();
    for (const name of names) {
      const arrived = await readFile(join(directory, name, 'current', 'model.onnx'));
      expect(createHash('sha256').update(arrived).digest('hex')).toBe(await digestOf('good.onnx'));
    }
  });

  test('all go back when the release fails on the second one', async () => {
    await writeFile(join(directory, 'web-2', 'cramped'), 'v2');
    await using provider = openTraffic(policyOf('good.onnx'), { directory });
    const problem = await failureOf(provider.move({ record: 'all', traffic: all, after: undefined }));
    expect(problem).toMatchObject({
      code: 'host-failed',
      message: 'web-2 could not be released; rolled back: web-2, web-1',
      found: expect.stringContaining('was not well within 30 s'),
    });
    await expectAll('baseline.onnx');
    await provider.finish('rolled-back');
    for (const name of names) expect(await readdir(join(directory, name, 'releases'))).toEqual(['v1']);
  });

  test('stay as they are for what is no model at all', async () => {
    const file = join(directory, 'nonsense.onnx');
    await writeFile(file, 'no model');
    await using provider = openTraffic(
      { ...policyOf('good.onnx'), model: file, health: { path: '/v2/models/model/ready', within: '10s' } } as Policy,
      {
        directory,
      },
    );
    const problem = await failureOf(provider.move({ record: 'all', traffic: all, after: undefined }));
    expect(problem.message).toBe('web-1 could not be released; rolled back: web-1');
    await expectAll('baseline.onnx');
  });

  test('that cannot be reached are told before anything moves', async () => {
    const policy = policyOf('good.onnx');
    const hosts = 'hosts' in policy ? policy.hosts : [];
    const away = {
      name: 'web-3',
      at: 'nobody@127.0.0.1',
      url: 'http://127.0.0.1:9',
      directory: join(directory, 'web-3'),
    };
    await using provider = openTraffic({ ...policy, hosts: [...hosts, away] } as Policy, { directory });
    expect((await provider.read()).notReady).toContain('web-3: ssh to nobody@127.0.0.1 failed');
    const problem = await failureOf(
      provider.move({ record: 'r', traffic: { ...all, canaryWeight: 33 }, after: undefined }),
    );
    expect(problem.message).toBe('web-3 could not be released; no host had to be rolled back');
    await expectAll('baseline.onnx');
  });

  test.each([
    ['goes on', 100, 'good.onnx', [9, 20]],
    ['goes back', 0, 'baseline.onnx', [14, 19]],
  ] as const)(
    '%s after the run was killed at a command',
    { timeout: 600_000 },
    async (_what, weight, model, deaths) => {
      const policy = join(directory, 'policy.json');
      await writeFile(policy, JSON.stringify(policyOf('good.onnx')));
      const bin = join(directory, 'bin');
      await mkdir(bin);
      await writeFile(
        join(bin, 'ssh'),
        `#!/bin/sh
echo x >> '${bin}/count'
death=$(cat '${bin}/death')
if [ "$death" -gt 0 ] && [ "$(wc -l < '${bin}/count')" -ge "$death" ]; then /usr/bin/env -i PATH='${process.env['PATH']}' HOME="$HOME" ssh "$@"; kill -9 $PPID; exit; fi
PATH='${process.env['PATH']}' exec ssh "$@"
`,
      );
      await chmod(join(bin, 'ssh'), 0o755);
      const release = async (to: number, death: number): Promise<string | number | null> => {
        await writeFile(join(bin, 'death'), String(death));
        await writeFile(join(bin, 'count'), '');
        const child = spawn(
          process.execPath,
          [join(import.meta.dirname, 'hosts', 'release.ts'), policy, directory, String(to)],
          {
            env: { ...process.env, PATH: `${bin}:${process.env['PATH']}` },
            stdio: ['ignore', 'inherit', 'inherit'],
          },
        );
        const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
        return signal ?? code;
      };
      for (const death of deaths) {
        expect(await release(100, death)).toBe('SIGKILL');
        // It may have died with a server on its way up.
        expect(await release(weight, 0)).toBe(0);
        await expectAll(model);
        await using provider = openTraffic(policyOf('good.onnx'), { directory });
        expect(await provider.read()).toMatchObject({ desired: { canaryWeight: weight }, settled: true });
        expect(await release(0, 0)).toBe(0);
        await expectAll('baseline.onnx');
      }
    },
  );
});
