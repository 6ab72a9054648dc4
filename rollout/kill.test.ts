import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { PeerError, SluiceError } from '../core/problem/index.ts';
import type { Analysed, Look } from './analyst.ts';
import { endRollout } from './end-rollout.ts';
import type { RolloutOptions } from './live-rollout.ts';
import { orderRollout } from './order-rollout.ts';
import { runRollout } from './run-rollout.ts';
import { Death, emptySource, Life, providerStandIn, scripted, World, worldClock } from './stand-ins.ts';
import { commands, type RolloutRecord } from './state/record.ts';
import type { RolloutSettings } from './state/settings.ts';

const settings: RolloutSettings = {
  strategy: {
    kind: 'steps',
    weights: [10, 50],
    shadow: { percent: 20 },
    header: { name: 'x-canary', value: 'yes', minRequests: 1 },
  },
  lookEvery: 5_000,
  warmUp: 0,
  minStage: 5_000,
  deadline: 600_000,
  readyDeadline: 60_000,
  lease: 60_000,
  resumeWithin: 120_000,
  approval: true,
};
const stages = 4;

interface Course {
  readonly name: string;
  readonly says: (look: Look) => Analysed['verdict'];
  readonly end: 'promoted' | 'rolled-back';
}

const courses: readonly Course[] = [
  { name: 'harmless', says: () => 'advance', end: 'promoted' },
  { name: 'harmful at once', says: () => 'rollback', end: 'rolled-back' },
  { name: 'harmful at 50 %', says: ({ stage }) => (stage.weight === 50 ? 'rollback' : 'advance'), end: 'rolled-back' },
];

function optionsOf(world: World, life: Life, holder: string, says: Course['says']): RolloutOptions {
  return {
    id: 'r1',
    holder,
    provider: providerStandIn(world, life),
    source: emptySource,
    analyst: scripted(says),
    settings,
    approved: async () => true,
    clock: worldClock(world),
  };
}

/** What must hold in every history, whoever died when. */
function hold(world: World): void {
  let weight = 0;
  for (const { traffic, record } of world.moves) {
    // The record says so before the traffic does.
    expect(record?.traffic).toEqual(traffic);
    weight = traffic.canaryWeight;
  }
  let before: RolloutRecord | undefined;
  for (const { record } of world.history) {
    if (before !== undefined && before.id === record.id) {
      const ended = before.phase === 'promoted' || before.phase === 'rolled-back';
      if (ended) expect(record.phase).toBe(before.phase);
      if (before.phase === 'finishing') expect(['finishing', 'promoted']).toContain(record.phase);
      if (before.phase === 'rolling-back') expect(['rolling-back', 'rolled-back']).toContain(record.phase);
      if (record.phase === 'promoting') expect(record.passed).toBe(stages);
      expect(record.passed - before.passed).toBeLessThanOrEqual(1);
      expect(record.passed).toBeGreaterThanOrEqual(before.passed);
    }
    if (record.phase === 'rolling-back' || record.phase === 'rolled-back') {
      expect(record.traffic).toEqual({ canaryWeight: 0, mirrorPercent: 0 });
    }
    if (record.phase === 'promoted') expect(record.passed).toBe(stages);
    before = record;
  }
  if (world.record?.phase === 'rolled-back') expect([weight, world.finished]).toEqual([0, 'rolled-back']);
  if (world.record?.phase === 'promoted') expect([weight, world.finished]).toEqual([100, 'promoted']);
}

/** How many changes a whole life makes at the provider. */
async function changesOf(course: Course): Promise<number> {
  const life = new Life();
  await runRollout(optionsOf(new World(), life, 'run 1', course.says));
  return life.calls;
}

