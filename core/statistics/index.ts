/**
 * Intervals, paired comparisons and the decision rule. One method a file, each with its source. Nothing here knows of models,
 * files or reports.
 * @module
 */
export { benjaminiHochberg } from './benjamini-hochberg.ts';
export {
  type BootstrapMethod,
  type BootstrapOptions,
  bootstrapInterval,
  intervalOfResamples,
  pairedBootstrap,
} from './bootstrap-interval.ts';
export { pValueOfBroken } from './broken-bound.ts';
export { type Decision, decide } from './decision.ts';
export { type AreaUnderCurve, delong, delongDifference, delongInterval, delongPValue } from './delong.ts';
export {
  type EarlyStoppingEstimate,
  earlyStoppingEstimate,
  earlyStoppingQueries,
  meetsLatencyTarget,
} from './early-stopping.ts';
export { exactInterval } from './exact-interval.ts';
export type { Interval } from './interval.ts';
export { normalCdf, normalQuantile } from './normal.ts';
export { minimumSamples, percentileInterval } from './percentile.ts';
export { quantileOfSorted } from './quantile.ts';
export { type Random, randomOf } from './random.ts';
export { type Resampling, resample, type Statistic, type Weights } from './resample.ts';
export { rowsToSettle } from './rows-to-settle.ts';
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
export { weightedMedian } from './weighted-median.ts';
export { wilsonInterval } from './wilson-interval.ts';
export { type ArmCounts, addCounts, type WindowCounts } from './window-counts.ts';
