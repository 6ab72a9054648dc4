import { describe, expect, it } from 'vitest';
import { exactInterval, mcnemar, pairedShareInterval } from '../../core/statistics/index.ts';
import { crossCheck } from './mcnemar-cross-check.ts';

const check = (won: number, lost: number, value: number, rows = 300) => {
  const pairs = { won, lost, rows };
  return crossCheck({ kind: 'min', value }, pairedShareInterval(pairs, 0.9), pairs);
};

describe("McNemar's cross-check", () => {
  it('says how many rows each model has alone, and the exact p-value of the side that is ahead', () => {
    expect(check(3, 9, -0.01)?.words).toContain("it won 3 and lost 9; McNemar's exact test of “not worse”: p 0.073");
    expect(check(9, 3, -0.01)?.words).toContain("it won 9 and lost 3; McNemar's exact test of “not better”: p 0.073");
    expect(check(0, 0, -0.01)?.words).toBe('No row is right in one of the two models only');
  });

  it('leaves a fail open that chance alone would give more than 2 times in 100', () => {
    // The interval calls both worse by more than one point; p is 0.022 and 0.011.
    expect(check(7, 18, -0.01)?.override).toEqual({ status: 'inconclusive', needed: expect.closeTo(0.9076, 3) });
    expect(check(6, 18, -0.01)?.override).toBeUndefined();
  });

  it('never lets a model that is as good as before be blocked more than 2 times in 100', () => {
    // Given that 24 rows changed, the rows lost are 24 fair coins.
    for (const changed of [5, 24, 80]) {
      let chance = 0;
      for (let lost = 0; lost <= changed; lost++) {
        const won = changed - lost;
        const interval = pairedShareInterval({ won, lost, rows: 300 }, 0.9);
        if (!(interval.upper < 0) || check(won, lost, 0)?.override !== undefined) continue;
        chance += mcnemar(won, lost).worse - (won === 0 ? 0 : mcnemar(won - 1, lost + 1).worse);
      }
      expect(chance).toBeLessThanOrEqual(0.02);
    }
  });

  it('asks of an improvement what evidence asks', () => {
    expect(check(12, 3, 0)?.override).toBeUndefined();
    expect(mcnemar(12, 3).better).toBeLessThan(0.1);
  });

  it('has nothing to say of points and of what are no pairs', () => {
    expect(crossCheck({ kind: 'min', value: 0 }, exactInterval(-1), { won: 1, lost: 4, rows: 10 })).toBeUndefined();
    expect(
      crossCheck({ kind: 'min', value: 0 }, pairedShareInterval({ won: 1, lost: 4, rows: 10 }, 0.9), undefined),
    ).toBeUndefined();
  });
});
