import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { run } from '../actions/pull-request-gate/run.ts';
import { silentHost } from '../core/host/index.ts';

const directory = join(import.meta.dirname, 'cartpole-policy');

const judge = (policyFile: string) =>
  run({ policyFile, directory, comment: 'never', checkRun: false, today: '2026-01-01' }, silentHost);

/** The example's own code has no types. */
interface CartPole {
  push(state: readonly number[], action: number): readonly number[];
  hasFallen(state: readonly number[]): boolean;
  firstState(seed: number): readonly number[];
  readonly mostSteps: number;
}

interface Trajectory {
  readonly first: readonly number[];
  readonly actions: string;
  /** By the number of the step. */
  readonly states: Readonly<Record<string, readonly number[]>>;
  readonly terminated: boolean;
}

describe('cartpole-policy', () => {
  test("its physics is Gymnasium's CartPole-v1, step by step", async () => {
    const cartpole = (await import(join(directory, 'cartpole.mjs'))) as CartPole;
    const text = readFileSync(join(directory, 'trajectories.json'), 'utf8');
    const { trajectories } = JSON.parse(text) as { readonly trajectories: readonly Trajectory[] };
    expect(trajectories.filter(({ terminated }) => terminated)).toHaveLength(3);
    for (const { first, actions, states, terminated } of trajectories) {
      let state = first;
      let compared = 0;
      for (const [index, action] of [...actions].entries()) {
        expect(cartpole.hasFallen(state)).toBe(false);
        state = cartpole.push(state, Number(action));
        const expected = states[String(index + 1)];
        if (expected === undefined) continue;
        compared++;
        for (const [at, value] of expected.entries()) expect(state[at]).toBeCloseTo(value, 9);
      }
      expect(compared).toBe(Object.keys(states).length);
      expect(cartpole.hasFallen(state)).toBe(terminated);
      if (!terminated) expect(actions.length).toBe(cartpole.mostSteps);
    }
  });

  test('episodes begin alike for one seed, and within 0.05 of standing still', async () => {
    const { firstState } = (await import(join(directory, 'cartpole.mjs'))) as CartPole;
    const starts = Array.from({ length: 1000 }, (_, seed) => firstState(seed));
    expect(firstState(7)).toEqual(starts[7]);
    expect(new Set(starts.map(String)).size).toBe(1000);
    expect(starts.flat().every((value) => Math.abs(value) <= 0.05)).toBe(true);
    expect(Math.abs(starts.flat().reduce((sum, value) => sum + value, 0) / 4000)).toBeLessThan(0.002);
  });

  test('the good candidate passes every check', async () => {
    const report = await judge('sluice.yaml');
    expect(report.checks.filter(({ status }) => status !== 'pass')).toEqual([]);
    expect(report.verdict).toBe('passed');
    const reward = report.checks.find(({ id }) => id === 'gate/episode_reward/min');
    expect(reward).toMatchObject({ observed: 500, evidence: { n: 60 } });
    expect(reward?.evidence?.lower).toBeLessThan(495);
    expect(Number(reward?.baseline)).toBeLessThan(300);
  });

  test('the candidate whose training was stopped too early fails', async () => {
    const report = await judge('sluice-worse.yaml');
    const failed = report.checks.filter(({ status }) => status === 'fail').map(({ id }) => id);
    expect(failed).toEqual(['gate/episode_reward/min', 'gate/episode_reward/max_regression']);
    expect(report.verdict).toBe('failed');
  });
});
