import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { assembleReport, type Check, renderJson } from '../core/report/index.ts';
import { requireAbReport } from './ab-report.ts';

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-ab-'));
  await writeFile(join(directory, 'm.onnx'), 'a model');
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const digest = (text: string) => createHash('sha256').update(text).digest('hex');

async function evaluated(status: Check['status'], sha256: string | undefined): Promise<void> {
  const report = assembleReport({
    tool: { name: 'sluice', version: '0.1.0' },
    name: 'churn',
    checks: [{ id: 'gate/accuracy/min', title: 'accuracy', section: 'gate', status, message: 'm' }],
    figures: [],
    notices: [],
    policy: { file: 'sluice.yaml', origin: 'head-only', evidence: 0.9, onInconclusive: 'warn', differences: [] },
    sources: [],
    ...(sha256 === undefined ? {} : { candidate: { path: 'm.onnx', sha256, bytes: 7 } }),
    environment: { platform: 'linux-x64', cpu: 'cpu', node: '24.0.0' },
  });
  await writeFile(join(directory, 'report.json'), renderJson(report));
}

const required = (model = 'm.onnx', report = 'report.json') =>
  requireAbReport({ report, model, directory, place: { file: 'sluice.yaml', line: 9 } });

test('an evaluation of this very file that passed lets the canary follow', async () => {
  await evaluated('pass', digest('a model'));
  await expect(required()).resolves.toBeUndefined();
});

test('an evaluation that failed does not, and is quoted', async () => {
  await evaluated('fail', digest('a model'));
  await expect(required()).rejects.toThrow(/sluice.yaml:9: the A\/B evaluation has not passed.*1 of 1 check failed/);
});

test.each([[digest('another model')], [undefined]])('an evaluation of another file (%s) does not', async (sha256) => {
  await evaluated('pass', sha256);
  await expect(required()).rejects.toMatchObject({
    problems: [{ code: 'ab-of-another-model', expected: digest('a model').slice(0, 12) }],
  });
});

test('a report that is missing or is none does not, nor does a model that is missing', async () => {
  await expect(required()).rejects.toMatchObject({ problems: [{ code: 'no-ab-report', found: 'report.json' }] });
  await expect(required()).rejects.not.toThrow(directory);
  await writeFile(join(directory, 'report.json'), '{"verdict":"passed"}');
  await expect(required()).rejects.toMatchObject({ problems: [{ code: 'no-ab-report' }] });
  await evaluated('pass', digest('a model'));
  await expect(required('gone.onnx')).rejects.toMatchObject({
    problems: [{ code: 'missing-file', found: 'gone.onnx' }],
  });
});
