import { expect, test } from 'vitest';
import type { RolloutRecord } from '../../rollout/index.ts';
import { outcomeOf, type RolloutStanding, standingText } from './standing.ts';

const minute = 60_000;
const now = Date.UTC(2026, 10, 21, 12);
const record: RolloutRecord = {
  v: 1,
  id: 'acme/churn@0123',
  holder: 'run 17',
  leaseUntil: now + 15 * minute,
  phase: 'step',
  traffic: { canaryWeight: 25, mirrorPercent: 0 },
  stage: 1,
  passed: 1,
  startedAt: now - 30 * minute,
  stageAt: now - 2 * minute,
  plan: 'p',
  looks: 360,
  lastLook: { at: now - 4000, verdict: 'hold' },
  drifts: 0,
};

function standing(more: Partial<RolloutRecord> = {}, its: Partial<RolloutStanding> = {}): RolloutStanding {
  const found = { ...record, ...more };
  return {
    outcome: outcomeOf(found),
    title: 'VirtualService shop/churn',
    traffic: { desired: found.traffic, settled: true },
    now,
    record: found,
    ...its,
  };
}

test('a rollout that is on is told with its weight, its last look and its holder', () => {
  expect(standingText(standing()).split('\n')).toEqual([
    'The canary has 25 % of the requests of VirtualService shop/churn.',
    'The rollout acme/churn@0123 is at 25 % since 2m; it began 30m ago.',
    '360 looks, the last 4s ago: hold.',
    'Held by run 17, whose lease lasts until 2026-11-21T12:15:00.000Z.',
  ]);
});

test('one whose run is gone is told as such', () => {
  expect(standingText(standing({ leaseUntil: now - minute }))).toContain(
    'Nobody watches it: the lease of run 17 ran out 1m ago.',
  );
});

test('one that is over is told with its reason, and nobody holds it', () => {
  const text = standingText(
    standing({ phase: 'rolled-back', endedAt: now - minute, reason: 'errors: twice as often' }),
  );
  expect(text).toContain('The rollout acme/churn@0123 was rolled back 1m ago.');
  expect(text).toContain('Reason: errors: twice as often');
  expect(text).not.toContain('Held by');
});

test('what is odd is told: copies, headers, a canary that is not ready, traffic that does not follow, orders', () => {
  const text = standingText(
    standing(
      { phase: 'paused', approved: { by: 'ada', at: 1 }, command: { kind: 'resume', by: 'grace', at: 1 } },
      {
        traffic: {
          desired: { canaryWeight: 0, mirrorPercent: 20, header: { name: 'x-canary', value: 'secret' } },
          settled: false,
          notReady: 'no ready pods',
        },
      },
    ),
  );
  expect(text).toContain(
    'The canary has 0 % of the requests of VirtualService shop/churn and copies of 20 % and those with the header x-canary; the data plane does not follow yet.',
  );
  expect(text).toContain('The canary is not ready: no ready pods.');
  expect(text).toContain('in the phase "paused"');
  expect(text).toContain('Approved by ada.\nTold to resume by grace, not obeyed yet.');
});

test('nothing of a record reaches a terminal raw', () => {
  expect(standingText(standing({ id: 'a\u001b[2J', reason: 'b\n::error::c' }))).not.toMatch(/\u001b|^::/m);
});

test('where nothing was ever recorded, that is told', () => {
  const { record: _, ...bare } = standing();
  expect(standingText({ ...bare, outcome: 'none' })).toMatch(/No rollout was ever recorded here\.$/);
});

test.each([
  ['promoted', 'promoted'],
  ['rolled-back', 'rolled-back'],
  ['holding', 'holding'],
  ['paused', 'running'],
  ['rolling-back', 'running'],
] as const)('a rollout in the phase %s has the outcome %s', (phase, outcome) => {
  expect(outcomeOf({ ...record, phase })).toBe(outcome);
});
