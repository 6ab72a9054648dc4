import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { meanOf, ones } from './fixtures/weighted-mean.ts';
import {
  benjaminiHochberg,
  bootstrapInterval,
  decide,
  delong,
  delongDifference,
  delongInterval,
  exactInterval,
  type Interval,
  pairedBootstrap,
  percentileInterval,
  pValueOfBroken,
  randomOf,
  resample,
  rowsToSettle,
  weightedMedian,
  wilsonInterval,
} from './index.ts';
import { resamplesFor } from './resample.ts';

const level = fc.constantFrom(0.8, 0.9, 0.975);
const counts = fc.integer({ min: 1, max: 5000 }).chain((n) => fc.tuple(fc.integer({ min: 0, max: n }), fc.constant(n)));
const intervalOf = (lower: number, estimate: number, upper: number, n = 100): Interval => ({
  estimate,
  lower,
  upper,
  level: 0.9,
  method: 'test',
  n,
});

describe('the decision', () => {
  const ordered = fc
    .tuple(fc.double({ noNaN: true }), fc.double({ noNaN: true }), fc.double({ noNaN: true }))
    .map((three) => three.sort((left, right) => left - right) as [number, number, number]);

  it('mirrors: a maximum of a value is a minimum of its negative', () => {
    fc.assert(
      fc.property(ordered, fc.double({ noNaN: true }), ([lower, estimate, upper], value) => {
        const mirrored = decide({ kind: 'max', value: -value }, intervalOf(-upper, -estimate, -lower));
        expect(decide({ kind: 'min', value }, intervalOf(lower, estimate, upper))).toBe(mirrored);
      }),
    );
  });

  it('is a plain comparison of a point, and never inconclusive then', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true }), fc.double({ noNaN: true }), (estimate, value) => {
        expect(decide({ kind: 'min', value }, exactInterval(estimate))).toBe(estimate >= value ? 'pass' : 'fail');
        expect(decide({ kind: 'max', value }, exactInterval(estimate))).toBe(estimate <= value ? 'pass' : 'fail');
      }),
    );
  });

  it('fails, passes or leaves open by where the bound lies', () => {
    const interval = intervalOf(0.8, 0.85, 0.9);
    expect(decide({ kind: 'min', value: 0.91 }, interval)).toBe('fail');
    expect(decide({ kind: 'min', value: 0.9 }, interval)).toBe('inconclusive');
    expect(decide({ kind: 'min', value: 0.8 }, interval)).toBe('pass');
  });

  it('refuses to decide about what is not a number', () => {
    expect(() => decide({ kind: 'min', value: 0.5 }, intervalOf(Number.NaN, 1, 1))).toThrow(RangeError);
    expect(() => decide({ kind: 'max', value: Number.NaN }, intervalOf(0, 1, 1))).toThrow(RangeError);
  });
});

describe("Wilson's interval", () => {
  it('holds the estimate, lies in [0, 1], and widens with the level', () => {
    fc.assert(
      fc.property(counts, ([successes, n]) => {
        const narrow = wilsonInterval(successes, n, 0.8);
        const wide = wilsonInterval(successes, n, 0.95);
        expect(0 <= wide.lower && wide.lower <= narrow.lower && narrow.lower <= narrow.estimate).toBe(true);
        expect(narrow.estimate <= narrow.upper && narrow.upper <= wide.upper && wide.upper <= 1).toBe(true);
      }),
    );
  });

  it('mirrors successes and failures', () => {
    fc.assert(
      fc.property(counts, level, ([successes, n], at) => {
        expect(wilsonInterval(successes, n, at).lower).toBeCloseTo(1 - wilsonInterval(n - successes, n, at).upper, 12);
      }),
    );
  });

  it('is never certain of a perfect score', () => {
    expect(wilsonInterval(20, 20, 0.9).lower).toBeLessThan(0.96);
  });

  it('refuses counts that are no proportion', () => {
    expect(() => wilsonInterval(3, 2, 0.9)).toThrow(RangeError);
    expect(() => wilsonInterval(0, 0, 0.9)).toThrow(RangeError);
    expect(() => wilsonInterval(1, 2, 1)).toThrow(RangeError);
  });
});

