import { join } from 'node:path';
import { expect, test } from 'vitest';
import { record } from './recorded-streams.ts';

const examples = join(import.meta.dirname, '../examples');
const policy = ['--policy', 'breast-cancer/sluice.yaml'];

test('says what each bound can resolve, and what is amiss where', async () => {
  const { exitCode, stdout, stderr } = await record(examples, ['lint', ...policy]);
  expect([exitCode, stderr]).toEqual([0, '']);
  expect(stdout).toContain('breast-cancer/sluice.yaml: 228 rows of data/test.csv, evidence 0.9\n');
  expect(stdout).toMatch(/\n {2}accuracy at most 0\.01 worse +reliably sees a loss ≥ 7\.1 pt, /);
  expect(stdout).toMatch(
    /\nwarning accuracy at most 0\.01 worse: 228 rows are too few .*\n {2}breast-cancer\/sluice\.yaml:40 /,
  );
  expect(stdout).toMatch(/\n1 warning\.\n$/);
});

test('gives the same as JSON', async () => {
  const { exitCode, stdout } = await record(examples, ['lint', ...policy, '--json']);
  const found = JSON.parse(stdout);
  expect(exitCode).toBe(0);
  expect(found).toMatchObject({ schema: 1, policy: 'breast-cancer/sluice.yaml', rows: 228, evidence: 0.9 });
  expect(found.bounds[0]).toMatchObject({ id: 'gate/accuracy/min', rows: 228 });
  expect(found.findings[0]).toMatchObject({ code: 'unresolved-regression', level: 'warning', place: { line: 40 } });
});

test('judges by a number of rows in place of the file', async () => {
  const loss = async (rows: string) => {
    const { stdout } = await record(examples, ['lint', ...policy, '--rows', rows, '--json']);
    return JSON.parse(stdout).bounds.find(({ id }: { id: string }) => id === 'gate/accuracy/max_regression').sees;
  };
  expect(await loss('1000')).toBeCloseTo(0.037, 3);
  expect(await loss('10000')).toBeLessThan(0.02);
});

test('ends with 100 for a warning where it is asked to be strict', async () => {
  expect((await record(examples, ['lint', ...policy, '--strict'])).exitCode).toBe(100);
  const enough = ['lint', ...policy, '--strict', '--rows', '100000', '--quiet'];
  expect(await record(examples, enough)).toMatchObject({ exitCode: 0, stdout: 'No warnings.\n' });
});

test('says what is wrong with a flag, and with a policy that cannot be read', async () => {
  expect((await record(examples, ['lint', '--rows', '0'])).stderr).toContain('Expected a whole number of rows');
  expect((await record(examples, ['lint', '--churn', '2'])).stderr).toContain('Expected a number over 0, at most 1');
  const missing = await record(examples, ['lint', '--policy', 'none.yaml', '--json']);
  expect(missing.exitCode).toBe(1);
  expect(JSON.parse(missing.stdout).problems[0].code).toBe('missing-file');
});
