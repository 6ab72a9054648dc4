import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-drift-'));
  await cp(join(import.meta.dirname, '../examples/drift'), directory, { recursive: true });
});
afterAll(() => rm(directory, { recursive: true, force: true }));

const shifted = ['detect-drift', '--current', 'data/shifted-week.csv'];

test('exits with 0 where nothing drifted, 100 where it did, 1 where nobody can say', async () => {
  const exits = [];
  for (const argv of [['detect-drift'], shifted, ['detect-drift', '--current', 'data/none.csv']]) {
    exits.push((await record(directory, [...argv, '--quiet'])).exitCode);
  }
  expect(exits).toEqual([0, 100, 1]);
});

test('--json is the report alone, with what every check was decided by', async () => {
  const { stdout } = await record(directory, [...shifted, '--json']);
  const report = JSON.parse(stdout);
  const radius = report.checks.find(({ id }: { readonly id: string }) => id === 'drift/psi[mean radius]');
  expect(radius).toMatchObject({
    section: 'drift',
    status: 'fail',
    bound: { kind: 'max', value: 0.25 },
    evidence: { level: 0.9, n: 403, method: expect.stringContaining('bootstrap') },
    place: { line: 9, key: 'drift.psi' },
  });
  expect(report.sources.map(({ path }: { readonly path: string }) => path)).toEqual([
    'data/reference.csv',
    'data/shifted-week.csv',
  ]);
});

test('--report writes every form of it, --metrics what Prometheus reads', async () => {
  await record(directory, [...shifted, '--quiet', '--report', 'out', '--metrics', 'drift.prom', '--model', 'tumour']);
  for (const file of ['report.html', 'report.md', 'report.junit.xml', 'report.json']) {
    expect(await readFile(join(directory, 'out', file), 'utf8'), file).toContain('mean radius');
  }
  expect(await readFile(join(directory, 'drift.prom'), 'utf8')).toContain(
    'model_name="tumour",model_version="",feature="mean radius"',
  );
});

test('a file that is not there is one error that names it, and what to do', async () => {
  const { stderr, stdout } = await record(directory, ['detect-drift', '--current', 'data/none.csv']);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/data\/none\.csv[\s\S]*fix: /);
});
