import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { InputError } from '../../../core/problem/index.ts';
import { openTraffic } from '../../open-traffic.ts';
import { type HostsPolicy, openHosts } from './open-hosts.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-open-hosts-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const policyOf = (url: string): HostsPolicy => ({
  provider: 'hosts',
  baseline: 'v1',
  canary: 'v2',
  model: 'churn.onnx',
  file: 'churn.onnx',
  directory: join(directory, 'srv'),
  hosts: [{ name: 'web-1', at: 'here', url }],
  restart: { run: ['sh', '-c', 'echo "$1 $2" >> log', 'sh', '{host} {unknown}', '{version}'] },
  drain: { run: ['sh', '-c', 'echo "drain $1" >> log', 'sh', '{host}'], at: 'here' },
  undrain: { run: ['sh', '-c', 'echo "undrain $1" >> log', 'sh', '{directory}'] },
  health: { path: '/ready', contains: 'up', within: '5s' },
  warm_up: [{ path: '/predict', body: 'request.json', times: 2 }],
});

test('the policy says where everything is and what is run', async () => {
  const asked: string[] = [];
  const server = createServer(async (request, response) => {
    const body = (await request.toArray()).join('');
    asked.push(`${request.method} ${request.url} ${request.headers['content-type'] ?? ''} ${body}`);
    response.end('up');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const policy = policyOf(`http://127.0.0.1:${(server.address() as AddressInfo).port}/base/`);
  const restart = policy.restart.run.map((word) => word.replace('log', join(directory, 'log')));
  const drain = policy.drain?.run.map((word) => word.replace('log', join(directory, 'log'))) ?? [];
  const undrain = policy.undrain?.run.map((word) => word.replace('log', join(directory, 'log'))) ?? [];
  await mkdir(join(directory, 'srv', 'releases', 'v1'), { recursive: true });
  await symlink('releases/v1', join(directory, 'srv', 'current'));
  await writeFile(join(directory, 'churn.onnx'), 'model');
  const provider = openTraffic(
    { ...policy, restart: { run: restart }, drain: { run: drain }, undrain: { run: undrain } },
    { directory },
  );
  expect((await provider.read()).notReady).toContain('a warm-up request cannot be read');
  await writeFile(join(directory, 'request.json'), '{"x":1}');
  const revision = await provider.move({
    record: 'r',
    traffic: { canaryWeight: 100, mirrorPercent: 0 },
    after: undefined,
  });
  expect(await provider.record()).toEqual({ text: 'r', revision });
  expect(await readFile(join(directory, 'srv', 'current', 'churn.onnx'), 'utf8')).toBe('model');
  expect(await readFile(join(directory, 'log'), 'utf8')).toBe(
    `drain web-1\nweb-1 {unknown} v2\nundrain ${join(directory, 'srv')}\n`,
  );
  expect(asked).toEqual(['GET /base/ready  ', ...Array(2).fill('POST /base/predict application/json {"x":1}')]);
  // The record is on the first host.
  expect(await readFile(join(directory, 'srv', 'sluice', '00000001.json'), 'utf8')).toContain('"record":"r"');
  await provider[Symbol.asyncDispose]();
  server.close();
});

test('a record on another machine needs an absolute folder', () => {
  const policy = { ...policyOf('http://a'), state: { at: 'ops-1', directory: 'relative' } };
  expect(() => openHosts(policy, directory)).toThrow(InputError);
});
