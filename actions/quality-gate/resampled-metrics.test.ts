import { describe, expect, it } from 'vitest';
import { type LabelSample, metrics, type ValueSample } from '../../core/metrics/index.ts';
import { intervalOfResamples, randomOf, resample } from '../../core/statistics/index.ts';
import type { Pair } from './measured-metric.ts';
import { metricIntervals } from './metric-interval.ts';

const rows = 21_000;

function scored(): Pair<LabelSample> {
  const random = randomOf('many rows');
  const actual = Int32Array.from({ length: rows }, () => (random.unit() < 0.3 ? 1 : 0));
  const shared = Float64Array.from(actual, (label) => label + 2 * random.unit());
  const sample = (): LabelSample => {
    const probabilities = new Float64Array(2 * rows);
    const predicted = new Int32Array(rows);
    for (let row = 0; row < rows; row++) {
      const positive = 1 / (1 + Math.exp(-2 * ((shared[row] ?? 0) + random.unit() - 2)));
      probabilities.set([1 - positive, positive], 2 * row);
      predicted[row] = positive > 0.5 ? 1 : 0;
    }
    return { task: 'classification', classes: ['0', '1'], positive: 1, actual, predicted, probabilities };
  };
  return { candidate: sample(), baseline: sample() };
}

function regressed(): Pair<ValueSample> {
  const random = randomOf('many values');
  const actual = Float64Array.from({ length: rows }, () => 10 + 5 * random.unit());
  // Errors with a long tail.
  const off = () => (random.unit() - 0.5) / (0.05 + random.unit());
  const shared = actual.map(off);
  const sample = (): ValueSample => ({
    task: 'regression',
    actual,
    predicted: actual.map((value, row) => value + (shared[row] ?? 0) + off()),
  });
  return { candidate: sample(), baseline: sample() };
}

/** The slow way: every row drawn, 600 times. */
function drawnDifference(
  name: 'log_loss' | 'brier' | 'average_precision' | 'ece' | 'mae' | 'rmse' | 'r2' | 'median_absolute_error',
  pair: Pair,
) {
  const metric = metrics[name];
  const on = (sample: Pair['candidate'] | undefined) => metric.on(sample as LabelSample & ValueSample);
  const [one, other] = [on(pair.candidate), on(pair.baseline)];
  const weights = new Float64Array(rows).fill(1);
  const draws = resample({ weights, seed: 'slow', resamples: 600 }, [one, other]);
  const changes = (draws[0] ?? new Float64Array()).map((value, draw) => value - (draws[1]?.[draw] ?? Number.NaN));
  const method = name === 'ece' ? 'basic' : name === 'median_absolute_error' ? 'bca' : 'percentile';
  return intervalOfResamples(one() - other(), changes, { level: 0.9, method, n: rows });
}

describe('of more than 20,000 rows', () => {
  it.each([
    ['log_loss', scored()],
    ['brier', scored()],
    ['average_precision', scored()],
    ['ece', scored()],
    ['mae', regressed()],
    ['rmse', regressed()],
    ['r2', regressed()],
    ['median_absolute_error', regressed()],
  ] as const)('the change of %s is where resamples of all rows are', (name, pair) => {
    const found = metricIntervals([{ metric: metrics[name], options: {} }], pair, { level: 0.9, seed: 'fast' }).get(
      name,
    );
    const fast = found?.difference;
    const slow = drawnDifference(name, pair);
    const width = slow.upper - slow.lower;
    expect(fast?.estimate).toBeCloseTo(slow.estimate, 12);
    // 600 resamples place a bound to about 7 hundredths of the half-width.
    expect(Math.abs((fast?.lower ?? Number.NaN) - slow.lower) / width).toBeLessThan(0.1);
    expect(Math.abs((fast?.upper ?? Number.NaN) - slow.upper) / width).toBeLessThan(0.1);
    const drawn = name === 'ece' || name === 'median_absolute_error';
    expect(fast?.method).toContain(drawn ? '(2000 resamples)' : 'paired BCa in closed form');
  });

  it('a mean that one row decides is drawn, and the report says how often', () => {
    const pair = regressed();
    const predicted = Float64Array.from(pair.candidate.predicted);
    predicted[7] = 1e9;
    const one = { candidate: { ...pair.candidate, predicted } };
    const found = metricIntervals([{ metric: metrics.mse, options: {} }], one, { level: 0.9, seed: 'x' }).get('mse');
    expect(found?.candidate.method).toMatch(/^BCa bootstrap \(\d+ resamples\)$/);
  });
});
