import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { InputError } from '../core/problem/index.ts';
import { readEvent } from './event.ts';

const head = 'a'.repeat(40);
const base = 'b'.repeat(40);
const merge = 'c'.repeat(40);
const none = '0'.repeat(40);

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-event-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

let count = 0;
async function eventOf(name: string, payload: unknown, more: Readonly<Record<string, string>> = {}) {
  const file = join(directory, `${count++}.json`);
  await writeFile(file, JSON.stringify(payload));
  return readEvent({
    GITHUB_EVENT_NAME: name,
    GITHUB_EVENT_PATH: file,
    GITHUB_REPOSITORY: 'acme/models',
    GITHUB_SHA: merge,
    GITHUB_WORKFLOW: 'gate',
    GITHUB_JOB: 'judge',
    GITHUB_RUN_ID: '17',
    ...more,
  });
}

const pullRequest = (headRepository: string | null = 'acme/models') => ({
  pull_request: {
    number: 12,
    head: { sha: head, repo: headRepository === null ? null : { full_name: headRepository } },
    base: { sha: base, repo: { full_name: 'acme/models' } },
  },
});

describe('readEvent', () => {
  test('takes the head of a pull request, not the merge commit that is checked out', async () => {
    expect(await eventOf('pull_request', pullRequest())).toEqual({
      name: 'pull_request',
      repository: 'acme/models',
      headSha: head,
      baseSha: base,
      pullRequest: 12,
      fork: false,
      workflow: 'gate',
      job: 'judge',
      runUrl: 'https://github.com/acme/models/actions/runs/17',
      serverUrl: 'https://github.com',
      apiUrl: 'https://api.github.com',
    });
  });

  test('knows a fork by its repository, also when that is deleted', async () => {
    expect((await eventOf('pull_request', pullRequest('mallory/models'))).fork).toBe(true);
    expect((await eventOf('pull_request', pullRequest(null))).fork).toBe(true);
  });

  test('reads the commits of a merge group', async () => {
    const event = await eventOf('merge_group', { merge_group: { head_sha: head, base_sha: base } });
    expect(event).toMatchObject({ headSha: head, baseSha: base, fork: false });
    expect(event.pullRequest).toBeUndefined();
  });

  test('holds a push against what was there before', async () => {
    expect(await eventOf('push', { before: base, after: head })).toMatchObject({ headSha: head, baseSha: base });
  });

  test('a new branch, a schedule and a manual start have no base', async () => {
    expect((await eventOf('push', { before: none, after: head })).baseSha).toBeUndefined();
    for (const name of ['schedule', 'workflow_dispatch', 'repository_dispatch']) {
      const event = await eventOf(name, { schedule: '0 0 * * *' });
      expect(event.baseSha).toBeUndefined();
      expect(event.headSha).toBe(merge);
    }
  });

  test('follows a GitHub Enterprise Server', async () => {
    const more = { GITHUB_SERVER_URL: 'https://git.acme.test', GITHUB_API_URL: 'https://git.acme.test/api/v3' };
    expect(await eventOf('pull_request', pullRequest(), more)).toMatchObject({
      serverUrl: 'https://git.acme.test',
      apiUrl: 'https://git.acme.test/api/v3',
      runUrl: 'https://git.acme.test/acme/models/actions/runs/17',
    });
  });

  test.each(['pull_request_target', 'workflow_run', 'issue_comment'])(
    'refuses %s and says what to use',
    async (name) => {
      await expect(eventOf(name, pullRequest())).rejects.toThrow(InputError);
      await expect(eventOf(name, pullRequest())).rejects.toThrow(/on: pull_request"/);
    },
  );

  test.each([
    ['an option', '--upload-pack=touch x'],
    ['a branch', 'main'],
    ['a short id', 'abc123'],
    ['a number', 5],
    ['two commits', `${base} ${head}`],
    ['a line break', `${base}\n`],
  ])('refuses %s in the place of a commit', async (_what, sha) => {
    const payload = pullRequest();
    const crafted = { pull_request: { ...payload.pull_request, base: { sha, repo: null } } };
    await expect(eventOf('pull_request', crafted)).rejects.toThrow(/pull_request\.base\.sha is not a commit/);
  });

  test('a pull request event without its commits is an error, not a run without a base', async () => {
    await expect(eventOf('pull_request', {})).rejects.toThrow(/head and base commits/);
    await expect(eventOf('merge_group', {})).rejects.toThrow(/does not name its commits/);
  });

  test('outside of GitHub Actions it names the command to use', async () => {
    await expect(readEvent({})).rejects.toThrow(/sluice gate --base main/);
  });

  test('says where a payload that is not JSON is', async () => {
    const file = join(directory, 'broken.json');
    await writeFile(file, '{');
    const env = { GITHUB_EVENT_NAME: 'push', GITHUB_EVENT_PATH: file, GITHUB_REPOSITORY: 'acme/models' };
    await expect(readEvent(env)).rejects.toThrow(/broken\.json/);
  });

  test('refuses a repository that is not owner/name', async () => {
    await expect(eventOf('push', {}, { GITHUB_REPOSITORY: '../../evil' })).rejects.toThrow(/owner\/name/);
  });
});
