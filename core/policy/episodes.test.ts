import { describe, expect, it } from 'vitest';
import { parsePolicy } from './parse-policy.ts';
import { stricterOf } from './stricter-policy.ts';

const policy = (episodes: string, gates: string, model = '{ path: m.onnx }') =>
  parsePolicy(
    [
      'version: 1',
      `model: ${model}`,
      ...(episodes === '' ? [] : [`episodes: ${episodes}`]),
      `gates: { ${gates} }`,
    ].join('\n'),
    'sluice.yaml',
  );
const environment = '{ command: [python3, walk.py] }';

describe("a pull request's change of episodes", () => {
  it('waits for the merge, except for which output of its own model acts', () => {
    const base = policy('{ command: [python3, walk.py], count: 50 }', 'episode_reward: { min: 10 }');
    const head = policy(
      '{ command: [python3, easy.py], count: 2, seed: 7, output: action }',
      'episode_reward: { min: 5 }',
    );
    const { policy: effective } = stricterOf(base, head);
    expect(effective.episodes).toEqual({ command: ['python3', 'walk.py'], count: 50, output: 'action' });
    expect(effective.gates?.episode_reward).toEqual({ min: 10 });
  });

  it('counts where a bound is stricter', () => {
    const base = policy(
      environment,
      'episode_reward: { min: 10, max_regression: 5% }, episode_violations: { mostly: 0.9 }',
    );
    const head = policy(
      environment,
      'episode_reward: { min: 12, max_regression: 10% }, episode_violations: { mostly: 0.95 }',
    );
    const { gates } = stricterOf(base, head).policy;
    expect(gates?.episode_reward).toEqual({ min: 12, max_regression: '5%' });
    expect(gates?.episode_violations).toEqual({ mostly: 0.95 });
  });
});

describe('refused are', () => {
  it.each([
    ['gates without episodes', '', 'episode_length: { max: 5 }', 'needs an environment to act in'],
    ['episodes without a gate', environment, 'size: { max_mb: 1 }', 'episodes have no effect'],
    ['a gate that demands nothing', environment, 'episode_reward: { severity: warn }', 'demands nothing'],
    ['a minimum above the maximum', environment, 'episode_length: { min: 9, max: 5 }', 'min is above max'],
    ['a command for a shell', '{ command: "python3 walk.py" }', 'episode_length: { max: 5 }', 'episodes.command'],
    [
      'files above the policy',
      '{ command: [python3, ../walk.py], files: [../walk.py] }',
      'episode_length: { max: 5 }',
      'beside or below the policy',
    ],
  ])('%s', (_, episodes, gates, words) => {
    expect(() => policy(episodes, gates)).toThrow(words);
  });

  it('comparisons without a baseline', () => {
    const gates = 'episode_reward: { max_regression: 5% }';
    expect(() => policy(environment, gates, '{ path: m.onnx, baseline: none }')).toThrow('compares with a baseline');
  });
});

it('guardrails need no evaluation where there are episodes', () => {
  expect(() => policy(environment, 'guardrails: [{ output: action, min: 0 }]')).not.toThrow();
});
