import { rowMean } from './multi-label-mean.ts';

/**
 * How many of the best scored labels it takes to cover all that are true of a row, on average; ties count in full, a row without labels
 * as 0. scikit-learn's `coverage_error`.
 */
export const coverageError = rowMean(
  { name: 'coverage_error', better: 'lower', needs: 'values', range: [0, Number.POSITIVE_INFINITY], unit: 'none' },
  ({ labels, actual, scores }, from) => {
    const end = from + labels.length;
    let least = Number.POSITIVE_INFINITY;
    for (let at = from; at < end; at++) if (actual[at] === 1) least = Math.min(least, scores[at] ?? Number.NaN);
    let covered = 0;
    for (let at = from; at < end; at++) if ((scores[at] ?? Number.NaN) >= least) covered++;
    return covered;
  },
);
