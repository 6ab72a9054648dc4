import { logGamma } from './log-gamma.ts';
import { normalCdf } from './normal.ts';

/** How a part of the rows does beside all of them. */
export interface Excess {
  /** One-sided: the chance that a part drawn at random, without looking at it, has as much. */
  readonly p: number;
  /** In standard deviations; orders what is beyond the range of `p`. */
  readonly z: number;
}

/**
 * Whether marked rows are more frequent in a part than a part of that size drawn at random has: Fisher's exact test, one-sided (the upper tail of
 * the hypergeometric distribution). Source: R. A. Fisher, J. R. Statist. Soc. 98 (1935).
 */
export function excessShare(
  part: { readonly rows: number; readonly marked: number },
  all: { readonly rows: number; readonly marked: number },
): Excess {
  const { rows: n, marked: k } = part;
  const { rows: N, marked: K } = all;
  if (!(n <= N && k <= K && k <= n && n - k <= N - K)) throw new RangeError('a part has no more rows than there are');
  const expected = (n * K) / N;
  const variance = N > 1 ? (expected * (N - K) * (N - n)) / (N * (N - 1)) : 0;
  const z = variance === 0 ? 0 : (k - expected) / Math.sqrt(variance);
  const chance = Math.exp(logChoose(K, k) + logChoose(N - K, n - k) - logChoose(N, n));
  // Away from the mean the terms fall ever faster.
  let sum = 0;
  if (k > expected) {
    for (let at = k, term = chance; term > sum * 1e-17; at++) {
      sum += term;
      term *= ((K - at) * (n - at)) / ((at + 1) * (N - K - n + at + 1));
    }
    return { p: Math.min(1, sum), z };
  }
  for (let at = k, term = chance; at > 0; ) {
    term *= (at * (N - K - n + at)) / ((K - at + 1) * (n - at + 1));
    at--;
    if (term <= sum * 1e-17) break;
    sum += term;
  }
  return { p: Math.min(1, Math.max(0, 1 - sum)), z };
}

/**
 * Whether values of a part tend to be larger than those of a part of that size drawn at random: the rank-sum test of Wilcoxon, Mann and Whitney with
 * midranks for ties. `rankSum` is over the part, `varianceOfRanks` over all rows. Needs no shape of the values, and some 20 rows.
 * Source: E. L. Lehmann, Nonparametrics (1975), 1.3 and 1.4.
 */
export function excessRank(
  part: { readonly rows: number; readonly rankSum: number },
  all: { readonly rows: number; readonly varianceOfRanks: number },
): Excess {
  const { rows: n, rankSum } = part;
  const { rows: N, varianceOfRanks } = all;
  const variance = N > 1 ? (n * varianceOfRanks * (N - n)) / (N - 1) : 0;
  if (variance === 0) return { p: 1, z: 0 };
  const z = (rankSum - (n * (N + 1)) / 2) / Math.sqrt(variance);
  return { p: normalCdf(-z), z };
}

/** Ranks from 1 on, equal values sharing the middle of theirs; and their variance (of all of them, not of a sample). */
export function midranks(values: Float64Array): { readonly ranks: Float64Array; readonly variance: number } {
  const { length } = values;
  const order = Uint32Array.from(values, (_, at) => at).sort((one, other) => (values[one] ?? 0) - (values[other] ?? 0));
  const ranks = new Float64Array(length);
  const middle = (length + 1) / 2;
  let squares = 0;
  for (let from = 0; from < length; ) {
    let to = from + 1;
    while (to < length && values[order[to] ?? 0] === values[order[from] ?? 0]) to++;
    const rank = (from + 1 + to) / 2;
    for (let at = from; at < to; at++) ranks[order[at] ?? 0] = rank;
    squares += (to - from) * (rank - middle) ** 2;
    from = to;
  }
  return { ranks, variance: length === 0 ? 0 : squares / length };
}

function logChoose(n: number, k: number): number {
  return logGamma(n + 1) - logGamma(k + 1) - logGamma(n - k + 1);
}
