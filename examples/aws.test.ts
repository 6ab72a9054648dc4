import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { infraSchema } from '../infra/index.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '..');
const example = join(import.meta.dirname, 'aws');

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly if?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Job {
  readonly if?: string;
  readonly needs?: string;
  readonly environment?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const workflow = parse(readFileSync(join(example, '.github/workflows/infra.yml'), 'utf8')) as Workflow;
const steps = Object.values(workflow.jobs).flatMap((job) => job.steps);

/** The script of a step. */
function script(job: string, name: string): string {
  const found = workflow.jobs[job]?.steps.find((step) => step.name === name)?.run;
  if (found === undefined) throw new Error(`the job ${job} has no step ${name}`);
  return found;
}

describe('the workflow of the infrastructure', () => {
  test('gives no job more than it names', () => {
    expect(workflow.permissions).toEqual({});
    const rights = Object.entries(workflow.jobs).map(([name, { permissions }]) => [name, permissions]);
    expect(Object.fromEntries(rights)).toEqual({
      synth: { contents: 'read' },
      diff: { contents: 'read', 'id-token': 'write', 'pull-requests': 'write' },
      staging: { contents: 'read', 'id-token': 'write' },
      production: { contents: 'read', 'id-token': 'write' },
    });
  });

  test('has no secret, and is not started in a way that would give forks any', () => {
    expect(Object.keys(workflow.on).toSorted()).toEqual(['pull_request', 'push']);
    expect(JSON.stringify(workflow)).not.toMatch(/secrets\./);
  });

  test('runs nothing of a pull request where a role is at hand', () => {
    for (const [name, { steps: all }] of Object.entries(workflow.jobs)) {
      if (!all.some(({ uses = '' }) => uses.startsWith('aws-actions/'))) continue;
      const checkouts = all.filter(({ uses = '' }) => uses.startsWith('actions/checkout@'));
      expect(checkouts, name).toHaveLength(1);
      const ref = checkouts[0]?.with?.['ref'];
      if (workflow.jobs[name]?.if?.includes("'push'")) expect(ref, name).toBeUndefined();
      else expect(ref, name).toMatch(/^\$\{\{ github\.event\.pull_request\.base\.sha \}\}$/);
    }
    expect(workflow.jobs['diff']?.if).toContain('head.repo.full_name == github.repository');
  });

  test('puts no expression into a script, and keeps no token in a checkout', () => {
    for (const { run: text = '' } of steps) expect(text).not.toContain('${{');
    for (const { uses = '', with: inputs } of steps) {
      if (uses.startsWith('actions/checkout@')) expect(inputs?.['persist-credentials']).toBe(false);
    }
  });

  test('deploys to production only after staging, each in its environment', () => {
    expect(workflow.jobs['staging']).toMatchObject({ needs: 'synth', environment: 'staging' });
    expect(workflow.jobs['production']).toMatchObject({ needs: 'staging', environment: 'production' });
  });
});

test('the file of the example is that of infra/, and so are its feature flags and versions', () => {
  const text = readFileSync(join(example, 'infra/sluice-infra.yaml'), 'utf8');
  const strip = (yaml: string) => yaml.replace(/^# yaml-language-server.*\n/, '');
  expect(strip(text)).toBe(strip(readFileSync(join(root, 'infra/sluice-infra.yaml'), 'utf8')));
  expect(infraSchema.safeParse(parse(text)).success).toBe(true);
  const json = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  expect(json(join(example, 'infra/cdk.json'))).toEqual({ ...json(join(root, 'infra/cdk.json')), app: 'node app.mjs' });
  const ours = json(join(root, 'package.json'))['devDependencies'] as Readonly<Record<string, string>>;
  const theirs = json(join(example, 'infra/package.json')) as Readonly<Record<string, Record<string, string>>>;
  expect(theirs['devDependencies']?.['aws-cdk']).toBe(ours['aws-cdk']);
  expect(theirs['dependencies']).toMatchObject({
    'aws-cdk-lib': ours['aws-cdk-lib'],
    constructs: ours['constructs'],
  });
});

describe('a copy of the example, with the package as it is published', () => {
  let directory = '';
  const at = (...path: readonly string[]) => join(directory, ...path);

  /** As the runner would have it: without an account, with the example's own installation in reach. */
  const environment = (): NodeJS.ProcessEnv => ({
    PATH: [at('bin'), join(root, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
    HOME: at('home'),
    RUNNER_TEMP: at('runner'),
    GITHUB_STEP_SUMMARY: at('summary.md'),
    // No instance's metadata is asked for credentials.
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  const bash = (text: string, cwd: string, more: NodeJS.ProcessEnv = {}) =>
    run('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', text], { cwd, env: { ...environment(), ...more } });

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'sluice-example-aws-'));
    for (const folder of ['bin', 'home', 'runner', 'node_modules']) mkdirSync(at(folder));
    // The installation stands above the copy, where Node finds it; "npm ci" has nothing left to do.
    const installed = readdirSync(join(root, 'node_modules')).filter((name) => name !== 'sluice');
    for (const name of installed) symlinkSync(join(root, 'node_modules', name), at('node_modules', name));
    mkdirSync(at('node_modules', 'sluice'));
    cpSync(join(root, 'package.json'), at('node_modules', 'sluice', 'package.json'));
    // What is published beside what is compiled.
    const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
      readonly files: readonly string[];
    };
    for (const file of files.filter((path) => path.includes('/'))) {
      cpSync(join(root, file), at('node_modules', 'sluice', file));
    }
    const tsc = join(root, 'node_modules/typescript/bin/tsc');
    await run(process.execPath, [
      tsc,
      '-p',
      join(root, 'tsconfig.lib.json'),
      '--outDir',
      at('node_modules', 'sluice', 'lib'),
    ]);
    writeFileSync(at('bin', 'npm'), '#!/bin/sh\n[ "$1" = ci ]\n', { mode: 0o755 });
    writeFileSync(at('bin', 'npx'), '#!/bin/sh\nexec "$@"\n', { mode: 0o755 });
    for (const copy of ['head', 'head/base']) cpSync(example, at(copy), { recursive: true });
  }, 180_000);

  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  test('synthesizes, and shows a pull request of a fork what it changes, without an account', async () => {
    const file = at('head', 'infra', 'sluice-infra.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('days: 365', 'days: 30').replace('epochs: "40"', 'epochs: "`````<b>"'));
    await bash(script('synth', 'Synthesize'), at('head', 'infra'));
    const templates = readdirSync(at('runner', 'cdk.out')).filter((name) => name.endsWith('.template.json'));
    expect(templates).toEqual(
      readdirSync(join(root, 'infra', 'golden')).map((name) => name.replace('.json', '.template.json')),
    );

    await bash(script('synth', 'Compare with the base branch'), at('head', 'base', 'infra'));
    const summary = readFileSync(at('summary.md'), 'utf8');
    expect(summary).toContain('### Infrastructure: changes (the base branch)');
    expect(summary).toContain('There were no differences');
    expect(summary).toMatch(/ObjectLockConfiguration[\s\S]*\[-\] 365\n[\s\S]*\[\+\] 30\n/);
    // The fence is longer than the longest run of backticks in what it holds.
    expect(summary).toMatch(/^``````diff$/m);
    expect(summary).toMatch(/^``````$/m);
  }, 180_000);

  test('writes one comment for each environment, and writes over it the next time', async () => {
    const asked: { readonly method: string; readonly url: string; readonly body: string }[] = [];
    const comments: { id: number; user: { type: string }; body: string }[] = [
      { id: 1, user: { type: 'User' }, body: '<!-- infrastructure staging -->\nnot the job\u2019s' },
    ];
    const api = createServer(async (request, response) => {
      let body = '';
      for await (const chunk of request) body += String(chunk);
      asked.push({ method: request.method ?? '', url: request.url ?? '', body });
      const sent = body === '' ? undefined : (JSON.parse(body) as { body: string });
      if (request.method === 'POST' && sent) comments.push({ id: 2, user: { type: 'Bot' }, body: sent.body });
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify(request.method === 'GET' ? comments : {}));
    });
    await new Promise<void>((resolve) => api.listen(0, '127.0.0.1', resolve));
    try {
      writeFileSync(
        at('runner', 'diff.txt'),
        'Stack a\n```\n\u001b[31m[-] gone\u202e\n@everyone <script>\nNumber of stacks with differences: 1\n',
      );
      const variables = {
        ENVIRONMENT: 'staging',
        GITHUB_TOKEN: 'token',
        GITHUB_REPOSITORY: 'acme/churn',
        PULL_REQUEST: '7',
        GITHUB_API_URL: `http://127.0.0.1:${(api.address() as AddressInfo).port}`,
      };
      for (const _ of ['first', 'second']) await bash(script('diff', 'Comment'), at('head'), variables);
    } finally {
      api.close();
    }
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /repos/acme/churn/issues/7/comments?per_page=100&page=1',
      'POST /repos/acme/churn/issues/7/comments',
      'GET /repos/acme/churn/issues/7/comments?per_page=100&page=1',
      'PATCH /repos/acme/churn/issues/comments/2',
    ]);
    expect(comments[1]?.body).toBe(
      [
        '<!-- infrastructure staging -->',
        '### Infrastructure: changes (staging)',
        '<details open><summary>cdk diff</summary>',
        '',
        '````diff',
        'Stack a',
        '```',
        '[-] gone',
        '@everyone <script>',
        'Number of stacks with differences: 1',
        '````',
        '',
        '</details>',
      ].join('\n'),
    );
  });
});
