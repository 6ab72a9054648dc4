import { describe, expect, test } from 'vitest';
import { PeerError } from '../core/problem/index.ts';
import type { Analysed, Look } from './analyst.ts';
import { endRollout } from './end-rollout.ts';
import type { RolloutOptions, Turn } from './live-rollout.ts';
import type { MetricsSource } from './metrics-source.ts';
import { orderRollout } from './order-rollout.ts';
import { runRollout } from './run-rollout.ts';
import { deafSource, emptySource, Life, providerStandIn, scripted, World, worldClock } from './stand-ins.ts';
import type { Command } from './state/record.ts';
import type { RolloutSettings } from './state/settings.ts';
import type { Traffic } from './traffic-provider.ts';

const settings: RolloutSettings = {
  strategy: { kind: 'steps', weights: [5, 25, 50] },
  lookEvery: 5_000,
  warmUp: 10_000,
  minStage: 20_000,
  deadline: 3_600_000,
  readyDeadline: 60_000,
  lease: 120_000,
  resumeWithin: 600_000,
  approval: false,
};

const always =
  (verdict: Analysed['verdict']) =>
  (_look: Look): Analysed['verdict'] =>
    verdict;

function optionsIn(world: World, more: Partial<RolloutOptions> = {}, life = new Life()): RolloutOptions {
  return {
    id: 'r1',
    holder: 'run 1',
    provider: providerStandIn(world, life),
    source: emptySource,
    analyst: scripted(always('advance')),
    settings,
    clock: worldClock(world),
    ...more,
  };
}

const weightsOf = (world: World) =>
  world.moves.map(({ traffic }) => traffic.canaryWeight).filter((weight, at, all) => weight !== all[at - 1]);

