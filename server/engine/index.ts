/**
 * The models a server runs: loading, queueing, batching, caching, answering. No protocol.
 * @module
 */
export type { Done, Engine, InferenceError, ServedVersion, ServingSettings, Timing } from './engine.ts';
export { type EngineOptions, openEngine } from './open-engine.ts';
export { defaultSettings } from './settings.ts';
