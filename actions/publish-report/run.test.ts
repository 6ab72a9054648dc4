import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { assembleReport, type Check, renderJson } from '../../core/report/index.ts';
import { type Answer, ApiStandIn, type Received, recordingHost, zipArchive } from '../../github/stand-ins.ts';
import { publishInputsFrom } from './publish-inputs.ts';
import { run } from './run.ts';

const head = 'a'.repeat(40);
const stranger = 'stranger/models';

let directory = '';
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'sluice-publish-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

function check(status: Check['status'], more: Partial<Check> = {}): Check {
  return {
    id: 'gate/accuracy/min',
    title: 'accuracy ≥ 0.9',
    section: 'gate',
    status,
    message: 'accuracy is 0.871 on 300 rows.',
    observed: 0.871,
    bound: { kind: 'min', value: 0.9 },
    place: { file: 'sluice.yaml', line: 7, column: 5 },
    ...more,
  };
}
const reportOf = (checks: readonly Check[], commit = head): string =>
  renderJson(
    assembleReport({
      tool: { name: 'sluice', version: '0.1.0' },
      name: 'churn',
      checks,
      figures: [],
      notices: [],
      policy: { file: 'sluice.yaml', origin: 'base-and-head', evidence: 0.9, onInconclusive: 'warn', differences: [] },
      sources: [],
      commit: { head: commit },
      environment: { platform: 'linux-x64', cpu: 'cpu', node: '24.0.0' },
    }),
  );

interface Scene {
  /** The report.json that the run uploaded; none when undefined. */
  readonly report?: string;
  /** The event's run, beside the usual. */
  readonly run?: object;
  readonly event?: string;
  /** Head commits of the open pull requests from the run's branch. */
  readonly pulls?: readonly { readonly number: number; readonly sha: string }[];
  readonly files?: readonly string[];
  readonly inputs?: Readonly<Record<string, string>>;
  readonly more?: { readonly reportDirectory: string };
  readonly override?: (request: Received) => Answer | undefined;
}

/** A publishing run of a fork's pull request 12, as far as `scene` says nothing else. */
async function publish(scene: Scene) {
  const event = join(directory, 'event.json');
  await writeFile(
    event,
    JSON.stringify({
      action: 'completed',
      workflow_run: {
        id: 17,
        name: 'Gate',
        path: '.github/workflows/gate.yml',
        event: 'pull_request',
        head_sha: head,
        head_branch: 'change',
        head_repository: { full_name: stranger },
        pull_requests: [],
        ...scene.run,
      },
    }),
  );
  const env = {
    GITHUB_EVENT_NAME: scene.event ?? 'workflow_run',
    GITHUB_EVENT_PATH: event,
    GITHUB_REPOSITORY: 'acme/models',
    GITHUB_SHA: 'd'.repeat(40),
    GITHUB_WORKFLOW: 'Publish',
    GITHUB_JOB: 'publish',
    GITHUB_RUN_ID: '18',
  };
  const { pulls = [{ number: 12, sha: head }], files = ['models/churn.onnx'] } = scene;
  const answer = (request: Received): Answer => {
    const own = scene.override?.(request);
    if (own !== undefined) return own;
    const { method, url } = request;
    if (url.includes('/actions/runs/17/artifacts')) {
      const artifacts =
        scene.report === undefined ? [] : [{ id: 5, name: 'sluice-report', size_in_bytes: 900, expired: false }];
      return { body: { total_count: artifacts.length, artifacts } };
    }
    if (url.endsWith('/actions/artifacts/5/zip')) {
      return { body: zipArchive([{ name: 'report.json', content: scene.report ?? '' }]) };
    }
    if (url.startsWith('/repos/acme/models/pulls?')) {
      return { body: pulls.map(({ number, sha }) => ({ number, head: { sha } })) };
    }
    if (url.includes('/files')) return { body: files.map((filename) => ({ filename })) };
    if (method === 'GET' && url.includes('/comments')) return { body: [] };
    if (method === 'POST') return { status: 201, body: { id: 99 } };
    return { status: 404, body: { message: 'Not Found' } };
  };
  await using github = await ApiStandIn.start(answer);
  const host = recordingHost();
  const inputs = publishInputsFrom(
    { comment: 'always', checkRun: true, token: 'ghs_test' },
    (name) => scene.inputs?.[name] ?? '',
  );
  const work = run({ ...inputs, directory, ...scene.more }, host, env, github.api());
  const report = await work.catch(() => undefined);
  return {
    report,
    error: report === undefined ? await work.catch((error: unknown) => error) : undefined,
    outputs: Object.fromEntries(host.of('output').map((line) => line.split(/=(.*)/s))),
    asked: github.received.map(({ method, url }) => `${method} ${url}`),
    comments: github.asked('POST', '/repos/acme/models/issues/').map(({ url, body }) => ({ url, ...(body as object) })),
    checks: github.asked('POST', '/repos/acme/models/check-runs').map(({ body }) => body),
  };
}

