import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { zipArchive } from '../github/stand-ins.ts';
import { gateOutputs, Scene } from './gate-run.ts';
import { type Account, fullPermissions, readOnlyPermissions } from './github/index.ts';
import { pullRequestEvent, workflowRunEvent } from './runner/index.ts';

const policy = `version: 1
data:
  - source: data.csv
    checks:
      - row_count: { min: 2 }
      - not_null: { columns: [age] }
`;
const main = { 'sluice.yaml': policy, 'data.csv': 'age,country\n31,KR\n42,US\n' };
const broken = { 'data.csv': 'age,country\n,<img src=x> @acme/owners\n42,US\n' };
const stranger: Account = { login: 'stranger', id: 13, type: 'User' };
const run = 17;

const publishing = `
on: workflow_run
permissions: { actions: read, checks: write, pull-requests: write }
jobs:
  publish:
    runs-on: ubuntu-latest
    steps:
      - uses: sluice-ml/sluice/actions/publish-report@v1
        id: gate
`;

/** A fork's pull request: judged with the token a fork gets, and then published by the default branch's workflow. */
async function judgedAndPublished(change: Readonly<Record<string, string>>, forged?: (report: string) => string) {
  const files = await mkdtemp(join(tmpdir(), 'sluice-fork-'));
  try {
    await using gated = await Scene.open({ main, change }, { permissions: readOnlyPermissions });
    const judged = await gated.run({
      event: (project) => pullRequestEvent(project, { fork: true }),
      inputs: { 'report-directory': files },
    });
    expect(gated.github.comments, judged.transcript).toEqual([]);
    const report = await readFile(join(files, 'report.json'), 'utf8');

    await using scene = await gated.elsewhere({ permissions: { ...fullPermissions, actions: 'read' } });
    scene.github.pullRequests.push({
      number: gated.project.pullRequest,
      headSha: gated.project.headSha,
      headRef: 'change',
      headRepository: 'stranger/churn',
      baseSha: gated.project.baseSha,
      author: stranger,
      files: ['CHANGED.md', ...Object.keys(change)],
    });
    scene.github.artifacts.push({
      id: 5,
      run,
      name: 'sluice-report',
      archive: zipArchive([{ name: 'report.json', content: (forged ?? String)(report) }]),
    });
    const published = await scene.run({
      workflow: publishing,
      event: (project) => workflowRunEvent(project, { run, fork: true }),
    });
    const { comments, checkRuns, violations } = scene.github;
    return { judged, published, comments, checkRuns, violations, headSha: gated.project.headSha };
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}

describe("actions/publish-report shows a fork's report", () => {
  test('as comment and check on its own commit, though the gate could write neither', async () => {
    const { judged, published, comments, checkRuns, violations, headSha } = await judgedAndPublished(broken);

    expect(gateOutputs(judged), judged.transcript).toMatchObject({ conclusion: 'failed', 'comment-id': '' });
    expect(published.job, published.transcript).toBe('success');
    expect(gateOutputs(published)).toMatchObject({ conclusion: 'failed', failed: 1, 'pull-request': 7 });
    expect(comments).toMatchObject([{ issue: 7, author: { login: 'github-actions[bot]' } }]);
    expect(comments[0]?.body).toContain('age not null');
    expect(comments[0]?.body).not.toMatch(/<img|@acme\/owners/);
    expect(checkRuns).toMatchObject([
      { headSha, conclusion: 'failure', detailsUrl: expect.stringMatching(/runs\/17$/) },
    ]);
    expect(checkRuns[0]?.annotations).toMatchObject([{ path: 'sluice.yaml', start_line: 6 }]);
    expect(violations).toEqual([]);
  });

  test('and refuses one whose verdict was changed on the way', async () => {
    const { published, comments, checkRuns } = await judgedAndPublished(broken, (report) =>
      report.replace('"verdict": "failed"', '"verdict": "passed"'),
    );
    expect(published.job, published.transcript).toBe('failure');
    expect(published.summary).toContain('does not follow from its checks');
    expect([comments, checkRuns]).toEqual([[], []]);
  });

  test('but lets none through that changed the workflow it was judged by', async () => {
    const { published, comments, checkRuns, violations } = await judgedAndPublished({
      '.github/workflows/gate.yml': 'on: pull_request\n',
    });
    expect(gateOutputs(published), published.transcript).toMatchObject({ conclusion: 'passed' });
    expect(checkRuns).toMatchObject([{ conclusion: 'action_required' }]);
    expect(comments[0]?.body).toContain('.github/workflows/gate.yml');
    expect(violations).toEqual([]);
  });
});
