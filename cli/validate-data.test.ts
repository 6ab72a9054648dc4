import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-test-'));
  await writeFile(join(directory, 'rows.csv'), 'a\n1\n2\n');
  const data = [{ source: 'rows.csv', checks: [{ not_null: { columns: ['a'] } }, { max: { column: 'a', max: 1 } }] }];
  await writeFile(join(directory, 'sluice.yaml'), JSON.stringify({ version: 1, data }));
});
afterAll(() => rm(directory, { recursive: true }));

test('--gx-json writes the results beside the report, relative to the working directory, and changes no verdict', async () => {
  const { exitCode, stdout } = await record(directory, ['validate-data', '--json', '--gx-json', 'out/report.gx.json']);
  expect(exitCode).toBe(100);
  const report = JSON.parse(stdout);
  const [result, ...others] = JSON.parse(await readFile(join(directory, 'out/report.gx.json'), 'utf8'));
  expect(others).toEqual([]);
  expect(result).toMatchObject({ success: false, suite_name: 'rows.csv', statistics: { success_percent: 50 } });
  expect(result.results.map((one: { meta: { sluice: { id: string } } }) => one.meta.sluice.id)).toEqual(
    report.checks.map(({ id }: { id: string }) => id),
  );
  expect(await readdir(join(directory, 'out'))).toEqual(['report.gx.json']);
});

test('without it nothing is written', async () => {
  await rm(join(directory, 'out'), { recursive: true, force: true });
  await record(directory, ['validate-data', '--quiet']);
  expect((await readdir(directory)).toSorted()).toEqual(['rows.csv', 'sluice.yaml']);
});

test('a file that cannot be written is an error that says so', async () => {
  const { exitCode, stderr } = await record(directory, ['validate-data', '--gx-json', 'rows.csv/report.gx.json']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('cannot be written');
});

test('--exit-zero exits with 0 where the gate failed and says so all the same, and with 1 where nothing could be judged', async () => {
  const failed = await record(directory, ['validate-data', '--exit-zero', '--json']);
  expect([failed.exitCode, JSON.parse(failed.stdout).verdict]).toEqual([0, 'failed']);
  const broken = await record(directory, ['validate-data', '--exit-zero', '--policy', 'rows.csv']);
  expect(broken.exitCode).toBe(1);
});
