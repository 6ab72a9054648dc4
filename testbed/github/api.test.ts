import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Project } from '../runner/index.ts';
import { actionsBot, GitHubApi, type GitHubApiOptions, pointerTo, readOnlyPermissions, token } from './index.ts';

let project: Project;
let github: GitHubApi;

async function start(options: Partial<GitHubApiOptions> = {}): Promise<GitHubApi> {
  await github?.close();
  github = await GitHubApi.start({ repository: project.repository, gitDirectory: project.origin, ...options });
  return github;
}

async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${github.url}${path}`, {
    method,
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'test', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, json: () => JSON.parse(text) as unknown };
}

const comments = '/repos/acme/churn/issues/7/comments';
const checks = '/repos/acme/churn/check-runs';

beforeEach(async () => {
  project = new Project({ main: { 'a/b.txt': 'one\n', 'large.bin': Buffer.alloc(1_100_000) }, change: {} });
  await start();
});
afterEach(async () => {
  await github.close();
  project.remove();
});

describe('the GitHub stand-in', () => {
  test('remembers comments and lists them in pages', async () => {
    for (let index = 0; index < 3; index++) await call('POST', comments, { body: `comment ${index}` });
    const first = await call('GET', `${comments}?per_page=2`);
    const second = await call('GET', `${comments}?per_page=2&page=2`);

    expect(first.json()).toMatchObject([{ body: 'comment 0', user: { login: actionsBot.login } }, {}]);
    expect(first.headers.get('link')).toContain('rel="next"');
    expect(second.json()).toMatchObject([{ body: 'comment 2' }]);
    expect(github.violations).toEqual([]);
  });

  test('edits a comment in place', async () => {
    const { id } = (await call('POST', comments, { body: 'old' })).json() as { id: number };
    await call('PATCH', `/repos/acme/churn/issues/comments/${id}`, { body: 'new' });

    expect(github.comments).toMatchObject([{ body: 'new', edits: 1 }]);
  });

  test('refuses a comment of more than 65,536 characters', async () => {
    expect((await call('POST', comments, { body: 'x'.repeat(65_536) })).status).toBe(201);
    expect((await call('POST', comments, { body: 'x'.repeat(65_537) })).status).toBe(422);
  });

  test('appends the annotations of an update to a check run', async () => {
    const annotation = { path: 'a', start_line: 1, end_line: 1, annotation_level: 'failure', message: 'm' };
    const output = { title: 't', summary: 's', annotations: Array.from({ length: 50 }, () => annotation) };
    const created = await call('POST', checks, { name: 'gate', head_sha: project.headSha, output });
    const { id } = created.json() as { id: number };
    await call('PATCH', `${checks}/${id}`, { status: 'completed', conclusion: 'failure', output });

    expect(github.checkRuns).toMatchObject([{ conclusion: 'failure', batches: [50, 50] }]);
    expect(github.violations).toEqual([]);
  });

  test.each([
    ['a completed check run without a conclusion', { status: 'completed' }, 'conclusion'],
    ['a conclusion GitHub does not know', { conclusion: 'passed' }, 'conclusion'],
    [
      'more than 50 annotations in one request',
      {
        output: {
          title: 't',
          summary: 's',
          annotations: Array.from({ length: 51 }, () => ({
            path: 'a',
            start_line: 1,
            end_line: 1,
            annotation_level: 'notice',
            message: 'm',
          })),
        },
      },
      'annotations',
    ],
  ])('refuses %s and keeps it as a violation', async (_what, body, word) => {
    const answer = await call('POST', checks, { name: 'gate', head_sha: project.headSha, ...body });

    expect(answer.status).toBe(422);
    expect(github.violations.join('\n')).toContain(word);
    expect(github.checkRuns).toEqual([]);
  });

  test.each([
    ['an unknown path', 'GET', '/repos/acme/churn/nothing'],
    ['an unknown query', 'GET', `${comments}?pages=2`],
    ['a number that is none', 'GET', '/repos/acme/churn/issues/seven/comments'],
    ['another repository', 'GET', '/repos/acme/other/issues/7/comments'],
  ])('keeps %s as a violation', async (_what, method, path) => {
    await call(method, path);

    expect(github.violations).toHaveLength(1);
  });

  test('refuses a token it never gave', async () => {
    expect((await call('GET', comments, undefined, { authorization: 'Bearer other' })).status).toBe(401);
    expect(github.violations).toHaveLength(1);
  });

  test('lets a read-only token read a public repository and write nothing', async () => {
    await start({ permissions: readOnlyPermissions });

    expect((await call('GET', comments)).status).toBe(200);
    const refused = await call('POST', comments, { body: 'x' });
    expect(refused.status).toBe(403);
    expect(refused.text).toContain('Resource not accessible by integration');
    expect((await call('POST', checks, { name: 'gate', head_sha: project.headSha })).status).toBe(403);
    expect(github.violations).toEqual([]);
  });

  test("does not tell a workflow's token who it is, and tells a person's", async () => {
    expect((await call('GET', '/user')).status).toBe(403);
    await start({ account: { login: 'ada', id: 14, type: 'User' } });
    expect((await call('GET', '/user')).json()).toMatchObject({ login: 'ada', id: 14 });
    expect(github.violations).toEqual([]);
  });

  test('answers with a secondary rate limit as often as it is told', async () => {
    await start({ faults: [{ operation: 'issues/create-comment', answer: 'secondary-rate-limit', times: 1 }] });
    const first = await call('POST', comments, { body: 'x' });

    expect(first.status).toBe(403);
    expect(first.headers.get('retry-after')).toBe('1');
    expect(first.text).toContain('secondary rate limit');
    expect((await call('POST', comments, { body: 'x' })).status).toBe(201);
  });

  test("serves a commit's files as JSON, as bytes, and above 1 MB as bytes only", async () => {
    const path = '/repos/acme/churn/contents/a/b.txt';
    const asked = await call('GET', `${path}?ref=${project.baseSha}`);
    const raw = await call('GET', `${path}?ref=${project.baseSha}`, undefined, {
      accept: 'application/vnd.github.raw+json',
    });
    const large = await call('GET', `/repos/acme/churn/contents/large.bin?ref=${project.baseSha}`);

    expect(asked.json()).toMatchObject({ type: 'file', content: Buffer.from('one\n').toString('base64') });
    expect(raw.text).toBe('one\n');
    expect(large.json()).toMatchObject({ content: '', encoding: 'none', size: 1_100_000 });
    expect((await call('GET', '/repos/acme/churn/contents/none.txt')).status).toBe(404);
    const { sha } = large.json() as { sha: string };
    expect((await call('GET', `/repos/acme/churn/git/blobs/${sha}`)).json()).toMatchObject({ size: 1_100_000 });
    expect(github.violations).toEqual([]);
  });

  test('hands out large files by the Git LFS protocol', async () => {
    const content = Buffer.from('large');
    github.addLargeFile(content);
    const oid = /sha256:(\w+)/.exec(pointerTo(content))?.[1] ?? '';
    const media = 'application/vnd.git-lfs+json';
    const batch = await call(
      'POST',
      '/acme/churn.git/info/lfs/objects/batch',
      { operation: 'download', transfers: ['basic'], objects: [{ oid, size: 5 }] },
      {
        accept: media,
        'content-type': media,
        authorization: `Basic ${Buffer.from(`x-access-token:${token}`).toString('base64')}`,
      },
    );
    const { objects } = batch.json() as { objects: { actions: { download: { href: string } } }[] };
    const file = await fetch(objects[0]?.actions.download.href ?? '');

    expect(await file.text()).toBe('large');
    expect(github.violations).toEqual([]);
  });
});
