import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { GitHubEvent } from '../../github/index.ts';
import { holderOf, rolloutIdOf, whoOf } from './rollout-id.ts';

const event: GitHubEvent = {
  name: 'push',
  repository: 'acme/churn',
  headSha: 'ab'.repeat(20),
  fork: false,
  workflow: 'canary',
  job: 'canary',
  runUrl: 'https://github.com/acme/churn/actions/runs/17',
  serverUrl: 'https://github.com',
  apiUrl: 'https://api.github.com',
};

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-id-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const git = (...parameters: readonly string[]) =>
  execFileSync('git', ['-C', directory, '-c', 'user.name=a', '-c', 'user.email=a@b.c', ...parameters], {
    encoding: 'utf8',
  });

describe('the id of a rollout', () => {
  test('is the one that is given', async () => {
    expect(await rolloutIdOf({ directory, policyFile: 'sluice.yaml', id: 'churn 7' }, {})).toBe('churn 7');
  });

  test.each(['', 'x'.repeat(201), 'a\u0000b', 'a\u202eb'])('is not %j', async (id) => {
    const given = rolloutIdOf({ directory, policyFile: 'sluice.yaml', id }, {});
    await expect(given).rejects.toMatchObject({ problems: [{ code: 'bad-id' }] });
  });

  test("is the repository and the commit of the event, and the policy where it is not the repository's own", async () => {
    git('init', '--quiet');
    await mkdir(join(directory, 'ml'));
    expect(await rolloutIdOf({ directory, policyFile: 'sluice.yaml' }, { event })).toBe('acme/churn@abababababab');
    expect(await rolloutIdOf({ directory, policyFile: 'ml/sluice.yaml' }, { event })).toBe(
      'acme/churn@abababababab:ml/sluice.yaml',
    );
    expect(await rolloutIdOf({ directory: join(directory, 'ml'), policyFile: 'sluice.yaml' }, { event })).toBe(
      'acme/churn@abababababab:ml/sluice.yaml',
    );
  });

  test('outside of GitHub is the folder and the commit that is checked out', async () => {
    git('init', '--quiet');
    git('commit', '--quiet', '--allow-empty', '-m', 'a');
    const sha = git('rev-parse', 'HEAD').slice(0, 12);
    expect(await rolloutIdOf({ directory, policyFile: 'sluice.yaml' }, {})).toBe(`${basename(directory)}@${sha}`);
  });

  test('has to be given where there is no commit', async () => {
    const unknown = rolloutIdOf({ directory, policyFile: 'sluice.yaml' }, {});
    await expect(unknown).rejects.toMatchObject({ problems: [{ code: 'no-id' }] });
  });
});

describe('who runs it', () => {
  test('is named by the page of the run and its attempt, and never twice alike', () => {
    const names = [1, 2].map(() => holderOf({ event }, { GITHUB_RUN_ATTEMPT: '3' }));
    expect(names[0]).toMatch(/^https:\/\/github\.com\/acme\/churn\/actions\/runs\/17 attempt 3 \([0-9a-f]{8}\)$/);
    expect(names[0]).not.toBe(names[1]);
    expect(holderOf({}, {})).toMatch(new RegExp(` on .*, process ${process.pid} \\([0-9a-f]{8}\\)$`));
  });

  test('is the person who started the workflow, or the user of this machine', () => {
    expect(whoOf({ event }, { GITHUB_ACTOR: 'ada', GITHUB_TRIGGERING_ACTOR: 'grace' })).toBe('grace');
    expect(whoOf({ event }, { GITHUB_ACTOR: 'ada' })).toBe('ada');
    expect(whoOf({}, { GITHUB_ACTOR: 'ada' })).not.toBe('ada');
  });
});
