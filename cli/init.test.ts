import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readPolicy } from '../core/policy/index.ts';
import type { Report } from '../core/report/index.ts';
import { record } from './recorded-streams.ts';

const examples = join(import.meta.dirname, '../examples');
let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-init-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

async function bring(example: string): Promise<void> {
  for (const folder of ['data', 'models']) {
    await mkdir(join(directory, folder));
    for (const file of await readdir(join(examples, example, folder))) {
      await copyFile(join(examples, example, folder, file), join(directory, folder, file));
    }
  }
}

async function gate(policy = 'sluice.yaml'): Promise<Report> {
  const { stdout } = await record(directory, ['gate', '--json', '--policy', policy]);
  return JSON.parse(stdout) as Report;
}

/** Held against a baseline only where there is a base branch. */
const notPassing = (report: Report) =>
  report.checks
    .filter(({ id, status }) => status !== 'pass' && !(status === 'skipped' && id.endsWith('/max_regression')))
    .map(({ id, message }) => [id, message]);

test('on breast-cancer it writes a policy that parses, finds target and test data by itself, and passes', async () => {
  await bring('breast-cancer');
  const { exitCode, stderr } = await record(directory, [
    'init',
    '--data',
    'data/train.csv',
    '--model',
    'models/good.onnx',
  ]);
  expect(exitCode, stderr).toBe(0);
  const { policy } = await readPolicy(join(directory, 'sluice.yaml'));
  expect(policy.evaluation).toEqual({ source: 'data/test.csv', target: 'diagnosis', positive: 'malignant' });
  expect(Object.keys(policy.gates ?? {})).toContain('roc_auc');
  const report = await gate();
  expect(notPassing(report)).toEqual([]);
  expect(report.verdict).toBe('passed');
});

test('on diabetes it sees a regression on Parquet with one input a column, and the policy passes', async () => {
  await bring('diabetes');
  const argv = ['init', '--data', 'data/train.parquet', '--model', 'models/good.onnx', '--output', 'ml.yaml'];
  const { exitCode, stderr } = await record(directory, argv);
  expect(exitCode, stderr).toBe(0);
  const { policy } = await readPolicy(join(directory, 'ml.yaml'));
  expect(policy.evaluation).toEqual({ source: 'data/test.parquet', target: 'progression' });
  const report = await gate('ml.yaml');
  expect(notPassing(report)).toEqual([]);
  expect(report.verdict).toBe('passed');
});

