import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { describePlace } from '../core/problem/index.ts';
import type { Report } from '../core/report/index.ts';
import { record } from './recorded-streams.ts';

// What a newcomer gets wrong. Each: exactly one error, with the place and what to do, exit 1, nothing on standard output, no stack.

const example = join(import.meta.dirname, '../examples/breast-cancer');
const diabetes = join(import.meta.dirname, '../examples/diabetes');
let directory: string;

const put = async (file: string, content: string | Uint8Array) => {
  await mkdir(dirname(join(directory, file)), { recursive: true });
  await writeFile(join(directory, file), content);
};
const small = 'a,b,label\n1,2,x\n3,4,y\n5,6,x\n';

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-bad-input-'));
  await copyFile(join(example, 'models/good.onnx'), join(directory, 'good.onnx'));
  await copyFile(join(diabetes, 'models/good.onnx'), join(directory, 'columns.onnx'));
  await copyFile(join(example, 'data/test.csv'), join(directory, 'test.csv'));
});
beforeEach(() => put('small.csv', small));
afterAll(() => rm(directory, { recursive: true, force: true }));

const dataPolicy = (source: string, check = 'row_count: { min: 1 }') =>
  `version: 1\ndata:\n  - source: ${source}\n    checks:\n      - ${check}\n`;
const modelPolicy = (model: string, source: string, target: string, gates = 'accuracy: { min: 0.5 }', more = '') =>
  `version: 1\nmodel: { path: ${model}, baseline: none${more} }\nevaluation: { source: ${source}, target: ${target} }\ngates:\n  ${gates}\n`;

/** The one error of a run that cannot begin: printed alone. */
async function errorOf(policy: string | Uint8Array): Promise<string> {
  await put('sluice.yaml', policy);
  const { exitCode, stdout, stderr } = await record(directory, ['gate']);
  expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
  const errors = stderr.match(/^error .*$/gm) ?? [];
  expect(errors, stderr).toHaveLength(1);
  expect(stderr).toMatch(/^ {2}fix: \S/m);
  expect(stderr).not.toMatch(/^ {4}at /m);
  return stderr.slice(stderr.indexOf('error '));
}

/** The one error of a run that began: a check of the report that could not be judged. Its place, what is wrong, what to do. */
async function brokenCheckOf(policy: string): Promise<string> {
  await put('sluice.yaml', policy);
  const { exitCode, stdout } = await record(directory, ['gate', '--json']);
  const report = JSON.parse(stdout) as Report;
  const errors = report.checks.filter(({ status }) => status === 'error');
  expect({ exitCode, verdict: report.verdict, errors: errors.length }, stdout).toEqual({
    exitCode: 1,
    verdict: 'error',
    errors: 1,
  });
  const [check] = errors;
  const place = describePlace(check?.place);
  expect(place).toMatch(/^\S+\.(yaml|csv|parquet|onnx)/);
  // Two sentences: what is wrong, and the fix.
  expect(check?.message).toMatch(/[.?!)] [A-Z]\S/);
  return `${place} ${check?.message}`;
}

describe('a policy', () => {
  test('with an unknown key', async () => {
    const text = await errorOf(modelPolicy('good.onnx', 'test.csv', 'diagnosis', 'accuraccy: { min: 0.9 }'));
    expect(text).toMatch(/^error sluice\.yaml:5:3 gates\.accuraccy\n/);
    expect(text).toMatch(/fix: .*accuracy/);
  });

  test('with a value of the wrong type', async () => {
    const text = await errorOf(modelPolicy('good.onnx', 'test.csv', 'diagnosis', 'accuracy: { min: high }'));
    expect(text).toMatch(/^error sluice\.yaml:5:\d+ gates\.accuracy\.min\n/);
  });

  test('that is not there', async () => {
    await rm(join(directory, 'sluice.yaml'), { force: true });
    const { exitCode, stderr } = await record(directory, ['gate', '--policy', 'nowhere.yaml']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error nowhere\.yaml\n.*\n {2}fix: /m);
  });

  test('that is a folder', async () => {
    await mkdir(join(directory, 'folder.yaml'), { recursive: true });
    const { exitCode, stderr } = await record(directory, ['gate', '--policy', 'folder.yaml']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error folder\.yaml\n.*\n {2}fix: /m);
  });

  test('that is a bomb of YAML anchors', async () => {
    const levels = Array.from(
      { length: 30 },
      (_, i) => `x${i + 1}: &x${i + 1} [${Array(10).fill(`*x${i}`).join(', ')}]`,
    );
    const text = await errorOf(`x0: &x0 boom\n${levels.join('\n')}\nversion: 1\n`);
    expect(text).toMatch(/^error sluice\.yaml/);
  });

  test('with ten thousand checks', async () => {
    const text = await errorOf(dataPolicy('small.csv', Array(10_000).fill('row_count: { min: 1 }').join('\n      - ')));
    expect(text).toMatch(/^error sluice\.yaml:2:\d+ data\n.*10000/);
  });

  test('that is not UTF-8', async () => {
    const text = await errorOf(Buffer.concat([Buffer.from('version: 1\nname: caf'), Buffer.from([0xe9, 0x0a])]));
    expect(text).toMatch(/^error sluice\.yaml:2/);
  });

  test('that judges nothing', async () => {
    expect(await errorOf('version: 1\n')).toMatch(/^error sluice\.yaml/);
  });
});

