import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { isAbsolute } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Host } from '../../core/host/index.ts';
import type { NativeOptions } from '../../core/native/index.ts';
import { isRunnable, type ModelFacts, readModelFacts, scanModel, type TensorSpec } from '../../core/onnx/index.ts';
import { ModelError, type Problem, SluiceError } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { ModelConfig, StoredVersion } from '../repository/index.ts';
import type { ServingSettings } from './engine.ts';
import { Lane } from './lane.ts';
import { predictionCache } from './prediction-cache.ts';
import { RequestCheck } from './request-check.ts';
import { inlineRunner } from './runner.ts';
import { openSession } from './session.ts';
import { cacheBytes } from './settings.ts';
import { tryModel } from './trial.ts';

/** A model version that is loaded, warm, and takes requests. */
export interface LoadedVersion {
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly sha256: string;
  readonly md5: string;
  readonly lane: Lane;
}

export interface LoadOptions {
  readonly settings: ServingSettings;
  readonly config: ModelConfig;
  readonly host: Host;
  readonly native: NativeOptions;
  readonly now: () => number;
}

/**
 * Scans a model file, loads it and warms it up. Throws a SluiceError with the reasons why it cannot be served, which name the file as the
 * repository calls it.
 */
export async function loadVersion(stored: StoredVersion, options: LoadOptions): Promise<LoadedVersion> {
  const { settings, config, host, native, now } = options;
  const { file, shownFile } = stored;
  if (stored.problem !== undefined) throw new ModelError(stored.problem);
  const facts = await factsOf(file);
  const { inputs, outputs } = servable(facts, shownFile, host);
  const md5 = await md5Of(file, facts);
  const session = await openSession(file, { ...native, host: native.host ?? host });
  try {
    const trial = await tryModel({ inputs, outputs }, (feeds, names) => session.run(feeds, names), settings);
    if (trial.failure !== undefined) {
      host.warning(
        `${shownFile}: could not be warmed up with made-up inputs, so requests are not joined: ${trial.failure}`,
      );
    }
    const check = new RequestCheck(inputs, outputs);
    const lane = new Lane({
      check,
      outputNames: outputs.map(({ name }) => name),
      runner: inlineRunner(session),
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
      warn: (message) => host.warning(`${shownFile}: ${excerpt(message, 400)}`),
    });
    return { inputs, outputs, sha256: facts.sha256, md5, lane };
  } catch (cause) {
    await session.close();
    throw cause;
  }
}

function enoughRows({ maxBatchSize }: ServingSettings, { preferredBatchSizes }: ModelConfig): number {
  return Math.min(maxBatchSize, preferredBatchSizes?.[0] ?? maxBatchSize);
}

async function factsOf(file: string): Promise<ModelFacts> {
  const [first, ...rest] = await scanModel(file);
  if (first !== undefined) throw new ModelError([first, ...rest]);
  return readModelFacts(file);
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
