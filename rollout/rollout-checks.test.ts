import { describe, expect, test } from 'vitest';
import { type Status, verdictOf } from '../core/report/index.ts';
import type { MetricEvidence } from './analysis-verdict.ts';
import type { Analysed } from './analyst.ts';
import { rolloutChecks } from './rollout-checks.ts';
import type { RolloutResult } from './run-rollout.ts';
import { firstRecord } from './state/claim.ts';

const start = Date.UTC(2026, 10, 21);
const record = {
  ...firstRecord({ id: 'r', holder: 'h', plan: 'p', now: start, lease: 60_000 }),
  traffic: { canaryWeight: 25, mirrorPercent: 0 },
};

function ended(
  outcome: RolloutResult['outcome'],
  more: Partial<RolloutResult['record']> = {},
  before = false,
): RolloutResult {
  return { outcome, before, record: { ...record, endedAt: start + 750_000, ...more } };
}

function saw(says: MetricEvidence['says'], more: Partial<MetricEvidence> = {}): Analysed {
  return {
    verdict: 'hold',
    metrics: [
      {
        metric: 'errors',
        says,
        logEvidence: 1,
        threshold: 5,
        effect: { kind: 'ratio', estimate: 2, lower: 1.5, upper: 3 },
        canary: { requests: 1000, events: 20 },
        baseline: { requests: 3000, events: 30 },
        message: 'twice as often',
        ...more,
      },
    ],
    requests: { canary: 1000, baseline: 3000 },
    state: null,
    remarks: [],
  };
}

const placed = (path: readonly (string | number)[]) => ({ key: path.join('.') });
const checks = (result: RolloutResult, analysed?: Analysed) => rolloutChecks(result, analysed, placed);

describe('the check of how a rollout ended', () => {
  test('passes when it was promoted', () => {
    const [outcome] = checks(ended('promoted'));
    expect(outcome).toMatchObject({ status: 'pass', message: 'The canary has all requests after 12m 30s.' });
  });

  test('fails when it was rolled back, and says why', () => {
    const [outcome] = checks(ended('rolled-back', { reason: 'errors: twice\nas often' }));
    expect(outcome).toMatchObject({
      status: 'fail',
      message: 'Rolled back after 12m 30s: errors: twice\\u{a}as often. All requests go to the baseline.',
    });
  });

  test('is undecided while it holds, and says until when', () => {
    const [outcome] = checks(ended('holding', { leaseUntil: start + 3_600_000 }));
    expect(outcome).toMatchObject({ status: 'inconclusive', observed: 'holds at 25 %' });
    expect(outcome?.message).toContain('2026-11-21T01:00:00.000Z');
  });

  test('says that nothing was done where it had ended before', () => {
    expect(checks(ended('promoted', {}, true))[0]?.message).toContain('This run did nothing');
  });
});

describe('the check of a metric', () => {
  test.each<[MetricEvidence['says'], RolloutResult['outcome'], Status]>([
    ['harm', 'rolled-back', 'fail'],
    ['harmless', 'promoted', 'pass'],
    ['unsettled', 'rolled-back', 'inconclusive'],
    ['unsettled', 'holding', 'inconclusive'],
    ['unsettled', 'promoted', 'skipped'],
    ['no-data', 'holding', 'skipped'],
  ])('that says %s of one that is %s has the status %s', (says, outcome, status) => {
    expect(checks(ended(outcome), saw(says))[1]).toMatchObject({ id: 'rollout/errors', status });
  });

  test('shows the effect with its bounds and the requests behind it, at the line of the policy', () => {
    expect(checks(ended('rolled-back'), saw('harm'))[1]).toMatchObject({
      observed: 2,
      unit: 'ratio',
      evidence: { estimate: 2, lower: 1.5, upper: 3, n: 1000 },
      message: 'twice as often. 1,000 requests of the canary, 3,000 requests of the baseline.',
      place: { key: 'canary.analysis.errors' },
    });
    const reward = saw('harm', {
      metric: 'reward/clicks',
      effect: { kind: 'difference', estimate: 0, lower: -1, upper: 1 },
    });
    expect(checks(ended('rolled-back'), reward)[1]).toMatchObject({
      unit: 'share',
      place: { key: 'canary.analysis.rewards' },
    });
  });

  test('shows no number where there is none', () => {
    const endless = { kind: 'ratio', estimate: Number.NaN, lower: 0, upper: Number.POSITIVE_INFINITY } as const;
    expect(checks(ended('holding'), saw('unsettled', { effect: endless }))[1]).not.toHaveProperty('observed');
  });
});

test('only the end decides the verdict', () => {
  const verdict = (outcome: RolloutResult['outcome'], says: MetricEvidence['says']) =>
    verdictOf(checks(ended(outcome), saw(says)), { onInconclusive: 'warn' });
  expect(verdict('promoted', 'unsettled')).toBe('passed');
  expect(verdict('holding', 'no-data')).toBe('passed');
  expect(verdict('rolled-back', 'harmless')).toBe('failed');
});
