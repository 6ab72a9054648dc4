import type { MetricDefinition } from './metric-definition.ts';

const perVersion = ['model_name', 'model_version'] as const;

/** Half a millisecond to ten seconds. The bounds that alerts and service levels commonly name (.01 .025 .05 .1 .25 .5 1) are among them. */
const latencyBuckets = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/** For parts of a request, which are far shorter than the whole: from 50 microseconds. */
const partBuckets = [0.00005, 0.0001, 0.00025, ...latencyBuckets] as const;

/**
 * A prediction may be anything; drift is seen where most are. Tenths between 0 and 1 for probabilities, decades beyond, both signs.
 */
const valueBuckets = [
  -1e6, -1e5, -1e4, -1e3, -100, -10, -5, -2, -1, -0.5, -0.1, 0, 0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9,
  0.95, 0.99, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1e3, 1e4, 1e5, 1e6,
] as const;

/** How one request ended: the values of `status`. */
export const predictionStatuses = [
  'ok',
  'invalid_input',
  'unknown_model',
  'not_ready',
  'queue_full',
  'timeout',
  'draining',
  'error',
] as const;
export type PredictionStatus = (typeof predictionStatuses)[number];

/** Classes of one output that are told apart; what comes after them is counted as `other`. */
export const mostClasses = 100;

/** Every metric Sluice's model server exports. The one home of these names. */
export const servingMetrics = {
  latency: {
    name: 'model_prediction_latency_seconds',
    kind: 'histogram',
    help: 'Time from the last byte of a request to its answer being ready to send, for requests that were answered.',
    unit: 'seconds',
    labels: perVersion,
    buckets: latencyBuckets,
  },
  predictions: {
    name: 'model_prediction_total',
    kind: 'counter',
    help: 'Requests by how they ended.',
    unit: 'requests',
    labels: [...perVersion, 'status'],
  },
  accuracy: {
    name: 'model_accuracy',
    kind: 'gauge',
    help: 'Accuracy of the model: as its release measured it, or as later labels show.',
    unit: 'ratio',
    labels: ['model_name'],
  },
  queue: {
    name: 'model_queue_seconds',
    kind: 'histogram',
    help: 'Time a request waited before its batch ran.',
    unit: 'seconds',
    labels: perVersion,
    buckets: partBuckets,
  },
  inference: {
    name: 'model_inference_seconds',
    kind: 'histogram',
    help: 'Time ONNX Runtime took for the batch a request was in.',
    unit: 'seconds',
    labels: perVersion,
    buckets: partBuckets,
  },
  batchRows: {
    name: 'model_batch_rows',
    kind: 'histogram',
    help: 'Rows that ran together, seen from each request.',
    unit: 'rows',
    labels: perVersion,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024],
  },
  inFlight: {
    name: 'model_in_flight_requests',
    kind: 'gauge',
    help: 'Requests taken and not yet answered, those in the queue included.',
    unit: 'requests',
    labels: perVersion,
  },
  queued: {
    name: 'model_queued_requests',
    kind: 'gauge',
    help: 'Requests that wait for their batch.',
    unit: 'requests',
    labels: perVersion,
  },
  predictionValue: {
    name: 'model_prediction_value',
    kind: 'histogram',
    help: 'Values of a numeric output (of at most 8 rows of an answer). A column of a narrow output is named output[column].',
    unit: 'value',
    labels: [...perVersion, 'output'],
    buckets: valueBuckets,
  },
  predictionClass: {
    name: 'model_prediction_class_total',
    kind: 'counter',
    help: 'Rows (at most 8 of an answer) by the class a label output gave; NaN and Infinity of numeric outputs are classes too.',
    unit: 'rows',
    labels: [...perVersion, 'output', 'class'],
  },
  cache: {
    name: 'model_cache_requests_total',
    kind: 'counter',
    help: 'Requests by whether the prediction cache had their answer (result: hit, miss).',
    unit: 'requests',
    labels: [...perVersion, 'result'],
  },
  loadSeconds: {
    name: 'model_load_seconds',
    kind: 'gauge',
    help: 'Time from the start of loading to ready: reading, scanning, warming up.',
    unit: 'seconds',
    labels: perVersion,
  },
  ready: {
    name: 'model_ready',
    kind: 'gauge',
    help: '1 if the version answers requests, else 0.',
    unit: 'boolean',
    labels: perVersion,
  },
} as const satisfies Readonly<Record<string, MetricDefinition>>;