const failed = reportOf([check('fail')]);
const passed = reportOf([check('pass', { observed: 0.95, message: '' })]);

describe("a fork's report", () => {
  test("goes to the pull request whose head the event names, and to that commit's check", async () => {
    const { comments, checks, outputs, asked } = await publish({ report: failed });

    expect(comments).toMatchObject([{ url: '/repos/acme/models/issues/12/comments' }]);
    expect(checks).toMatchObject([
      {
        head_sha: head,
        name: 'Sluice: churn',
        conclusion: 'failure',
        details_url: 'https://github.com/acme/models/actions/runs/17',
        output: { annotations: [{ path: 'sluice.yaml', start_line: 7 }] },
      },
    ]);
    expect(outputs).toMatchObject({ conclusion: 'failed', failed: '1', 'pull-request': '12' });
    expect(asked).toContain('GET /repos/acme/models/pulls?state=open&head=stranger%3Achange&per_page=100');
  });

  test('that passed makes a check that passes', async () => {
    const { checks, outputs } = await publish({ report: passed });
    expect(checks).toMatchObject([{ conclusion: 'success' }]);
    expect(outputs).toMatchObject({ conclusion: 'passed' });
  });

  test('is rendered anew: what it calls its headline is not shown', async () => {
    const forged = { ...JSON.parse(failed), headline: '✅ everything passed @acme/owners' };
    const { comments, report } = await publish({ report: JSON.stringify(forged) });
    expect(report?.headline).toContain('1 of 1 check');
    expect(JSON.stringify(comments)).not.toContain('everything passed');
  });

  test('holds nothing that works as Markdown, HTML, a mention or a link', async () => {
    const hostile = reportOf([
      check('fail', { message: '</td> @acme/owners <img src=x> [ok](http://x) #12', title: '| a | `b` <!-- x -->' }),
    ]);
    const { comments } = await publish({ report: hostile });
    const [{ body }] = comments as [{ body: string }] & typeof comments;
    expect(body).not.toContain('<img');
    expect(body).not.toContain('</td> @');
    expect(body).not.toMatch(/@acme\/owners/);
    expect(body).not.toContain('](http://x)');
  });

  test.each([
    [
      'a verdict that its checks do not give',
      JSON.stringify({ ...JSON.parse(failed), verdict: 'passed' }),
      'verdict-without-checks',
    ],
    ['no checks at all and a pass', JSON.stringify({ ...JSON.parse(passed), checks: [] }), 'verdict-without-checks'],
    ['keys of its own', JSON.stringify({ ...JSON.parse(passed), approved: true }), 'not-a-report'],
    ['another commit', reportOf([check('pass')], 'b'.repeat(40)), 'report-of-another-commit'],
    ['no JSON', 'passed', 'not-json'],
  ])('with %s is refused, and nothing is published', async (_what, report, code) => {
    const { error, comments, checks } = await publish({ report });
    expect(error).toMatchObject({ problems: [{ code }] });
    expect([comments, checks]).toEqual([[], []]);
  });

  test('that was not uploaded is an error that says what to write', async () => {
    const { error } = await publish({});
    expect(error).toMatchObject({
      problems: [{ code: 'no-artifact', fix: expect.stringContaining('upload-artifact') }],
    });
  });

  test('of a pull request that changes a workflow asks for a person instead of passing', async () => {
    const { checks, comments } = await publish({
      report: passed,
      files: ['models/a.onnx', '.github/workflows/gate.yml'],
    });
    expect(checks).toMatchObject([{ conclusion: 'action_required' }]);
    expect(JSON.stringify(comments)).toContain('.github/workflows/gate.yml');
  });

  test('that failed stays a failure when the pull request changes a workflow', async () => {
    const { checks } = await publish({ report: failed, files: ['.github/actions/x/action.yml'] });
    expect(checks).toMatchObject([{ conclusion: 'failure' }]);
  });

  test.each([
    ['has a newer head', { pulls: [{ number: 12, sha: 'e'.repeat(40) }] }],
    ['is closed', { pulls: [] }],
    ['is of a fork that is gone', { run: { head_repository: null } }],
  ])('whose pull request %s is published nowhere', async (_what, more) => {
    const { comments, checks, outputs } = await publish({ report: passed, ...more });
    expect([comments, checks]).toEqual([[], []]);
    expect(outputs).toMatchObject({ 'pull-request': '', conclusion: 'passed' });
  });

  test('is published nowhere when GitHub does not say whose it is', async () => {
    const { error, comments, checks } = await publish({
      report: passed,
      override: ({ url }) =>
        url.includes('/files')
          ? { status: 403, body: { message: 'Resource not accessible by integration' } }
          : undefined,
    });
    expect(error).toMatchObject({ problems: [{ code: 'pull-request-unreachable' }] });
    expect([comments, checks]).toEqual([[], []]);
  });
});

