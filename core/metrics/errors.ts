import { influenceOnMeanOfTerms, meanOfTerms } from './mean.ts';
import type { Measure, ValueMetric } from './metric.ts';
import type { ValueSample } from './sample.ts';

/** One term a row from its actual and its predicted value. */
export function termsOf(sample: ValueSample, term: (actual: number, predicted: number) => number): Float64Array {
  const terms = new Float64Array(sample.actual.length);
  for (let row = 0; row < terms.length; row++) {
    terms[row] = term(sample.actual[row] ?? Number.NaN, sample.predicted[row] ?? Number.NaN);
  }
  return terms;
}

/** What is made of a mean, and how steeply it changes with it there. */
export interface FunctionOfMean {
  readonly of: (mean: number) => number;
  readonly slope: (mean: number) => number;
}

/** A regression metric that is a mean over rows, or a function of one. */
export function meanMetric(
  head: Pick<ValueMetric, 'name' | 'unit'>,
  term: (actual: number, predicted: number) => number,
  { of, slope }: FunctionOfMean = { of: (mean) => mean, slope: () => 1 },
): ValueMetric {
  return {
    ...head,
    task: 'regression',
    better: 'lower',
    needs: 'values',
    range: [0, Number.POSITIVE_INFINITY],
    interval: 'bootstrap',
    on(sample): Measure {
      const mean = meanOfTerms(sample.actual.length, termOf(sample, term));
      return (weights) => of(mean(weights));
    },
    influence: (sample) => influenceOnMeanOfTerms(sample.actual.length, termOf(sample, term), slope),
  };
}

function termOf(
  { actual, predicted }: ValueSample,
  term: (actual: number, predicted: number) => number,
): (row: number) => number {
  return (row) => term(actual[row] ?? Number.NaN, predicted[row] ?? Number.NaN);
}
