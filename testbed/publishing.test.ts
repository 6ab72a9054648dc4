import { describe, expect, test } from 'vitest';
import { gateOutputs, Scene } from './gate-run.ts';
import { type Account, type Permissions, readOnlyPermissions } from './github/index.ts';
import { pullRequestEvent } from './runner/index.ts';

const policy = `version: 1
data:
  - source: data.csv
    checks:
      - row_count: { min: 2 }
      - not_null: { columns: [age] }
`;
const passing = { 'sluice.yaml': policy, 'data.csv': 'age,country\n31,KR\n42,US\n' };
const failing = { ...passing, 'data.csv': 'age,country\n,KR\n42,US\n' };
const stranger: Account = { login: 'stranger', id: 13, type: 'User' };

/** As many broken checks as asked for, on columns with long names. */
function brokenChecks(count: number, nameLength = 5): { readonly [path: string]: string } {
  const columns = Array.from({ length: count }, (_, index) => `c${index}`.padEnd(nameLength, 'x'));
  return {
    'sluice.yaml': `version: 1\ndata:\n  - source: data.csv\n    checks:\n${columns
      .map((column) => `      - between: { column: ${column}, max: 1 }\n`)
      .join('')}`,
    'data.csv': `${columns.join(',')}\n${columns.map(() => '5').join(',')}\n`,
  };
}

describe('the comment', () => {
  test('is updated by the next run, not repeated', async () => {
    await using scene = await Scene.open({ main: passing, change: failing });
    const first = await scene.run();
    const second = await scene.run();

    expect(scene.github.comments, first.transcript).toMatchObject([{ edits: 1 }]);
    expect(gateOutputs(second)['comment-id']).toBe(gateOutputs(first)['comment-id']);
    expect(scene.github.violations).toEqual([]);
  });

  test('is found behind a hundred others', async () => {
    await using scene = await Scene.open({ main: passing, change: failing });
    for (let index = 0; index < 120; index++) scene.github.addComment(7, stranger, `remark ${index}`);
    await scene.run();
    await scene.run();

    expect(scene.github.comments).toHaveLength(121);
    expect(scene.github.comments.at(-1)).toMatchObject({ edits: 1 });
  });

  test('of a squatter who copied the marker is left alone', async () => {
    await using scene = await Scene.open({ main: passing, change: failing });
    await scene.run();
    const marker = scene.github.comments[0]?.body.split('\n')[0] ?? '';
    await using squatted = await scene.elsewhere({});
    const squatter = squatted.github.addComment(7, stranger, `${marker}\n## ✅ Everything passed`);
    await squatted.run();
    const outcome = await squatted.run();

    expect(marker).toMatch(/^<!-- /);
    expect(squatter).toMatchObject({ body: `${marker}\n## ✅ Everything passed`, edits: 0 });
    expect(
      squatted.github.comments.filter(({ author }) => author.type === 'Bot'),
      outcome.transcript,
    ).toMatchObject([{ edits: 1 }]);
    expect(squatted.github.violations).toEqual([]);
  });

  test.each([
    ["a person's token", { login: 'ada', id: 14, type: 'User' }],
    ["an app's token", { login: 'acme-gate[bot]', id: 15, type: 'Bot' }],
  ] as const)('is found again with %s', async (_whose, account) => {
    await using scene = await Scene.open({ main: passing, change: failing }, { account });
    await scene.run();
    const outcome = await scene.run();

    expect(scene.github.comments, outcome.transcript).toMatchObject([{ author: account, edits: 1 }]);
    expect(scene.github.violations).toEqual([]);
  });

  test('with on-failure is made by a failure only, and then tells a later pass', async () => {
    await using scene = await Scene.open({ main: passing, change: failing });
    const inputs = { comment: 'on-failure' };
    // The base commit's files pass.
    const mended = { inputs, checkout: { sha: scene.project.baseSha } };
    await scene.run(mended);
    expect(scene.github.comments).toEqual([]);

    await scene.run({ inputs });
    const failure = scene.github.comments[0]?.body;
    await scene.run(mended);
    expect(scene.github.comments).toMatchObject([{ edits: 1 }]);
    expect(scene.github.comments[0]?.body).not.toBe(failure);
  });

  test('keeps within 65,536 characters however much broke', async () => {
    await using scene = await Scene.open({ main: {}, change: brokenChecks(900, 60) });
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed', failed: 900 });
    const body = scene.github.comments[0]?.body ?? '';
    expect(body.length).toBeGreaterThan(20_000);
    expect(body.length).toBeLessThanOrEqual(65_536);
    expect(body).toContain('/actions/runs/');
    expect(scene.github.violations).toEqual([]);
  });
});

