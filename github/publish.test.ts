import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { assembleReport, type Check, type Report } from '../core/report/index.ts';
import { type Answer, ApiStandIn, notFound, notPermitted, type Received, secondaryLimit } from './api-stand-in.ts';
import { commentMarker } from './comment.ts';
import type { GitHubEvent } from './event.ts';
import { type PublishOptions, publishReport } from './publish.ts';
import { recordingHost } from './recording-host.ts';

const head = 'a'.repeat(40);
const event: GitHubEvent = {
  name: 'pull_request',
  repository: 'acme/models',
  headSha: head,
  baseSha: 'b'.repeat(40),
  pullRequest: 12,
  fork: false,
  workflow: 'gate',
  job: 'judge',
  runUrl: 'https://github.com/acme/models/actions/runs/17',
  serverUrl: 'https://github.com',
  apiUrl: 'https://api.github.com',
};
const marker = commentMarker(['gate', 'judge', '', 'ml/sluice.yaml', 'churn']);

function check(id: string, status: Check['status'], more: Partial<Check> = {}): Check {
  return {
    id,
    title: `${id} ≥ 0.90`,
    section: 'gate',
    status,
    message: `${id} is 0.871.`,
    observed: 0.871,
    bound: { kind: 'min', value: 0.9 },
    place: { file: 'ml/sluice.yaml', line: 7, column: 5 },
    ...more,
  };
}
function reportOf(checks: readonly Check[]): Report {
  return assembleReport({
    tool: { name: 'sluice', version: '0.1.0' },
    name: 'churn',
    checks,
    figures: [],
    notices: [],
    policy: {
      file: 'ml/sluice.yaml',
      origin: 'base-and-head',
      evidence: 0.9,
      onInconclusive: 'warn',
      differences: [],
    },
    sources: [],
    commit: { head, base: 'b'.repeat(40) },
    environment: { platform: 'linux-x64', cpu: 'cpu', node: '24.0.0' },
  });
}
const failed = reportOf([check('gate/accuracy/min', 'fail'), check('gate/recall/min', 'pass')]);
const passed = reportOf([check('gate/accuracy/min', 'pass')]);

interface StoredComment {
  readonly id: number;
  body: string;
  readonly user: { readonly login: string; readonly type: string };
}

const bot = { login: 'github-actions[bot]', type: 'Bot' };
const mallory = { login: 'mallory', type: 'User' };

/** GitHub, as far as publishing goes; `override` answers first. */
class Repository {
  readonly comments: StoredComment[] = [];
  readonly checkRuns: { name: string; head_sha: string; conclusion: string; annotations: unknown[] }[] = [];
  identity = bot;
  viewer: string | undefined;
  override: (request: Received) => Answer | undefined = () => undefined;

  readonly answer = (request: Received): Answer => {
    const over = this.override(request);
    if (over !== undefined) return over;
    const { method, body } = request;
    const url = new URL(request.url, 'http://api.test');
    const sent = body as {
      body: string;
      output: { annotations: unknown[] };
      conclusion: string;
      head_sha: string;
      name: string;
    };
    if (url.pathname === '/user') {
      return this.identity.type === 'User' ? { body: this.identity } : notPermitted;
    }
    if (url.pathname === '/graphql') {
      return this.viewer === undefined ? notPermitted : { body: { data: { viewer: { login: this.viewer } } } };
    }
    if (url.pathname === '/repos/acme/models/issues/12/comments') {
      if (method === 'POST') {
        const made = { id: 900 + this.comments.length, body: sent.body, user: this.identity };
        this.comments.push(made);
        return { status: 201, body: made };
      }
      const page = Number(url.searchParams.get('page') ?? 1);
      const size = Number(url.searchParams.get('per_page') ?? 30);
      const next = `<http://${request.headers.host}${url.pathname}?per_page=${size}&page=${page + 1}>; rel="next"`;
      return {
        body: this.comments.slice((page - 1) * size, page * size),
        ...(page * size < this.comments.length ? { headers: { link: next } } : {}),
      };
    }
    const comment = /^\/repos\/acme\/models\/issues\/comments\/(\d+)$/.exec(url.pathname);
    if (comment !== null && method === 'PATCH') {
      const found = this.comments.find(({ id }) => id === Number(comment[1]));
      if (found === undefined) return notFound;
      found.body = sent.body;
      return { body: found };
    }
    if (url.pathname === '/repos/acme/models/check-runs' && method === 'POST') {
      this.checkRuns.push({
        name: sent.name,
        head_sha: sent.head_sha,
        conclusion: sent.conclusion,
        annotations: [...sent.output.annotations],
      });
      return { status: 201, body: { id: this.checkRuns.length } };
    }
    const run = /^\/repos\/acme\/models\/check-runs\/(\d+)$/.exec(url.pathname);
    if (run !== null && method === 'PATCH') {
      this.checkRuns[Number(run[1]) - 1]?.annotations.push(...sent.output.annotations);
      return { body: { id: Number(run[1]) } };
    }
    return { status: 500, body: { message: `not expected: ${method} ${request.url}` } };
  };
}

