import { describe, expect, it } from 'vitest';
import { drawnClasses } from './fixtures/drawn-classes.ts';
import { driftInterval, hellingerDistance, populationStabilityIndex, randomOf } from './index.ts';

const random = randomOf('drift interval');

const draw = (rows: number, shares: readonly number[]): readonly number[] => drawnClasses(random, rows, shares);

const even = new Array<number>(10).fill(0.1);
const tilted = even.map((share, index) => share * (0.6 + (0.8 * index) / 9));

describe.each([
  ['psi', populationStabilityIndex, 'plain'],
  ['hellinger', hellingerDistance, 'square'],
] as const)('the interval of %s', (_, distance, scale) => {
  const trials = 120;
  const errors = (rows: number, current: readonly number[]) => {
    const truth = distance(even, current);
    let [above, below] = [0, 0];
    for (let trial = 0; trial < trials; trial++) {
      const options = { level: 0.9, seed: `trial ${trial}`, resamples: 200, scale } as const;
      const { lower, upper } = driftInterval(draw(rows, even), draw(rows, current), distance, options);
      if (lower > truth) above++;
      if (upper < truth) below++;
    }
    return { above: above / trials, below: below / trials };
  };

  it('calls chance no drift, however few the rows', () => {
    for (const rows of [100, 1000]) expect(errors(rows, even).above).toBeLessThan(0.06);
  });

  it('misses the true distance about as seldom as it says', () => {
    for (const rows of [200, 2000]) {
      const { above, below } = errors(rows, tilted);
      // 0.1 and four standard errors of 120 trials.
      expect(above).toBeLessThan(0.21);
      expect(below).toBeLessThan(0.21);
    }
  });

  it('is narrower with more rows, and the same for the same data', () => {
    const options = { level: 0.9, seed: 'same', scale } as const;
    const wide = driftInterval(draw(200, even), draw(200, tilted), distance, options);
    const [one, other] = [draw(20_000, even), draw(20_000, tilted)];
    const narrow = driftInterval(one, other, distance, options);
    expect(narrow.upper - narrow.lower).toBeLessThan((wide.upper - wide.lower) / 2);
    expect(driftInterval(one, other, distance, options)).toEqual(narrow);
    expect(narrow.estimate).toBeCloseTo(distance(even, tilted), 1);
    expect(narrow.n).toBe(40_000);
  });
});

it('lessens a distance by what chance alone adds to it', () => {
  const [reference, current] = [draw(100, even), draw(100, even)];
  const interval = driftInterval(reference, current, populationStabilityIndex, {
    level: 0.9,
    seed: 'x',
    scale: 'plain',
  });
  expect(interval.estimate).toBeLessThan(populationStabilityIndex(reference, current));
  expect(interval.lower).toBe(0);
  expect(interval.upper).toBeGreaterThan(0);
});
