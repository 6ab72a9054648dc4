import { describe, expect, test } from 'vitest';
import { firstRecord } from './claim.ts';
import type { RolloutEvent } from './event.ts';
import { next } from './next.ts';
import { type Command, type Phase, phases, type RolloutRecord } from './record.ts';
import type { RolloutSettings } from './settings.ts';

const settings: RolloutSettings = {
  strategy: { kind: 'steps', weights: [50] },
  lookEvery: 1_000,
  warmUp: 0,
  minStage: 0,
  deadline: 3_600_000,
  readyDeadline: 60_000,
  lease: 60_000,
  resumeWithin: 600_000,
  approval: true,
};
const traffic = { canaryWeight: 50, mirrorPercent: 0 };
const begun = { ...firstRecord({ id: 'r', holder: 'h', plan: 'p', now: 0, lease: 60_000 }), traffic };

const inPhase = (phase: Phase, more: Partial<RolloutRecord> = {}): RolloutRecord => ({ ...begun, phase, ...more });
const order = (record: RolloutRecord, command: Command) =>
  next(
    { ...record, command: { kind: command, by: 'ada', at: 1 } },
    { kind: 'ordered', command, by: 'ada', now: 5 },
    settings,
  );

function looked(record: RolloutRecord, more: Partial<Extract<RolloutEvent, { kind: 'observed' }>> = {}) {
  return next(
    record,
    {
      kind: 'observed',
      now: 5_000,
      traffic: { desired: record.traffic, settled: true },
      analysed: {
        verdict: 'advance',
        metrics: [],
        requests: { canary: 1, baseline: 1 },
        state: undefined,
        remarks: [],
      },
      blind: false,
      requestsPerSecond: 1,
      movedFor: 0,
      approved: false,
      stop: false,
      ...more,
    },
    settings,
  );
}

describe('an approval by command', () => {
  test('promotes a rollout that waits for it, at its next look, for good', () => {
    const waiting = inPhase('awaiting-approval');
    expect(looked(waiting).record.phase).toBe('awaiting-approval');
    const { record, effects } = order(waiting, 'approve');
    expect([record.approved, record.command]).toEqual([{ by: 'ada', at: 5 }, undefined]);
    expect(effects).toEqual([{ kind: 'tell', message: 'Approved by ada.' }]);
    expect(looked(record).record).toMatchObject({ phase: 'promoting', traffic: { canaryWeight: 100 } });
  });

  test('given early lets the last step pass into the promotion, and no step before it', () => {
    const early = order(inPhase('step'), 'approve').record;
    const hold = {
      verdict: 'hold',
      metrics: [],
      requests: { canary: 1, baseline: 1 },
      state: undefined,
      remarks: [],
    } as const;
    expect(looked(early, { analysed: hold }).record.phase).toBe('step');
    expect(looked(early).record.phase).toBe('promoting');
    expect(looked(inPhase('step')).record.phase).toBe('awaiting-approval');
  });

  test('does not keep harm from rolling back', () => {
    const { record } = order(inPhase('awaiting-approval'), 'approve');
    const harm = {
      verdict: 'rollback',
      metrics: [],
      requests: { canary: 1, baseline: 1 },
      state: undefined,
      remarks: [],
    } as const;
    expect(looked(record, { analysed: harm }).record.phase).toBe('rolling-back');
  });

  test('survives a stop at a safe point and a run that goes on', () => {
    const { record } = order(inPhase('step'), 'approve');
    const held = looked(record, {
      analysed: { verdict: 'hold', metrics: [], requests: { canary: 1, baseline: 1 }, state: undefined, remarks: [] },
      stop: true,
    });
    expect(held.record.phase).toBe('holding');
    const on = next(held.record, { kind: 'resumed', holder: 'h2', now: 6_000, plan: 'p' }, settings);
    expect([on.record.phase, looked(on.record, { now: 7_000 }).record.phase]).toEqual(['step', 'promoting']);
  });
});

describe.each(['pause', 'resume', 'skip', 'approve'] as const)('the order %s', (command) => {
  test.each(phases)('moves no traffic in the phase %s, and is not left in the record', (phase) => {
    const before = inPhase(phase);
    const { record, move } = order(before, command);
    expect([move, record.traffic]).toEqual([false, before.traffic]);
    const over = phase === 'promoted' || phase === 'rolled-back';
    const waits = command === 'skip' && ['shadow', 'header', 'step'].includes(phase);
    expect(record.command !== undefined).toBe(over || waits);
  });
});

describe('the order abort', () => {
  test.each(phases.filter((phase) => !['promoted', 'rolled-back', 'finishing', 'rolling-back'].includes(phase)))(
    'leads from the phase %s to the baseline, and says who gave it',
    (phase) => {
      const { record } = order(inPhase(phase), 'abort');
      expect(record).toMatchObject({ phase: 'rolling-back', reason: 'aborted by ada', traffic: { canaryWeight: 0 } });
    },
  );
});
