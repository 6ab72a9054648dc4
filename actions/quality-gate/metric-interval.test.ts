import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LabelSample, labelMetrics, metrics, type ValueSample } from '../../core/metrics/index.ts';
import { randomOf } from '../../core/statistics/index.ts';
import type { MetricIntervals, Pair } from './measured-metric.ts';
import { cellsOf } from './metric-cells.ts';
import { type Certainty, type MetricToMeasure, metricIntervals } from './metric-interval.ts';

const certainty = { level: 0.9, seed: 'test' } as const;

function measure(metric: MetricToMeasure['metric'], pair: Pair, of: Certainty): MetricIntervals {
  const measured = metricIntervals([{ metric, options: {} }], pair, of).get(metric.name);
  if (measured === undefined) throw new RangeError(`${metric.name} was not measured`);
  return measured;
}

function labels(rows: number, seed: string, right: number): LabelSample {
  const random = randomOf(seed);
  const actual = Int32Array.from({ length: rows }, (_, row) => row % 2);
  const predicted = actual.map((label) => (random.unit() < right ? label : 1 - label));
  const probabilities = Float64Array.from(
    Array.from(predicted).flatMap((label) => {
      const sure = 0.5 + 0.5 * random.unit();
      return label === 1 ? [1 - sure, sure] : [sure, 1 - sure];
    }),
  );
  return { task: 'classification', classes: ['0', '1'], positive: 1, actual, predicted, probabilities };
}

function values(rows: number, seed: string, noise: number): ValueSample {
  const random = randomOf(seed);
  const actual = Float64Array.from({ length: rows }, (_, row) => Math.sin(row) * 10);
  return { task: 'regression', actual, predicted: actual.map((value) => value + noise * (random.unit() - 0.5)) };
}

describe.each(Object.values(metrics).filter(({ task }) => task === 'classification' || task === 'regression'))(
  '$name',
  (metric) => {
    const of =
      metric.task === 'classification'
        ? { candidate: labels(150, 'c', 0.9), baseline: labels(150, 'b', 0.85) }
        : { candidate: values(150, 'c', 6), baseline: values(150, 'b', 7) };

    it('has an interval around its value, and one around its change', () => {
      const { candidate, baseline, difference, relative } = measure(metric, of, certainty);
      for (const interval of [candidate, difference, relative]) {
        expect(interval?.lower).toBeLessThanOrEqual(interval?.estimate ?? Number.NaN);
        expect(interval?.upper).toBeGreaterThanOrEqual(interval?.estimate ?? Number.NaN);
        expect(interval?.n).toBeGreaterThan(50);
      }
      expect(difference?.estimate).toBeCloseTo(candidate.estimate - (baseline ?? 0), 12);
      expect(relative?.estimate).toBeCloseTo((difference?.estimate ?? 0) / (baseline ?? 1), 12);
    });

    it('has a surer interval that is wider, and a point when evidence is off', () => {
      const width = (level: number | 'off') => {
        const { candidate } = measure(metric, { candidate: of.candidate }, { level, seed: 'test' });
        return candidate.upper - candidate.lower;
      };
      if (metric.interval !== 'exact') expect(width(0.97)).toBeGreaterThan(width(0.8));
      expect(width('off')).toBe(0);
    });
  },
);

it('covers the true accuracy of a macro-averaged metric at the level it says', () => {
  // Of a model right on 80 % of either class, the true balanced accuracy is 0.8.
  let below = 0;
  let above = 0;
  const trials = 300;
  for (let trial = 0; trial < trials; trial++) {
    const { candidate } = measure(
      metrics.balanced_accuracy,
      { candidate: labels(200, `coverage ${trial}`, 0.8) },
      { level: 0.9, seed: `coverage ${trial}` },
    );
    if (candidate.lower > 0.8) below++;
    if (candidate.upper < 0.8) above++;
  }
  for (const wrong of [below, above]) {
    expect(wrong / trials).toBeGreaterThan(0.04);
    expect(wrong / trials).toBeLessThan(0.16);
  }
});

it('is never certain of a perfect score', () => {
  const sample = { ...labels(20, 'perfect', 1) };
  const { candidate } = measure(metrics.balanced_accuracy, { candidate: sample }, certainty);
  expect(candidate).toMatchObject({ estimate: 1, upper: 1, method: 'Wilson' });
  expect(candidate.lower).toBeLessThan(0.96);
});

it('has the same metric on cells as on rows', () => {
  const row = fc.tuple(fc.nat(2), fc.nat(2), fc.nat(2), fc.nat(1));
  fc.assert(
    fc.property(fc.array(row, { minLength: 1, maxLength: 60 }), (rows) => {
      const candidate: LabelSample = {
        task: 'classification',
        classes: ['a', 'b', 'c'],
        actual: Int32Array.from(rows, ([actual]) => actual),
        predicted: Int32Array.from(rows, ([, predicted]) => predicted),
      };
      const baseline = { ...candidate, predicted: Int32Array.from(rows, ([, , predicted]) => predicted) };
      const cells = cellsOf(
        { candidate, baseline },
        Int32Array.from(rows, ([, , , group]) => group),
      );
      expect(cells.weights.reduce((sum, weight) => sum + weight, 0)).toBe(rows.length);
      for (const metric of Object.values(labelMetrics).filter(({ needs }) => needs === 'labels')) {
        const other = cells.pair.baseline ?? candidate;
        for (const [few, all] of [[cells.pair.candidate, candidate] as const, [other, baseline] as const]) {
          const [found, expected] = [metric.on(few)(cells.weights), metric.on(all)()];
          // Cohen's kappa is not defined where everything is of one class; then it is not on cells either.
          if (Number.isNaN(expected)) expect(found).toBeNaN();
          else expect(found).toBeCloseTo(expected, 12);
        }
      }
    }),
  );
});
