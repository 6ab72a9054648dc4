import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { drawBinomial } from './binomial-draw.ts';
import {
  benjaminiHochberg,
  bootstrapInterval,
  delong,
  delongDifference,
  delongInterval,
  delongPValue,
  minimumSamples,
  normalQuantile,
  pairedBootstrap,
  quantileOfSorted,
  wilsonInterval,
} from './index.ts';
import { orderStatistics } from './percentile.ts';
import { randomOf, xoshiro128 } from './random.ts';

const reference: {
  readonly wilson: [number, number, number, number, number][];
  readonly delong: {
    actual: number[];
    one: number[];
    two: number[];
    areas: [number, number];
    variances: [number, number];
    differenceVariance: number;
    p: number;
  }[];
  readonly orderStatistics: [number, number, number, number, number][];
  readonly minimumSamples: Record<string, number>;
  readonly bootstrap: {
    values: number[];
    other: number[];
    level: number;
    mean: [number, number];
    paired: [number, number];
    basic: [number, number];
  };
  readonly benjaminiHochberg: { p: number[]; q: number[] }[];
  readonly normal: [number, number][];
  readonly quantile: { values: number[]; at: [number, number][] };
  readonly xoshiro128: { state: [number, number, number, number]; words: number[] };
  readonly binomial: { n: number; p: number; pmf: number[] }[];
} = JSON.parse(readFileSync(new URL('./reference/reference.json', import.meta.url), 'utf8'));

it("has SciPy's Wilson bounds", () => {
  for (const [successes, n, level, low, high] of reference.wilson) {
    const interval = wilsonInterval(successes, n, level);
    expect(interval.lower).toBeCloseTo(low, 10);
    expect(interval.upper).toBeCloseTo(high, 10);
  }
});

it("has DeLong's areas, variances, covariance and p-value by the definition over all pairs", () => {
  for (const of of reference.delong) {
    const one = delong(of.actual, of.one);
    const two = delong(of.actual, of.two);
    const variance = (values: Float64Array) => values.reduce((sum, value) => sum + value * value, 0);
    expect([one.area, two.area]).toEqual([expect.closeTo(of.areas[0], 12), expect.closeTo(of.areas[1], 12)]);
    expect(variance(one.influence)).toBeCloseTo(of.variances[0], 12);
    expect(variance(two.influence)).toBeCloseTo(of.variances[1], 12);
    const difference = delongDifference(one, two, 0.9);
    const half = normalQuantile(0.9) * Math.sqrt(of.differenceVariance);
    expect(difference.upper - difference.estimate).toBeCloseTo(half, 12);
    expect(delongPValue(one, two)).toBeCloseTo(of.p, 9);
    const { lower, upper, estimate } = delongInterval(one, 0.9);
    expect(lower).toBeLessThan(estimate);
    expect(upper).toBeGreaterThan(estimate);
  }
});

it('bounds percentiles at the ranks that the binomial distribution gives', () => {
  for (const [n, p, level, lower, upper] of reference.orderStatistics) {
    expect([n, p, level, ...orderStatistics(n, p, level)]).toEqual([n, p, level, lower, upper]);
  }
});

it("asks at least MLPerf's counts before it claims a percentile", () => {
  for (const [p, samples] of Object.entries(reference.minimumSamples)) {
    expect(minimumSamples(Number(p))).toBeGreaterThanOrEqual(samples);
  }
  expect([minimumSamples(0.95), minimumSamples(0.99), minimumSamples(0.999)]).toEqual([200, 662, 6636]);
});

it("agrees with SciPy's bootstrap of a mean within the noise of 2000 resamples", () => {
  const { values, other, level, mean, paired, basic } = reference.bootstrap;
  const options = { weights: new Float64Array(values.length).fill(1), level, seed: 'reference' };
  const meanOf = (of: readonly number[]) => (weights: Float64Array) =>
    of.reduce((sum, value, row) => sum + value * (weights[row] ?? 0), 0) / of.length;
  const width = mean[1] - mean[0];
  const near = (found: number, expected: number, by: number) =>
    expect(Math.abs(found - expected)).toBeLessThan(0.06 * by);
  const one = bootstrapInterval(meanOf(values), options);
  near(one.lower, mean[0], width);
  near(one.upper, mean[1], width);
  const mirrored = bootstrapInterval(meanOf(values), { ...options, method: 'basic' });
  near(mirrored.lower, basic[0], width);
  near(mirrored.upper, basic[1], width);
  const difference = pairedBootstrap(meanOf(values), meanOf(other), options);
  near(difference.lower, paired[0], paired[1] - paired[0]);
  near(difference.upper, paired[1], paired[1] - paired[0]);
  expect(difference.upper - difference.lower).toBeLessThan(width / 2);
});

it("has SciPy's q-values", () => {
  for (const { p, q } of reference.benjaminiHochberg) {
    for (const [index, value] of benjaminiHochberg(p).entries()) expect(value).toBeCloseTo(q[index] ?? -1, 12);
  }
});

it("has SciPy's normal quantiles and NumPy's sample quantiles", () => {
  for (const [p, z] of reference.normal) expect(normalQuantile(p)).toBeCloseTo(z, 10);
  const sorted = [...reference.quantile.values].sort((left, right) => left - right);
  for (const [at, value] of reference.quantile.at) expect(quantileOfSorted(sorted, at)).toBeCloseTo(value, 12);
});

it('draws the words of xoshiro128**', () => {
  const random = xoshiro128(reference.xoshiro128.state);
  expect(reference.xoshiro128.words.map(() => random.bits())).toEqual(reference.xoshiro128.words);
});

it('draws binomial counts as often as their probabilities say', () => {
  for (const { n, p, pmf } of reference.binomial) {
    const random = randomOf(`binomial ${n} ${p}`);
    const draws = 40_000;
    const counts = new Array<number>(n + 1).fill(0);
    for (let index = 0; index < draws; index++) {
      const count = drawBinomial(random, n, p);
      counts[count] = (counts[count] ?? 0) + 1;
    }
    // Pearson's chi-square over the counts expected at least five times; the seed is fixed, so the outcome is too.
    let chiSquare = 0;
    let cells = 0;
    for (const [count, probability] of pmf.entries()) {
      if (probability * draws < 5) continue;
      chiSquare += ((counts[count] ?? 0) - probability * draws) ** 2 / (probability * draws);
      cells++;
    }
    expect(chiSquare, `n ${n} p ${p}`).toBeLessThan(cells + 4 * Math.sqrt(2 * cells));
  }
});