describe('a rollout', () => {
  test('that is harmless goes through every step and is promoted', async () => {
    const world = new World();
    const { outcome, record } = await runRollout(optionsIn(world));
    expect([outcome, record.passed, world.finished]).toEqual(['promoted', 3, 'promoted']);
    expect(weightsOf(world)).toEqual([5, 25, 50, 100]);
    expect(world.guarded).toBe(false);
  });

  test('begins with copies, then marked requests, where asked', async () => {
    const world = new World();
    await runRollout(
      optionsIn(world, {
        settings: {
          ...settings,
          strategy: {
            kind: 'steps',
            weights: [10],
            shadow: { percent: 50 },
            header: { name: 'x-canary', value: 'yes', minRequests: 10 },
          },
        },
      }),
    );
    const header = { name: 'x-canary', value: 'yes' };
    expect(world.moves.map(({ traffic }) => traffic)).toEqual([
      { canaryWeight: 0, mirrorPercent: 50 },
      { canaryWeight: 0, mirrorPercent: 0, header },
      { canaryWeight: 10, mirrorPercent: 0, header },
      { canaryWeight: 100, mirrorPercent: 0 },
    ]);
  });

  test('learns first what the baseline did before, and its looks can be decided again from there', async () => {
    const world = new World();
    const past = Array.from({ length: 3 }, (_, index) => ({
      canary: [],
      baseline: [{ id: 'b', requests: 100 * index, errors: 0, at: world.time }],
      remarks: [],
    }));
    const asked: unknown[] = [];
    const source: MetricsSource = {
      ...emptySource,
      history: async (...question) => {
        asked.push(question.slice(0, 2));
        return past;
      },
    };
    const looks: Look[] = [];
    const states: unknown[] = [];
    const judge = scripted(always('advance'))();
    const analyst: RolloutOptions['analyst'] = (state) => {
      states.push(state);
      return {
        look: (look) => {
          looks.push(look);
          return judge.look(look);
        },
      };
    };
    const turns: Turn[] = [];
    await runRollout(optionsIn(world, { source, analyst, onTurn: (turn) => void turns.push(turn) }));
    expect(asked).toEqual([[5000, 720]]);
    const learned = looks.slice(0, 3);
    expect(learned.map(({ warmUp, reading, stage }) => [warmUp, reading, stage.weight])).toEqual(
      past.map((reading) => [true, reading, 0]),
    );
    const firstLook = turns.find(({ look }) => look !== undefined);
    expect(learned.map(({ at }) => (firstLook?.look?.at ?? 0) - at)).toEqual([15_000, 10_000, 5000]);
    expect(states).toEqual([undefined, { looks: 0 }]);
    expect(firstLook?.before.analysis).toEqual({ looks: 0 });
    expect(firstLook?.look?.number).toBe(1);
  });

  test('whose source cannot tell of before goes on without', async () => {
    const world = new World();
    const warnings: string[] = [];
    const history = async () => Promise.reject(new PeerError({ code: 'old', message: 'nothing is kept so long' }));
    const source: MetricsSource = { ...emptySource, history };
    const warn = (message: string) => void warnings.push(message);
    const { outcome } = await runRollout(optionsIn(world, { source, warn }));
    expect(outcome).toBe('promoted');
    expect(warnings.filter((warning) => warning.includes('nothing is kept so long'))).toHaveLength(1);
  });

  test('that does harm is rolled back, and the record says why', async () => {
    const world = new World();
    const analyst = scripted(({ stage }) => (stage.weight === 25 ? 'rollback' : 'advance'));
    const { outcome, record } = await runRollout(optionsIn(world, { analyst }));
    expect([outcome, record.reason, world.finished]).toEqual(['rolled-back', 'errors: scripted', 'rolled-back']);
    expect(weightsOf(world)).toEqual([5, 25, 0]);
  });

  test('without evidence holds its first step until the deadline, then goes back', async () => {
    const world = new World();
    const { record } = await runRollout(optionsIn(world, { analyst: scripted(always('hold')) }));
    expect(record.reason).toContain('deadline of 1h');
    expect(weightsOf(world)).toEqual([5, 0]);
  });

  test('is not judged while the canary warms up', async () => {
    const world = new World();
    const turns: boolean[] = [];
    await runRollout(optionsIn(world, { onTurn: ({ look }) => void (look !== undefined && turns.push(look.warmUp)) }));
    expect(turns.slice(0, 4)).toEqual([true, true, false, false]);
  });

  test('whose canary never gets ready goes back, and says what the provider said', async () => {
    const world = new World();
    world.notReady = 'no ready pods';
    const { record } = await runRollout(optionsIn(world));
    expect(record.reason).toBe('the canary was not ready for 1m: no ready pods');
    expect(weightsOf(world)).toEqual([0]);
  });

  test('whose canary stops being ready while it has traffic goes back', async () => {
    const world = new World();
    const analyst = scripted(({ number }) => {
      if (number === 6) world.notReady = 'crash loop';
      return 'hold';
    });
    expect((await runRollout(optionsIn(world, { analyst }))).record.reason).toContain('crash loop');
  });

  test('whose metrics cannot be asked for as long as its lease goes back', async () => {
    const world = new World();
    const { record } = await runRollout(optionsIn(world, { source: deafSource() }));
    expect(record.reason).toBe('the metrics could not be asked for 2m');
  });

  test('sets right what somebody else moved, and goes back when that does not end', async () => {
    const once = new World();
    const nudge = scripted(({ number }) => {
      if (number === 6) once.traffic = { canaryWeight: 77, mirrorPercent: 0 };
      return 'advance';
    });
    expect((await runRollout(optionsIn(once, { analyst: nudge }))).outcome).toBe('promoted');
    const always = new World();
    const fight = scripted(() => {
      always.traffic = { canaryWeight: 77, mirrorPercent: 0 };
      return 'hold';
    });
    expect((await runRollout(optionsIn(always, { analyst: fight }))).record.reason).toContain('keeps moving');
  });

  test('waits for an approval, still watched, and goes back when there is harm', async () => {
    const approvedLater = new World();
    let asked = 0;
    const waiting = { settings: { ...settings, approval: true }, approved: async () => ++asked > 5 };
    expect((await runRollout(optionsIn(approvedLater, waiting))).outcome).toBe('promoted');
    expect(asked).toBe(6);

    const harmful = new World();
    const analyst = scripted(() => (harmful.record?.phase === 'awaiting-approval' ? 'rollback' : 'advance'));
    const { record } = await runRollout(
      optionsIn(harmful, { settings: { ...settings, approval: true }, approved: async () => false, analyst }),
    );
    expect([record.phase, record.passed]).toEqual(['rolled-back', 3]);
  });

  test('that is cancelled goes back at once', async () => {
    const world = new World();
    const cancel = new AbortController();
    const analyst = scripted(({ number }) => {
      if (number === 6) cancel.abort('the job was cancelled');
      return 'hold';
    });
    const { record } = await runRollout(optionsIn(world, { analyst, signal: cancel.signal }));
    expect([record.phase, record.reason, record.looks]).toEqual(['rolled-back', 'the job was cancelled', 6]);
  });

  test('whose analysis breaks goes back, and the error is thrown on', async () => {
    const world = new World();
    const analyst = scripted(({ number }) => {
      if (number === 6) throw new TypeError('a bug');
      return 'hold';
    });
    await expect(runRollout(optionsIn(world, { analyst }))).rejects.toThrow('a bug');
    expect([world.record?.phase, world.traffic.canaryWeight]).toEqual(['rolled-back', 0]);
    expect(world.record?.reason).toBe('the run broke: a bug');
  });

  test('stops at a safe point when its run has to end, keeps its weight, and goes on in the next', async () => {
    const world = new World();
    const first = await runRollout(optionsIn(world, { analyst: scripted(always('hold')), stopAfter: 60_000 }));
    expect([first.outcome, world.traffic.canaryWeight, world.guarded]).toEqual(['holding', 5, true]);
    expect(first.record.leaseUntil - world.time).toBe(600_000);
    world.time += 500_000;
    const second = await runRollout(optionsIn(world, { holder: 'run 2' }));
    expect([second.outcome, second.before]).toEqual(['promoted', false]);
  });

  test('that nobody went on with in time goes back', async () => {
    const world = new World();
    await runRollout(optionsIn(world, { analyst: scripted(always('hold')), stopAfter: 60_000 }));
    world.time += 700_000;
    const { record } = await runRollout(optionsIn(world, { holder: 'run 2' }));
    expect(record.reason).toContain('lease ran out');
  });

  test('that is over is told, and nothing is done again', async () => {
    const world = new World();
    await runRollout(optionsIn(world));
    const moves = world.moves.length;
    const again = await runRollout(optionsIn(world, { holder: 'run 2' }));
    expect([again.outcome, again.before, world.moves.length]).toEqual(['promoted', true, moves]);
  });

  test('with another strategy under the same id goes back', async () => {
    const world = new World();
    await runRollout(optionsIn(world, { analyst: scripted(always('hold')), stopAfter: 60_000 }));
    const other = { ...settings, strategy: { kind: 'steps', weights: [90] } } as const;
    const { record } = await runRollout(optionsIn(world, { holder: 'run 2', settings: other }));
    expect(record.reason).toContain('strategy');
  });

  test('opens as fast as its risk budget allows when it is adaptive, and settles at the largest weight', async () => {
    const world = new World();
    const strategy = { kind: 'adaptive', risk: 100, startWeight: 1, maxWeight: 40, growth: 2 } as const;
    const analyst = scripted(({ stage, number }) => (stage.weight === 40 && number > 20 ? 'advance' : 'hold'));
    const { outcome } = await runRollout(optionsIn(world, { settings: { ...settings, strategy }, analyst }));
    const weights = weightsOf(world);
    expect(outcome).toBe('promoted');
    expect(weights.at(0)).toBe(1);
    expect(weights.at(-1)).toBe(100);
    expect(weights).toEqual(weights.toSorted((one, other) => one - other));
  });

  test('refuses a strategy that the provider cannot do before anything is written', async () => {
    const world = new World();
    const provider = { ...providerStandIn(world, new Life()), can: { header: false, mirror: false, weights: [50] } };
    const strategy = { kind: 'steps', weights: [5, 50], shadow: { percent: 10 } } as const;
    const failed = runRollout(optionsIn(world, { provider, settings: { ...settings, strategy } }));
    await expect(failed).rejects.toMatchObject({ problems: [{ code: 'no-mirror' }, { code: 'impossible-weight' }] });
    expect(world.stored).toBeUndefined();
  });

  test('refuses a canary that has traffic which no rollout gave it', async () => {
    const world = new World();
    world.traffic = { canaryWeight: 30, mirrorPercent: 0 };
    await expect(runRollout(optionsIn(world))).rejects.toMatchObject({ problems: [{ code: 'canary-has-traffic' }] });
    expect(world.traffic.canaryWeight).toBe(30);
  });

  test('says that a provider has no guard before the first move', async () => {
    const world = new World();
    const said: string[] = [];
    const provider = providerStandIn(world, new Life(), { guard: false });
    await runRollout(optionsIn(world, { provider, warn: (message) => said.push(`${world.moves.length} ${message}`) }));
    expect(said[0]).toMatch(/^0 stand-in has no guard/);
  });
});

