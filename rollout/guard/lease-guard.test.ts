import { describe, expect, test } from 'vitest';
import { PeerError } from '../../core/problem/index.ts';
import { Life, providerStandIn, World, worldClock } from '../stand-ins.ts';
import { firstRecord } from '../state/claim.ts';
import { type RolloutRecord, recordText } from '../state/record.ts';
import { type GuardWork, guardRollout } from './lease-guard.ts';

const minute = 60_000;

/** A rollout at 25 %, held by a run, for ten minutes from now on. */
function worldWith(change: Partial<RolloutRecord> = {}): World {
  const world = new World();
  const traffic = { canaryWeight: 25, mirrorPercent: 0 };
  const first = firstRecord({ id: 'r1', holder: 'run 1', plan: 'p', now: world.time, lease: 10 * minute });
  world.store(recordText({ ...first, phase: 'step', traffic, ...change }));
  world.route(traffic);
  return world;
}

function guarding(world: World, life: Life = new Life(), its: Partial<GuardWork> = {}) {
  return guardRollout({
    provider: providerStandIn(world, life, { guard: false }),
    rolloutId: 'r1',
    holder: 'guard 1',
    patienceMs: minute,
    everyMs: 5_000,
    clock: worldClock(world),
    ...its,
  });
}

const down = new PeerError({ code: 'no-answer', message: 'down' });

describe('a guard', () => {
  test('waits for the lease to run out, and not a moment less', async () => {
    const world = worldWith();
    const until = world.time + 10 * minute;
    expect(await guarding(world)).toBe('restored');
    expect(world.traffic.canaryWeight).toBe(0);
    expect(world.finished).toBe('rolled-back');
    expect(world.record).toMatchObject({ phase: 'rolled-back', holder: 'guard 1' });
    expect(world.history.at(1)?.record.stageAt).toBeGreaterThan(until);
  });

  test('leaves a rollout alone whose lease is renewed, and ends with it', async () => {
    const world = worldWith();
    let looks = 0;
    const clock = worldClock(world);
    const sleep: typeof clock.sleep = async (milliseconds) => {
      await clock.sleep(milliseconds);
      const record = world.record;
      if (record === undefined) throw new Error('no record');
      const phase = ++looks < 300 ? record.phase : 'promoted';
      world.store(recordText({ ...record, phase, leaseUntil: world.time + minute }));
    };
    expect(await guarding(world, new Life(), { clock: { ...clock, sleep } })).toBe('over');
    expect(world.traffic.canaryWeight).toBe(25);
  });

  test('goes forward where the canary already is the new baseline', async () => {
    const world = worldWith({ phase: 'finishing', traffic: { canaryWeight: 100, mirrorPercent: 0 } });
    expect(await guarding(world)).toBe('restored');
    expect(world.record?.phase).toBe('promoted');
    expect(world.finished).toBe('promoted');
  });

  test.each([
    ['there is none', undefined],
    ['another is on', { id: 'r2', leaseUntil: 0 }],
    ['it was over before the guard came', { phase: 'promoted' as const }],
  ])('does nothing to a rollout when %s', async (_, change) => {
    const world = change === undefined ? new World() : worldWith(change);
    const { traffic } = world;
    expect(await guarding(world)).toBe('none');
    expect(world.traffic).toBe(traffic);
    expect(world.history).toHaveLength(change === undefined ? 0 : 1);
  });

  test('is started before the first record, and waits for it', async () => {
    const world = new World();
    const clock = worldClock(world);
    const sleep: typeof clock.sleep = async (milliseconds) => {
      await clock.sleep(milliseconds);
      if (world.stored !== undefined) return;
      const { record } = worldWith();
      if (record !== undefined) world.store(recordText({ ...record, leaseUntil: world.time + minute }));
    };
    expect(await guarding(world, new Life(), { clock: { ...clock, sleep } })).toBe('restored');
  });

  test('asks on while the provider is away, says so once, and says when it is back', async () => {
    const world = worldWith();
    const provider = providerStandIn(world, new Life(), { guard: false });
    const said: string[] = [];
    let asked = 0;
    const record: typeof provider.record = async () => {
      asked++;
      if (asked > 3 && asked < 300) throw down;
      return provider.record();
    };
    const outcome = await guarding(world, new Life(), {
      provider: { ...provider, record },
      say: (message) => said.push(message),
    });
    expect(outcome).toBe('restored');
    expect(said[0]).toContain('down');
    expect(said[1]).toContain('answers again');
    expect(said[2]).toContain('The lease of run 1 ran out');
  });

  test('goes on at once with what it had begun when the provider fails it in the middle', async () => {
    for (let at = 1; at <= 4; at++) {
      const world = worldWith();
      const began = world.time;
      let calls = 0;
      // Fails for good, as a right that is missing does, then mends.
      const life = new Life(undefined, () => {
        if (++calls === at) throw new PeerError({ code: 'forbidden', message: 'no' });
      });
      expect(await guarding(world, life)).toBe('restored');
      expect(world.record?.phase).toBe('rolled-back');
      // Not a lease of its own later.
      expect(world.time - began).toBeLessThan(12 * minute);
    }
  });

  test('throws a mistake of ours, so that its Job starts it anew', async () => {
    const world = worldWith();
    const provider = providerStandIn(world, new Life(), { guard: false });
    const record = async () => {
      throw new TypeError('a mistake');
    };
    await expect(guarding(world, new Life(), { provider: { ...provider, record } })).rejects.toThrow('a mistake');
  });
});
