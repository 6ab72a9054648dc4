import { influenceOnMean, meanOf } from './mean.ts';
import type { ValueMetric } from './metric.ts';

/** The mean of values that are already one a row, as `predicted` of a sample; `actual` is left aside. */
export function rowMean(name: string, better: 'higher' | 'lower'): ValueMetric {
  return {
    name,
    task: 'regression',
    better,
    needs: 'values',
    range: [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY],
    unit: 'none',
    interval: 'bootstrap',
    on: ({ predicted }) => meanOf(predicted),
    influence: ({ predicted }) => influenceOnMean(predicted),
  };
}
