import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Report } from '../core/report/index.ts';
import { startServer } from '../server/index.ts';
import { record } from './recorded-streams.ts';

const root = join(import.meta.dirname, '..');
const model = 'examples/breast-cancer/models/good.onnx';

test('a server is held against its file with flags alone', async () => {
  await using server = await startServer({ file: join(root, model) });
  const { exitCode, stdout, stderr } = await record(root, ['smoke', server.url, '--protocol', 'v2', '--model', model]);
  expect(exitCode, stderr).toBe(0);
  expect(stdout).toContain('probabilities as the ONNX file gives it here');
  expect(stdout).toContain('PASSED');
});

test('--version is the served version, and --json gives the report', async () => {
  await using server = await startServer({ file: join(root, model) });
  const flags = ['--protocol', 'v2', '--model', model, '--version', '7', '--json'];
  const { exitCode, stdout } = await record(root, ['smoke', server.url, ...flags]);
  expect(exitCode).toBe(100);
  const { checks } = JSON.parse(stdout) as Report;
  expect(checks.filter(({ status }) => status === 'fail').map(({ id }) => id)).toEqual(['smoke/version']);
});

test('a server that is not there fails with exit code 100, and says what was last seen', async () => {
  const flags = ['--protocol', 'v2', '--model', model, '--deadline', '300ms'];
  // Port 9 is "discard", which nothing serves on loopback.
  const { exitCode, stdout } = await record(root, ['smoke', 'http://127.0.0.1:9', ...flags]);
  expect(exitCode).toBe(100);
  expect(stdout).toContain('nothing listens at http://127.0.0.1:9');
});

test.each([
  ['an address that is none', ['nowhere', '--protocol', 'v2', '--model', model], 'the url is not the address'],
  ['an unknown protocol', ['http://127.0.0.1:9', '--protocol', 'v22', '--model', model], 'Did you mean "v2"?'],
  ['no protocol', ['http://127.0.0.1:9', '--model', model], 'nothing says which protocol'],
  ['no model file', ['http://127.0.0.1:9', '--protocol', 'v2', '--name', 'm'], 'there is no ONNX file'],
  ['a model file that is not there', ['http://127.0.0.1:9', '--protocol', 'v2', '--model', 'gone.onnx'], 'gone.onnx'],
  [
    'a token variable that is not set',
    ['http://127.0.0.1:9', '--protocol', 'v2', '--token-env', 'SLUICE_NONE'],
    'SLUICE_NONE',
  ],
])('%s is one error with exit code 1', async (_what, flags, words) => {
  const { exitCode, stdout, stderr } = await record(root, ['smoke', ...flags]);
  expect([exitCode, stdout]).toEqual([1, '']);
  expect(stderr).toContain(words);
  expect(stderr).toMatch(/^ {2}fix: \S/m);
});
