import { describe, expect, test } from 'vitest';
import { type CanaryPolicy, policyDefaults } from '../core/policy/index.ts';
import { analysisSettings } from './analysis/index.ts';
import { analysisOfPolicy, settingsOfPolicy } from './settings-of-policy.ts';

const policy: CanaryPolicy = {
  traffic: { provider: 'local', state: 'proxy' },
  metrics: { source: 'proxy' },
  strategy: { kind: 'steps', weights: [5, 50] },
};

describe('settingsOfPolicy', () => {
  test('takes the documented defaults where the policy is silent', () => {
    expect(settingsOfPolicy(policy)).toEqual({
      strategy: { kind: 'steps', weights: [5, 50] },
      lookEvery: 5_000,
      warmUp: 60_000,
      minStage: 120_000,
      deadline: 21_600_000,
      readyDeadline: 300_000,
      lease: 900_000,
      resumeWithin: 3_600_000,
      approval: false,
    });
  });

  test('takes times in milliseconds, and what comes before the first weight', () => {
    const settings = settingsOfPolicy({
      ...policy,
      strategy: {
        ...policy.strategy,
        min_step: '30s',
        max_step: '2h',
        shadow: { percent: 20 },
        header: { name: 'x-canary', value: 'yes' },
      },
      analysis: { look_every: '1500ms', warm_up: '0s' },
      deadline: '90m',
      ready_deadline: '1m',
      lease: '2m',
      resume_within: '3h',
    });
    expect(settings).toEqual({
      strategy: {
        kind: 'steps',
        weights: [5, 50],
        shadow: { percent: 20 },
        header: { name: 'x-canary', value: 'yes', minRequests: policyDefaults.canary.header_min_requests },
      },
      lookEvery: 1_500,
      warmUp: 0,
      minStage: 30_000,
      maxStage: 7_200_000,
      deadline: 5_400_000,
      readyDeadline: 60_000,
      lease: 120_000,
      resumeWithin: 10_800_000,
      approval: false,
    });
  });

  test('completes an adaptive strategy', () => {
    const { strategy } = settingsOfPolicy({ ...policy, strategy: { kind: 'adaptive', risk: 40, max_weight: 30 } });
    expect(strategy).toEqual({ kind: 'adaptive', risk: 40, startWeight: 1, maxWeight: 30, growth: 2 });
  });

  test.each([
    ['none', false],
    ['label', true],
    ['environment', true],
  ] as const)('approval %s waits for a person: %s', (approval, waits) => {
    expect(settingsOfPolicy({ ...policy, approval }).approval).toBe(waits);
  });
});

describe('analysisOfPolicy', () => {
  test('is the analysis without settings where the policy is silent, but for the warm-up', () => {
    expect(analysisOfPolicy(policy)).toEqual(analysisSettings({ warmUp: 60_000 }));
  });

  test('says the same as the policy in words of code, metric by metric', () => {
    const settings = analysisOfPolicy({
      ...policy,
      analysis: {
        look_every: '5s',
        warm_up: '10s',
        min_requests: 77,
        false_rollback: 0.02,
        false_pass: 0.1,
        power: 0.9,
        errors: { max_ratio: 1.5, max_increase: 0.001, detect_ratio: 3, detect_increase: 0.02 },
        latency: { slo_ms: 120, max_share_increase: 0.01, detect_share_increase: 0.05 },
        predictions: { max_shift: 0.02, detect_shift: 0.1 },
        agreement: { min: 0.99, detect: 0.95 },
        rewards: [{ name: 'clicks', better: 'higher', lowest: 0, highest: 1, max_loss: 0.01, detect_loss: 0.1 }],
      },
    });
    expect(settings).toMatchObject({
      warmUp: 10_000,
      minRequests: 77,
      falseRollback: 0.02,
      falsePass: 0.1,
      power: 0.9,
      errors: { maxRatio: 1.5, maxIncrease: 0.001, detectRatio: 3, detectIncrease: 0.02 },
      latency: { sloMs: 120, maxShareIncrease: 0.01, detectShareIncrease: 0.05 },
      predictions: { maxShift: 0.02, detectShift: 0.1 },
      agreement: { min: 0.99, detect: 0.95 },
      rewards: [{ name: 'clicks', maxLoss: 0.01, detectLoss: 0.1 }],
    });
  });

  test('judges no errors where the policy says so', () => {
    const settings = analysisOfPolicy({ ...policy, analysis: { errors: false, latency: { slo_ms: 100 } } });
    expect([settings.errors, settings.latency?.sloMs]).toEqual([undefined, 100]);
  });

  test('tells everything that is out of range at once', () => {
    const bad = {
      ...policy,
      analysis: { errors: { max_ratio: 2, detect_ratio: 1 }, agreement: { min: 0.9, detect: 0.95 } },
    };
    expect(() => analysisOfPolicy(bad)).toThrow(/detect[\s\S]*agreement|agreement[\s\S]*detect/i);
  });
});
