import { describe, expect, test } from 'vitest';
import { InputError, PeerError } from '../core/problem/index.ts';
import { RecordKeeper } from './record-keeper.ts';
import { Life, providerStandIn, World, worldClock } from './stand-ins.ts';
import { firstRecord } from './state/claim.ts';

function keeperOf(world: World, trouble: string[] = []) {
  return new RecordKeeper({
    provider: providerStandIn(world, new Life()),
    clock: worldClock(world),
    patience: () => 60_000,
    onTrouble: (message) => trouble.push(message),
  });
}

/** Fails so many times, then answers. */
function failing(error: Error, times: number): { readonly ask: () => Promise<string>; readonly asked: () => number } {
  let asked = 0;
  return {
    asked: () => asked,
    ask: async () => {
      asked++;
      if (asked <= times) throw error;
      return 'answer';
    },
  };
}

describe('whoever keeps the record', () => {
  test('tells how long the provider moved, without what it did not answer and what moved nothing', async () => {
    const world = new World();
    let down = 3;
    const life = new Life(undefined, () => {
      if (down-- > 0) throw new PeerError({ code: 'unreachable', message: 'away' });
    });
    const moving = () => {
      world.time += 50_000;
    };
    const provider = providerStandIn(world, life, { moving });
    const options = { provider, clock: worldClock(world), patience: () => 60_000, onTrouble: () => {} };
    const keeper = new RecordKeeper(options);
    const record = firstRecord({ id: 'r', holder: 'h', plan: 'p', now: world.time, lease: 60_000 });
    await keeper.read();
    expect(await keeper.write(record, true)).toEqual({ kind: 'written', movedFor: 50_000 });
    expect(await keeper.write(record, false)).toEqual({ kind: 'written', movedFor: 0 });
  });

  test('asks again while the provider is away, and says so once', async () => {
    const trouble: string[] = [];
    const away = failing(new PeerError({ code: 'unreachable', message: 'away' }), 4);
    expect(await keeperOf(new World(), trouble).insist(away.ask)).toBe('answer');
    expect(away.asked()).toBe(5);
    expect(trouble).toHaveLength(1);
  });

  test('throws what the provider threw when its patience is over', async () => {
    const away = failing(new PeerError({ code: 'unreachable', message: 'away' }), 1000);
    await expect(keeperOf(new World()).insist(away.ask)).rejects.toMatchObject({ problems: [{ code: 'unreachable' }] });
    expect(away.asked()).toBeGreaterThan(10);
  });

  test.each([
    new PeerError({ code: 'forbidden', message: 'no' }),
    new PeerError({ code: 'no-such-object', message: 'none' }),
    new PeerError({ code: 'several-routes', message: 'two' }),
    new PeerError({ code: 'guard-not-running', message: 'image' }),
    new InputError({ code: 'bad-header', message: 'newline' }),
    new TypeError('a mistake'),
  ])('says at once what asking again cannot mend: %s', async (error) => {
    const broken = failing(error, 1000);
    await expect(keeperOf(new World()).insist(broken.ask)).rejects.toBe(error);
    expect(broken.asked()).toBe(1);
  });
});
