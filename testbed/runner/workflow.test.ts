import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { GitHubApi } from '../github/index.ts';
import { mergeGroupEvent, networkCanBeTaken, Project, pullRequestEvent, pushEvent, runWorkflow } from './index.ts';

const action = `
name: probe
description: Shows what an action sees and can do
outputs: { seen: { description: What it saw } }
runs: { using: node24, main: main.mjs }
`;
const main = String.raw`
import fs from 'node:fs';
console.log('node ' + process.version + ' ' + fs.existsSync('README.md'));
console.log('::error file=sluice.yaml,line=3,title=Gate::too%0Alow');
console.log('::stop-commands::word');
console.log('::warning::not obeyed');
console.log(' ::warning::not obeyed by GitHub either');
console.log('::word::');
console.log(' ::notice::indented');
console.log('text ##[error]old style');
const seen = { event: process.env.GITHUB_EVENT_NAME, repository: process.env.GITHUB_REPOSITORY, sha: process.env.GITHUB_SHA };
try { seen.github = (await fetch(process.env.GITHUB_API_URL + '/unknown')).status; } catch { seen.github = 'unreachable'; }
try { seen.world = (await fetch(process.env.WORLD ?? 'http://192.0.2.1/', { signal: AbortSignal.timeout(2000) })).status; } catch { seen.world = 'unreachable'; }
fs.appendFileSync(process.env.GITHUB_OUTPUT, 'seen<<END\n' + JSON.stringify(seen) + '\nEND\n');
fs.appendFileSync(process.env.GITHUB_STEP_SUMMARY, '# Summary\n');
process.exitCode = 1;
`;
const workflow = `
on: [pull_request, merge_group, push]
jobs:
  job:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - { uses: sluice-ml/sluice@v1, id: probe }
      - { run: echo never, id: never }
`;

let kit: string;
let project: Project;
let github: GitHubApi;

beforeAll(async () => {
  kit = mkdtempSync(join(tmpdir(), 'sluice-probe-'));
  writeFileSync(join(kit, 'action.yml'), action);
  writeFileSync(join(kit, 'main.mjs'), main);
  project = new Project({ main: {}, change: {} });
  github = await GitHubApi.start({ repository: project.repository, gitDirectory: project.origin });
});
afterAll(async () => {
  rmSync(kit, { recursive: true });
  project.remove();
  await github.close();
});

describe('a workflow on the runner', () => {
  test('leaves outputs, summary, annotations, step results and commands to be read', async () => {
    const outcome = await runWorkflow({
      ...{ workflow, github, kit, event: pullRequestEvent(project), directory: project.checkout() },
    });

    expect(outcome.exitCode, outcome.transcript).toBe(1);
    expect(outcome.job).toBe('failure');
    expect(outcome.steps.get('probe')).toBe('failure');
    expect(outcome.steps.get('never')).not.toBe('success');
    expect(outcome.summary).toBe('# Summary\n');
    expect(outcome.annotations).toEqual([
      { level: 'error', message: 'too\nlow', file: 'sluice.yaml', line: 3, title: 'Gate' },
    ]);
    expect(outcome.commands.map(({ name }) => name)).not.toContain('warning');
    expect(outcome.smuggled).toEqual([' ::notice::indented\n', 'text ##[error]old style\n']);
    expect(outcome.log).toContain(`node ${process.version} true`);
  });

  test.runIf(networkCanBeTaken)('reaches the GitHub stand-in and nothing else when the network is off', async () => {
    const world = await GitHubApi.start({ repository: project.repository, gitDirectory: project.origin });
    const run = {
      ...{ workflow, github, kit, event: pullRequestEvent(project), directory: project.checkout() },
      env: { WORLD: `${world.url}/` },
    };
    const off = JSON.parse((await runWorkflow(run)).outputs.get('probe')?.['seen'] ?? '{}') as unknown;
    const on = JSON.parse(
      (await runWorkflow({ ...run, network: 'on' })).outputs.get('probe')?.['seen'] ?? '{}',
    ) as unknown;
    await world.close();

    expect(off).toMatchObject({ github: 404, world: 'unreachable' });
    expect(on).toMatchObject({ github: 404, world: 404 });
  });

  test.each([
    ['pull_request', pullRequestEvent],
    ['merge_group', mergeGroupEvent],
    ['push', pushEvent],
  ] as const)('is started by %s in the repository of the pull request', async (name, eventOf) => {
    const outcome = await runWorkflow({
      ...{ workflow, github, kit, event: eventOf(project), directory: project.checkout() },
    });

    expect(JSON.parse(outcome.outputs.get('probe')?.['seen'] ?? outcome.transcript)).toMatchObject({
      event: name,
      repository: 'acme/churn',
      sha: project.mergeSha,
    });
  });
});
