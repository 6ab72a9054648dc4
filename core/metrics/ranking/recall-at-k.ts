import { queryMean, relevantIn } from './query-mean.ts';

/** When the policy gives no `k`: the first page of results. */
const defaultK = 10;

/**
 * Of a query's relevant documents (a relevance over 0), the share among the best `k` (10); of documents tied across the `k`-th rank as many as on
 * average in any order. A query without relevant documents counts 0. scikit-learn has none: the reference is written out.
 */
export const recallAtK = queryMean('recall_at_k', (ranked, { k = defaultK }) => {
  const all = relevantIn(ranked);
  let [left, found] = [k, 0];
  for (const { relevance, relevant } of ranked) {
    const taken = Math.min(left, relevance.length);
    found += (relevant * taken) / relevance.length;
    left -= taken;
    if (left === 0) break;
  }
  return all === 0 ? 0 : found / all;
});
