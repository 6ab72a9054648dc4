/**
 * The metric vocabulary: names, labels, units and buckets, as data. Nobody else writes a metric's name.
 * @module
 */
export type { MetricDefinition } from './metric-definition.ts';
export { mostClasses, type PredictionStatus, predictionStatuses, servingMetrics } from './serving-metrics.ts';