describe.each(courses)('a rollout that is $name', (course) => {
  test.each(['before', 'between', 'after'] as const)(
    'killed %s any change at the provider ends in the next run',
    async (when) => {
      const changes = await changesOf(course);
      expect(changes).toBeGreaterThan(7);
      for (let call = 1; call <= changes; call++) {
        const world = new World();
        const first = new Life({ call, when });
        await runRollout(optionsOf(world, first, 'run 1', course.says)).catch((error: unknown) => {
          if (!(error instanceof Death)) throw error;
        });
        hold(world);
        const { outcome } = await runRollout(optionsOf(world, new Life(), 'run 2', course.says));
        expect([call, outcome, world.record?.phase]).toEqual([call, course.end, course.end]);
        hold(world);
      }
    },
  );

  test.each(['between', 'after'] as const)(
    'killed %s any change at the provider, and again at any in the next run, ends in the third',
    async (when) => {
      const changes = await changesOf(course);
      for (let call = 1; call <= changes; call++) {
        for (let again = 1; again <= changes; again++) {
          const world = new World();
          for (const [holder, at] of [
            ['run 1', call],
            ['run 2', again],
          ] as const) {
            await runRollout(optionsOf(world, new Life({ call: at, when }), holder, course.says)).catch(
              (error: unknown) => {
                if (!(error instanceof Death)) throw error;
              },
            );
          }
          const { outcome } = await runRollout(optionsOf(world, new Life(), 'run 3', course.says));
          expect([call, again, outcome]).toEqual([call, again, course.end]);
          hold(world);
        }
      }
    },
  );

  test.each(['before', 'between', 'after'] as const)(
    'killed %s any change and never gone on with is ended by its guard, or by the next rollout',
    async (when) => {
      const changes = await changesOf(course);
      for (let call = 1; call <= changes; call++) {
        for (const who of ['guard', 'next'] as const) {
          const world = new World();
          await runRollout(optionsOf(world, new Life({ call, when }), 'run 1', course.says)).catch((error: unknown) => {
            if (!(error instanceof Death)) throw error;
          });
          world.time += settings.lease + 1;
          if (who === 'guard') {
            const ended = await endRollout({
              provider: providerStandIn(world, new Life()),
              holder: 'guard',
              why: 'the lease ran out',
              onlyExpired: true,
              clock: worldClock(world),
            });
            if (ended === undefined) expect(world.traffic.canaryWeight).toBe(0);
            else expect(['promoted', 'rolled-back']).toContain(ended.phase);
            hold(world);
          } else if (world.record?.phase !== 'promoted') {
            const { outcome } = await runRollout({
              ...optionsOf(world, new Life(), 'run 2', () => 'advance'),
              id: 'r2',
            }).catch((error: unknown) => {
              // The one before was promoted: its canary has all the traffic, and this stand-in knows no other.
              if (error instanceof SluiceError && error.problems[0].code === 'canary-has-traffic')
                return { outcome: 'promoted' };
              throw error;
            });
            expect(outcome).toBe('promoted');
          }
        }
      }
    },
  );
});

describe('a rollout whose every move outlasts its lease', () => {
  const optionsOfSlow = (world: World, life: Life, holder: string): RolloutOptions => {
    const moving = () => {
      world.time += settings.lease + 5_000;
    };
    return {
      ...optionsOf(world, life, holder, () => 'advance'),
      provider: providerStandIn(world, life, { moving }),
    };
  };

  test('is promoted where nobody else takes it', async () => {
    const world = new World();
    const { outcome } = await runRollout(optionsOfSlow(world, new Life(), 'run 1'));
    expect(outcome).toBe('promoted');
    hold(world);
  });

  test.each(['before', 'after'] as const)(
    'killed %s any change at the provider goes on in the next run, or back where the lease ran out',
    async (when) => {
      const life = new Life();
      await runRollout(optionsOfSlow(new World(), life, 'run 1'));
      const ends = new Set<string>();
      for (let call = 1; call <= life.calls; call++) {
        const world = new World();
        await runRollout(optionsOfSlow(world, new Life({ call, when }), 'run 1')).catch((error: unknown) => {
          if (!(error instanceof Death)) throw error;
        });
        hold(world);
        const { record: left } = world;
        const forward = left?.phase === 'finishing' || left?.phase === 'promoted';
        const end = left === undefined || forward || world.time <= left.leaseUntil ? 'promoted' : 'rolled-back';
        const { outcome } = await runRollout(optionsOfSlow(world, new Life(), 'run 2'));
        expect([call, outcome, world.record?.phase]).toEqual([call, end, end]);
        ends.add(outcome);
        hold(world);
      }
      expect([...ends].toSorted()).toEqual(['promoted', 'rolled-back']);
    },
  );
});

