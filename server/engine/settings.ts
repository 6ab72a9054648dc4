import { availableParallelism } from 'node:os';
import type { ModelConfig } from '../repository/index.ts';
import type { ServingSettings } from './engine.ts';

/** How a model is served when nobody says otherwise. */
export const defaultSettings: ServingSettings = {
  maxBatchSize: 32,
  maxQueueDelayUs: 0,
  maxQueueSize: 1024,
  timeoutMs: 30_000,
  cacheSize: 0,
  cacheTtlSeconds: 60,
  workers: 'auto',
  warmUpRuns: 3,
};

/** Memory that the answers in one model version's cache may take. */
export const cacheBytes = 64 * 1024 ** 2;

/**
 * A run longer than this on the main thread would be seen by every other request, so `workers: 'auto'` moves the model to threads of its
 * own. A hop to a thread and back costs some 0.05 to 0.1 ms, next to which a run of this length is long.
 */
export const longestRunOnMainThreadMs = 3;

/** Copies of the weights are held once for each thread: large models get one. */
const bytesForOneWorker = 512 * 1024 ** 2;
const mostWorkers = 4;

/** Threads for a model of `bytes`, where `auto` found that it needs any: one less than this machine has processors, at least one. */
export function automaticWorkers(bytes: number): number {
  if (bytes >= bytesForOneWorker) return 1;
  return Math.max(1, Math.min(mostWorkers, availableParallelism() - 1));
}

/** The settings of one model: those given for it, else what its repository configures, else those of the server, else the defaults. */
export function settingsOf(
  config: ModelConfig,
  server: Partial<ServingSettings>,
  own: Partial<ServingSettings> | undefined,
): ServingSettings {
  return {
    ...defaultSettings,
    ...given(server),
    ...(config.maxBatchSize === undefined ? {} : { maxBatchSize: Math.max(1, config.maxBatchSize) }),
    ...(config.maxQueueDelayUs === undefined ? {} : { maxQueueDelayUs: config.maxQueueDelayUs }),
    ...given(own ?? {}),
  };
}

function given(settings: Partial<ServingSettings>): Partial<ServingSettings> {
  return Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined));
}
