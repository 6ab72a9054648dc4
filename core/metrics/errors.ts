import { meanOf } from './mean.ts';
import type { Measure, ValueMetric } from './metric.ts';
import type { ValueSample } from './sample.ts';

/** One term a row from its actual and its predicted value. */
export function termsOf(sample: ValueSample, term: (actual: number, predicted: number) => number): Float64Array {
  return sample.actual.map((actual, row) => term(actual, sample.predicted[row] ?? Number.NaN));
}

/** A regression metric that is a mean over rows, or a function of one. */
export function meanMetric(
  head: Pick<ValueMetric, 'name' | 'unit'>,
  term: (actual: number, predicted: number) => number,
  of: (mean: number) => number = (mean) => mean,
): ValueMetric {
  return {
    ...head,
    task: 'regression',
    better: 'lower',
    needs: 'values',
    range: [0, Number.POSITIVE_INFINITY],
    interval: 'bootstrap',
    on(sample): Measure {
      const mean = meanOf(termsOf(sample, term));
      return (weights) => of(mean(weights));
    },
  };
}
