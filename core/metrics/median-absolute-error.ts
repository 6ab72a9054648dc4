import { weightedMedian } from '../statistics/index.ts';
import { termsOf } from './errors.ts';
import type { Condensed, ValueMetric } from './metric.ts';
import { pick, type ValueSample } from './sample.ts';

/** The median absolute error: half of the rows are off by no more. */
export const medianAbsoluteError: ValueMetric = {
  name: 'median_absolute_error',
  task: 'regression',
  better: 'lower',
  needs: 'values',
  range: [0, Number.POSITIVE_INFINITY],
  unit: 'target',
  interval: 'bootstrap',
  on: (sample) => weightedMedian(errorsOf(sample)),
  condensed: aroundMedians,
};

function errorsOf(sample: ValueSample): Float64Array {
  return termsOf(sample, (actual, predicted) => Math.abs(actual - predicted));
}

/** In standard deviations of the median's rank: no resample of ten thousand times 2000 has its median beyond. */
const reach = 6;

/**
 * A resample's median lies among the rows around the median; of the rest only counts who is below and who above. So rows outside, alike
 * in that for every sample, are one. Exactly the same resamples, of about 12 times the root of the rows.
 */
function aroundMedians(samples: readonly ValueSample[]): Condensed<ValueSample> {
  const errors = samples.map(errorsOf);
  const rows = samples[0]?.actual.length ?? 0;
  const around = errors.map((of) => {
    const sorted = of.toSorted();
    const half = Math.ceil((reach * Math.sqrt(rows)) / 2);
    const middle = Math.floor(rows / 2);
    return {
      least: sorted[Math.max(0, middle - half)] ?? Number.NaN,
      most: sorted[Math.min(rows - 1, middle + half)] ?? Number.NaN,
    };
  });
  const units: number[] = [];
  const weights: number[] = [];
  const outside = new Map<number, number>();
  for (let row = 0; row < rows; row++) {
    let side = 0;
    let inside = false;
    for (const [of, { least, most }] of around.entries()) {
      const error = errors[of]?.[row] ?? Number.NaN;
      const above = error > most;
      inside ||= !above && !(error < least);
      side = side * 2 + (above ? 1 : 0);
    }
    const known = inside ? undefined : outside.get(side);
    if (known !== undefined) {
      weights[known] = (weights[known] ?? 0) + 1;
      continue;
    }
    if (!inside) outside.set(side, units.length);
    units.push(row);
    weights.push(1);
  }
  return { samples: samples.map((sample) => pick(sample, units)), weights: Float64Array.from(weights) };
}
