import { influenceOnMean, meanOf } from '../mean.ts';
import type { MultiLabelMetric } from '../metric.ts';
import type { MultiLabelSample } from '../sample.ts';

/** A metric that is the mean over rows of one term each. `term` is given where the row's labels begin. */
export function rowMean(
  head: Pick<MultiLabelMetric, 'name' | 'better' | 'needs' | 'range' | 'unit'>,
  term: (sample: MultiLabelSample, from: number) => number,
): MultiLabelMetric {
  return {
    ...head,
    task: 'multilabel',
    interval: 'bootstrap',
    on: (sample) => meanOf(rowTerms(sample, term)),
    influence: (sample) => influenceOnMean(rowTerms(sample, term)),
  };
}

/** The term of each row. */
export function rowTerms(
  sample: MultiLabelSample,
  term: (sample: MultiLabelSample, from: number) => number,
): Float64Array {
  return Float64Array.from({ length: sample.rows }, (_, row) => term(sample, row * sample.labels.length));
}
