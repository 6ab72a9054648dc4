import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundle } from '../build/bundle.ts';
import { CanaryScene } from '../cli/canary-scene.ts';
import { fullPermissions, GitHubApi, type GitHubApiOptions } from './github/index.ts';
import { root } from './repository-files.ts';
import {
  descendantsOf,
  killTree,
  type Outcome,
  Project,
  pullRequestEvent,
  pushEvent,
  runWorkflow,
} from './runner/index.ts';

// The action as `uses:` runs it, with two servers, a proxy and users on this machine. The proxy is no part of the job: it outlives it.

let kit: string;
beforeAll(async () => {
  kit = mkdtempSync(join(tmpdir(), 'sluice-canary-kit-'));
  cpSync(join(root, 'actions/canary/action.yml'), join(kit, 'actions/canary/action.yml'));
  await bundle(root, join(kit, 'dist'));
}, 300_000);
afterAll(() => rmSync(kit, { recursive: true }));

const policy = (state: string, more: string) => `version: 1
name: churn
canary:
  traffic: { provider: local, state: ${JSON.stringify(state)} }
  metrics: { source: proxy }
  strategy: { kind: steps, weights: [50], min_step: 1s }
  analysis: { look_every: 1s, warm_up: 1s, min_requests: 20, errors: { detect_increase: 0.3 } }
  deadline: 30m
${more}`;

/** Ends only when it is told to. */
const endless = '  approval: environment\n';

interface StepOptions {
  readonly inputs?: Readonly<Record<string, string>>;
  readonly event?: typeof pushEvent;
  readonly onProcess?: (id: number) => void;
}

/** A repository with a canary's policy, its GitHub, and the canary. */
class CanaryJob implements AsyncDisposable {
  readonly scene: CanaryScene;
  readonly project: Project;
  readonly github: GitHubApi;

  private constructor(scene: CanaryScene, project: Project, github: GitHubApi) {
    this.scene = scene;
    this.project = project;
    this.github = github;
  }

  static async open({
    errorShare = 0,
    more = '',
    github = {},
  }: {
    readonly errorShare?: number;
    readonly more?: string;
    readonly github?: Partial<GitHubApiOptions>;
  } = {}): Promise<CanaryJob> {
    const scene = await CanaryScene.open({ errorShare });
    const project = new Project({ main: { 'sluice.yaml': policy(join(scene.directory, 'proxy'), more) }, change: {} });
    return new CanaryJob(
      scene,
      project,
      await GitHubApi.start({
        repository: project.repository,
        gitDirectory: project.origin,
        permissions: { ...fullPermissions, deployments: 'write' },
        ...github,
      }),
    );
  }

  run({ inputs = {}, event = pushEvent, onProcess }: StepOptions = {}): Promise<Outcome> {
    const lines = Object.entries(inputs).map(([name, value]) => `          ${name}: ${JSON.stringify(value)}\n`);
    return runWorkflow({
      workflow: `
on: [push, pull_request]
permissions: { contents: read, deployments: write, pull-requests: read }
jobs:
  canary:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v6
      - uses: sluice-ml/sluice/actions/canary@v1
        id: canary
${lines.length === 0 ? '' : `        with:\n${lines.join('')}`}`,
      event: event(this.project),
      directory: this.project.checkout(),
      github: this.github,
      // The proxy is reached on the loopback of this machine.
      network: 'on',
      kit,
      ...(onProcess === undefined ? {} : { onProcess }),
    });
  }

  /** Starts a run, and waits until it holds the rollout and half of the users are at the canary. */
  async halfWay(options: StepOptions = {}): Promise<{ readonly runner: number; readonly ended: Promise<Outcome> }> {
    let runner = 0;
    const before = (await this.scene.record())?.holder;
    const ended = this.run({ ...options, onProcess: (id) => (runner = id) });
    const open = this.scene.until(
      ({ traffic, looks, holder }) => holder !== before && traffic.canaryWeight === 50 && looks > 0,
    );
    const failed = ended.then(({ transcript }) => {
      throw new Error(`it ended too early: ${transcript}`);
    });
    await Promise.race([open, failed]);
    failed.catch(() => {});
    return { runner, ended };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.github.close();
    this.project.remove();
    await this.scene[Symbol.asyncDispose]();
  }
}

