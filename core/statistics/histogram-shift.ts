import { averageEvidence } from './error-budget.ts';
import type { Tolerance } from './two-arm-bet.ts';
import { type ErrorTest, type GridPoint, startErrorTest, updateErrorTest } from './two-sample-error-e-process.ts';
import { addCounts, nothing } from './window-counts.ts';

/** A histogram's counts in one window by bucket (not cumulative), one more than there are edges: the last is above all of them. */
export interface HistogramWindow {
  readonly canary: readonly number[];
  readonly baseline: readonly number[];
}

/** The test of one edge: "requests slower than the edge" are its errors. */
interface EdgeTest {
  readonly edge: number;
  readonly weight: number;
  readonly test: ErrorTest;
  /** What the baseline was seen to do before. */
  readonly known: { readonly requests: number; readonly errors: number };
}

/** The evidence that some quantile has moved up. Plain JSON. */
export interface HistogramTest {
  readonly edges: readonly EdgeTest[];
  /** The logarithm of the evidence now and at its highest, over all edges. */
  readonly logE: number;
  readonly highestLogE: number;
}

export interface HistogramTestOptions {
  /** Upper bounds of the buckets, ascending; `Infinity` may end them and is left out, for nothing is above it. */
  readonly edges: readonly number[];
  /** By edge, at least 0; default: all alike. An SLO's edge may weigh more. */
  readonly weights?: readonly number[];
  /** On the share above an edge. Default: one percentage point more than the baseline's. */
  readonly tolerance?: Tolerance;
}

/** Shares above an edge are seldom small, so the odds of interest are nearer than those of errors. */
const shiftGrid: readonly GridPoint[] = [
  { multiplier: 1.15, weight: 0.2 },
  { multiplier: 1.4, weight: 0.3 },
  { multiplier: 1.9, weight: 0.25 },
  { multiplier: 3, weight: 0.15 },
  { multiplier: 8, weight: 0.1 },
];

/** Before so many requests of the baseline the share above an edge is no guess to stake on. */
const fewestRequests = 100;

/**
 * A shift of **any** quantile, from two histograms with the same buckets: the canary's share above some edge exceeds the baseline's by
 * more than the tolerance. One e-process an edge (`two-sample-error-e-process.ts`), merged by their weighted mean, which is an e-process
 * under "no edge is exceeded" whatever their dependence, and loses at most log(1/weight) against the best edge. What happens inside one
 * bucket can't be seen; a value equal to an edge counts as at most the edge (Prometheus' `le`).
 * Compare Howard and Ramdas, "Sequential estimation of quantiles with applications to A/B testing and best-arm identification",
 * Bernoulli 28 (2022), whose bands hold for all quantiles of raw values at once.
 * Throws a `RangeError` for edges that do not ascend, none, or weights that don't fit.
 */
export function startHistogramTest(options: HistogramTestOptions): HistogramTest {
  const { tolerance = { ratio: 1, difference: 0.01 } } = options;
  const edges = options.edges.filter((edge) => edge !== Number.POSITIVE_INFINITY);
  const weights = options.weights ?? edges.map(() => 1);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const ascending = edges.every((edge, index) => Number.isFinite(edge) && edge > (edges[index - 1] ?? -Infinity));
  const weighed = weights.length === edges.length && total > 0 && weights.every((weight) => weight >= 0);
  if (edges.length === 0 || !ascending || !weighed) {
    throw new RangeError('a histogram needs ascending edges, and one weight for each');
  }
  return {
    edges: edges.map((edge, index) => ({
      edge,
      weight: (weights[index] ?? 0) / total,
      test: startErrorTest({ tolerance, grid: shiftGrid }),
      known: nothing,
    })),
    logE: 0,
    highestLogE: 0,
  };
}

/** The test told of a window of the baseline alone, from before the rollout: it may then stake from the first window on. */
export function learnHistogram(test: HistogramTest, baseline: readonly number[]): HistogramTest {
  return {
    ...test,
    edges: test.edges.map((edge, index) => ({ ...edge, known: addCounts(edge.known, above(test, baseline, index)) })),
  };
}

/**
 * The evidence after one more window. `variance` is that of the noise on the share above an edge (`NoiseEstimate`), at the edge it is
 * greatest. Throws a `RangeError` if the counts do not fit the edges.
 */
export function updateHistogramTest(test: HistogramTest, window: HistogramWindow, variance = 0): HistogramTest {
  const edges = test.edges.map((edge, index) => {
    const counts = { canary: above(test, window.canary, index), baseline: above(test, window.baseline, index) };
    const { requests, errors } = edge.known;
    const known = addCounts(edge.known, counts.baseline);
    if (requests < fewestRequests) return { ...edge, known };
    const prediction = { rate: (errors + 0.5) / (requests + 1), variance };
    return { ...edge, known, test: updateErrorTest(edge.test, counts, prediction) };
  });
  const logE = averageEvidence(
    edges.map((edge) => edge.test.logE),
    edges.map((edge) => edge.weight),
  );
  return { edges, logE, highestLogE: Math.max(test.highestLogE, logE) };
}

/** The edge with the strongest evidence, with the shares above it: where to look. */
export function strongestEdge({ edges }: HistogramTest): {
  readonly edge: number;
  readonly logE: number;
  readonly canaryShare: number;
  readonly baselineShare: number;
} {
  const [first, ...others] = edges;
  if (first === undefined) throw new RangeError('a histogram test has no edges');
  const strength = ({ weight, test }: EdgeTest): number => Math.log(weight) + test.logE;
  const strongest = others.reduce((best, edge) => (strength(edge) > strength(best) ? edge : best), first);
  const { canary, baseline, logE } = strongest.test;
  return {
    edge: strongest.edge,
    logE,
    canaryShare: canary.requests > 0 ? canary.errors / canary.requests : 0,
    baselineShare: baseline.requests > 0 ? baseline.errors / baseline.requests : 0,
  };
}

function above(test: HistogramTest, buckets: readonly number[], index: number): { requests: number; errors: number } {
  if (buckets.length !== test.edges.length + 1 || !buckets.every((count) => count >= 0 && Number.isFinite(count))) {
    throw new RangeError(`${test.edges.length} edges need ${test.edges.length + 1} counts of at least 0`);
  }
  let requests = 0;
  let errors = 0;
  buckets.forEach((count, bucket) => {
    requests += count;
    if (bucket > index) errors += count;
  });
  return { requests, errors };
}
