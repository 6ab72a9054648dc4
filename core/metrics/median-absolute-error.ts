import { weightedMedian } from '../statistics/index.ts';
import { termsOf } from './errors.ts';
import type { ValueMetric } from './metric.ts';

/** The median absolute error: half of the rows are off by no more. */
export const medianAbsoluteError: ValueMetric = {
  name: 'median_absolute_error',
  task: 'regression',
  better: 'lower',
  needs: 'values',
  range: [0, Number.POSITIVE_INFINITY],
  unit: 'target',
  interval: 'bootstrap',
  on: (sample) => weightedMedian(termsOf(sample, (actual, predicted) => Math.abs(actual - predicted))),
};