describe('the check run', () => {
  test('has more than 50 annotations in batches', async () => {
    await using scene = await Scene.open({ main: {}, change: brokenChecks(120) });
    const outcome = await scene.run();

    expect(scene.github.checkRuns, outcome.transcript).toMatchObject([{ conclusion: 'failure' }]);
    expect(scene.github.checkRuns[0]?.batches).toEqual([50, 50, 20]);
    const lines = scene.github.checkRuns[0]?.annotations.map(({ start_line }) => start_line) ?? [];
    expect(new Set(lines).size).toBe(120);
    expect(scene.github.violations).toEqual([]);
  });

  test('leaves the job log at ten errors at most: GitHub drops the rest', async () => {
    await using scene = await Scene.open({ main: {}, change: brokenChecks(40) });
    const outcome = await scene.run();

    expect(outcome.annotations.filter(({ level }) => level === 'error').length).toBeLessThanOrEqual(10);
  });
});

describe('a token that may not publish', () => {
  const withoutChecks: Permissions = { ...readOnlyPermissions, pull_requests: 'write' };
  test.each([
    ['a read-only token, failing', readOnlyPermissions, false, failing, 'failed'],
    ['a read-only token, passing', readOnlyPermissions, false, {}, 'passed'],
    ["a fork's token, failing", readOnlyPermissions, true, failing, 'failed'],
    ["a fork's token, passing", readOnlyPermissions, true, {}, 'passed'],
  ] as const)(
    '%s: the verdict stands, the summary has it, and a warning says why',
    async (_what, permissions, fork, change, conclusion) => {
      await using scene = await Scene.open({ main: passing, change }, { permissions });
      const outcome = await scene.run({ event: (project) => pullRequestEvent(project, { fork }) });

      expect(gateOutputs(outcome), outcome.transcript).toMatchObject({
        ...{ conclusion, 'comment-id': '', 'check-run-id': '' },
      });
      expect(outcome.job).toBe(conclusion === 'passed' ? 'success' : 'failure');
      expect(outcome.summary).toContain(scene.project.headSha);
      const warnings = outcome.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message);
      expect(warnings).toHaveLength(2);
      expect(warnings.join('\n')).toMatch(fork ? /fork/ : /pull-requests: write[\s\S]*checks: write/);
      expect(scene.github.violations).toEqual([]);
    },
  );

  test('for check runs alone still comments', async () => {
    await using scene = await Scene.open({ main: passing, change: failing }, { permissions: withoutChecks });
    const outcome = await scene.run();

    expect(scene.github.comments).toHaveLength(1);
    expect(outcome.annotations.filter(({ level }) => level === 'warning').map(({ message }) => message)).toEqual([
      expect.stringContaining('checks: write'),
    ]);
  });

  test('in a private repository is no different', async () => {
    await using scene = await Scene.open(
      { main: passing, change: failing },
      { permissions: readOnlyPermissions, visibility: 'private' },
    );
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed' });
    expect(scene.github.violations).toEqual([]);
  });
});

