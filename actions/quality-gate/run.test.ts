import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { silentHost } from '../../core/host/index.ts';
import { run } from './run.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-quality-gate-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const inputs = { comment: 'never', checkRun: false } as const;

it('judges the model of a policy alone and writes the report', async () => {
  const example = fileURLToPath(new URL('../../examples/breast-cancer', import.meta.url));
  const outputs = new Map<string, string>();
  const host = { ...silentHost, output: (name: string, value: string) => void outputs.set(name, value) };
  const report = await run(
    { ...inputs, policyFile: 'sluice-worse.yaml', directory: example, reportDirectory: directory },
    host,
  );
  expect(report.verdict).toBe('failed');
  expect(report.checks.every(({ section }) => section === 'gate')).toBe(true);
  expect(outputs.get('conclusion')).toBe('failed');
  expect(JSON.parse(await readFile(join(directory, 'report.json'), 'utf8'))).toEqual(
    JSON.parse(JSON.stringify(report)),
  );
});

it('says so when the policy demands nothing of a model', async () => {
  await writeFile(
    join(directory, 'sluice.yaml'),
    'version: 1\ndata: [{ source: a.csv, checks: [{ row_count: { min: 1 } }] }]\n',
  );
  await expect(run({ ...inputs, policyFile: 'sluice.yaml', directory }, silentHost)).rejects.toThrow(
    'the policy demands nothing of a model',
  );
});