type Happening =
  | { readonly kind: 'life'; readonly call: number; readonly when: 'before' | 'between' | 'after' | 'never' }
  | { readonly kind: 'wait'; readonly seconds: number }
  | { readonly kind: 'order'; readonly command: (typeof commands)[number] }
  | { readonly kind: 'guard' }
  | { readonly kind: 'other' };

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('life' as const),
      call: fc.integer({ min: 1, max: 30 }),
      when: fc.constantFrom('before', 'between', 'after', 'never'),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 150 }) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('order' as const), command: fc.constantFrom(...commands) }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'guard' as const }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'other' as const }) },
);

describe('whatever happens to a rollout', () => {
  test('it keeps its promises, and one more run brings it to an end', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(happening, { minLength: 1, maxLength: 8 }),
        fc.array(fc.constantFrom('advance', 'hold', 'inconclusive', 'rollback'), { minLength: 1, maxLength: 12 }),
        fc.array(fc.constantFrom('nothing', 'touch', 'pause', 'abort', 'skip', 'unsettled', 'down'), {
          maxLength: 20,
        }),
        fc.integer({ min: 0, max: 90 }),
        async (happenings, verdicts, disturbances, secondsAMove) => {
          const world = new World();
          const moving = () => {
            world.time += secondsAMove * 1000;
          };
          const slow = (life: Life) =>
            secondsAMove === 0 ? {} : { provider: providerStandIn(world, life, { moving }) };
          const says = ({ number }: Look) => verdicts[number % verdicts.length] ?? 'hold';
          const disturb = (call: number) => {
            world.settled = true;
            const what = disturbances[call % Math.max(1, disturbances.length)];
            if (what === 'touch') world.touch();
            if (what === 'unsettled') world.settled = false;
            if (what === 'down') throw new PeerError({ code: 'no-answer', message: 'down' });
            const { record } = world;
            if (record === undefined) return;
            if (what === 'pause' || what === 'abort' || what === 'skip') {
              const command = { kind: what, by: 'somebody', at: world.time };
              if (record.phase !== 'promoted' && record.phase !== 'rolled-back') {
                world.store(JSON.stringify({ ...record, command }));
              }
            }
          };
          let run = 0;
          const clock = worldClock(world);
          const tolerated = (error: unknown) => {
            if (!(error instanceof Death) && !(error instanceof SluiceError)) throw error;
          };
          for (const one of happenings) {
            if (one.kind === 'wait') world.time += one.seconds * 1000;
            if (one.kind === 'life') {
              const fate = one.when === 'never' ? undefined : { call: one.call, when: one.when };
              const life = new Life(fate, disturb);
              await runRollout({ ...optionsOf(world, life, `run ${++run}`, says), ...slow(life) }).catch(tolerated);
            }
            if (one.kind === 'order') {
              const provider = providerStandIn(world, new Life());
              await orderRollout({ provider, command: one.command, by: 'octocat', clock }).catch(tolerated);
            }
            if (one.kind === 'guard') {
              const provider = providerStandIn(world, new Life(undefined, disturb));
              const holder = `guard ${++run}`;
              await endRollout({ provider, holder, why: 'lease', onlyExpired: true, clock }).catch(tolerated);
            }
            if (one.kind === 'other') {
              const life = new Life(undefined, disturb);
              const options = { ...optionsOf(world, life, `run ${++run}`, says), ...slow(life), id: `r${run}` };
              await runRollout(options).catch(tolerated);
            }
            world.settled = true;
            hold(world);
          }
          world.time += settings.resumeWithin + 1;
          const end = await endRollout({
            provider: providerStandIn(world, new Life()),
            holder: 'last',
            why: 'the end',
            clock,
          });
          hold(world);
          if (end !== undefined) expect(['promoted', 'rolled-back']).toContain(end.phase);
          expect([0, 100]).toContain(world.traffic.canaryWeight);
        },
      ),
      { numRuns: 200 },
    );
  });
});
