import { queryMean, type TiedDocuments } from './query-mean.ts';

/**
 * Normalised discounted cumulative gain: each document's relevance over log₂(1 + its rank), summed over the best `k` (all when not given), as a
 * share of what the best order would give. Tied documents share their ranks. A query without a relevant document counts 0. scikit-learn's
 * `ndcg_score`. Source: K. Järvelin, J. Kekäläinen, ACM TOIS 20 (2002); ties: F. McSherry, M. Najork, ECIR 2008.
 */
export const ndcg = queryMean('ndcg', (ranked, { k = Number.POSITIVE_INFINITY }) => {
  const best = ranked.flatMap(({ relevance }) => relevance).sort((left, right) => right - left);
  const ideal = gainOf(
    best.map((relevance) => ({ relevance: [relevance], relevant: 0 })),
    k,
  );
  return ideal === 0 ? 0 : gainOf(ranked, k) / ideal;
});

function gainOf(ranked: readonly TiedDocuments[], k: number): number {
  let rank = 0;
  let gain = 0;
  for (const { relevance } of ranked) {
    let discounts = 0;
    for (let at = 0; at < relevance.length; at++) {
      rank++;
      if (rank <= k) discounts += 1 / Math.log2(1 + rank);
    }
    gain += (discounts * relevance.reduce((sum, each) => sum + each, 0)) / relevance.length;
  }
  return gain;
}
