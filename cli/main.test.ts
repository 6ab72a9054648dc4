import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../package.json' with { type: 'json' };
import { record } from './recorded-streams.ts';

let directory: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-main-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

test('--version prints the version of the package', async () => {
  const { exitCode, stdout } = await record(directory, ['--version']);
  expect([exitCode, stdout]).toEqual([0, `${manifest.version}\n`]);
});

test('every sub-command explains itself with examples', async () => {
  const { stdout } = await record(directory, ['--help']);
  for (const name of ['gate', 'validate-data', 'quality-gate', 'detect-drift', 'init', 'schema', 'native']) {
    expect(stdout).toContain(name);
    const help = await record(directory, [name, '--help']);
    expect(help.exitCode).toBe(0);
    expect(help.stdout).toMatch(/Examples:\n {2}\$ sluice /);
  }
});

test('an unknown flag is one error that names the nearest one, exit 1', async () => {
  const { exitCode, stdout, stderr } = await record(directory, ['gate', '--polcy', 'x.yaml']);
  expect(exitCode).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toContain("unknown option '--polcy'");
  expect(stderr).toContain('Did you mean --policy?');
});

test('an unknown sub-command is one error, exit 1', async () => {
  const { exitCode, stderr } = await record(directory, ['gaet']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Did you mean gate?');
});

test('without a sub-command the help is shown, exit 1', async () => {
  const { exitCode, stderr } = await record(directory, []);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('Usage: sluice');
});

test('schema prints the JSON Schema that editors use, and writes it where asked', async () => {
  const printed = await record(directory, ['schema']);
  expect(printed.exitCode).toBe(0);
  expect(JSON.parse(printed.stdout)).toMatchObject({ $schema: 'https://json-schema.org/draft/2020-12/schema' });
  const written = await record(directory, ['schema', '--output', 'policy.json']);
  expect([written.exitCode, written.stdout]).toEqual([0, '']);
  expect(await readFile(join(directory, 'policy.json'), 'utf8')).toBe(printed.stdout);
});

test('a schema that cannot be written is an error with a fix', async () => {
  const { exitCode, stderr } = await record(directory, ['schema', '--output', 'no/such/folder/policy.json']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error no\/such\/folder\/policy\.json\n.*\n {2}fix: /);
});

test('native refuses a platform it does not know before it downloads anything', async () => {
  const { exitCode, stderr } = await record(directory, ['native', 'parts', '--platform', 'amiga-m68k']);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('such as linux-x64');
});