describe('two rollouts of one canary', () => {
  const holding = async (world: World) => {
    await runRollout(optionsIn(world, { analyst: scripted(always('hold')), stopAfter: 60_000 }));
  };

  test('the second is refused with who holds it and until when', async () => {
    const world = new World();
    await holding(world);
    const second = runRollout(optionsIn(world, { id: 'r2', holder: 'run 2' }));
    await expect(second).rejects.toThrow(/another rollout is on: r1, holding at 5 %.*held by run 1 until 20\d\d/);
  });

  test('the second brings the first to an end once its lease ran out', async () => {
    const world = new World();
    await holding(world);
    world.time += 700_000;
    const second = await runRollout(optionsIn(world, { id: 'r2', holder: 'run 2' }));
    expect(second.outcome).toBe('promoted');
    const phases = world.history.map(({ record }) => `${record.id} ${record.phase}`);
    expect(phases).toContain('r1 rolled-back');
    expect(phases.indexOf('r1 rolled-back')).toBeLessThan(phases.indexOf('r2 starting'));
  });

  test('a run that lost its rollout to another run of it touches nothing more', async () => {
    const world = new World();
    let takenOver = false;
    const analyst = scripted(({ number }) => {
      if (number === 8 && !takenOver) {
        takenOver = true;
        const { record } = world;
        if (record !== undefined) world.store(JSON.stringify({ ...record, holder: 'run 2' }));
      }
      return 'hold';
    });
    const failed = runRollout(optionsIn(world, { analyst }));
    await expect(failed).rejects.toMatchObject({ problems: [{ code: 'rollout-taken-over', found: 'run 2' }] });
    expect(world.traffic.canaryWeight).toBe(5);
    expect(world.record?.holder).toBe('run 2');
  });

  test('a record that somebody removed leads back to the baseline', async () => {
    const world = new World();
    const analyst = scripted(({ number }) => {
      if (number === 8) world.stored = undefined;
      return 'hold';
    });
    expect((await runRollout(optionsIn(world, { analyst }))).record.reason).toContain('removed by somebody else');
    expect(world.traffic.canaryWeight).toBe(0);
  });

  test('others may write to the object for reasons of their own', async () => {
    const world = new World();
    const life = new Life(undefined, () => world.touch());
    const quiet = { ...optionsIn(world, {}, life), analyst: scripted(always('advance')) };
    const failed = runRollout(quiet);
    await expect(failed).rejects.toMatchObject({ problems: [{ code: 'restless-record' }] });

    const now = new World();
    const sometimes = new Life(undefined, (call) => call % 3 === 0 && now.touch());
    expect((await runRollout(optionsIn(now, {}, sometimes))).outcome).toBe('promoted');
  });
});

