import { readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parseReport } from '../core/report/index.ts';
import { CanaryScene } from './canary-scene.ts';

// Real looks a second apart, on a machine that may be busy.
const patience = 120_000;

/** A rollout that ends only when it is told to. */
const endless = '  approval: environment\n';

describe('sluice canary run', { timeout: patience }, () => {
  test('promotes a version that is as good, reports it, and records what it saw', async () => {
    await using scene = await CanaryScene.open();
    const { exitCode, stdout, stderr } = await scene.run('run', '--id', 'acme/v2', '--report', 'out');
    expect([exitCode, stdout]).toEqual([0, expect.stringContaining('PASSED')]);
    expect(stderr).toContain('The canary gets 50 % of the requests.');
    expect(await scene.answer()).toBe('new');
    expect(await readdir(join(scene.directory, 'out'))).toEqual(
      expect.arrayContaining(['report.html', 'report.json', 'acme-v2.looks.jsonl']),
    );
    const replayed = await scene.run('replay', 'out/acme-v2.looks.jsonl');
    expect([replayed.exitCode, replayed.stdout]).toEqual([0, expect.stringContaining('every decision the same')]);

    const again = await scene.run('run', '--id', 'acme/v2', '--json');
    expect(again.exitCode).toBe(0);
    expect(parseReport(again.stdout).checks[0]?.message).toContain('that had happened before it');
  });

  test('rolls back a version that fails, exits with 100, and says why', async () => {
    await using scene = await CanaryScene.open({ errorShare: 0.9 });
    const { exitCode, stdout } = await scene.run('run', '--id', 'v2', '--json');
    expect(exitCode).toBe(100);
    const { verdict, checks } = parseReport(stdout);
    expect(verdict).toBe('failed');
    expect(checks[0]).toMatchObject({ id: 'rollout/outcome', observed: 'rolled back' });
    expect(checks[0]?.message).toMatch(/Rolled back after .*: errors: /);
    expect([await scene.answer(), await scene.weight()]).toEqual(['old', 0]);
  });

  test('holds at a safe point when its time is up, and is gone on with by continue', async () => {
    await using scene = await CanaryScene.open({ more: endless });
    expect(await scene.run('continue')).toMatchObject({
      exitCode: 0,
      stderr: expect.stringContaining('Nothing to go on'),
    });
    const held = await scene.run('run', '--id', 'v2', '--max-minutes', '0.02', '--json');
    expect(held.exitCode).toBe(0);
    expect(parseReport(held.stdout)).toMatchObject({
      verdict: 'passed',
      checks: [{ observed: expect.stringMatching(/^holds at \d+ %$/) }, {}],
    });
    expect((await scene.record())?.phase).toBe('holding');
    expect((await scene.run('status')).stdout).toContain('The rollout v2 is holding since');

    const other = await scene.run('run', '--id', 'v3');
    expect([other.exitCode, other.stderr]).toEqual([1, expect.stringMatching(/another rollout is on: v2.*held by /s)]);

    expect((await scene.run('approve')).stderr).toContain('it obeys when a run goes on with it');
    const next = await scene.run('continue', '--json');
    expect([next.exitCode, await scene.answer()]).toEqual([0, 'new']);
    expect((await scene.record())?.approved).toBeDefined();
  });

  test.each(['SIGINT', 'SIGTERM'] as const)('goes back to the baseline on %s', async (signal) => {
    await using scene = await CanaryScene.open({ more: endless });
    const rollout = scene.start('run', '--id', 'v2');
    await scene.until(({ traffic }) => traffic.canaryWeight === 50);
    rollout.signal(signal);
    const { exitCode, stdout } = await rollout.ended;
    expect([exitCode, stdout]).toEqual([100, expect.stringContaining(signal)]);
    expect([await scene.answer(), await scene.weight()]).toEqual(['old', 0]);
  });

  test('waits for an approval, which may come before the steps have passed', async () => {
    await using scene = await CanaryScene.open({ more: '  approval: label\n' });
    const rollout = scene.start('run', '--id', 'v2');
    const { phase } = await scene.until(({ phase: at }) => at === 'awaiting-approval');
    expect(phase).toBe('awaiting-approval');
    expect((await scene.run('approve', '--id', 'v1')).stderr).toMatch(
      /not the rollout that is on: found v2, expected v1/s,
    );
    expect((await scene.run('approve', '--id', 'v2')).exitCode).toBe(0);
    const { exitCode, stderr } = await rollout.ended;
    expect([exitCode, await scene.answer()]).toEqual([0, 'new']);
    expect(stderr).toContain('approve by the command approve');
  });

  test('refuses a policy without a canary, and a report of an A/B evaluation that is not there', async () => {
    await using scene = await CanaryScene.open({ more: '  ab_report: ab/report.json\nmodel: { path: m.onnx }\n' });
    const unproven = await scene.run('run', '--id', 'v2');
    expect([unproven.exitCode, unproven.stderr]).toEqual([
      1,
      expect.stringContaining("A/B evaluation's report cannot be read"),
    ]);
    await writeFile(join(scene.directory, 'other.yaml'), 'version: 1\nsmoke: { protocol: v2 }\n');
    const without = await scene.run('run', '--policy', 'other.yaml');
    expect([without.exitCode, without.stderr]).toEqual([1, expect.stringContaining('no key "canary"')]);
    expect(await scene.record()).toBeUndefined();
  });

  test.each([
    [['--metrics-token-env', 'NO_SUCH_VARIABLE_HERE'], 'metrics-token-env names NO_SUCH_VARIABLE_HERE'],
    [['--webhook-env', 'NO_SUCH_VARIABLE_HERE'], '--webhook-env names NO_SUCH_VARIABLE_HERE'],
    [['--grafana-url', 'http://grafana.example.com'], 'the address of Grafana is not an https address'],
    [['--max-minutes', 'soon'], 'Write a number'],
    [['--metrics-ca', 'missing.pem'], 'certificate authority'],
    [['--id', 'two\nlines'], 'the id of the rollout is no id'],
    [[], 'nothing says which rollout this is'],
  ])('refuses %j before anything moves', async (flags, expected) => {
    await using scene = await CanaryScene.open();
    const id = flags.length === 0 || flags[0] === '--id' ? [] : ['--id', 'v2'];
    const { exitCode, stderr } = await scene.run('run', ...id, ...flags);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining(expected)]);
    expect(await scene.record()).toBeUndefined();
  });
});

