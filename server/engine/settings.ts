import { availableParallelism } from 'node:os';
import { InputError, type Problem } from '../../core/problem/index.ts';
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

const limits: Readonly<Record<Exclude<keyof ServingSettings, 'workers'>, readonly [least: number, most: number]>> = {
  maxBatchSize: [1, 1_000_000],
  maxQueueDelayUs: [0, 60_000_000],
  maxQueueSize: [1, 10_000_000],
  timeoutMs: [1, 2 ** 31 - 1],
  cacheSize: [0, 10_000_000],
  cacheTtlSeconds: [0, 31_536_000],
  warmUpRuns: [0, 10_000],
};
const mostThreads = 256;

/** Throws an InputError with every setting that is out of range. `where` is how messages call them. */
export function checkSettings(settings: Partial<ServingSettings> | undefined, where: string): void {
  const wrong = (name: string, found: unknown, expected: string): Problem => ({
    code: 'bad-setting',
    message: `${name} in the ${where} is out of range`,
    found: String(found),
    expected,
    fix: 'Correct the number.',
  });
  const problems: Problem[] = [];
  for (const [name, [least, most]] of Object.entries(limits)) {
    const value: unknown = settings?.[name as keyof ServingSettings];
    const whole = name === 'cacheTtlSeconds' || Number.isSafeInteger(value);
    const fits = typeof value === 'number' && whole && value >= least && value <= most;
    if (value !== undefined && !fits) problems.push(wrong(name, value, `a whole number from ${least} to ${most}`));
  }
  const workers = settings?.workers;
  const countable = Number.isSafeInteger(workers) && Number(workers) >= 0 && Number(workers) <= mostThreads;
  if (workers !== undefined && workers !== 'auto' && !countable) {
    problems.push(wrong('workers', workers, `auto, or a whole number from 0 to ${mostThreads}`));
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
}