describe('a provider that fails', () => {
  const failing = (world: World, from: number, until: number) => {
    let failures = 0;
    const life = new Life(undefined, () => {
      if (world.time < start + from || world.time >= start + until) return;
      failures++;
      throw new PeerError({ code: 'no-answer', message: 'the API server is down' });
    });
    const start = world.time;
    return { life, failures: () => failures };
  };

  test('for a minute is waited for', async () => {
    const world = new World();
    const { life, failures } = failing(world, 30_000, 90_000);
    const told: string[] = [];
    const { outcome } = await runRollout(optionsIn(world, { warn: (message) => told.push(message) }, life));
    expect([outcome, failures() > 5]).toEqual(['promoted', true]);
    expect(told.filter((message) => message.includes('asked again'))).toHaveLength(1);
  });

  test('for longer than the lease leads back to the baseline once it answers', async () => {
    const world = new World();
    const { life } = failing(world, 30_000, 30_000 + 150_000);
    const { record } = await runRollout(optionsIn(world, {}, life));
    expect(record.reason).toContain('lease ran out');
  });

  test('after it has done what it was asked is not asked for something else', async () => {
    const world = new World();
    const provider = providerStandIn(world, new Life());
    let writes = 0;
    const cutOff = {
      ...provider,
      move: async (change: Parameters<typeof provider.move>[0]) => {
        const revision = await provider.move(change);
        if (++writes % 2 === 0) throw new PeerError({ code: 'no-answer', message: 'cut off' });
        return revision;
      },
    };
    expect((await runRollout(optionsIn(world, { provider: cutOff }))).outcome).toBe('promoted');
    expect(weightsOf(world)).toEqual([5, 25, 50, 100]);
  });
});

