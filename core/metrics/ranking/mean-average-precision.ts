import { queryMean, relevantIn } from './query-mean.ts';

/**
 * The mean over queries of the average precision: of the documents scored at least as high as a relevant one, the share that is relevant, over the
 * relevant ones. A relevance over 0 is relevant; a query without counts 0. scikit-learn's `average_precision_score` of each query.
 */
export const meanAveragePrecision = queryMean('map', (ranked) => {
  const all = relevantIn(ranked);
  let [seen, found, area] = [0, 0, 0];
  for (const { relevance, relevant } of ranked) {
    seen += relevance.length;
    found += relevant;
    if (relevant > 0) area += (relevant * found) / seen;
  }
  return all === 0 ? 0 : area / all;
});
