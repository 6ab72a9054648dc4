import type { MultiLabelMetric } from '../metric.ts';
import { coverageError } from './coverage-error.ts';
import { hammingLoss } from './hamming-loss.ts';
import { labelRankingAveragePrecision } from './label-ranking-average-precision.ts';
import { labelRankingLoss } from './label-ranking-loss.ts';
import { multiLabelAveraged } from './multi-label-averaged.ts';
import { subsetAccuracy } from './subset-accuracy.ts';

/** Metrics that only several labels a row have. */
export const multiLabelOnlyMetrics = {
  hamming_loss: hammingLoss,
  label_ranking_average_precision: labelRankingAveragePrecision,
  coverage_error: coverageError,
  label_ranking_loss: labelRankingLoss,
} as const satisfies Record<string, MultiLabelMetric>;

/** Every metric of several labels a row, by the name that a policy calls it. */
export const multiLabelMetrics = {
  accuracy: subsetAccuracy,
  precision: multiLabelAveraged('precision', ({ hits, predicted }) => ({ numerator: hits, denominator: predicted })),
  recall: multiLabelAveraged('recall', ({ hits, actual }) => ({ numerator: hits, denominator: actual })),
  f1: multiLabelAveraged('f1', ({ hits, actual, predicted }) => ({
    numerator: 2 * hits,
    denominator: actual + predicted,
  })),
  jaccard: multiLabelAveraged('jaccard', ({ hits, actual, predicted }) => ({
    numerator: hits,
    denominator: actual + predicted - hits,
  })),
  ...multiLabelOnlyMetrics,
} as const satisfies Record<string, MultiLabelMetric>;