describe('the bootstrap', () => {
  it('gives the same bounds for the same seed and others for another', () => {
    const values = Float64Array.from({ length: 50 }, (_, index) => Math.sin(index * 7));
    const bounds = (seed: string) => bootstrapInterval(meanOf(values), { weights: ones(50), level: 0.9, seed });
    expect(bounds('a')).toEqual(bounds('a'));
    expect(bounds('a').lower).not.toBe(bounds('b').lower);
  });

  it('draws as many rows as there are, and in every stratum as many as it has', () => {
    const weights = Float64Array.of(5, 1, 1, 12, 3);
    const strata = Int32Array.of(0, 0, 1, 1, 1);
    const [first, second] = resample({ weights, strata, seed: 'strata', resamples: 300 }, [
      (drawn) => (drawn[0] ?? 0) + (drawn[1] ?? 0),
      (drawn) => (drawn[2] ?? 0) + (drawn[3] ?? 0) + (drawn[4] ?? 0),
    ]);
    expect(new Set(first)).toEqual(new Set([6]));
    expect(new Set(second)).toEqual(new Set([16]));
  });

  it('gives rows counted together the same bounds as rows one by one, within its noise', () => {
    const rows = Float64Array.from({ length: 400 }, (_, index) => (index < 340 ? 1 : 0));
    const single = bootstrapInterval(meanOf(rows), { weights: ones(400), level: 0.9, seed: 's' });
    const cells = bootstrapInterval(meanOf([1, 0]), { weights: Float64Array.of(340, 60), level: 0.9, seed: 's' });
    expect(cells.lower).toBeCloseTo(single.lower, 2);
    expect(cells.upper).toBeCloseTo(single.upper, 2);
    expect(cells.n).toBe(400);
  });

  it('knows that a model does not differ from itself', () => {
    const values = Float64Array.from({ length: 30 }, (_, index) => index % 4);
    const same = pairedBootstrap(meanOf(values), meanOf(values), { weights: ones(30), level: 0.9, seed: 'x' });
    expect([same.lower, same.estimate, same.upper]).toEqual([0, 0, 0]);
  });

  it('divides a relative difference by the baseline', () => {
    const options = { weights: ones(3), level: 0.9, seed: 'x', relative: true } as const;
    expect(pairedBootstrap(meanOf([2, 2, 2]), meanOf([4, 4, 4]), options).estimate).toBe(-0.5);
  });

  it('says that a statistic undefined on most resamples has no bounds', () => {
    const { lower, upper } = bootstrapInterval((weights) => ((weights[0] ?? 0) > 2 ? 1 : Number.NaN), {
      weights: ones(10),
      level: 0.9,
      seed: 'x',
    });
    expect([lower, upper]).toEqual([Number.NaN, Number.NaN]);
  });

  it('takes fewer resamples of very many rows, never fewer than 200', () => {
    expect([resamplesFor(100), resamplesFor(20_000), resamplesFor(40_000), resamplesFor(1e8)]).toEqual([
      2000, 2000, 1000, 200,
    ]);
  });

  it('refuses units that stand for a part of a row', () => {
    expect(() => resample({ weights: Float64Array.of(0.5), seed: 'x' }, [])).toThrow(RangeError);
  });

  it('is wrong about a mean one time in ten, as it says, on skewed data', () => {
    const random = randomOf('coverage');
    let below = 0;
    let above = 0;
    const trials = 300;
    for (let trial = 0; trial < trials; trial++) {
      // Exponential with mean 1.
      const values = Float64Array.from({ length: 120 }, () => -Math.log(1 - random.unit()));
      const options = { weights: ones(120), level: 0.9, seed: `trial ${trial}`, resamples: 400 };
      const { lower, upper } = bootstrapInterval(meanOf(values), options);
      if (lower > 1) below++;
      if (upper < 1) above++;
    }
    for (const wrong of [below, above]) {
      expect(wrong / trials).toBeGreaterThan(0.04);
      expect(wrong / trials).toBeLessThan(0.16);
    }
  });
});

describe("DeLong's interval", () => {
  const draw = (seed: string, positives: number, negatives: number) => {
    const random = randomOf(seed);
    const actual = Uint8Array.from({ length: positives + negatives }, (_, row) => (row < positives ? 1 : 0));
    // Uniform against uniform raised by 0.5: the true area is 1 − 0.5² / 2.
    return { actual, scores: Float64Array.from(actual, (is) => random.unit() + 0.5 * is) };
  };

  it('is wrong one time in ten, as it says', () => {
    let below = 0;
    let above = 0;
    for (let trial = 0; trial < 400; trial++) {
      const { actual, scores } = draw(`area ${trial}`, 30, 60);
      const { lower, upper } = delongInterval(delong(actual, scores), 0.9);
      if (lower > 0.875) below++;
      if (upper < 0.875) above++;
    }
    for (const wrong of [below, above]) {
      expect(wrong / 400).toBeGreaterThan(0.05);
      expect(wrong / 400).toBeLessThan(0.15);
    }
  });

  it('is never certain of a perfect separation', () => {
    const { lower, upper } = delongInterval(delong([1, 1, 1, 0, 0, 0, 0], [3, 3, 3, 1, 1, 2, 2]), 0.9);
    expect(lower).toBeLessThan(0.7);
    expect(upper).toBe(1);
  });

  it('is undefined with one class', () => {
    expect(delongInterval(delong([1, 1], [0.3, 0.4]), 0.9).lower).toBeNaN();
  });

  it('sees no difference between scores that rank alike', () => {
    const { actual, scores } = draw('same', 20, 20);
    const difference = delongDifference(
      delong(actual, scores),
      delong(
        actual,
        scores.map((score) => score * 2),
      ),
      0.9,
    );
    expect([difference.lower, difference.estimate, difference.upper]).toEqual([0, 0, 0]);
  });

  it('turns an area into one less it when the classes change places', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(8)), { minLength: 2, maxLength: 60 }), (rows) => {
        const scores = rows.map(([, score]) => score);
        const one = delong(
          rows.map(([positive]) => positive),
          scores,
        );
        const other = delong(
          rows.map(([positive]) => !positive),
          scores,
        );
        if (Number.isNaN(one.area)) expect(other.area).toBeNaN();
        else expect(one.area + other.area).toBeCloseTo(1, 12);
      }),
    );
  });
});

