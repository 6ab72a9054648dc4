import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { breastCancerMain, breastCancerModel, breastCancerPolicy } from './repository-files.ts';
import { mergeGroupEvent, type Outcome, pullRequestEvent, pushEvent } from './runner/index.ts';

const main = breastCancerMain();
const policyLines = breastCancerPolicy.split('\n');

function lineOf(text: string): number {
  return policyLines.findIndex((line) => line.includes(text)) + 1;
}

describe.each([
  { candidate: 'good', conclusion: 'passed', check: ['success', 'neutral'] },
  { candidate: 'uncertain', conclusion: 'passed', check: ['neutral'] },
  { candidate: 'worse', conclusion: 'failed', check: ['failure'] },
] as const)('the $candidate candidate of the breast-cancer example', ({ candidate, conclusion, check }) => {
  let scene: Scene;
  let outcome: Outcome;
  beforeAll(async () => {
    scene = await Scene.open({ main, change: { 'models/model.onnx': breastCancerModel(candidate) } });
    outcome = await scene.run();
  });
  afterAll(() => scene[Symbol.asyncDispose]());

  test(`ends as ${conclusion}`, () => {
    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion, errors: 0 });
    expect(outcome.job).toBe(conclusion === 'passed' ? 'success' : 'failure');
  });

  test('is counted in the outputs', () => {
    const outputs = gateOutputs(outcome);
    expect(outputs['passed']).toBeGreaterThan(10);
    if (candidate === 'good') expect(outputs).toMatchObject({ failed: 0 });
    if (candidate === 'uncertain') {
      expect(outputs).toMatchObject({ failed: 0 });
      expect(outputs['inconclusive']).toBeGreaterThan(0);
    }
    if (candidate === 'worse') expect(outputs['failed']).toBeGreaterThan(0);
  });

  test('is told in one comment, by its commit, in the summary and in the files of the report', () => {
    expect(scene.github.comments).toHaveLength(1);
    const [comment] = scene.github.comments;
    expect(comment?.body).toContain(scene.project.headSha);
    expect(comment?.id).toBe(gateOutputs(outcome)['comment-id']);
    expect(outcome.summary).toContain(scene.project.headSha);
    expect(outcome.outputs.get('files')?.['written']?.trim().split(' ')).toEqual(
      expect.arrayContaining(['report.html', 'report.json', 'report.md']),
    );
  });

  test('has a check run on the head commit, concluded as it ended, marked on lines of the policy', () => {
    expect(scene.github.checkRuns).toHaveLength(1);
    const [run] = scene.github.checkRuns;
    expect(run).toMatchObject({ headSha: scene.project.headSha, status: 'completed' });
    expect(run?.id).toBe(gateOutputs(outcome)['check-run-id']);
    expect(check).toContain(run?.conclusion);
    for (const annotation of run?.annotations ?? []) {
      expect(annotation.path).toBe('sluice.yaml');
      expect(annotation.start_line).toBeGreaterThan(1);
      expect(annotation.start_line).toBeLessThanOrEqual(policyLines.length);
    }
    if (candidate === 'worse') {
      expect(run?.annotations.filter(({ annotation_level }) => annotation_level === 'failure')).toContainEqual(
        expect.objectContaining({ start_line: lineOf('recall:'), path: 'sluice.yaml' }),
      );
    }
  });

  test('is held against the model of the base branch', () => {
    expect(outcome.summary).toMatch(/baseline|base/i);
    expect(outcome.log).toContain(`Brought the base commit ${scene.project.baseSha.slice(0, 12)} from origin`);
  });

  test('asks nothing of GitHub that its document does not allow', () => {
    expect(scene.github.violations).toEqual([]);
  });
});

describe('a gate that cannot judge', () => {
  test('says where the policy is wrong, and is an error', async () => {
    const policy = breastCancerPolicy.replace('accuracy:', 'accuraccy:');
    await using scene = await Scene.open({ main, change: { 'sluice.yaml': policy } });
    const outcome = await scene.run();

    expect(outcome.job).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'error' });
    expect(outcome.annotations).toContainEqual(
      expect.objectContaining({
        level: 'error',
        file: 'sluice.yaml',
        line: lineOf('accuracy:'),
        message: expect.stringMatching(/accuraccy.*accuracy/s),
      }),
    );
    expect(outcome.summary).toContain('accuraccy');
    expect(scene.github.violations).toEqual([]);
  });

  test('says which file is missing, keeps what it could judge, and is an error', async () => {
    await using scene = await Scene.open({ main, change: { 'models/model.onnx': undefined } });
    const outcome = await scene.run();

    expect(outcome.job).toBe('failure');
    expect(gateOutputs(outcome)).toMatchObject({ conclusion: 'error' });
    expect(gateOutputs(outcome)['errors']).toBeGreaterThan(0);
    expect(gateOutputs(outcome)['passed']).toBeGreaterThan(0);
    expect(outcome.summary).toContain('models/model.onnx');
    expect(scene.github.violations).toEqual([]);
  });

  test('refuses pull_request_target, with the fix', async () => {
    await using scene = await Scene.open({ main, change: {} });
    const outcome = await scene.run({
      event: (project) => pullRequestEvent(project, { name: 'pull_request_target' }),
    });

    expect(outcome.job).toBe('failure');
    expect(outcome.annotations.map(({ message }) => message).join('\n')).toMatch(
      /pull_request_target[\s\S]*on: pull_request/,
    );
    expect(scene.github.requests).toEqual([]);
  });
});

describe.each([
  ['merge_group', mergeGroupEvent],
  ['push', pushEvent],
] as const)('on %s', (_name, event) => {
  test('the merged commit is judged against its base and has a check run and no comment', async () => {
    await using scene = await Scene.open({ main, change: { 'models/model.onnx': breastCancerModel('worse') } });
    const outcome = await scene.run({ event });

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed' });
    expect(outcome.log).toContain(`Brought the base commit ${scene.project.baseSha.slice(0, 12)}`);
    expect(scene.github.comments).toEqual([]);
    expect(scene.github.checkRuns).toMatchObject([{ headSha: scene.project.mergeSha, conclusion: 'failure' }]);
    expect(scene.github.violations).toEqual([]);
  });
});