const outputs = (outcome: Outcome) => outcome.outputs.get('canary') ?? {};

/** The process of the action's main step. */
async function mainOf(runner: number): Promise<number> {
  for (;;) {
    const found = descendantsOf(runner).find(({ command }) => command.some((part) => part.endsWith('canary/index.js')));
    if (found !== undefined) return found.id;
    await sleep(50);
  }
}

describe('actions/canary under the real runner', () => {
  test('promotes a good release, and shows it on GitHub', async () => {
    await using job = await CanaryJob.open();
    const outcome = await job.run({ inputs: { deployment: 'production' } });

    expect(outcome.job, outcome.transcript).toBe('success');
    expect(outputs(outcome)).toMatchObject({
      outcome: 'promoted',
      weight: '100',
      verdict: 'advance',
      conclusion: 'passed',
      id: `acme/churn@${job.project.mergeSha.slice(0, 12)}`,
    });
    expect(await job.scene.answer()).toBe('new');
    expect(outcome.summary).toContain('The canary gets 50 % of the requests.');
    expect(outcome.summary).toContain('mermaid');
    expect(job.github.deployments).toMatchObject([
      { environment: 'production', sha: job.project.mergeSha, task: 'sluice:canary' },
    ]);
    const states = job.github.deployments[0]?.statuses.map(({ state }) => state) ?? [];
    expect([states[0], states.at(-1)]).toEqual(['in_progress', 'success']);
    expect(job.github.violations).toEqual([]);
    expect(outcome.smuggled).toEqual([]);
  });

  test('rolls a bad release back, and the step fails', async () => {
    await using job = await CanaryJob.open({ errorShare: 0.9 });
    const outcome = await job.run({ inputs: { deployment: 'production' } });

    expect([outcome.job, outcome.steps.get('canary')], outcome.transcript).toEqual(['failure', 'failure']);
    expect(outputs(outcome)).toMatchObject({ outcome: 'rolled-back', weight: '0', conclusion: 'failed' });
    expect([await job.scene.answer(), await job.scene.weight()]).toEqual(['old', 0]);
    expect(outcome.annotations.some(({ level, message }) => level === 'error' && /errors/.test(message))).toBe(true);
    expect(job.github.deployments[0]?.statuses.at(-1)?.state).toBe('failure');
    expect(job.github.violations).toEqual([]);
  });

  test('needs no right to make deployments', async () => {
    await using job = await CanaryJob.open({ github: { permissions: fullPermissions } });
    const outcome = await job.run({ inputs: { deployment: 'production' } });

    expect(outcome.job, outcome.transcript).toBe('success');
    const told = outcome.annotations.filter(({ message }) => message.includes('deployments: write'));
    expect(told).toHaveLength(1);
  });

  test('goes back to the baseline when the job is cancelled', async () => {
    await using job = await CanaryJob.open({ more: endless });
    const { runner, ended } = await job.halfWay();
    process.kill(runner, 'SIGINT');
    const outcome = await ended;

    expect(outcome.job, outcome.transcript).not.toBe('success');
    expect([await job.scene.answer(), await job.scene.weight()], outcome.transcript).toEqual(['old', 0]);
    expect((await job.scene.record())?.phase).toBe('rolled-back');
  });

  test.each(['SIGINT', 'SIGTERM'] as const)(
    'goes back itself when the runner sends %s to its process',
    async (signal) => {
      await using job = await CanaryJob.open({ more: endless });
      const { runner, ended } = await job.halfWay();
      process.kill(await mainOf(runner), signal);
      const outcome = await ended;

      expect(outcome.steps.get('canary'), outcome.transcript).toBe('failure');
      expect(outputs(outcome)).toMatchObject({ outcome: 'rolled-back', weight: '0' });
      expect((await job.scene.record())?.reason).toContain(`(${signal})`);
      expect([await job.scene.answer(), await job.scene.weight()]).toEqual(['old', 0]);
    },
  );

  test('is brought back by its post when its process is killed', async () => {
    await using job = await CanaryJob.open({ more: endless });
    const { runner, ended } = await job.halfWay({ inputs: { deployment: 'production' } });
    process.kill(await mainOf(runner), 'SIGKILL');
    const outcome = await ended;

    expect(outcome.job, outcome.transcript).toBe('failure');
    expect((await job.scene.record())?.reason).toContain('the job ended before the rollout did');
    expect([await job.scene.answer(), await job.scene.weight()]).toEqual(['old', 0]);
    expect(outcome.summary).toContain('Canary rolled back');
    expect(job.github.deployments).toHaveLength(1);
    expect(job.github.deployments[0]?.statuses.at(-1)?.state).toBe('failure');
    expect(job.github.violations).toEqual([]);
  });

  test('whose runner is gone is gone on with by the same id, and refused to another', async () => {
    await using job = await CanaryJob.open({ more: endless });
    const { runner, ended } = await job.halfWay();
    killTree(runner);
    await ended;
    expect(await job.scene.weight()).toBe(50);

    const other = await job.run({ inputs: { id: 'another' } });
    expect(other.job, other.transcript).toBe('failure');
    expect(other.log + other.annotations.map(({ message }) => message).join('\n')).toMatch(
      /another rollout is on: acme\/churn@.*held by .*\/actions\/runs\//,
    );
    expect(await job.scene.weight()).toBe(50);

    const approved = await job.run({ inputs: { command: 'approve' } });
    expect(approved.job, approved.transcript).toBe('success');
    const outcome = await job.run();
    expect(outcome.job, outcome.transcript).toBe('success');
    expect(outputs(outcome)).toMatchObject({ outcome: 'promoted', weight: '100' });
    expect(await job.scene.answer()).toBe('new');
  });

  test('holds at a safe point, which its post leaves alone, and is stopped by a second workflow', async () => {
    await using job = await CanaryJob.open({ more: endless });
    const held = await job.run({ inputs: { 'max-minutes': '0.05' } });
    expect(held.job, held.transcript).toBe('success');
    expect(outputs(held)).toMatchObject({ outcome: 'holding', conclusion: 'passed' });
    expect(Number(outputs(held)['weight'])).toBe(50);
    expect((await job.scene.record())?.phase).toBe('holding');

    const status = await job.run({ inputs: { command: 'status' } });
    expect(outputs(status), status.transcript).toMatchObject({ outcome: 'holding', weight: '50' });

    const second = await job.halfWay({ inputs: { command: 'continue', deployment: 'production' } });
    const abort = await job.run({ inputs: { command: 'abort' } });
    expect(outputs(abort), abort.transcript).toMatchObject({ outcome: 'rolled-back', weight: '0' });
    const outcome = await second.ended;
    expect([outcome.job, outputs(outcome)['outcome']], outcome.transcript).toEqual(['failure', 'rolled-back']);
    expect(job.github.deployments[0]?.statuses.at(-1)).toMatchObject({
      state: 'failure',
      description: expect.stringContaining('aborted by'),
    });
    expect([await job.scene.answer(), await job.scene.weight()]).toEqual(['old', 0]);

    const nothing = await job.run({ inputs: { command: 'continue' } });
    expect([nothing.job, outputs(nothing)['outcome']], nothing.transcript).toEqual(['success', 'rolled-back']);
  });

  test('waits for the label of the pull request', async () => {
    await using job = await CanaryJob.open({ more: '  approval: label\n' });
    const ended = job.run({ event: pullRequestEvent });
    await job.scene.until(({ phase }) => phase === 'awaiting-approval');
    job.github.addLabel(job.project.pullRequest, 'canary-approved', { login: 'ada', id: 14, type: 'User' });
    const outcome = await ended;

    expect(outcome.job, outcome.transcript).toBe('success');
    expect(outputs(outcome)).toMatchObject({ outcome: 'promoted' });
    expect(outcome.log).toContain('which ada put');
    expect(job.github.violations).toEqual([]);
  });
});