let directory = '';
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-publish-'));
});
afterAll(() => rm(directory, { recursive: true, force: true }));

/** Publishes, and gives back what GitHub and the log hold afterwards. */
async function publish(
  report: Report,
  repository = new Repository(),
  more: Partial<PublishOptions> = {},
  waitSeconds = 60,
) {
  await using api = await ApiStandIn.start(repository.answer);
  const host = recordingHost();
  await publishReport(
    report,
    {
      directory,
      policyFile: 'ml/sluice.yaml',
      comment: 'always',
      checkRun: true,
      token: 'ghs_test',
      event,
      api: api.api(waitSeconds),
      ...more,
    },
    host,
  );
  return { repository, host, api, warnings: host.of('warning'), outputs: host.of('output') };
}

describe('the comment', () => {
  const only = { checkRun: false };

  test('is made once and updated by the next run', async () => {
    const repository = new Repository();
    const first = await publish(failed, repository, only);
    expect(first.outputs).toContain('comment-id=900');
    const second = await publish(passed, repository, only);
    expect(second.outputs).toContain('comment-id=900');
    expect(repository.comments).toHaveLength(1);
    expect(repository.comments[0]?.body.startsWith(`${marker}\n## ✅ Sluice: passed`)).toBe(true);
    expect(repository.comments[0]?.body).toContain(`Commit ${head}`);
    expect(repository.comments[0]?.body).toContain(event.runUrl);
  });

  test("someone else's comment with the marker is left alone", async () => {
    const repository = new Repository();
    repository.comments.push({ id: 1, body: `${marker}\nAll good!`, user: mallory });
    await publish(failed, repository, only);
    expect(repository.comments.map(({ body }) => body.split('\n')[1])).toEqual([
      'All good!',
      '## ❌ Sluice: failed · churn',
    ]);
  });

  test("the bot's own comment that only quotes the marker is left alone", async () => {
    const repository = new Repository();
    repository.comments.push({ id: 1, body: `> ${marker}\nquoted`, user: bot });
    await publish(failed, repository, only);
    expect(repository.comments[0]?.body).toBe(`> ${marker}\nquoted`);
    expect(repository.comments).toHaveLength(2);
  });

  test('is found behind hundreds of others', async () => {
    const repository = new Repository();
    for (let id = 1; id <= 250; id++) repository.comments.push({ id, body: 'talk', user: mallory });
    repository.comments.push({ id: 251, body: `${marker}\nold`, user: bot });
    const { outputs } = await publish(failed, repository, only);
    expect(outputs).toContain('comment-id=251');
    expect(repository.comments).toHaveLength(251);
  });

  test("follows a person's token by that person's name, not the bot's", async () => {
    const repository = new Repository();
    repository.identity = { login: 'ada', type: 'User' };
    repository.comments.push({ id: 1, body: `${marker}\nby the bot`, user: bot });
    repository.comments.push({ id: 2, body: `${marker}\nby ada`, user: { login: 'ada', type: 'User' } });
    const { outputs } = await publish(failed, repository, only);
    expect(outputs).toContain('comment-id=2');
    expect(repository.comments[0]?.body).toBe(`${marker}\nby the bot`);
  });

  test("follows an app's token by the name GraphQL tells", async () => {
    const repository = new Repository();
    repository.identity = { login: 'acme-ci[bot]', type: 'Bot' };
    repository.viewer = 'acme-ci';
    repository.comments.push({ id: 2, body: `${marker}\nold`, user: repository.identity });
    expect((await publish(failed, repository, only)).outputs).toContain('comment-id=2');
  });

  test("another bot's comment is left alone when nobody says that it is this token's", async () => {
    const repository = new Repository();
    repository.comments.push({ id: 2, body: `${marker}\nechoed`, user: { login: 'echo[bot]', type: 'Bot' } });
    await publish(failed, repository, only);
    expect(repository.comments[0]?.body).toBe(`${marker}\nechoed`);
    expect(repository.comments).toHaveLength(2);
  });

  test('on-failure: nothing for a pass, a comment for a failure, and that one is turned to passed', async () => {
    const repository = new Repository();
    const options = { ...only, comment: 'on-failure' } as const;
    expect((await publish(passed, repository, options)).outputs).toContain('comment-id=');
    expect(repository.comments).toHaveLength(0);
    await publish(failed, repository, options);
    await publish(passed, repository, options);
    expect(repository.comments.map(({ body }) => body.includes('Sluice: passed'))).toEqual([true]);
  });

  test('never: GitHub is not asked', async () => {
    const { api } = await publish(failed, new Repository(), { ...only, comment: 'never' });
    expect(api.received).toEqual([]);
  });

  test('parts, policies, jobs and workflows keep comments of their own', async () => {
    const repository = new Repository();
    await publish(failed, repository, only);
    await publish(failed, repository, { ...only, part: 'data' });
    await publish(failed, repository, { ...only, policyFile: 'other.yaml' });
    await publish(failed, repository, { ...only, event: { ...event, job: 'other' } });
    await publish(failed, repository, { ...only, event: { ...event, workflow: 'other' } });
    expect(repository.comments).toHaveLength(5);
  });

  test('policies of one file name in two folders keep comments of their own, and each run finds its own again', async () => {
    const repository = new Repository();
    const folder = (name: string) => ({ ...only, directory: join(directory, name), policyFile: 'sluice.yaml' });
    vi.stubEnv('GITHUB_WORKSPACE', directory);
    try {
      for (const name of ['fraud', 'churn']) await mkdir(join(directory, name), { recursive: true });
      const fraud = await publish(failed, repository, folder('fraud'));
      const churn = await publish(passed, repository, folder('churn'));
      expect([fraud, churn].map(({ outputs }) => outputs.find((line) => line.startsWith('comment-id')))).toEqual([
        'comment-id=900',
        'comment-id=901',
      ]);
      // However the step writes the path.
      const again = await publish(passed, repository, { ...only, policyFile: './fraud/../fraud/sluice.yaml' });
      expect(again.outputs).toContain('comment-id=900');
      expect(repository.comments.map(({ body }) => body.includes('Sluice: passed'))).toEqual([true, true]);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  test('stays within 65,536 bytes, marker included, whatever the report holds', async () => {
    const repository = new Repository();
    const title = '𝕏'.repeat(100);
    const checks = Array.from({ length: 2000 }, (_, index) => check(`gate/accuracy/${index}`, 'fail', { title }));
    const { warnings } = await publish(reportOf(checks), repository, only);
    const body = repository.comments[0]?.body ?? '';
    expect(warnings).toEqual([]);
    expect(Buffer.byteLength(body)).toBeLessThanOrEqual(65_536);
    expect(Buffer.byteLength(body)).toBeGreaterThan(20_000);
    expect(body).toMatch(/1,\d{3} more checks/);
  });

  test('is not repeated when GitHub made it and answered 502', async () => {
    const repository = new Repository();
    let once = true;
    repository.override = (request) => {
      if (request.method !== 'POST' || !once) return undefined;
      once = false;
      repository.comments.push({ id: 77, body: (request.body as { body: string }).body, user: bot });
      return { status: 502, body: { message: 'Server Error' } };
    };
    const { outputs, warnings } = await publish(failed, repository, only);
    expect(outputs).toContain('comment-id=77');
    expect(repository.comments).toHaveLength(1);
    expect(warnings).toEqual([]);
  });

  test('there is none without a pull request', async () => {
    const { pullRequest: _, ...push } = event;
    const { api, warnings } = await publish(failed, new Repository(), { ...only, event: { ...push, name: 'push' } });
    expect(api.received).toEqual([]);
    expect(warnings).toEqual([]);
  });
});

describe('the check run', () => {
  const only = { comment: 'never' } as const;

  test('stands on the head commit with a mark on the policy line', async () => {
    const { repository, outputs } = await publish(failed, new Repository(), only);
    expect(repository.checkRuns).toEqual([
      {
        name: 'Sluice: churn (ml/sluice.yaml)',
        head_sha: head,
        conclusion: 'failure',
        annotations: [
          {
            path: 'ml/sluice.yaml',
            start_line: 7,
            end_line: 7,
            annotation_level: 'failure',
            title: 'fail: gate/accuracy/min ≥ 0.90',
            message: 'gate/accuracy/min is 0.871.',
          },
        ],
      },
    ]);
    expect(outputs).toContain('check-run-id=1');
  });

  test('of a second policy with the same name has a name of its own, or GitHub would show only the later one', async () => {
    const repository = new Repository();
    for (const policyFile of [
      'sluice.yaml',
      './ml/../sluice.yaml',
      'ml/sluice.yaml',
      'data.yaml',
      `${'d/'.repeat(90)}p.yaml`,
    ]) {
      await publish(passed, repository, { ...only, policyFile });
    }
    await publish(passed, repository, { ...only, policyFile: 'data.yaml', part: 'data' });
    expect(repository.checkRuns.map(({ name }) => name)).toEqual([
      'Sluice: churn',
      'Sluice: churn',
      'Sluice: churn (ml/sluice.yaml)',
      'Sluice: churn (data.yaml)',
      `Sluice: churn (…/${'d/'.repeat(56)}p.yaml)`,
      'Sluice data: churn (data.yaml)',
    ]);
  });

  test.each([
    ['success', [check('a', 'pass'), check('b', 'warn'), check('c', 'waived')]],
    ['neutral', [check('a', 'pass'), check('b', 'inconclusive')]],
    ['failure', [check('a', 'fail')]],
    ['failure', [check('a', 'pass'), check('b', 'error')]],
    ['failure', []],
  ] as const)('concludes %s', async (conclusion, checks) => {
    const { repository } = await publish(reportOf(checks), new Repository(), only);
    expect(repository.checkRuns[0]?.conclusion).toBe(conclusion);
  });

  test('brings more than 50 annotations in batches, the worst first', async () => {
    const checks = [
      ...Array.from({ length: 60 }, (_, index) => check(`warned/${index}`, 'warn')),
      ...Array.from({ length: 60 }, (_, index) => check(`failed/${index}`, 'fail')),
    ];
    const { repository, api } = await publish(reportOf(checks), new Repository(), only);
    const batches = api.received.map(
      ({ body }) => (body as { output: { annotations: readonly unknown[] } }).output.annotations.length,
    );
    expect(batches).toEqual([50, 50, 20]);
    const levels = repository.checkRuns[0]?.annotations.map(
      (annotation) => (annotation as { annotation_level: string }).annotation_level,
    );
    expect(levels).toEqual([...Array(60).fill('failure'), ...Array(60).fill('warning')]);
  });

  test('a place outside of the repository is shown on the first line of the policy', async () => {
    const checks = [check('a', 'error', { place: { file: '../../data.csv', line: 3 } })];
    const { repository } = await publish(reportOf(checks), new Repository(), only);
    expect(repository.checkRuns[0]?.annotations).toMatchObject([{ path: 'ml/sluice.yaml', start_line: 1 }]);
  });

  test('hostile text has no control characters in an annotation', async () => {
    const checks = [check('a', 'fail', { title: 'x\u202e\n::error::', message: '\u001b[31mred\r\n' })];
    const { repository } = await publish(reportOf(checks), new Repository(), only);
    expect(repository.checkRuns[0]?.annotations).toMatchObject([
      { title: 'fail: x\\u{202e}\\u{a}::error::', message: '\\u{1b}[31mred\\u{d}\\u{a}' },
    ]);
  });
});

describe('what GitHub refuses', () => {
  test('without permissions there are two warnings that name them, and everything else is as ever', async () => {
    const repository = new Repository();
    repository.override = ({ method }) => (method === 'GET' ? undefined : notPermitted);
    const { warnings, outputs, host } = await publish(failed, repository);
    expect(warnings).toEqual([
      expect.stringContaining('permissions: pull-requests: write'),
      expect.stringContaining('permissions: checks: write'),
    ]);
    expect(outputs).toContain('conclusion=failed');
    expect(outputs).toContain('failed=1');
    expect(host.of('summary')[0]).toContain('Sluice: failed');
  });

  test("a fork's token is named as what it is", async () => {
    const repository = new Repository();
    repository.override = ({ method }) => (method === 'GET' ? undefined : notPermitted);
    const { warnings } = await publish(failed, repository, { event: { ...event, fork: true } });
    expect(warnings[0]).toContain("the token of a fork's pull request only reads");
    expect(warnings[0]).not.toContain('Give the job');
  });

  test.each([
    ['404 of a private repository', notFound, /permissions: pull-requests: write/],
    ['401', { status: 401, body: { message: 'Bad credentials' } }, /does not accept the token \(401\)/],
    [
      '422',
      { status: 422, body: { message: 'Validation Failed', errors: [{ message: 'Could not be saved' }] } },
      /GitHub answered 422 \(Validation Failed: .*Could not be saved/,
    ],
    ['5xx that stays', { status: 503, body: { message: 'Unavailable' } }, /GitHub answered 503 \(Unavailable/],
  ] as const)('%s is a warning', async (_what, answer, message) => {
    const repository = new Repository();
    repository.override = () => answer;
    const { warnings, outputs } = await publish(failed, repository, { checkRun: false });
    expect(warnings).toEqual([expect.stringMatching(message)]);
    expect(outputs).toContain('conclusion=failed');
  });

  test('a 5xx that passes is tried again', async () => {
    const repository = new Repository();
    let left = 2;
    repository.override = ({ method }) =>
      method === 'POST' && left-- > 0 ? { status: 502, body: { message: 'Server Error' } } : undefined;
    const { warnings } = await publish(failed, repository, { comment: 'never' });
    expect(warnings).toEqual([]);
    expect(repository.checkRuns).toHaveLength(1);
  });

  test('a secondary rate limit is waited for as long as GitHub says', async () => {
    const repository = new Repository();
    let left = 2;
    repository.override = ({ method }) => (method === 'POST' && left-- > 0 ? secondaryLimit : undefined);
    const { warnings, outputs } = await publish(failed, repository, { checkRun: false }, 14);
    expect(warnings).toEqual([]);
    expect(outputs).toContain('comment-id=900');
  });

  test('a rate limit that does not lift is a warning once the time for waiting is used up', async () => {
    const repository = new Repository();
    repository.override = () => secondaryLimit;
    const { warnings, api } = await publish(failed, repository, {}, 14);
    expect(warnings).toEqual([expect.stringMatching(/rate limit/), expect.stringMatching(/rate limit/)]);
    // Twice seven seconds fit; the purse is the client's, so the check run does not wait again.
    expect(api.received).toHaveLength(4);
  });

  test('a network that is off is a warning', async () => {
    await using gone = await ApiStandIn.start(() => notFound);
    const api = gone.api();
    await gone[Symbol.asyncDispose]();
    const { warnings, outputs } = await publish(failed, new Repository(), { api, checkRun: false });
    expect(warnings).toEqual([expect.stringMatching(/GitHub could not be reached/)]);
    expect(outputs).toContain('conclusion=failed');
  });

  test('without a token that is said, and the summary is there', async () => {
    const host = recordingHost();
    await publishReport(
      failed,
      { directory, policyFile: 'sluice.yaml', comment: 'always', checkRun: true, event },
      host,
    );
    expect(host.of('warning')).toEqual([
      expect.stringContaining('"token" is empty'),
      expect.stringContaining('"token" is empty'),
    ]);
    expect(host.of('summary')).toHaveLength(1);
  });
});

describe('what does not need GitHub', () => {
  const local = { comment: 'never', checkRun: false } as const;

  test('the log says what is done: publish in a job, write on a laptop, nothing where there is nothing to write', async () => {
    const groups = async (more: Partial<PublishOptions>) =>
      (await publish(passed, new Repository(), { ...local, ...more })).host.of('group');
    expect(await groups({ reportDirectory: 'said' })).toEqual(['Publish the report']);
    expect(await groups({ reportDirectory: 'said', event: undefined })).toEqual(['Write the report']);
    expect(await groups({ event: undefined })).toEqual([]);
  });

  test('counts and paths are outputs', async () => {
    const checks = [check('a', 'pass'), check('b', 'warn'), check('c', 'waived'), check('d', 'inconclusive')];
    const { outputs } = await publish(reportOf(checks), new Repository(), { ...local, reportDirectory: 'out' });
    expect(outputs).toEqual([
      'conclusion=passed',
      'passed=1',
      'failed=0',
      'warned=1',
      'inconclusive=1',
      'waived=1',
      'skipped=0',
      'errors=0',
      `report-path=${join(directory, 'out')}`,
      'comment-id=',
      'check-run-id=',
    ]);
    expect((await readdir(join(directory, 'out'))).sort()).toEqual([
      'report.html',
      'report.json',
      'report.junit.xml',
      'report.md',
      'report.sarif',
    ]);
  });

  test('no files without a folder for them', async () => {
    const { outputs } = await publish(passed, new Repository(), local);
    expect(outputs).toContain('report-path=');
  });

  test('a folder that cannot be made is an error, after the rest was published', async () => {
    await writeFile(join(directory, 'taken'), '');
    const repository = new Repository();
    await expect(publish(failed, repository, { reportDirectory: 'taken' })).rejects.toThrow(
      /report directory is a file/,
    );
    expect(repository.comments).toHaveLength(1);
    expect(repository.checkRuns).toHaveLength(1);
  });

  test('a summary that cannot be written is a warning', async () => {
    const host = {
      ...recordingHost(),
      summary: async () => {
        throw new Error('disk full');
      },
    };
    await publishReport(failed, { directory, policyFile: 'sluice.yaml', ...local }, host);
    expect(host.of('warning')).toEqual([expect.stringContaining('disk full')]);
  });

  test('the summary stays far under 1 MiB', async () => {
    const message = 'é'.repeat(4000);
    const checks = Array.from({ length: 3000 }, (_, index) => check(`gate/accuracy/${index}`, 'fail', { message }));
    const { host } = await publish(reportOf(checks), new Repository(), local);
    expect(Buffer.byteLength(host.of('summary')[0] ?? '')).toBeLessThan(1_000_001);
  });
});
