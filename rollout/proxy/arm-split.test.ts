import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ArmSplit } from './arm-split.ts';

const weights = fc.integer({ min: 0, max: 100 });
const only = (canaryWeight: number) => ({ canaryWeight, mirrorPercent: 0 });

describe('the split', () => {
  test('gives the canary exactly its percent of every hundred requests', () => {
    fc.assert(
      fc.property(weights, fc.string(), (weight, seed) => {
        const split = new ArmSplit({ seed });
        for (let hundred = 0; hundred < 3; hundred++) {
          const arms = Array.from({ length: 100 }, () => split.arm(only(weight), {}));
          expect(arms.filter((arm) => arm === 'canary')).toHaveLength(weight);
        }
      }),
    );
  });

  test('has no beat: clients that take turns are each split by the weight', () => {
    const split = new ArmSplit();
    const counts = [0, 0];
    for (let request = 0; request < 20_000; request++) {
      if (split.arm(only(50), {}) === 'canary') counts[request % 2] = (counts[request % 2] ?? 0) + 1;
    }
    // Standard deviation below 50 of 5000.
    for (const count of counts) expect(Math.abs(count - 5000)).toBeLessThan(400);
  });

  test('keeps the users of the canary while its weight grows, whichever process asks', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), weights, weights, (user, one, other) => {
        const [lower, higher] = [Math.min(one, other), Math.max(one, other)];
        const arm = (weight: number) => new ArmSplit({ userHeader: 'X-User' }).arm(only(weight), { 'x-user': user });
        if (arm(lower) === 'canary') expect(arm(higher)).toBe('canary');
        expect(arm(lower)).toBe(arm(lower));
      }),
    );
  });

  test('gives the canary its percent of users, and knows them over years', () => {
    const split = new ArmSplit({ userHeader: 'x-user' });
    const users = Array.from({ length: 20_000 }, (_, index) => `user-${index}`);
    const chosen = users.filter((user) => split.arm(only(10), { 'x-user': user }) === 'canary');
    // Standard deviation 42.
    expect(Math.abs(chosen.length - 2000)).toBeLessThan(300);
    // `printf 'sluice\\0ada' | sha256sum`, its first 32 bits: a user may not change sides with a new release of Sluice.
    expect(split.share('ada')).toBeCloseTo(0.330585, 6);
  });

  test('splits requests without a user by themselves', () => {
    const split = new ArmSplit({ userHeader: 'x-user' });
    const arms = Array.from({ length: 100 }, () => split.arm(only(30), {}));
    expect(arms.filter((arm) => arm === 'canary')).toHaveLength(30);
  });

  test('copies exactly its percent of every hundred requests', () => {
    fc.assert(
      fc.property(weights, (mirrorPercent) => {
        const split = new ArmSplit();
        const copied = Array.from({ length: 200 }, () => split.mirrors({ canaryWeight: 0, mirrorPercent }));
        expect(copied.filter(Boolean)).toHaveLength(2 * mirrorPercent);
      }),
    );
  });

  test('sends what carries the header to the canary, and splits the rest by the weight', () => {
    const split = new ArmSplit();
    const traffic = { ...only(30), header: { name: 'X-Canary', value: 'yes' } };
    expect(split.arm(traffic, { 'x-canary': 'yes' })).toBe('canary');
    const others = Array.from({ length: 100 }, () => split.arm(traffic, { 'x-canary': 'no' }));
    expect(others.filter((arm) => arm === 'canary')).toHaveLength(30);
    expect(split.arm({ ...traffic, canaryWeight: 0 }, {})).toBe('baseline');
  });
});