describe('a percentile', () => {
  it('is not claimed from too few samples', () => {
    expect(percentileInterval(new Float64Array(199), 0.95, 0.9)).toBeUndefined();
    expect(percentileInterval(new Float64Array(661), 0.99, 0.9)).toBeUndefined();
  });

  it('lies between its bounds', () => {
    const random = randomOf('percentile');
    const samples = Float64Array.from({ length: 800 }, () => random.unit() ** 3);
    for (const probability of [0.5, 0.95, 0.99]) {
      const interval = percentileInterval(samples, probability, 0.9);
      expect(interval?.lower).toBeLessThanOrEqual(interval?.estimate ?? -1);
      expect(interval?.upper).toBeGreaterThanOrEqual(interval?.estimate ?? 2);
    }
  });
});

describe('many comparisons at once', () => {
  const pValues = fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });

  it('have q-values at least their p-values, at most 1, and in the same order', () => {
    fc.assert(
      fc.property(pValues, (p) => {
        const q = benjaminiHochberg(p);
        for (const [i, qi] of q.entries()) {
          expect(qi).toBeGreaterThanOrEqual((p[i] ?? 0) - 1e-15);
          expect(qi).toBeLessThanOrEqual(1);
          for (const [j, qj] of q.entries()) if ((p[i] ?? 0) < (p[j] ?? 0)) expect(qi).toBeLessThanOrEqual(qj);
        }
      }),
    );
  });

  it('are refused when a p-value is none', () => {
    expect(() => benjaminiHochberg([0.5, Number.NaN])).toThrow(RangeError);
  });

  it('have a p-value of one in ten where an interval at 0.9 just reaches the bound', () => {
    const interval = intervalOf(0.78, 0.8, 0.85);
    expect(pValueOfBroken({ kind: 'min', value: 0.85 }, interval)).toBeCloseTo(0.1, 10);
    expect(pValueOfBroken({ kind: 'max', value: 0.78 }, interval)).toBeCloseTo(0.1, 10);
    expect(pValueOfBroken({ kind: 'min', value: 0.78 }, interval)).toBeCloseTo(0.9, 10);
  });

  it('have p-values of 0 or 1 where nothing is uncertain', () => {
    expect(pValueOfBroken({ kind: 'min', value: 0.9 }, exactInterval(0.8))).toBe(0);
    expect(pValueOfBroken({ kind: 'min', value: 0.8 }, exactInterval(0.8))).toBe(1);
  });
});

describe('rows to settle', () => {
  it('grow as the bound comes near the estimate', () => {
    const interval = intervalOf(0.8, 0.85, 0.9, 400);
    const far = rowsToSettle({ kind: 'min', value: 0.82 }, interval) ?? 0;
    const near = rowsToSettle({ kind: 'min', value: 0.84 }, interval) ?? 0;
    expect(far).toBe(720);
    expect(near).toBeGreaterThan(far);
  });

  it('are none when the interval already decides, and unknown on the bound', () => {
    const interval = intervalOf(0.8, 0.85, 0.9);
    expect(rowsToSettle({ kind: 'min', value: 0.7 }, interval)).toBe(0);
    expect(rowsToSettle({ kind: 'min', value: 0.85 }, interval)).toBeUndefined();
  });

  it('would settle a proportion, should it stay where it is', () => {
    const bound = { kind: 'min', value: 0.9 } as const;
    const interval = wilsonInterval(460, 500, 0.9);
    expect(decide(bound, interval)).toBe('pass');
    const close = wilsonInterval(182, 200, 0.9);
    expect(decide(bound, close)).toBe('inconclusive');
    const n = 200 + (rowsToSettle(bound, close) ?? 0);
    expect(decide(bound, wilsonInterval(Math.round(0.91 * n), n, 0.9))).toBe('pass');
  });
});

it('has a weighted median equal to the median of rows written out', () => {
  const rows = fc.array(fc.tuple(fc.integer({ min: -20, max: 20 }), fc.nat(4)), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(rows, (pairs) => {
      const written = pairs.flatMap(([value, weight]) => new Array<number>(weight).fill(value)).sort((a, b) => a - b);
      const middle = written.length / 2;
      const expected =
        written.length === 0
          ? Number.NaN
          : ((written[Math.ceil(middle) - 1] ?? 0) + (written[Math.floor(middle)] ?? 0)) / 2;
      const median = weightedMedian(pairs.map(([value]) => value))(pairs.map(([, weight]) => weight));
      expect(median + 0).toBe(expected + 0);
    }),
  );
});