describe('a GitHub that has a bad day', () => {
  test.each([
    ['refuses the comment (422)', { operation: 'issues/create-comment', answer: 'unprocessable' }],
    ['limits the rate for long', { operation: '*', answer: 'secondary-rate-limit', retryAfter: 300 }],
    ['is down', { operation: '*', answer: 'server-error' }],
  ] as const)('%s: a warning, and the verdict stands', async (_what, fault) => {
    await using scene = await Scene.open({ main: passing, change: failing }, { faults: [fault] });
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed', failed: 1 });
    expect(scene.github.comments).toEqual([]);
    expect(outcome.annotations).toContainEqual(
      expect.objectContaining({ level: 'warning', message: expect.stringContaining('No comment') }),
    );
    expect(scene.github.violations).toEqual([]);
  });

  test.each([
    ['limits the rate once', { operation: 'issues/create-comment', answer: 'secondary-rate-limit', times: 1 }],
    ['fails once', { operation: 'issues/create-comment', answer: 'server-error', times: 1 }],
    [
      'makes the comment and says it failed',
      { operation: 'issues/create-comment', answer: 'server-error-after-all', times: 1 },
    ],
    ['fails once to list', { operation: 'issues/list-comments', answer: 'server-error', times: 1 }],
  ] as const)('%s: there is one comment', async (_what, fault) => {
    await using scene = await Scene.open({ main: passing, change: failing }, { faults: [fault] });
    const outcome = await scene.run();

    expect(scene.github.comments, outcome.transcript).toHaveLength(1);
    expect(outcome.annotations.filter(({ level }) => level === 'warning')).toEqual([]);
    expect(scene.github.violations).toEqual([]);
  });
});

describe('hostile data', () => {
  const column =
    '::error title=x::pwned ##[error]old @acme/admins <img src=x onerror=alert(1)> | <!-- x --> `code` ::set-output name=conclusion::passed';
  const values = [
    '::add-mask::conclusion',
    '::set-output name=failed::0',
    ' ::stop-commands::x',
    '##[set-env name=PATH]/evil',
    '</td></table><script>',
    '@acme/admins',
    '\u202Eevil\u0007',
  ];
  const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
  const change = {
    'sluice.yaml': `version: 1
name: ${JSON.stringify('::warning::name\u001b[31m')}
data:
  - source: data.csv
    checks:
      - accepted_values: { column: ${JSON.stringify(column)}, values: ["fine"] }
      - accepted_values: { column: "::notice::", values: ["fine"] }
`,
    'data.csv': `${quoted(column)},::notice::\n${values.map((value) => `${quoted(value)},${quoted(`\n${value}`)}\n`).join('')}`,
  };

  test('in column names and values does not command the runner, nor break out of the report', async () => {
    await using scene = await Scene.open({ main: {}, change });
    const outcome = await scene.run();

    expect(gateOutputs(outcome), outcome.transcript).toMatchObject({ conclusion: 'failed', failed: 2 });
    expect(outcome.smuggled).toEqual([]);
    expect(new Set(outcome.commands.map(({ name }) => name))).not.toContain('set-output');
    const allowed = ['group', 'endgroup', 'error', 'warning', 'notice', 'add-mask', 'debug'];
    expect(outcome.commands.map(({ name }) => name).filter((name) => !allowed.includes(name))).toEqual([]);
    // The token is masked, and nothing else.
    expect(
      new Set(outcome.commands.filter(({ name }) => name === 'add-mask').map(({ argument }) => argument)).size,
    ).toBe(1);
    for (const text of [
      outcome.summary,
      scene.github.comments[0]?.body ?? '',
      scene.github.checkRuns[0]?.summary ?? '',
    ]) {
      expect(text).not.toBe('');
      expect(text).not.toMatch(/<(img|script)|<\/table><script|onerror=alert\(1\)>/i);
      expect(text).not.toContain('@acme/admins');
      expect(text).not.toMatch(/[\u0007\u001b\u202e]/);
    }
    expect(outcome.log).not.toMatch(/[\u0007\u202e]/);
    expect(scene.github.violations).toEqual([]);
  });
});
