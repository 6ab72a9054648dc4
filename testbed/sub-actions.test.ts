import { describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { breastCancerMain, breastCancerModel } from './repository-files.ts';

const main = breastCancerMain();

describe('actions/validate-data alone', () => {
  test('judges the data and leaves the model', async () => {
    await using scene = await Scene.open({ main, change: { 'models/model.onnx': breastCancerModel('worse') } });
    const outcome = await scene.run({ action: '/actions/validate-data@v1' });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed', failed: 0 });
    expect(scene.github.comments).toHaveLength(1);
    expect(scene.github.checkRuns).toMatchObject([{ conclusion: 'success' }]);
    expect(scene.github.violations).toEqual([]);
  });

  test('fails on data that breaks the policy', async () => {
    const data = String(main['data/train.csv']).replace('benign', 'unknown');
    await using scene = await Scene.open({ main, change: { 'data/train.csv': data } });
    const outcome = await scene.run({ action: '/actions/validate-data@v1' });

    expect(outcome.job, outcome.transcript).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'failed' });
    expect(outcome.summary).toContain('unknown');
  });
});

describe('actions/quality-gate alone', () => {
  test('judges the model and leaves the data', async () => {
    const data = String(main['data/train.csv']).replace('benign', 'unknown');
    await using scene = await Scene.open({
      main,
      change: { 'data/train.csv': data, 'models/model.onnx': breastCancerModel('good') },
    });
    const outcome = await scene.run({ action: '/actions/quality-gate@v1' });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed', failed: 0 });
    expect(scene.github.violations).toEqual([]);
  });

  test('fails on a model that breaks the policy', async () => {
    await using scene = await Scene.open({ main, change: { 'models/model.onnx': breastCancerModel('worse') } });
    const outcome = await scene.run({ action: '/actions/quality-gate@v1' });

    expect(outcome.job, outcome.transcript).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'failed' });
  });
});

test('both on one pull request keep a comment and a check run each', async () => {
  await using scene = await Scene.open({ main, change: {} });
  for (const action of ['/actions/validate-data@v1', '/actions/quality-gate@v1', '@v1']) await scene.run({ action });

  expect(scene.github.comments.map(({ edits }) => edits)).toEqual([0, 0, 0]);
  expect(new Set(scene.github.checkRuns.map(({ name }) => name)).size).toBe(3);
});
