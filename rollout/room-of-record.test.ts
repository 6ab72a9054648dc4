import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { runRollout } from './run-rollout.ts';
import { emptySource, Life, providerStandIn, scripted, World, worldClock } from './stand-ins.ts';

test.each([
  [undefined, true],
  [9000, true],
  [4000, false],
])('the evidence is kept in the record of a provider with room for %s characters: %s', async (room, kept) => {
  const world = new World();
  const warnings: string[] = [];
  const state = randomBytes(3000).toString('hex');
  const usual = scripted(() => 'hold')();
  await runRollout({
    id: 'r1',
    holder: 'run 1',
    provider: { ...providerStandIn(world, new Life()), ...(room === undefined ? {} : { room }) },
    source: emptySource,
    analyst: () => ({ look: (look) => ({ ...usual.look(look), state }) }),
    settings: {
      strategy: { kind: 'steps', weights: [5] },
      lookEvery: 5000,
      warmUp: 0,
      minStage: 0,
      deadline: 60_000,
      readyDeadline: 60_000,
      lease: 120_000,
      resumeWithin: 60_000,
      approval: false,
    },
    clock: worldClock(world),
    warn: (message) => warnings.push(message),
  });
  expect(world.history.some(({ record }) => record.analysis === state)).toBe(kept);
  expect(warnings.some((warning) => warning.includes('too large to be kept'))).toBe(!kept);
});
