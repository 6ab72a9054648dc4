import { spawn } from 'node:child_process';
import { readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../core/report/index.ts';

// The real process: how it ends, and what is on which stream.

const root = join(import.meta.dirname, '..');
const reportFolder = join(tmpdir(), `sluice-index-test-${process.pid}`);
afterAll(() => rm(reportFolder, { recursive: true, force: true }));

function start(...argv: string[]) {
  const child = spawn(process.execPath, ['cli/index.ts', ...argv], {
    cwd: root,
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_OPTIONS: undefined },
  });
  const text = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text.stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; stdout: string; stderr: string }>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, ...text }));
  });
  return { child, ended };
}

test('a gate that passes exits 0, shows the report, and says where the HTML is', async () => {
  const policy = 'examples/breast-cancer/sluice.yaml';
  const { code, stdout, stderr } = await start('gate', '--policy', policy, '--report', reportFolder).ended;
  expect(code, stderr).toBe(0);
  expect(stdout).toContain('accuracy');
  expect(stderr).toContain(join(reportFolder, 'report.html'));
  expect((await stat(join(reportFolder, 'report.html'))).size).toBeGreaterThan(1000);
  expect(JSON.parse(await readFile(join(reportFolder, 'report.json'), 'utf8'))).toMatchObject({ verdict: 'passed' });
});

test('a gate that fails exits 100, and with --json only JSON is on standard output', async () => {
  const { code, stdout } = await start('gate', '--policy', 'examples/breast-cancer/sluice-worse.yaml', '--json').ended;
  expect(code).toBe(100);
  expect((JSON.parse(stdout) as Report).verdict).toBe('failed');
});

test('a mistake exits 1 with its message on standard error', async () => {
  const { code, stdout, stderr } = await start('gate', '--policy', 'nowhere.yaml').ended;
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('error nowhere.yaml');
});

test('a reader that stops early (| head) changes nothing of the exit code', async () => {
  const { child, ended } = start('gate', '--policy', 'examples/breast-cancer/sluice-worse.yaml');
  child.stdout.destroy();
  const { code, stderr } = await ended;
  expect(code).toBe(100);
  expect(stderr).not.toContain('EPIPE');
});

test('Ctrl-C ends the run at once with exit code 130', async () => {
  const { child, ended } = start('gate', '--policy', 'examples/breast-cancer/sluice.yaml');
  child.stderr.once('data', () => child.kill('SIGINT'));
  const { code, stdout, stderr } = await ended;
  expect([code, stdout]).toEqual([130, '']);
  expect(stderr).toContain('Interrupted.');
});
