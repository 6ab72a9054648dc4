import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { intervalOfResamples, randomOf, resample } from '../statistics/index.ts';
import { type LabelSample, labelMetrics, metrics, type Sample, type ValueSample } from './index.ts';

function labels(rows: number, seed: string, classes = 2): LabelSample {
  const random = randomOf(seed);
  const actual = Int32Array.from({ length: rows }, (_, row) => row % classes);
  const probabilities = new Float64Array(rows * classes);
  const predicted = actual.map((label, row) => {
    // In steps of a fiftieth, so that scores tie; never 0 or 1, where log loss is clipped.
    const parts = Array.from(
      { length: classes },
      (_, index) => 1 + Math.round(49 * random.unit() + (index === label ? 25 : 0)),
    );
    const sum = parts.reduce((one, other) => one + other, 0);
    for (const [index, part] of parts.entries()) probabilities[row * classes + index] = part / sum;
    return parts.indexOf(Math.max(...parts));
  });
  const names = Array.from({ length: classes }, (_, index) => String(index));
  return { task: 'classification', classes: names, positive: 1, actual, predicted, probabilities };
}

function values(rows: number, seed: string): ValueSample {
  const random = randomOf(seed);
  const actual = Float64Array.from({ length: rows }, () => 3 + 10 * random.unit());
  return { task: 'regression', actual, predicted: actual.map((value) => value + 4 * (random.unit() - 0.4)) };
}

const smooth = Object.values(metrics).filter(
  (metric) => metric.influence !== undefined && (metric.task === 'classification' || metric.task === 'regression'),
);

describe('the influence of rows', () => {
  it('is known of every metric that is a mean, and of rankings', () => {
    expect(smooth.map(({ name }) => name)).toEqual([
      'roc_auc',
      'average_precision',
      'log_loss',
      'brier',
      'calibration_slope',
      'mae',
      'mse',
      'rmse',
      'mape',
      'r2',
    ]);
  });

  it.each(smooth)('of $name is its derivative by the weight of a row', (metric) => {
    const samples: readonly (LabelSample | ValueSample)[] =
      metric.name === 'calibration_slope'
        ? [labels(80, 'two')]
        : metric.task === 'classification'
          ? [labels(80, 'two'), labels(90, 'three', 3)]
          : [values(80, 'values')];
    for (const sample of samples) {
      const measure = metric.on(sample as LabelSample & ValueSample);
      const influence = metric.influence?.(sample as LabelSample & ValueSample) ?? new Float64Array();
      const rows = sample.actual.length;
      const step = 1e-5;
      for (let row = 0; row < rows; row += 7) {
        const moved = (by: number) =>
          measure(Float64Array.from({ length: rows }, (_, at) => (at === row ? 1 + by : 1)));
        const slope = (moved(step) - moved(-step)) / (2 * step);
        expect((influence[row] ?? Number.NaN) / rows, `row ${row}`).toBeCloseTo(slope, 7);
      }
      expect(influence.reduce((sum, each) => sum + each, 0)).toBeCloseTo(0, 6);
    }
  });
});

it.each([{ average: 'weighted' }, { multiClass: 'ovo' }, { multiClass: 'ovo', average: 'weighted' }] as const)(
  'the influence of rows on roc_auc %j is its derivative by the weight of a row',
  (options) => {
    const sample = labels(90, 'averages', 3);
    const measure = labelMetrics.roc_auc.on(sample, options);
    const influence = labelMetrics.roc_auc.influence?.(sample, options) ?? new Float64Array();
    for (let row = 0; row < 90; row += 4) {
      const moved = (by: number) => measure(Float64Array.from({ length: 90 }, (_, at) => (at === row ? 1 + by : 1)));
      expect((influence[row] ?? Number.NaN) / 90, `row ${row}`).toBeCloseTo((moved(1e-5) - moved(-1e-5)) / 2e-5, 7);
    }
  },
);

describe('many rows as few', () => {
  it('of ece have its value, whatever the rows', () => {
    fc.assert(
      fc.property(fc.string(), fc.integer({ min: 1, max: 400 }), fc.constantFrom(2, 3), (seed, rows, classes) => {
        const pair = [labels(rows, `${seed} one`, classes), labels(rows, `${seed} other`, classes)];
        const { samples = [], weights = new Float64Array() } = labelMetrics.ece.condensed?.(pair) ?? {};
        expect(weights.reduce((sum, weight) => sum + weight, 0)).toBe(rows);
        for (const [index, sample] of samples.entries()) {
          const whole = pair[index];
          if (whole === undefined) throw new RangeError('no such sample');
          expect(labelMetrics.ece.on(sample)(weights)).toBeCloseTo(labelMetrics.ece.on(whole)(), 12);
        }
      }),
    );
  });

  it.each([
    ['ece', [labels(4000, 'ece one'), labels(4000, 'ece other')]],
    ['median_absolute_error', [values(4000, 'median one'), values(4000, 'median other')]],
  ] as const)('of %s are resampled to the same bounds as all of them', (name, pair) => {
    const metric = metrics[name];
    const differenceOn = (samples: readonly Sample[], weights: Float64Array) => {
      const [one, other] = samples.map((sample) => metric.on(sample as LabelSample & ValueSample));
      if (one === undefined || other === undefined) throw new RangeError('no pair');
      const change = (of: Float64Array) => one(of) - other(of);
      const [drawn = new Float64Array()] = resample({ weights, seed: name, resamples: 4000 }, [change]);
      return intervalOfResamples(change(weights), drawn, { level: 0.9, method: 'bca', n: 4000 });
    };
    const all = differenceOn(pair, new Float64Array(4000).fill(1));
    const condensed = metric.condensed?.(pair as unknown as readonly (LabelSample & ValueSample)[]);
    if (condensed === undefined) throw new RangeError('not condensed');
    expect(condensed.weights.length).toBeLessThan(2500);
    const few = differenceOn(condensed.samples, condensed.weights);
    const width = all.upper - all.lower;
    expect(few.estimate).toBeCloseTo(all.estimate, 12);
    expect(Math.abs(few.lower - all.lower)).toBeLessThan(0.06 * width);
    expect(Math.abs(few.upper - all.upper)).toBeLessThan(0.06 * width);
  });
});