describe('a move that takes longer than the lease', () => {
  const slow = 5 * 60_000;
  const optionsOf = (world: World, moving: (traffic: Traffic) => void | Promise<void>, more: object = {}) =>
    optionsIn(world, { provider: providerStandIn(world, new Life(), { guard: false, moving }), ...more });
  const takesLong = (world: World) => () => {
    world.time += slow;
  };
  const asGuard = (world: World) =>
    endRollout({
      provider: providerStandIn(world, new Life()),
      holder: 'guard',
      why: 'the lease ran out',
      onlyExpired: true,
      clock: worldClock(world),
    });

  test('is no silence of the run that makes it', async () => {
    const world = new World();
    const { outcome } = await runRollout(optionsOf(world, takesLong(world)));
    expect(outcome).toBe('promoted');
    expect(world.moves.map(({ traffic }) => traffic.canaryWeight)).toEqual([5, 25, 50, 100]);
  });

  test('is followed by a look at once, before another move', async () => {
    const world = new World();
    const seen: number[] = [];
    let moved = 0;
    const analyst = scripted(({ at }) => {
      // No sleep of this clock is shorter than a millisecond.
      if (moved > 0 && at - moved <= 1) seen.push(world.traffic.canaryWeight);
      moved = 0;
      return 'advance';
    });
    const moving = () => {
      world.time += slow;
      moved = world.time;
    };
    await runRollout(optionsOf(world, moving, { analyst, settings: { ...settings, warmUp: 0 } }));
    expect(seen).toEqual([5, 25, 50]);
  });

  test('leads back when the look after it shows harm', async () => {
    const world = new World();
    const analyst = scripted(({ stage }) => (stage.weight === 25 ? 'rollback' : 'advance'));
    const { outcome, record } = await runRollout(optionsOf(world, takesLong(world), { analyst }));
    expect([outcome, record.reason]).toEqual(['rolled-back', 'errors: scripted']);
    expect(weightsOf(world)).toEqual([5, 25, 0]);
  });

  test('excuses no silence after it', async () => {
    const world = new World();
    let reads = 0;
    const source: MetricsSource = {
      ...emptySource,
      read: async (signal) => {
        if (++reads === 3) world.time += settings.lease;
        return emptySource.read(signal);
      },
    };
    const { record } = await runRollout(optionsOf(world, takesLong(world), { source }));
    expect([reads, record.reason]).toEqual([3, expect.stringContaining('lease ran out')]);
  });

  test('excuses no time in which the provider did not answer', async () => {
    const world = new World();
    const down = world.time + settings.lease + 10_000;
    const life = new Life(undefined, () => {
      if (world.traffic.canaryWeight === 0 && world.record?.phase === 'starting' && world.time < down)
        throw new PeerError({ code: 'no-answer', message: 'down' });
    });
    const provider = providerStandIn(world, life, { guard: false, moving: takesLong(world) });
    const { record } = await runRollout(optionsIn(world, { provider }));
    expect(record.reason).toContain('lease ran out');
    expect(weightsOf(world)).toEqual([5, 0]);
  });

  test('loses the rollout to a guard when the lease runs out, and to none before', async () => {
    const world = new World();
    const found: unknown[] = [];
    const moving = async () => {
      world.time += settings.lease - 1000;
      found.push((await asGuard(world))?.phase);
      world.time += slow;
      found.push((await asGuard(world))?.phase);
    };
    const { outcome, record } = await runRollout(optionsOf(world, moving));
    expect(found).toEqual(['step', 'rolled-back']);
    expect([outcome, record.holder]).toEqual(['rolled-back', 'guard']);
    expect(weightsOf(world)).toEqual([0]);
  });

  test('loses the rollout to another one when the lease runs out', async () => {
    const world = new World();
    let others = 0;
    const moving = async () => {
      world.time += slow;
      if (++others === 1) await runRollout(optionsIn(world, { id: 'r2', holder: 'run 2' }));
    };
    const failed = runRollout(optionsOf(world, moving));
    await expect(failed).rejects.toMatchObject({ problems: [{ code: 'rollout-taken-over', found: 'run 2' }] });
    expect([world.record?.id, world.record?.phase, world.traffic.canaryWeight]).toEqual(['r2', 'promoted', 100]);
  });

  test('may be met by a command, is made again, and is no silence either time', async () => {
    const world = new World();
    const commands: Command[] = ['approve'];
    const moving = async () => {
      world.time += slow;
      const command = commands.pop();
      const provider = providerStandIn(world, new Life());
      if (command !== undefined) await orderRollout({ provider, command, by: 'ada', clock: worldClock(world) });
    };
    const { outcome, record } = await runRollout(
      optionsOf(world, moving, { settings: { ...settings, approval: true } }),
    );
    expect([outcome, record.approved?.by]).toEqual(['promoted', 'ada']);
  });

  test('is silence to the run that goes on after one that died in it', async () => {
    const world = new World();
    const life = new Life({ call: 3, when: 'before' });
    const moving = takesLong(world);
    const dying = runRollout(optionsIn(world, { provider: providerStandIn(world, life, { guard: false, moving }) }));
    await expect(dying).rejects.toThrow('killed');
    expect([world.record?.phase, world.traffic.canaryWeight]).toEqual(['step', 0]);
    const { record } = await runRollout(optionsOf(world, moving, { holder: 'run 2' }));
    expect(record.reason).toContain('lease ran out');
  });
});

