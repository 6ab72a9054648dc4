/**
 * Intervals, paired comparisons and the decision rule. One method a file, each with its source. Nothing here knows of models,
 * files or reports.
 * @module
 */
export { acceleration } from './acceleration.ts';
export { ascendingOrder } from './ascending-order.ts';
export { benjaminiHochberg } from './benjamini-hochberg.ts';
export { drawBinomial } from './binomial-draw.ts';
export {
  type BootstrapMethod,
  type BootstrapOptions,
  bootstrapInterval,
  intervalOfResamples,
  jackknifeInfluences,
  pairedBootstrap,
} from './bootstrap-interval.ts';
export {
  type MeanBounds,
  meanLowerBound,
  meanUpperBound,
  scaleSums,
  startMeanBounds,
  updateMeanBounds,
  type ValueSums,
  type ValueWindow,
} from './bounded-mean-e-process.ts';
export { pValueOfBroken } from './broken-bound.ts';
export { chiSquareTest, type Homogeneity } from './chi-square-test.ts';
export { type CountedSamples, countSamples } from './counted-samples.ts';
export { type Decision, decide } from './decision.ts';
export {
  type AreaUnderCurve,
  delong,
  delongDifference,
  delongInterval,
  delongOfSteps,
  delongPValue,
  type ScoreSteps,
} from './delong.ts';
export {
  type ClassWindow,
  type DistributionTest,
  distanceLowerBound,
  distanceUpperBound,
  startDistributionTest,
  totalVariation,
  updateDistributionTest,
} from './distribution-shift.ts';
export { type Distance, type DriftIntervalOptions, driftInterval } from './drift-interval.ts';
export {
  type EarlyStoppingEstimate,
  earlyStoppingEstimate,
  earlyStoppingQueries,
  meetsLatencyTarget,
} from './early-stopping.ts';
export {
  type Comparison,
  type ErrorBounds,
  errorLowerBound,
  errorUpperBound,
  noHarmEvidence,
  startErrorBounds,
  updateErrorBounds,
} from './error-bounds.ts';
export { averageEvidence, splitErrorBudget } from './error-budget.ts';
export { exactInterval } from './exact-interval.ts';
export { type Excess, excessRank, excessShare, midranks } from './excess-tests.ts';
export { leastShare } from './floored-shares.ts';
export { harmGain } from './harm-bet.ts';
export { hellingerDistance } from './hellinger.ts';
export {
  type HistogramTest,
  type HistogramTestOptions,
  type HistogramWindow,
  learnHistogram,
  startHistogramTest,
  strongestEdge,
  updateHistogramTest,
} from './histogram-shift.ts';
export { influenceInterval } from './influence-interval.ts';
export type { Interval } from './interval.ts';
export { jensenShannonDistance } from './jensen-shannon.ts';
export { kolmogorovSmirnov, kolmogorovSmirnovPValue } from './kolmogorov-smirnov.ts';
export { kullbackLeiblerDivergence } from './kullback-leibler.ts';
export { type McNemar, mcnemar } from './mcnemar.ts';
export { normalCdf, normalQuantile } from './normal.ts';
export { type PairedCounts, pairedShareInterval } from './paired-share-interval.ts';
export { minimumSamples, percentileInterval } from './percentile.ts';
export { populationStabilityIndex } from './population-stability.ts';
export { quantileOfSorted } from './quantile.ts';
export { type Random, randomOf } from './random.ts';
export { type Resampling, resample, type Statistic, type Weights } from './resample.ts';
export { type NextWeight, nextWeight, type RiskBudget, type RiskSituation, type WeightLimits } from './risk-budget.ts';
export { rowsToSettle } from './rows-to-settle.ts';
export { shareConfidenceSequence } from './share-confidence-sequence.ts';
export type { GridEvidence } from './tolerance-grid.ts';
export type { Prediction, Tolerance } from './two-arm-bet.ts';
export {
  anytimePValue,
  type ErrorTest,
  type ErrorTestOptions,
  type GridPoint,
  harmGrid,
  startErrorTest,
  updateErrorTest,
} from './two-sample-error-e-process.ts';
export {
  estimateNoise,
  type NoiseEstimate,
  type NoiseRecord,
  noNoiseRecord,
  recordNoise,
} from './variance-inflation.ts';
export { wassersteinDistance } from './wasserstein.ts';
export { weightedMedian } from './weighted-median.ts';
export { wilsonInterval } from './wilson-interval.ts';
export { type ArmCounts, addCounts, type WindowCounts } from './window-counts.ts';
