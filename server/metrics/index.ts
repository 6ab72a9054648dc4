/**
 * What the server counts: cheap numbers while requests run, Prometheus' text and Triton's statistics when somebody asks.
 * @module
 */
export { Exposition } from './exposition.ts';
export { MeteredEngine, type MeteredRequest } from './metered-engine.ts';
export { type ModelStatistics, modelStatistics } from './model-statistics.ts';
