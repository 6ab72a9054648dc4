import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanOf, ones } from './fixtures/weighted-mean.ts';
import {
  acceleration,
  bootstrapInterval,
  influenceInterval,
  jackknifeInfluences,
  mcnemar,
  pairedBootstrap,
  pairedShareInterval,
  randomOf,
} from './index.ts';

const reference: {
  readonly mcnemar: { won: number; lost: number; worse: number; better: number; different: number }[];
  readonly pairedShare: [number, number, number, number, number, number][];
  readonly bca: {
    values: number[];
    other: number[];
    level: number;
    mean: [number, number];
    rootMeanSquare: [number, number];
    difference: [number, number];
    acceleration: number;
  };
} = JSON.parse(readFileSync(new URL('./reference/paired/reference.json', import.meta.url), 'utf8'));

describe("McNemar's exact test", () => {
  it("has SciPy's p-values", () => {
    for (const { won, lost, ...expected } of reference.mcnemar) {
      const found = mcnemar(won, lost);
      for (const side of ['worse', 'better', 'different'] as const) {
        expect(found[side] / expected[side], `${won} ${lost} ${side}`).toBeCloseTo(1, 9);
      }
    }
  });

  it('takes the other side when the models change places', () => {
    const count = fc.nat(400);
    fc.assert(
      fc.property(count, count, (won, lost) => {
        const [one, other] = [mcnemar(won, lost), mcnemar(lost, won)];
        expect(one.worse).toBe(other.better);
        expect(one.different).toBe(other.different);
        expect(one.worse + one.better).toBeGreaterThanOrEqual(1);
      }),
    );
  });

  it('refuses counts that are none', () => {
    expect(() => mcnemar(-1, 2)).toThrow(RangeError);
    expect(() => mcnemar(0.5, 2)).toThrow(RangeError);
  });
});

describe('the difference of two shares of the same rows', () => {
  const counts = fc
    .tuple(fc.nat(60), fc.nat(60), fc.integer({ min: 1, max: 2000 }))
    .map(([won, lost, rest]) => ({ won, lost, rows: won + lost + rest }));

  it("has the bounds of Tango's score with the likelihood maximised by SciPy", () => {
    for (const [won, lost, rows, level, lower, upper] of reference.pairedShare) {
      const interval = pairedShareInterval({ won, lost, rows }, level);
      expect(interval.lower, `${won} ${lost} ${rows}`).toBeCloseTo(lower, 6);
      expect(interval.upper, `${won} ${lost} ${rows}`).toBeCloseTo(upper, 6);
    }
  });

  it('mirrors when the models change places, and widens with the level', () => {
    fc.assert(
      fc.property(counts, ({ won, lost, rows }) => {
        const one = pairedShareInterval({ won, lost, rows }, 0.9);
        const other = pairedShareInterval({ won: lost, lost: won, rows }, 0.9);
        expect(one.lower).toBeCloseTo(-other.upper, 12);
        const wide = pairedShareInterval({ won, lost, rows }, 0.97);
        expect(wide.lower).toBeLessThanOrEqual(one.lower);
        expect(one.lower).toBeLessThanOrEqual(one.estimate);
        expect(one.estimate).toBeLessThanOrEqual(one.upper);
        expect(one.upper).toBeLessThanOrEqual(wide.upper);
      }),
    );
  });

  it('is on the side of McNemar: no bound leaves out 0 where the exact test does not call the models different', () => {
    fc.assert(
      fc.property(counts, ({ won, lost, rows }) => {
        const { upper, lower } = pairedShareInterval({ won, lost, rows }, 0.9);
        if (upper < 0) expect(mcnemar(won, lost).worse).toBeLessThan(0.115);
        if (lower > 0) expect(mcnemar(won, lost).better).toBeLessThan(0.115);
      }),
    );
  });

  it('is never certain of models that did not disagree', () => {
    const { lower, estimate, upper } = pairedShareInterval({ won: 0, lost: 0, rows: 50 }, 0.9);
    expect(estimate).toBe(0);
    // The exact bound of 0 of 50: 1 − 0.1^(1/50).
    expect(upper).toBeCloseTo(0.045, 3);
    expect(lower).toBe(-upper);
  });

  it('lies where the paired bootstrap does, a row to the safe side', () => {
    const [won, lost, rows] = [60, 95, 2000];
    const bootstrap = pairedBootstrap(
      (weights) => ((weights[0] ?? 0) + (weights[2] ?? 0)) / rows,
      (weights) => ((weights[1] ?? 0) + (weights[2] ?? 0)) / rows,
      { weights: Float64Array.of(won, lost, rows - won - lost), level: 0.9, seed: 'pairs', resamples: 20_000 },
    );
    const { lower, upper } = pairedShareInterval({ won, lost, rows }, 0.9);
    expect(Math.abs(lower - (bootstrap.lower - 1 / rows))).toBeLessThan(1 / rows);
    expect(Math.abs(upper - (bootstrap.upper + 1 / rows))).toBeLessThan(1 / rows);
  });

  it('is wrong at most one time in ten about a truth on the bound, for any share of rows that change', () => {
    // Exact: the chance of every outcome of 300 rows, models that truly differ by one point.
    for (const churn of [0.02, 0.08, 0.3]) {
      const [lostShare, wonShare] = [(churn + 0.01) / 2, (churn - 0.01) / 2];
      expect(chanceOfFalse({ lostShare, wonShare, rows: 300, truth: -0.01 }), `churn ${churn}`).toBeLessThanOrEqual(
        0.1,
      );
    }
  });

  it('refuses counts that are none', () => {
    expect(() => pairedShareInterval({ won: 3, lost: 2, rows: 4 }, 0.9)).toThrow(RangeError);
    expect(() => pairedShareInterval({ won: 0, lost: 0, rows: 0 }, 0.9)).toThrow(RangeError);
  });
});