describe('a data file', () => {
  test('that is not there', async () => {
    expect(await brokenCheckOf(dataPolicy('nowhere.csv'))).toMatch(
      /^sluice\.yaml:3:\d+ data\[?.*nowhere\.csv|nowhere\.csv/s,
    );
  });

  test('that is a folder', async () => {
    await mkdir(join(directory, 'folder.csv'), { recursive: true });
    expect(await brokenCheckOf(dataPolicy('folder.csv'))).toContain('folder');
  });

  test('without a single row', async () => {
    await put('empty.csv', '');
    expect(await brokenCheckOf(dataPolicy('empty.csv'))).toContain('empty');
    await put('header.csv', 'a,b,label\n');
    expect(await brokenCheckOf(modelPolicy('good.onnx', 'header.csv', 'label'))).toContain('header.csv');
  });

  test('whose rows are ragged', async () => {
    await put('ragged.csv', 'a,b,label\n1,2,x\n3,4\n5,6,y\n');
    const text = await brokenCheckOf(dataPolicy('ragged.csv'));
    expect(text).toContain('ragged.csv');
    expect(text).toMatch(/ragged\.csv:3|row 2|line 3/);
  });

  test('that is not UTF-8', async () => {
    await put('latin.csv', Buffer.concat([Buffer.from('a,label\n1,caf'), Buffer.from([0xe9]), Buffer.from('\n2,x\n')]));
    expect(await brokenCheckOf(dataPolicy('latin.csv'))).toMatch(/UTF-8/i);
  });

  test('that is a Parquet file cut off', async () => {
    const whole = await readFile(join(diabetes, 'data/test.parquet'));
    await put('cut.parquet', whole.subarray(0, whole.length / 2));
    expect(await brokenCheckOf(dataPolicy('cut.parquet'))).toContain('cut.parquet');
  });

  test('that lacks a column a check names', async () => {
    const text = await brokenCheckOf(dataPolicy('small.csv', 'between: { column: aa, min: 0 }'));
    expect(text).toMatch(/^sluice\.yaml:5/);
    expect(text).toContain('Did you mean "a"');
  });
});

describe('a model', () => {
  test('that is not there', async () => {
    expect(await brokenCheckOf(modelPolicy('nowhere.onnx', 'test.csv', 'diagnosis'))).toContain('nowhere.onnx');
  });

  test('that is a folder', async () => {
    await mkdir(join(directory, 'folder.onnx'), { recursive: true });
    expect(await brokenCheckOf(modelPolicy('folder.onnx', 'test.csv', 'diagnosis'))).toContain('folder.onnx');
  });

  test('that is no ONNX', async () => {
    await put('pickle.onnx', Buffer.from('\x80\x04\x95not a model'));
    expect(await brokenCheckOf(modelPolicy('pickle.onnx', 'test.csv', 'diagnosis'))).toContain('pickle.onnx');
  });

  test('with an input the data lacks', async () => {
    await put(
      'partial.csv',
      'age,sex,bmi,s1,s2,s3,s4,s5,s6,progression\n50,1,25,90,60,40,4,4.5,80,100\n60,2,31,95,65,45,5,4.6,90,200\n',
    );
    const text = await brokenCheckOf(modelPolicy('columns.onnx', 'partial.csv', 'progression', 'mae: { max: 100 }'));
    expect(text).toMatch(/bp/);
  });

  test('whose input is of another type than the data', async () => {
    const csv = await readFile(join(example, 'data/test.csv'), 'utf8');
    const [header = '', ...rows] = csv.trimEnd().split('\n');
    await put('words.csv', `${header}\n${rows.map((row) => row.replace(/^[^,]*/, 'large')).join('\n')}\n`);
    expect(await brokenCheckOf(modelPolicy('good.onnx', 'words.csv', 'diagnosis'))).toContain('mean radius');
  });

  test('whose input is of another shape than the data', async () => {
    const text = await brokenCheckOf(modelPolicy('good.onnx', 'small.csv', 'label'));
    expect(text).toContain('30');
    expect(text).toContain('features');
  });

  test('whose label column is missing', async () => {
    const text = await brokenCheckOf(modelPolicy('good.onnx', 'test.csv', 'diagnosiss'));
    expect(text).toMatch(/^sluice\.yaml:3/);
    expect(text).toContain('diagnosis');
  });

  test('judged on labels that are missing or NaN', async () => {
    const csv = await readFile(join(example, 'data/test.csv'), 'utf8');
    await put('unlabelled.csv', csv.replace(/benign$/m, ''));
    expect(await brokenCheckOf(modelPolicy('good.onnx', 'unlabelled.csv', 'diagnosis'))).toContain('diagnosis');
    const rows = Array.from(
      { length: 40 },
      (_, i) => `${20 + i},1,25.5,90,100,60,40,4,4.5,80,${i === 7 ? 'NaN' : 100 + i}`,
    );
    await put('nan.csv', `age,sex,bmi,bp,s1,s2,s3,s4,s5,s6,progression\n${rows.join('\n')}\n`);
    const text = await brokenCheckOf(modelPolicy('columns.onnx', 'nan.csv', 'progression', 'mae: { max: 100 }'));
    expect(text).toContain('progression');
  });
});

describe('an error', () => {
  test('is JSON too when JSON was asked for', async () => {
    await put('sluice.yaml', dataPolicy('small.csv').replace('version: 1', 'version: 2'));
    const { exitCode, stdout, stderr } = await record(directory, ['gate', '--json']);
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/^error /m);
    const document = JSON.parse(stdout) as { verdict: string; problems: { place: unknown }[] };
    expect(document.verdict).toBe('error');
    expect(document.problems[0]?.place).toMatchObject({ file: 'sluice.yaml', line: 1 });
  });
});
