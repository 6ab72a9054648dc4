import { copyFile, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run, type SmokeInputs } from '../actions/smoke-test/run.ts';
import { silentHost } from '../core/host/index.ts';
import type { Report } from '../core/report/index.ts';
import { startServer } from '../server/index.ts';

// The example against Sluice's own server, with the right model and with another one under its name.

const example = join(import.meta.dirname, 'smoke');
let wrong: string;

beforeAll(async () => {
  wrong = await mkdtemp(join(tmpdir(), 'sluice-example-smoke-'));
  await cp(example, wrong, { recursive: true });
  // Another model of the same signature.
  await copyFile(join(import.meta.dirname, 'breast-cancer/models/worse.onnx'), join(wrong, 'models/tumour.onnx'));
});
afterAll(() => rm(wrong, { recursive: true, force: true }));

const smoke = (url: string, more: Partial<SmokeInputs> = {}): Promise<Report> =>
  run(
    { directory: example, url, headers: [], comment: 'never', checkRun: false, today: '2026-01-01', ...more },
    silentHost,
  );

const attention = ({ checks }: Report) =>
  Object.fromEntries(checks.filter(({ status }) => status !== 'pass').map(({ id, status }) => [id, status]));
// How quick this machine is today is not what is tested.
const withoutTimes = (found: Readonly<Record<string, string>>) =>
  Object.fromEntries(Object.entries(found).filter(([id]) => !id.startsWith('smoke/latency/p')));

test('a server with the right model passes', async () => {
  await using server = await startServer({ file: join(example, 'models/tumour.onnx') });
  const report = await smoke(server.url);
  expect(withoutTimes(attention(report))).toEqual({});
  const ids = report.checks.map(({ id }) => id);
  expect(ids).toEqual(expect.arrayContaining(['smoke/golden/probabilities', 'smoke/digest', 'smoke/latency/p95_ms']));
  expect(report.sources).toMatchObject([{ path: 'data/golden.csv', rows: 40 }]);
});

test('the same over gRPC', async () => {
  await using server = await startServer({ file: join(example, 'models/tumour.onnx'), grpcPort: 0 });
  const report = await smoke(`grpc://127.0.0.1:${server.grpcPort}`, { protocol: 'v2-grpc' });
  // gRPC's metadata has no place for a digest.
  expect(withoutTimes(attention(report))).toEqual({ 'smoke/digest': 'inconclusive' });
});

test('another model under its name fails by its answers and its digest', async () => {
  await using server = await startServer({ file: join(wrong, 'models/tumour.onnx') });
  const report = await smoke(server.url);
  expect(report.verdict).toBe('failed');
  expect(withoutTimes(attention(report))).toEqual({
    'smoke/digest': 'fail',
    'smoke/golden/label': 'fail',
    'smoke/golden/probabilities': 'fail',
  });
});

test('a token that is missing is explained, one that is given goes along', async () => {
  await using server = await startServer({ file: join(example, 'models/tumour.onnx'), token: 'sesame-open-9000' });
  const without = await smoke(server.url);
  expect(without.verdict).not.toBe('passed');
  expect(without.checks.map(({ message }) => message).join(' ')).toContain('token-env');
  const report = await smoke(server.url, { headers: ['Authorization: Bearer sesame-open-9000'] });
  expect(withoutTimes(attention(report))).toEqual({});
});
