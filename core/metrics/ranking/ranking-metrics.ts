import type { RankingMetric } from '../metric.ts';
import { meanAveragePrecision } from './mean-average-precision.ts';
import { meanReciprocalRank } from './mean-reciprocal-rank.ts';
import { ndcg } from './ndcg.ts';
import { recallAtK } from './recall-at-k.ts';

/** Every metric of documents ranked by query, by the name that a policy calls it. */
export const rankingMetrics = {
  ndcg,
  map: meanAveragePrecision,
  recall_at_k: recallAtK,
  mrr: meanReciprocalRank,
} as const satisfies Record<string, RankingMetric>;