/** The chance that the upper bound at 0.9 lies below the true difference. */
function chanceOfFalse(of: { lostShare: number; wonShare: number; rows: number; truth: number }): number {
  const { lostShare, wonShare, rows, truth } = of;
  const logFactorials = [0];
  for (let count = 1; count <= rows; count++) logFactorials.push((logFactorials[count - 1] ?? 0) + Math.log(count));
  const logFactorial = (count: number) => logFactorials[count] ?? 0;
  const most = Math.min(rows, Math.ceil(rows * (lostShare + wonShare) + 40));
  let chance = 0;
  for (let lost = 0; lost <= most; lost++) {
    for (let won = 0; won + lost <= rows && won <= most; won++) {
      const same = rows - won - lost;
      const log =
        logFactorial(rows) -
        logFactorial(lost) -
        logFactorial(won) -
        logFactorial(same) +
        lost * Math.log(lostShare) +
        won * Math.log(wonShare) +
        same * Math.log(1 - lostShare - wonShare);
      if (log < -25 || (won - lost) / rows >= truth) continue;
      if (pairedShareInterval({ won, lost, rows }, 0.9).upper < truth) chance += Math.exp(log);
    }
  }
  return chance;
}

describe('the BCa bootstrap', () => {
  const { values, other, level, mean, rootMeanSquare, difference } = reference.bca;
  const options = { weights: ones(values.length), level, seed: 'bca', method: 'bca', resamples: 20_000 } as const;
  const near = (found: { lower: number; upper: number }, [lower, upper]: [number, number]) => {
    const width = upper - lower;
    expect(Math.abs(found.lower - lower) / width).toBeLessThan(0.04);
    expect(Math.abs(found.upper - upper) / width).toBeLessThan(0.04);
  };

  it("agrees with SciPy's within the noise of the resamples, alone and in pairs", () => {
    near(bootstrapInterval(meanOf(values), options), mean);
    const squares = meanOf(values.map((value) => value * value));
    near(
      bootstrapInterval((weights) => Math.sqrt(squares(weights)), options),
      rootMeanSquare,
    );
    near(pairedBootstrap(meanOf(values), meanOf(other), options), difference);
  });

  it("has SciPy's acceleration by the jackknife, whether rows are alone or counted together", () => {
    const found = acceleration(jackknifeInfluences(meanOf(values), ones(values.length)));
    expect(found).toBeCloseTo(reference.bca.acceleration, 10);
    const alone = [...values, ...values];
    const together = acceleration(
      jackknifeInfluences(meanOf(values), ones(values.length).fill(2)),
      ones(values.length).fill(2),
    );
    expect(together).toBeCloseTo(acceleration(jackknifeInfluences(meanOf(alone), ones(alone.length))), 10);
  });

  it('holds the estimate even where every resample lies on one side of it', () => {
    const largest = (weights: Float64Array) =>
      values.reduce((most, value, row) => (weights[row] ? Math.max(most, value) : most), 0);
    const { lower, estimate, upper } = bootstrapInterval(largest, { ...options, resamples: 500 });
    expect(lower).toBeLessThanOrEqual(estimate);
    expect(upper).toBe(estimate);
  });

  it('has no acceleration where nothing varies', () => {
    expect(acceleration([1, 1, 1])).toBe(0);
  });
});

describe('BCa in closed form', () => {
  const skewed = (rows: number, seed: string, power: number) => {
    const random = randomOf(seed);
    return Float64Array.from({ length: rows }, () => (-Math.log(1 - random.unit())) ** power);
  };

  it.each([1, 2, 3])(
    'is where 10,000 resamples of 2,000 rows are, of terms that are exponential to the power %i',
    (power) => {
      const values = skewed(2000, `closed ${power}`, power);
      const estimate = meanOf(values)(ones(values.length));
      const closed = influenceInterval(estimate, values, 0.9);
      if (closed === undefined) throw new RangeError('the form does not hold');
      const bca = bootstrapBca(values, estimate);
      const width = bca.upper - bca.lower;
      expect(Math.abs(closed.lower - bca.lower) / width).toBeLessThan(0.03);
      expect(Math.abs(closed.upper - bca.upper) / width).toBeLessThan(0.03);
      expect(closed.method).toBe('BCa in closed form');
    },
  );

  function bootstrapBca(values: Float64Array, estimate: number) {
    const influences = values.map((value) => value - estimate);
    return bootstrapInterval(meanOf(values), {
      weights: ones(values.length),
      level: 0.9,
      seed: 'bca',
      method: 'bca',
      resamples: 10_000,
      acceleration: acceleration(influences),
    });
  }

  it('is refused where a few rows decide the estimate', () => {
    const values = new Float64Array(30_000);
    values[0] = 1e6;
    expect(influenceInterval(meanOf(values)(ones(values.length)), values, 0.9)).toBeUndefined();
  });

  it('is a point where nothing varies', () => {
    expect(influenceInterval(2, new Float64Array(50), 0.9)).toMatchObject({ lower: 2, estimate: 2, upper: 2 });
  });

  it('is wrong about a mean one time in ten, as it says, on skewed data', () => {
    let [below, above] = [0, 0];
    const trials = 600;
    for (let trial = 0; trial < trials; trial++) {
      const values = skewed(300, `coverage ${trial}`, 1);
      const interval = influenceInterval(meanOf(values)(ones(300)), values, 0.9);
      if ((interval?.lower ?? 0) > 1) below++;
      if ((interval?.upper ?? 0) < 1) above++;
    }
    for (const wrong of [below, above]) {
      expect(wrong / trials).toBeGreaterThan(0.07);
      expect(wrong / trials).toBeLessThan(0.13);
    }
  });
});