describe('orders from a second process', { timeout: patience }, () => {
  test('pause, resume, skip and abort reach the run that is on', async () => {
    await using scene = await CanaryScene.open({ more: endless });
    const rollout = scene.start('run', '--id', 'v2');
    await scene.until(({ traffic }) => traffic.canaryWeight === 50);
    expect((await scene.run('pause')).stderr).toContain('it obeys at its next look');
    await scene.until(({ phase }) => phase === 'paused');
    const status = await scene.run('status', '--json');
    expect(JSON.parse(status.stdout)).toMatchObject({
      outcome: 'running',
      traffic: { desired: { canaryWeight: 50 } },
      record: { id: 'v2', phase: 'paused', pausedFrom: expect.any(String) },
    });
    expect(status.stdout).not.toContain('"analysis"');
    expect((await scene.run('continue')).stderr).toContain('watches the rollout v2');
    await scene.run('resume');
    await scene.until(({ phase }) => phase === 'step' || phase === 'awaiting-approval');
    await scene.run('skip');
    await scene.until(({ phase }) => phase === 'awaiting-approval');

    const aborted = await scene.run('abort', '--json');
    expect([aborted.exitCode, JSON.parse(aborted.stdout).phase]).toEqual([0, 'rolled-back']);
    const { exitCode, stdout } = await rollout.ended;
    expect([exitCode, stdout]).toEqual([100, expect.stringContaining('aborted by')]);
    expect([await scene.answer(), await scene.weight()]).toEqual(['old', 0]);

    expect((await scene.run('abort')).stderr).toContain('was rolled back already');
    expect((await scene.run('pause')).stderr).toContain('is over');
  });

  test('without a rollout are mistakes', async () => {
    await using scene = await CanaryScene.open();
    for (const order of ['pause', 'resume', 'approve', 'skip', 'abort']) {
      const { exitCode, stderr } = await scene.run(order);
      expect([order, exitCode, stderr]).toEqual([order, 1, expect.stringContaining('no rollout is on')]);
    }
    expect((await scene.run('status')).stdout).toContain('No rollout was ever recorded here.');
  });

  test('come too late for a canary that was promoted', async () => {
    await using scene = await CanaryScene.open();
    await scene.run('run', '--id', 'v2');
    const { exitCode, stderr } = await scene.run('abort');
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('too late to abort')]);
    expect(await scene.answer()).toBe('new');
  });
});

test('sluice canary guard refuses an order that no rollout wrote', async () => {
  await using scene = await CanaryScene.open();
  const { exitCode, stderr } = await scene.run('guard', '--order', '{"rolloutId":"v2"}');
  expect([exitCode, stderr]).toEqual([1, expect.stringContaining("the guard's order cannot be read")]);
});
