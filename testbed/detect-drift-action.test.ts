import { expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { filesOf } from './repository-files.ts';
import { pushEvent } from './runner/index.ts';

const action = '/actions/detect-drift@v1';
const main = filesOf('examples/drift');
const shifted = String(main['data/shifted-week.csv']);

test('a usual week passes, and the pull request hears of it', async () => {
  await using scene = await Scene.open({ main, change: {} });
  const outcome = await scene.run({ action });

  expect(gateOutputs(outcome), outcome.transcript).toMatchObject({
    conclusion: 'passed',
    drift: 'none',
    'drifted-columns': '[]',
    failed: 0,
  });
  expect(outcome.outputs.get('files')?.['written']).toContain('report.html');
  expect(scene.github.comments).toHaveLength(1);
  // What so few rows leave open is no failure.
  expect(scene.github.checkRuns).toMatchObject([{ conclusion: 'neutral' }]);
  expect(scene.github.violations).toEqual([]);
});

test('a file that the workflow names takes the place of the policy, and drift fails the job', async () => {
  await using scene = await Scene.open({ main, change: {} });
  const inputs = { current: 'data/shifted-week.csv', comment: 'never', 'check-run': 'false' };
  const outcome = await scene.run({ action, inputs, event: pushEvent });

  expect(outcome.job, outcome.transcript).toBe('failure');
  const outputs = gateOutputs(outcome);
  expect(outputs).toMatchObject({ conclusion: 'failed', drift: 'fail' });
  expect(JSON.parse(String(outputs['drifted-columns']))).toContain('mean radius');
  expect(outcome.summary).toContain('mean radius');
});

test("a pull request that brings drifted data, and bounds that would let it through, is judged by the base's", async () => {
  const policy = String(main['sluice.yaml']).replace('fail: 0.25 }\n  ks', 'fail: 99 }\n  ks');
  await using scene = await Scene.open({ main, change: { 'data/usual-week.csv': shifted, 'sluice.yaml': policy } });
  const outcome = await scene.run({ action });

  expect(policy).not.toBe(String(main['sluice.yaml']));
  expect(outcome.job, outcome.transcript).toBe('failure');
  expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'failed', drift: 'fail' });
  expect(outcome.summary).toContain('drift.psi.fail');
});

test('the pull-request gate checks for drift where the policy names both files', async () => {
  await using scene = await Scene.open({ main, change: { 'data/usual-week.csv': shifted } });
  const outcome = await scene.run({});

  expect(outcome.job, outcome.transcript).toBe('failure');
  expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'failed' });
  expect(outcome.summary).toContain('mean radius');
});