describe('a report of the repository itself', () => {
  const own = { run: { head_repository: { full_name: 'acme/models' } } };

  test('is found by the pull request that the event names', async () => {
    const { comments, asked } = await publish({
      report: passed,
      run: { ...own.run, pull_requests: [{ number: 34, head: { sha: head } }] },
    });
    expect(comments).toMatchObject([{ url: '/repos/acme/models/issues/34/comments' }]);
    expect(asked.filter((url) => url.includes('/pulls'))).toEqual([]);
  });

  test('of a push gets its check and no comment', async () => {
    const { comments, checks } = await publish({ report: passed, run: { ...own.run, event: 'push' } });
    expect(comments).toEqual([]);
    expect(checks).toMatchObject([{ head_sha: head, conclusion: 'success' }]);
  });
});

describe('publishing', () => {
  test.each(['pull_request', 'pull_request_target', 'push'])(
    'under %s is refused with the event to write',
    async (event) => {
      const { error, asked } = await publish({ report: passed, event });
      expect(error).toMatchObject({
        problems: [{ code: 'refused-event', fix: expect.stringContaining('workflow_run') }],
      });
      expect(asked).toEqual([]);
    },
  );

  test('reads a report that an earlier step brought', async () => {
    const file = join(directory, 'mine.json');
    await writeFile(file, failed);
    const { checks, asked } = await publish({ inputs: { report: file } });
    expect(checks).toMatchObject([{ conclusion: 'failure' }]);
    expect(asked.some((url) => url.includes('artifacts'))).toBe(false);
  });

  test('says which file cannot be read', async () => {
    const { error } = await publish({ inputs: { report: join(directory, 'none.json') } });
    expect(error).toMatchObject({ problems: [{ code: 'missing-file' }] });
  });

  test('writes the report files anew where it is asked to', async () => {
    await publish({ report: failed });
    expect(await readdir(directory)).toEqual(['event.json']);
    const { outputs } = await publish({ report: failed, more: { reportDirectory: 'out' } });
    expect(await readdir(join(directory, 'out'))).toContain('report.html');
    expect(outputs).toMatchObject({ 'report-path': join(directory, 'out') });
  });

  test("names the check as the gate's own part does", async () => {
    const { checks } = await publish({ report: passed, inputs: { gate: 'quality-gate', 'working-directory': '.' } });
    expect(checks).toMatchObject([{ name: 'Sluice model: churn' }]);
  });

  test('refuses a gate it does not know', () => {
    const inputs = { comment: 'always', checkRun: true } as const;
    expect(() => publishInputsFrom(inputs, (name) => (name === 'gate' ? 'gates' : ''))).toThrow(/"gate" is not one/);
  });
});