test('every line of the policy that sets a bound has a comment above it', async () => {
  await bring('breast-cancer');
  await record(directory, ['init', '--data', 'data/train.csv', '--model', 'models/good.onnx']);
  const lines = (await readFile(join(directory, 'sluice.yaml'), 'utf8')).split('\n');
  expect(lines[0]).toMatch(/^# yaml-language-server: \$schema=https:/);
  for (const name of ['row_count', 'schema', 'not_null', 'class_share', 'duplicate_rows', 'accuracy', 'log_loss']) {
    const at = lines.findIndex((line) => line.trimStart().replace(/^- /, '').startsWith(`${name}:`));
    expect(at, name).toBeGreaterThan(0);
    expect(lines[at - 1], name).toMatch(/^ *# \S/);
  }
});

test('an existing policy is not overwritten unless forced', async () => {
  await bring('breast-cancer');
  await writeFile(join(directory, 'sluice.yaml'), 'mine');
  const argv = ['init', '--data', 'data/train.csv', '--model', 'models/good.onnx'];
  const refused = await record(directory, argv);
  expect(refused.exitCode).toBe(1);
  expect(refused.stderr).toMatch(/^error sluice\.yaml\n {2}there is a policy already\n {2}fix: .*--force/);
  expect(await readFile(join(directory, 'sluice.yaml'), 'utf8')).toBe('mine');
  expect((await record(directory, [...argv, '--force'])).exitCode).toBe(0);
  expect((await readPolicy(join(directory, 'sluice.yaml'))).policy.version).toBe(1);
});

test('paths are relative to the folder of the policy, wherever the command stands', async () => {
  await bring('breast-cancer');
  await mkdir(join(directory, 'ml/policy'), { recursive: true });
  await mkdir(join(directory, '.git'));
  const argv = ['init', '--data', 'data/train.csv', '--model', 'models/good.onnx', '--output', 'ml/policy/sluice.yaml'];
  expect((await record(directory, argv)).exitCode).toBe(0);
  const { policy } = await readPolicy(join(directory, 'ml/policy/sluice.yaml'));
  expect(policy.model?.path).toBe('../../models/good.onnx');
  expect((await gate('ml/policy/sluice.yaml')).verdict).toBe('passed');
});

test('files outside the repository of the policy are refused, since no gate would read them', async () => {
  await bring('breast-cancer');
  await mkdir(join(directory, 'elsewhere'));
  const argv = ['init', '--data', 'data/train.csv', '--model', 'models/good.onnx', '--output', 'elsewhere/sluice.yaml'];
  const { exitCode, stderr } = await record(directory, argv);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/^error data\/train\.csv\n.*outside the repository.*\n {2}fix: /);
});

test('hostile column names and values are quoted, and the policy still passes', async () => {
  await bring('diabetes');
  // The model's own columns beside some that would break a carelessly written file.
  const hostile = ['yes', '- evil: {', '# not a comment', 'it\'s "quoted"', 'a,b', '$HOME {{x}}', 'naïve 名前'];
  const header = ['age', ...hostile, 'progression'].map((name) => `"${name.replaceAll('"', '""')}"`).join(',');
  const rows = Array.from({ length: 200 }, (_, i) => [
    20 + (i % 50),
    ...hostile.map((_, k) => `"v: ${(i + k) % 3} #"`),
    90 + ((i * 37) % 200),
  ]);
  await writeFile(join(directory, 'hostile.csv'), `${header}\n${rows.map((row) => row.join(',')).join('\n')}\n`);
  const argv = ['init', '--data', 'hostile.csv', '--model', 'models/worse.onnx', '--target', 'progression'];
  const { exitCode, stderr } = await record(directory, argv);
  expect(exitCode, stderr).toBe(0);
  const { policy } = await readPolicy(join(directory, 'sluice.yaml'));
  const schema = policy.data?.[0]?.checks.find((check) => check.schema !== undefined)?.schema;
  expect(Object.keys(schema?.types ?? {})).toEqual(['age', ...hostile, 'progression']);
  const report = await gate();
  expect(report.checks.filter(({ status }) => status === 'error' || status === 'fail')).toEqual([]);
});

test('missing values, identifiers and a wide model: bounds still hold for the data they came from', async () => {
  await bring('breast-cancer');
  const [header = '', ...rows] = (await readFile(join(directory, 'data/test.csv'), 'utf8')).trimEnd().split('\n');
  const withMore = rows.map((row, i) => `${1000 + i},${i % 7 === 0 ? '' : i % 2 === 0 ? 'north' : 'south'},${row}`);
  await writeFile(join(directory, 'more.csv'), `patient_id,region,${header}\n${withMore.join('\n')}\n`);
  const { exitCode, stderr } = await record(directory, ['init', '--data', 'more.csv', '--model', 'models/good.onnx']);
  expect(exitCode, stderr).toBe(0);
  const { policy } = await readPolicy(join(directory, 'sluice.yaml'));
  expect(policy.evaluation?.ignore).toEqual(['patient_id', 'region']);
  const checks = policy.data?.[0]?.checks ?? [];
  expect(checks.find(({ unique }) => unique !== undefined)?.unique).toEqual({ columns: ['patient_id'] });
  expect(checks.find(({ not_null }) => not_null?.mostly !== undefined)?.not_null?.columns).toEqual(['region']);
  expect((await gate()).verdict).toBe('passed');
});

test('of a table with hundreds of columns it bounds the first ones, and says so', async () => {
  await bring('diabetes');
  const extra = Array.from({ length: 300 }, (_, i) => `x${i}`);
  const rows = Array.from({ length: 60 }, (_, i) => [20 + i, ...extra.map((_, k) => (i * k) % 97), 90 + i * 2]);
  await writeFile(join(directory, 'wide.csv'), `${['age', ...extra, 'target'].join(',')}\n${rows.join('\n')}\n`);
  const { exitCode, stderr } = await record(directory, ['init', '--data', 'wide.csv', '--model', 'models/worse.onnx']);
  expect(exitCode, stderr).toBe(0);
  expect(await readFile(join(directory, 'sluice.yaml'), 'utf8')).toMatch(/# Only the first \d+ of 302 columns/);
});

test('a target that cannot be guessed is asked for', async () => {
  await bring('breast-cancer');
  await writeFile(join(directory, 'odd.csv'), 'p,q,r\n1,2,3\n4,5,6\n');
  const { exitCode, stderr } = await record(directory, ['init', '--data', 'odd.csv', '--model', 'models/good.onnx']);
  expect(exitCode).toBe(1);
  expect(stderr).toMatch(/error odd\.csv\n.*which column.*\n {2}fix: Name it with --target/);
});

test('a column that is not there is named with those that are', async () => {
  await bring('breast-cancer');
  const argv = ['init', '--data', 'data/train.csv', '--model', 'models/good.onnx', '--target', 'Diagnosis'];
  const { exitCode, stderr } = await record(directory, argv);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('there is no column "Diagnosis"');
});
