import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isAbsolute } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Host } from '../../core/host/index.ts';
import type { NativeOptions } from '../../core/native/index.ts';
import { isRunnable, type ModelFacts, openModel, type TensorSpec } from '../../core/onnx/index.ts';
import { ModelError, type Problem, SluiceError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { ModelConfig, StoredVersion } from '../repository/index.ts';
import type { ServingSettings } from './engine.ts';
import { Lane } from './lane.ts';
import { predictionCache } from './prediction-cache.ts';
import { RequestCheck } from './request-check.ts';
import { inlineRunner } from './runner.ts';
import { openSession, type Session } from './session.ts';
import { automaticWorkers, cacheBytes, longestRunOnMainThreadMs } from './settings.ts';
import { type Trial, tryModel } from './trial.ts';
import { openWorkerPool } from './worker-pool.ts';

/** A model version that is loaded, warm, and takes requests. */
export interface LoadedVersion {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly sha256: string;
  readonly md5: string;
  /** Seconds from the scan until it was warm. */
  readonly loadSeconds: number;
  readonly batches: boolean;
  /** Threads of its own; 0: it runs on this one. */
  readonly threads: number;
  readonly lane: Lane;
}

export interface LoadOptions {
  readonly settings: ServingSettings;
  readonly config: ModelConfig;
  readonly host: Host;
  readonly native: NativeOptions;
  readonly now: () => number;
  /** The model can no longer be run; why, printable. */
  readonly onBroken: (reason: string) => void;
}

/** For loading a model, and for each run on made-up inputs, in the process it is tried in. */
const trialMs = 120_000;
const leastStuckMs = 60_000;

/**
 * Scans a model file, loads it and warms it up. Throws a SluiceError with the reasons why it cannot be served, which name the file as the
 * repository calls it.
 */
export async function loadVersion(stored: StoredVersion, options: LoadOptions): Promise<LoadedVersion> {
  const { settings, config, host, native, now, onBroken } = options;
  const { file, shownFile } = stored;
  const start = performance.now();
  if (stored.problem !== undefined) throw new ModelError(stored.problem);
  const nativeHere = { ...native, host: native.host ?? host };
  const tried = await tryInProcess(stored, options, nativeHere);
  const { facts, inputs, outputs, trial } = tried;
  if (trial.failure !== undefined) {
    host.warning(
      `${shownFile}: could not be warmed up with made-up inputs, so requests are not joined: ${trial.failure}`,
    );
  }
  const warn = (message: string): void => host.warning(`${shownFile}: ${excerpt(message, 400)}`);
  const workers = workersFor(settings, trial, facts);
  const runner =
    workers === 0
      ? inlineRunner(await warmSession(file, nativeHere, trial, settings))
      : await openWorkerPool({
          path: file,
          native: plain(native),
          warmUp: trial.warmUp,
          warmUpRuns: settings.warmUpRuns,
          workers,
          stuckAfterMs: Math.max(leastStuckMs, 10 * settings.timeoutMs),
          warn,
          onBroken,
        });
  try {
    // After it was loaded: what was loaded is what was scanned.
    const md5 = await md5Of(file, facts);
    const check = new RequestCheck(inputs, outputs);
    const lane = new Lane({
      check,
      outputNames: outputs.map(({ name }) => name),
      runner,
      batches: trial.batches,
      maxBatchSize: settings.maxBatchSize,
      enoughRows: enoughRows(settings, config),
      maxQueueDelayMs: settings.maxQueueDelayUs / 1000,
      maxQueueSize: settings.maxQueueSize,
      timeoutMs: settings.timeoutMs,
      cache:
        settings.cacheSize > 0
          ? predictionCache(facts.sha256, check.inputNames, {
              entries: settings.cacheSize,
              bytes: cacheBytes,
              ttlSeconds: settings.cacheTtlSeconds,
              now,
            })
          : undefined,
      now,
      warn,
    });
    const loadSeconds = (performance.now() - start) / 1000;
    return { inputs, outputs, sha256: facts.sha256, md5, loadSeconds, batches: trial.batches, threads: workers, lane };
  } catch (cause) {
    await runner.close();
    throw cause;
  }
}

interface Tried {
  readonly facts: ModelFacts;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly trial: Trial;
}

/**
 * Scans the model, and runs it in a process of its own first: one that crashes ONNX Runtime, takes all memory or does not end is found out
 * where it cannot take the server with it.
 */
async function tryInProcess(stored: StoredVersion, options: LoadOptions, native: NativeOptions): Promise<Tried> {
  const { host, settings } = options;
  const { file, shownFile } = stored;
  await using model = await openModel(file, { name: shownFile, host, native, limits: { milliseconds: trialMs } });
  const { facts } = model;
  const { inputs, outputs } = servable(facts, shownFile, host);
  const trial = await tryModel({ inputs, outputs }, (feeds, names) => model.run(feeds, names), settings);
  return { facts, inputs, outputs, trial };
}

async function warmSession(
  file: string,
  native: NativeOptions,
  { warmUp }: Trial,
  { warmUpRuns }: ServingSettings,
): Promise<Session> {
  const session = await openSession(file, native);
  try {
    for (let run = 0; warmUp !== undefined && run < warmUpRuns; run++) session.run(warmUp.feeds, warmUp.names);
    return session;
  } catch (cause) {
    await session.close();
    throw cause;
  }
}

/** 0: on this thread. */
function workersFor({ workers }: ServingSettings, { runMs }: Trial, { bytes }: ModelFacts): number {
  if (workers !== 'auto') return workers;
  return runMs > longestRunOnMainThreadMs ? automaticWorkers(bytes) : 0;
}

/** What can be sent to a thread: everything but functions. */
function plain(native: NativeOptions): NativeOptions {
  const { host: _host, fetch: _fetch, ...rest } = native;
  return rest;
}

function enoughRows({ maxBatchSize }: ServingSettings, { preferredBatchSizes }: ModelConfig): number {
  return Math.min(maxBatchSize, preferredBatchSizes?.[0] ?? maxBatchSize);
}

/** The inputs and outputs that requests can have; outputs that are no tensors are left out. */
function servable(
  facts: ModelFacts,
  shownFile: string,
  host: Host,
): { readonly inputs: readonly TensorSpec[]; readonly outputs: readonly TensorSpec[] } {
  const outputs = facts.outputs.filter(({ type }) => isRunnable(type));
  const wrong = [
    ...facts.inputs.filter(({ type }) => !isRunnable(type)),
    ...(outputs.length === 0 ? facts.outputs : []),
  ];
  if (wrong.length > 0 || outputs.length === 0) {
    throw new ModelError({
      code: 'unsupported-type',
      message: 'the model has inputs or outputs that cannot be served',
      found:
        wrong.length === 0
          ? 'no outputs'
          : wrong.map(({ name, type }) => `${JSON.stringify(excerpt(name))} ${type}`).join(', '),
      expected: 'tensors of standard types such as float32',
      fix: "Export the model with tensors only (skl2onnx: options={'zipmap': False}).",
    });
  }
  const names = [...facts.inputs, ...outputs].map(({ name }) => name);
  if (names.includes('__proto__') || new Set(facts.inputs.map(({ name }) => name)).size < facts.inputs.length) {
    throw new ModelError({
      code: 'unsupported-name',
      message: 'the model has an input or output whose name cannot be served',
      found: 'a name given twice, or __proto__',
      fix: 'Export the model with other names.',
    });
  }
  if (outputs.length < facts.outputs.length) {
    const left = facts.outputs.filter(({ type }) => !isRunnable(type)).map(({ name }) => JSON.stringify(excerpt(name)));
    host.warning(`${shownFile}: outputs that are no tensors are not served: ${left.join(', ')}`);
  }
  return { inputs: facts.inputs, outputs };
}

/** What registries without SHA-256 know a file by. Empty where this machine's OpenSSL forbids MD5. */
async function md5Of(file: string, { sha256 }: ModelFacts): Promise<string> {
  const control = createHash('sha256');
  let md5: ReturnType<typeof createHash> | undefined;
  try {
    md5 = createHash('md5');
  } catch {
    return '';
  }
  await pipeline(createReadStream(file), async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      control.update(chunk);
      md5.update(chunk);
    }
  });
  if (control.digest('hex') === sha256) return md5.digest('hex');
  throw new ModelError({
    code: 'model-changed',
    message: 'the model changed while it was read',
    fix: 'Load it again when it is written.',
  });
}

const mostReasons = 3;

/** Why a model is not served, printable and without a path of this machine: the file is called as the repository calls it. */
export function reasonOf(cause: unknown, shownFile: string, realFile: string): string {
  const message =
    cause instanceof SluiceError
      ? cause.problems
          .slice(0, mostReasons)
          .map((problem) => new ModelError(placed(problem, shownFile)).message)
          .join(' ')
      : cause instanceof Error
        ? `${shownFile}: ${cause.message}`
        : `${shownFile}: ${String(cause)}`;
  return excerpt(message.replaceAll(realFile, shownFile), 600);
}

function placed(problem: Problem, shownFile: string): Problem {
  const named = problem.place?.file;
  return named === undefined || isAbsolute(named)
    ? { ...problem, place: { ...problem.place, file: shownFile } }
    : problem;
}
