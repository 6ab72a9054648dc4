import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { describe, expect, test } from 'vitest';
import { analysisSettings, type Look, lookLine, openAnalysis, runLine } from '../rollout/index.ts';
import { addCanaryPlan } from './canary-plan.ts';
import { addCanaryReplay } from './canary-replay.ts';
import { addCanarySimulate } from './canary-simulate.ts';
import type { Session } from './session.ts';

async function run(directory: string, ...argv: readonly string[]) {
  const stdout: string[] = [];
  const stderr: string[] = [];
  const session: Session = {
    streams: {
      stdout: { write: (text) => stdout.push(text) },
      stderr: { write: (text) => stderr.push(text) },
      environment: {},
      directory,
    },
    exitCode: 0,
  };
  const canary = new Command('canary').exitOverride().configureOutput({ writeErr: (text) => stderr.push(text) });
  for (const add of [addCanaryPlan, addCanarySimulate, addCanaryReplay]) add(canary, session);
  for (const command of canary.commands) command.exitOverride().copyInheritedSettings(canary);
  try {
    await canary.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    session.exitCode = 1;
  }
  return { exitCode: session.exitCode, stdout: stdout.join(''), stderr: stderr.join('') };
}

describe('sluice canary plan', () => {
  test('shows steps, faults and the time it takes', async () => {
    const { exitCode, stdout } = await run('.', 'plan', '--requests-per-second', '100', '--error-rate', '0.01');
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^step +begins +lasts +requests +excludes +finds/);
    expect(stdout).toMatch(/\n50 % /);
    expect(stdout).toMatch(/\n2x as often +2 % +\d+m/);
    expect(stdout).toMatch(/is promoted after \d+m \d+s and [\d,]+ requests/);
  });

  test('tells programs the same, and fails when it never passes', async () => {
    const { exitCode, stdout } = await run(
      '.',
      'plan',
      '--requests-per-second',
      '0.1',
      '--error-rate',
      '0.01',
      '--json',
    );
    expect(exitCode).toBe(100);
    expect(JSON.parse(stdout)).not.toHaveProperty('seconds');
  });

  test.each([
    [['--error-rate', '2']],
    [['--error-rate', '0.1', '--weights', '5,5']],
    [['--error-rate', '0.1', '--min-step', '2']],
    [['--error-rate', '0.1', '--detect-ratio', '0.5']],
    [[]],
  ])('refuses %j', async (flags) => {
    const { exitCode, stderr } = await run('.', 'plan', '--requests-per-second', '10', ...flags);
    expect(exitCode).toBe(1);
    expect(stderr).not.toBe('');
  });
});

describe('sluice canary simulate', () => {
  test('shows how rollouts end', async () => {
    const { exitCode, stdout } = await run(
      '.',
      ...['simulate', '--shape', 'errors-5', '--shape', 'no-traffic', '--rollouts', '2', '--deadline', '20m', '--json'],
    );
    expect(exitCode).toBe(0);
    expect(JSON.parse(stdout).shapes).toMatchObject([
      { shape: 'errors-5', rollouts: 2, rolledBack: 2 },
      { shape: 'no-traffic', rollouts: 2, rolledBack: 0, promoted: 0, expired: 2 },
    ]);
  });

  test('names the shapes there are', async () => {
    const { exitCode, stderr } = await run('.', 'simulate', '--shape', 'heathy');
    expect(exitCode).toBe(1);
    expect(stderr).toMatch(/no shape heathy/);
    expect(stderr).toMatch(/healthy, errors-1\.5/);
  });
});

describe('sluice canary replay', () => {
  function recorded(): readonly string[] {
    const settings = analysisSettings();
    const analyst = openAnalysis(settings)(undefined);
    const lines = Array.from({ length: 30 }, (_, index) => {
      const at = index * 5000;
      const look: Look = {
        number: index + 1,
        at,
        stage: { kind: 'step', index: 0, weight: 50, since: 0 },
        warmUp: false,
        reading: {
          canary: [{ id: 'c', requests: 100 * index, errors: 50 * index, at }],
          baseline: [{ id: 'b', requests: 100 * index, errors: 0, at }],
          remarks: [],
        },
      };
      return lookLine(look, analyst.look(look));
    });
    return [runLine(settings), ...lines];
  }

  async function replayed(lines: readonly string[], ...flags: readonly string[]) {
    const directory = await mkdtemp(join(tmpdir(), 'sluice-replay-'));
    try {
      await writeFile(join(directory, 'looks.jsonl'), `${lines.join('\n')}\n`);
      return await run(directory, 'replay', 'looks.jsonl', ...flags);
    } finally {
      await rm(directory, { recursive: true, force: true });
    }
  }

  test('says that every decision is the same', async () => {
    const { exitCode, stdout } = await replayed(recorded());
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/rollback +rollback +same/);
    expect(stdout).toMatch(/errors harm: 50 % of [\d,]+ canary requests failed/);
    expect(stdout).toMatch(/30 looks, every decision the same\n$/);
  });

  test('fails with 100 where one differs, and says which', async () => {
    const changed = recorded().map((line, index) => (index === 30 ? line.replace('"rollback"', '"advance"') : line));
    const { exitCode, stdout } = await replayed(changed);
    expect(exitCode).toBe(100);
    expect(stdout).toMatch(/look 30: the verdict was advance, and is rollback/);
    const json = await replayed(changed, '--json');
    expect(JSON.parse(json.stdout)).toMatchObject({ looks: 30, different: 1 });
  });

  test('names the file or the line that cannot be read', async () => {
    const missing = await run(tmpdir(), 'replay', 'there-are-no-looks.jsonl');
    expect([missing.exitCode, missing.stderr.includes('there-are-no-looks.jsonl')]).toEqual([1, true]);
    const broken = await replayed([...recorded().slice(0, 3), 'not json']);
    expect([broken.exitCode, broken.stderr.includes('looks.jsonl:4')]).toEqual([1, true]);
  });
});
