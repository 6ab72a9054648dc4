/** A real MLflow as the gate reads it: the champion of a registered model, and the metrics of runs. */
import { execFile } from 'node:child_process';
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { judgeModel, type ModelJudgement } from '../actions/quality-gate/run.ts';
import { openEngine } from '../core/data/index.ts';
import { silentHost } from '../core/host/index.ts';
import { headOnly, parsePolicy } from '../core/policy/index.ts';
import type { Check } from '../core/report/index.ts';
import { freePorts } from './free-ports.ts';
import { root } from './repository-files.ts';
import { allAnswer, type Peer, peerFolder, startPeer } from './serving/peer.ts';
import { pythonEnvironment } from './serving/python.ts';

const run = promisify(execFile);
const example = join(root, 'examples', 'breast-cancer');
const champion = join(example, 'models', 'good.onnx');
const other = join(example, 'models', 'worse.onnx');

let server: Peer;
let directory: string;
let ids: { readonly champion: string; readonly latest: string; readonly failed: string };

beforeAll(async () => {
  const python = await pythonEnvironment('mlflow', ['mlflow==3.17.2', 'onnx==1.23.2', 'onnxruntime==1.31.1']);
  const folder = peerFolder('mlflow-tracking');
  const [port = 0] = await freePorts(1);
  const url = `http://127.0.0.1:${port}`;
  const env = { PATH: `${python.bin}:${process.env['PATH'] ?? ''}`, MLFLOW_DISABLE_TELEMETRY: 'true' };
  server = await startPeer({
    name: 'mlflow 3.17.2',
    command: join(python.bin, 'mlflow'),
    args: [
      ...['server', '--backend-store-uri', `sqlite:///${join(folder, 'mlflow.db')}`],
      ...['--artifacts-destination', join(folder, 'artifacts')],
      ...['--host', '127.0.0.1', '--port', String(port), '--workers', '1'],
    ],
    env,
    folder,
    addresses: { url },
    ready: () => allAnswer(`${url}/health`),
  });
  const { stdout } = await run(
    python.python,
    [join(root, 'testbed', 'serving', 'handlers', 'mlflow_register.py'), champion, other],
    { env: { ...process.env, ...env, MLFLOW_TRACKING_URI: url }, cwd: folder },
  );
  ids = JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as typeof ids;
  directory = await mkdtemp(join(tmpdir(), 'sluice-mlflow-sources-'));
  await copyFile(other, join(directory, 'model.onnx'));
  await copyFile(join(example, 'data', 'test.csv'), join(directory, 'test.csv'));
});

afterAll(async () => {
  await server?.stop();
  if (directory !== undefined) await rm(directory, { recursive: true, force: true });
});

async function judged(...lines: readonly string[]): Promise<ModelJudgement> {
  await using engine = await openEngine({ threads: 1 });
  return await judgeModel({
    policy: headOnly(parsePolicy(['version: 1', ...lines, ''].join('\n'), 'sluice.yaml')),
    directory,
    engine,
    host: silentHost,
    environment: { MLFLOW_TRACKING_URI: server.url },
  });
}

function checkOf({ checks }: ModelJudgement, id: string): Check {
  const found = checks.find((each) => each.id === id);
  if (found === undefined) throw new Error(`no check ${id} among ${checks.map((each) => each.id).join(', ')}`);
  return found;
}

describe('the champion of a registered model', () => {
  const against = (which: string) =>
    judged(
      `model: { path: model.onnx, baseline: { champion: { mlflow: churn, ${which} } } }`,
      'evaluation: { source: test.csv, target: diagnosis, positive: malignant }',
      'gates: { accuracy: { min: 0.5, max_regression: 0.01 } }',
    );

  test('is brought and judged under its version, its run and its digest', async () => {
    const judgement = await against('alias: champion');
    const expected = JSON.parse(await readFile(join(example, 'expected.json'), 'utf8')) as {
      readonly models: Readonly<Record<'good' | 'worse', { readonly accuracy: number }>>;
    };
    const regression = checkOf(judgement, 'gate/accuracy/max_regression');
    expect(regression.status).toBe('fail');
    expect(regression.baseline).toBeCloseTo(expected.models.good.accuracy, 9);
    expect(regression.observed).toBeCloseTo(expected.models.worse.accuracy, 9);
    expect(judgement.baseline).toMatchObject({
      path: 'models:/churn/1',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(judgement.notices[0]?.message).toContain(`of run ${ids.champion}`);
  });

  test.each([
    [
      'an alias that is not there',
      'alias: champoin',
      /has no alias "champoin": found champion\. Did you mean "champion"/,
    ],
    ['a file that the version does not have', 'alias: champion, artifact: nope.onnx', /has no file "nope\.onnx"/],
  ])('is an error for %s, and the rest is judged', async (_what, which, message) => {
    const judgement = await against(which);
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(message),
    });
    expect(checkOf(judgement, 'gate/accuracy/min').status).toBe('pass');
  });
});

describe('the metrics of a run', () => {
  const demands =
    'gates: { accuracy: { min: 0.9, max_regression: 0.01 }, roc_auc: { min: 0.95 }, log_loss: { max: 1 } }';
  const of = (which: string) =>
    judged(
      `model: { run: { ${which}, metrics: { roc_auc: val_auc } }, baseline: { champion: { mlflow: churn, alias: champion } } }`,
      demands,
    );

  test('are those of the latest run that finished, held against the champion’s', async () => {
    const judgement = await of('experiment: churn');
    expect(judgement.notices[0]?.message).toContain(`the run fox (${ids.latest})`);
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({ status: 'pass', observed: 0.91 });
    expect(checkOf(judgement, 'gate/accuracy/max_regression')).toMatchObject({ status: 'fail', baseline: 0.95 });
    expect(checkOf(judgement, 'gate/roc_auc/min')).toMatchObject({ status: 'pass', observed: 0.97 });
    expect(checkOf(judgement, 'gate/log_loss/max')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/logged NaN as "log_loss"/),
    });
  });

  test('are those of the run with the id', async () => {
    const judgement = await of(`id: ${ids.champion}`);
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({ status: 'pass', observed: 0.95 });
    expect(checkOf(judgement, 'gate/log_loss/max')).toMatchObject({ status: 'pass', observed: 0.1 });
  });

  test('of a run that failed are judged under a warning, and what it never logged is an error', async () => {
    const judgement = await of(`id: ${ids.failed}`);
    expect(judgement.notices.map(({ level, message }) => `${level} ${message}`)).toContain(
      'warning The run hare has not finished: MLflow says FAILED.',
    );
    expect(checkOf(judgement, 'gate/accuracy/min')).toMatchObject({ status: 'fail', observed: 0.2 });
    expect(checkOf(judgement, 'gate/roc_auc/min')).toMatchObject({
      status: 'error',
      message: expect.stringMatching(/logged no metric "val_auc"/),
    });
  });

  test.each([
    ['a run', `id: ${'f'.repeat(32)}`, /has no run "f{32}"/],
    ['an experiment', 'experiment: chrun', /has no experiment "chrun"/],
  ])('cannot be judged of %s that is not there', async (_what, which, message) => {
    await expect(of(which)).rejects.toThrow(message);
  });

  test('cannot be judged once the server is stopped', async () => {
    await server.stop();
    await expect(of('experiment: churn')).rejects.toMatchObject({
      problems: [{ code: 'connection-refused', place: { file: 'sluice.yaml' }, fix: expect.stringMatching(/\w/) }],
    });
  });
});
