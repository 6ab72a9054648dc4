import { queryMean } from './query-mean.ts';

/**
 * The mean over queries of 1 over the rank of the first relevant document (a relevance over 0), ties against the model: the rank is the number of documents
 * scored at least as high. A query without relevant documents counts 0. Where each query has one relevant document it is scikit-learn's
 * `label_ranking_average_precision_score`. Source: E. Voorhees, TREC-8 question answering track (1999).
 */
export const meanReciprocalRank = queryMean('mrr', (ranked) => {
  let seen = 0;
  for (const { relevance, relevant } of ranked) {
    seen += relevance.length;
    if (relevant > 0) return 1 / seen;
  }
  return 0;
});
