import { describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { pointerTo } from './github/index.ts';
import { breastCancerMain, breastCancerModel, breastCancerPolicy, root } from './repository-files.ts';

const main = breastCancerMain();
const good = { 'models/model.onnx': breastCancerModel('good') };
const worse = { 'models/model.onnx': breastCancerModel('worse') };
const lowered = breastCancerPolicy
  .replace('accuracy: { min: 0.90, max_regression: 0.01 }', 'accuracy: { min: 0.10, max_regression: 0.9 }')
  .replace('recall: { min: 0.75,', 'recall: { min: 0.10,')
  .replace('precision: { min: 0.80 }', 'precision: { min: 0.10 }')
  .replace('f1: { min: 0.78 }', 'f1: { min: 0.10 }')
  .replace('roc_auc: { min: 0.95 }', 'roc_auc: { min: 0.10 }')
  .replace('log_loss: { max: 0.25 }', 'log_loss: { max: 9 }');

describe('the policy of the base branch', () => {
  test('cannot be lowered by the pull request it judges, and the difference is shown', async () => {
    await using scene = await Scene.open({ main, change: { ...worse, 'sluice.yaml': lowered } });
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed' });
    for (const text of [outcome.summary, scene.github.comments[0]?.body]) {
      expect(text).toContain('gates.recall.min');
      expect(text).toMatch(/0\.75/);
      expect(text).toMatch(/0\.1/);
    }
    expect(scene.github.violations).toEqual([]);
  });

  test('would let the same pull request through if it were lowered there', async () => {
    await using scene = await Scene.open({ main: { ...main, 'sluice.yaml': lowered }, change: worse });

    expect(gateOutputs(await scene.run())).toMatchObject({ conclusion: 'passed', failed: 0 });
  });

  test('is raised by a pull request at once', async () => {
    const raised = breastCancerPolicy.replace('size: { max_mb: 1,', 'size: { max_mb: 0.0001,');
    await using scene = await Scene.open({ main, change: { ...good, 'sluice.yaml': raised } });

    expect(gateOutputs(await scene.run())).toMatchObject({ conclusion: 'failed', failed: 1 });
  });

  test('is not there on the first pull request: the pull request says what holds, and that is said', async () => {
    const { 'sluice.yaml': policy, 'models/model.onnx': _model, ...data } = main;
    await using scene = await Scene.open({ main: data, change: { ...good, 'sluice.yaml': policy } });
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed' });
    expect(outcome.summary).toMatch(/base .*has no sluice\.yaml/);
    expect(scene.github.violations).toEqual([]);
  });

  test('is read from a folder of the repository that is not its root', async () => {
    const inFolder = (files: typeof main) =>
      Object.fromEntries(Object.entries(files).map(([path, content]) => [`ml/${path}`, content]));
    await using scene = await Scene.open({
      main: inFolder(main),
      change: inFolder({ ...worse, 'sluice.yaml': lowered }),
    });
    const outcome = await scene.run({ inputs: { policy: 'ml/sluice.yaml' } });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed' });
    expect(scene.github.checkRuns[0]?.annotations.map(({ path }) => path)).toContain('ml/sluice.yaml');
  });
});

describe('the base commit', () => {
  test('comes by its SHA into the one-commit clone that checkout makes, without the API', async () => {
    await using scene = await Scene.open({ main, change: good });
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed' });
    expect(outcome.log).toContain(`Brought the base commit ${scene.project.baseSha.slice(0, 12)} from origin`);
    expect(scene.github.requests.map(({ operation }) => operation)).not.toContain('repos/get-content');
  });

  test('comes through the contents API when git cannot reach the origin', async () => {
    await using scene = await Scene.open({ main, change: { ...worse, 'sluice.yaml': lowered } });
    const outcome = await scene.run({ checkout: { originGone: true } });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed' });
    expect(outcome.summary).toContain('gates.recall.min');
    const asked = scene.github.requests.filter(({ operation }) => operation === 'repos/get-content');
    expect(asked.map(({ path }) => path)).toEqual(
      expect.arrayContaining([
        `/repos/acme/churn/contents/sluice.yaml?ref=${scene.project.baseSha}`,
        `/repos/acme/churn/contents/models/model.onnx?ref=${scene.project.baseSha}`,
      ]),
    );
    expect(scene.github.violations).toEqual([]);
  });

  test('gives its model also from Git LFS', async () => {
    const baseline = breastCancerModel('baseline');
    await using scene = await Scene.open({ main: { ...main, 'models/model.onnx': pointerTo(baseline) }, change: good });
    scene.github.addLargeFile(baseline);
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'passed', errors: 0 });
    expect(scene.github.requests.map(({ path }) => path)).toContain('/acme/churn.git/info/lfs/objects/batch');
    expect(scene.github.violations).toEqual([]);
  });

  test('that cannot be had at all is one clear error, never a gate without a base', async () => {
    await using scene = await Scene.open(
      { main, change: good },
      {
        visibility: 'private',
        permissions: { contents: 'none', issues: 'none', pull_requests: 'write', checks: 'write' },
      },
    );
    const outcome = await scene.run({ checkout: { originGone: true } });

    expect(outcome.job).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'error' });
    expect(outcome.annotations.filter(({ level }) => level === 'error')).toHaveLength(1);
    expect(outcome.annotations[0]?.message).toMatch(/base commit[\s\S]*contents: read/);
    expect(outcome.log).not.toContain(root);
  });
});
