/**
 * The metric vocabulary: names, labels, units and buckets, as data, and what is made of them: PromQL, and counts read from a server's
 * `/metrics`. Nobody else writes a metric's name. Imports nothing; what is wrong comes back as data, nothing here throws.
 * @module
 */
export { awsMetrics } from './aws-metrics.ts';
export { canaryMetrics } from './canary-metrics.ts';
export {
  type CloudWatchMetric,
  type CloudWatchStatistic,
  type CloudWatchUnit,
  inCloudWatch,
} from './cloudwatch-metric.ts';
export { type CounterDifference, difference } from './counter-difference.ts';
export {
  type CounterReading,
  type CounterSeries,
  type Counters,
  countersOf,
  type Measured,
  mergeReadings,
  type ReadTarget,
  type TargetFacts,
  type VersionCounters,
} from './counters.ts';
export { eksMetrics } from './eks-metrics.ts';
export { type Exposition, type ExpositionLimits, formatOf, mostErrors, parseExposition } from './exposition.ts';
export type { ExpositionError, ExpositionFormat } from './exposition-line.ts';
export type { MetricDefinition } from './metric-definition.ts';
export {
  type Exemplar,
  type Labels,
  type MetricFamily,
  type MetricType,
  metricTypes,
  type Sample,
} from './metric-family.ts';
export {
  cacheHitRatio,
  classShare,
  episodeRate,
  type ModelGauge,
  modelGauge,
  outputQuantile,
} from './model-queries.ts';
export {
  kullbackLeibler,
  type PredictionShares,
  populationStability,
  predictionShares,
  type SharePair,
} from './prediction-drift.ts';
export { modelMissing, selectorText, versionSkew, versionsInUse } from './presence.ts';
export { type ExactMatcher, type Matcher, quoted } from './promql-text.ts';
export { qualityMetrics } from './quality-metrics.ts';
export {
  errorRate,
  errorRatio,
  gpuMemoryUsed,
  gpuUtilization,
  latencyQuantile,
  meanBatchRows,
  meanLatency,
  meanQueueTime,
  queueQuantile,
  requestRate,
  requestsInFlight,
  requestsQueued,
  type ShareQuery,
  type SlowRates,
  shareWithin,
  slowRates,
  tokenCacheUsed,
  tokenRate,
  tokenTimeQuantile,
} from './queries.ts';
export {
  type Dimension,
  isNoQuery,
  type NoQuery,
  ownErrors,
  type Query,
  type QueryScope,
  type QueryUnit,
  type Selector,
} from './query.ts';
export { type RecordedName, recordedSeries } from './recorded-series.ts';
export { cpuThrottling, gpuMemoryShare, resourceUsed } from './resource-queries.ts';
export { type Exporter, type ResourceName, type ResourceSeries, resourceSeries } from './resource-series.ts';
export { sageMakerFleetDimension, sageMakerMetrics } from './sagemaker-metrics.ts';
export { mostClasses, type PredictionStatus, predictionStatuses, servingMetrics } from './serving-metrics.ts';
export {
  type Distribution,
  type ErrorClass,
  errorClasses,
  type Gauge,
  type GpuSeries,
  hasSignal,
  type MeasureUnit,
  type Outcome,
  type OutcomeLabel,
  type RequestCounter,
  type ServingProfile,
  type Signal,
  signals,
  type TokenSeries,
  targetLabels,
  type ValuePattern,
  type Where,
} from './serving-profile.ts';
export { type ServingProfileName, servingProfileNames, servingProfiles } from './serving-profiles.ts';
export { bucketMetrics, repositoryMetrics } from './storage-metrics.ts';
export { trainingMetrics } from './training-metrics.ts';
