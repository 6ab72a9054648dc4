import { influenceOnMean, meanOf } from '../mean.ts';
import type { MetricOptions, RankingMetric } from '../metric.ts';
import type { RankingSample } from '../sample.ts';

/** Documents of one query with the same score, from the highest score on. */
export interface TiedDocuments {
  readonly relevance: readonly number[];
  /** Of them, how many have a relevance over 0. */
  readonly relevant: number;
}

/** A metric that is the mean over queries of one term each. */
export function queryMean(
  name: string,
  term: (ranked: readonly TiedDocuments[], options: MetricOptions) => number,
): RankingMetric {
  const termsOf = (sample: RankingSample, options: MetricOptions = {}) =>
    Float64Array.from({ length: sample.queries }, (_, query) => term(rankedOf(sample, query), options));
  return {
    name,
    task: 'ranking',
    better: 'higher',
    needs: 'values',
    range: [0, 1],
    unit: 'none',
    interval: 'bootstrap',
    on: (sample, options) => meanOf(termsOf(sample, options)),
    influence: (sample, options) => influenceOnMean(termsOf(sample, options)),
  };
}

/** How many documents of the query are relevant. */
export function relevantIn(ranked: readonly TiedDocuments[]): number {
  return ranked.reduce((sum, { relevant }) => sum + relevant, 0);
}

function rankedOf({ starts, relevance, scores }: RankingSample, query: number): readonly TiedDocuments[] {
  const from = starts[query] ?? 0;
  const size = (starts[query + 1] ?? from) - from;
  const order = Int32Array.from({ length: size }, (_, at) => from + at).sort(
    (left, right) => (scores[right] ?? 0) - (scores[left] ?? 0),
  );
  const ranked: { relevance: number[]; relevant: number }[] = [];
  let last = Number.NaN;
  for (const document of order) {
    const score = scores[document] ?? Number.NaN;
    let tied = ranked.at(-1);
    if (tied === undefined || score !== last) {
      tied = { relevance: [], relevant: 0 };
      ranked.push(tied);
    }
    last = score;
    const of = relevance[document] ?? 0;
    tied.relevance.push(of);
    if (of > 0) tied.relevant++;
  }
  return ranked;
}