describe('ending a rollout from elsewhere', () => {
  const running = async (world: World) => {
    const life = new Life({ call: 12, when: 'after' });
    await expect(runRollout(optionsIn(world, { analyst: scripted(always('hold')) }, life))).rejects.toThrow('killed');
    expect(world.traffic.canaryWeight).toBe(5);
  };
  const end = (world: World, more: object = {}) =>
    endRollout({
      provider: providerStandIn(world, new Life()),
      holder: 'post',
      why: 'the job was cancelled',
      clock: worldClock(world),
      ...more,
    });

  test('restores the baseline after the run died', async () => {
    const world = new World();
    await running(world);
    const record = await end(world, { onlyOf: 'run 1' });
    expect([record?.phase, record?.reason]).toEqual(['rolled-back', 'the job was cancelled']);
    expect([world.traffic.canaryWeight, world.finished, world.guarded]).toEqual([0, 'rolled-back', false]);
  });

  test('leaves what another run holds', async () => {
    const world = new World();
    await running(world);
    expect((await end(world, { onlyOf: 'run 7' }))?.phase).toBe('step');
    expect(world.traffic.canaryWeight).toBe(5);
  });

  test('as a guard acts only once the lease ran out', async () => {
    const world = new World();
    await running(world);
    expect((await end(world, { onlyExpired: true }))?.phase).toBe('step');
    world.time += 200_000;
    expect((await end(world, { onlyExpired: true }))?.phase).toBe('rolled-back');
  });

  test('finds nothing to do where nothing was ever rolled out, and twice does what once does', async () => {
    const world = new World();
    expect(await end(world)).toBeUndefined();
    await running(world);
    await end(world);
    const moves = world.moves.length;
    expect((await end(world))?.phase).toBe('rolled-back');
    expect(world.moves).toHaveLength(moves);
  });
});
