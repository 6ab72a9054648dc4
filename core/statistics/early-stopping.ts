import { orderStatistics } from './percentile.ts';

/** MLPerf's own confidence. */
const mlperfConfidence = 0.99;

/** What MLPerf would report of a run. `undefined` as `estimate`: too few queries; `needed` says how many there must be. */
export interface EarlyStoppingEstimate {
  /** In the unit of the latencies: the percentile is below it with the confidence asked for. */
  readonly estimate: number | undefined;
  /** How many of the highest latencies lie above it. */
  readonly discarded: number;
  readonly needed: number;
}

/**
 * MLPerf's early-stopping estimate of a percentile ("SingleStream"): as many of the highest latencies are discarded as the binomial
 * distribution allows at the confidence, and the highest of the rest is reported. It lies above the percentile in all but 1 of 100 runs.
 * `sorted` ascends; `probability` is 0.99 for p99. Throws a RangeError for a probability outside (0, 1) or a confidence outside [0.5, 1).
 *
 * Source: MLCommons inference rules, "Early stopping criterion", with d = 0: t queries over the latency are allowed among h + t where
 * I_p(h, t + 1) <= 1 - c. That regularised beta function is the chance of at most t among h + t (DLMF 8.17.5), so that the largest t for
 * all queries of a run is an order statistic; the t-th highest latency is reported, as LoadGen does, and t must be 1 or more.
 */
export function earlyStoppingEstimate(
  sorted: ArrayLike<number>,
  probability: number,
  confidence: number = mlperfConfidence,
): EarlyStoppingEstimate {
  const allowed = allowedOver(sorted.length, probability, confidence);
  const needed = earlyStoppingQueries(1, probability, confidence);
  if (allowed < 1) return { estimate: undefined, discarded: 0, needed };
  return { estimate: sorted[sorted.length - allowed], discarded: allowed - 1, needed };
}

/**
 * MLPerf's rule for a latency target ("Server"): whether so few of the queries were over it that the percentile is below the target at the
 * confidence. Not to meet it may mean too few queries.
 */
export function meetsLatencyTarget(
  over: number,
  queries: number,
  probability: number,
  confidence: number = mlperfConfidence,
): boolean {
  return allowedOver(queries, probability, confidence) >= over;
}

/** How many queries there must be for `over` of them to be allowed over the percentile: 64 for 1 at p90, 662 at p99. */
export function earlyStoppingQueries(over: number, probability: number, confidence: number = mlperfConfidence): number {
  let enough = Math.ceil((over + 1) / (1 - probability));
  while (allowedOver(enough, probability, confidence) < over) enough *= 2;
  let below = over;
  while (enough - below > 1) {
    const middle = Math.floor((below + enough) / 2);
    if (allowedOver(middle, probability, confidence) < over) below = middle;
    else enough = middle;
  }
  return enough;
}

/** The largest t with a chance of at most 1 - c that so few of `queries` lie above the percentile; -1 if there is none. */
function allowedOver(queries: number, probability: number, confidence: number): number {
  if (!(probability > 0 && probability < 1)) throw new RangeError(`no percentile is at ${probability}`);
  if (!(confidence >= 0.5 && confidence < 1))
    throw new RangeError(`a confidence must be in [0.5, 1), not ${confidence}`);
  return queries - orderStatistics(queries, probability, confidence)[1];
}
