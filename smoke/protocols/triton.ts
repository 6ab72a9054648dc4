import { openHttp, said } from '../../core/http/index.ts';
import { PeerError } from '../../core/problem/index.ts';
import { exchange, jsonPost } from '../json-exchange.ts';
import { memberOf } from '../json-selection.ts';
import { modelName } from '../model-name.ts';
import type { Answer, Readiness, ServedModel, TensorProtocol } from '../protocol.ts';
import type { Target } from '../target.ts';
import { type InferenceHttpOptions, inferenceOverHttp, modelPath } from './open-inference-http.ts';

/** One version of one model in Triton's repository. `state`: READY, LOADING, UNLOADING, UNAVAILABLE; absent when it was never asked for. */
export interface RepositoryEntry {
  readonly name: string;
  readonly version?: string;
  readonly state?: string;
  /** Why it is in this state. */
  readonly reason?: string;
}

/** What Triton counted of one version since it started; times in nanoseconds. */
export interface ModelStatistics {
  readonly name: string;
  readonly version: string;
  /** Rows answered, cache hits not among them. */
  readonly inferences: number;
  /** Runs of the model: fewer than `inferences` where batching works. */
  readonly executions: number;
  readonly success: { readonly count: number; readonly nanoseconds: number };
  readonly failure: { readonly count: number; readonly nanoseconds: number };
  readonly queue: { readonly count: number; readonly nanoseconds: number };
  readonly compute: { readonly count: number; readonly nanoseconds: number };
}

export interface TritonProtocol extends TensorProtocol {
  /** Every model of the repository. */
  index(): Promise<readonly RepositoryEntry[]>;
  /** The model's configuration as Triton completed it: the JSON form of config.pbtxt. */
  config(): Promise<unknown>;
  /** Of the target's model, all versions unless the target names one. */
  statistics(): Promise<readonly ModelStatistics[]>;
}

/**
 * NVIDIA Triton over HTTP: the Open Inference Protocol v2 with binary tensors, and Triton's extensions for the repository, the model's
 * configuration and statistics. A model that is not ready is explained by the repository index (Triton's own answer is 400 whether a
 * model loads, failed to load or does not exist).
 *
 * References: docs/protocol/extension_{model_repository,model_configuration,statistics,binary_data}.md of
 * https://github.com/triton-inference-server/server. Throws an InputError when the target names no model.
 */
export function openTriton(target: Target, options: InferenceHttpOptions = {}): TritonProtocol {
  const http = openHttp(target, options);
  const name = modelName(target, 'triton');
  const model = modelPath(target, name);
  const inference = inferenceOverHttp(http, target, options.binary ?? true);

  const index = async (): Promise<readonly RepositoryEntry[]> =>
    told(
      await exchange(http, jsonPost('/v2/repository/index', '{}'), ({ value }) => entriesOf(value)),
      'its repository',
    );

  return {
    ...inference,
    name: 'triton',
    ready: async () => {
      const readiness = await inference.ready();
      if (readiness.ready || typeof readiness.status !== 'number') return readiness;
      const entries = await index().catch(() => undefined);
      return entries === undefined
        ? readiness
        : explained(readiness, entries, name, target.version, (text) => said(text, http.hide));
    },
    describe: async () => {
      const described: ServedModel = (await inference.describe()) ?? {};
      // The metadata name only the versions that are loaded now; nothing else of the index is a fact of the model.
      return { name, ...described };
    },
    malformed: () => inference.malformed().filter(({ title }) => !blamedOnTriton.includes(title)),
    index,
    config: async () =>
      told(await exchange(http, { method: 'GET', path: `${model}/config` }, ({ value }) => value), 'its configuration'),
    statistics: async () =>
      told(
        await exchange(http, { method: 'GET', path: `${model}/stats` }, ({ value }) => statisticsOf(value)),
        'its statistics',
      ),
  };
}

/** Triton 2.51 answers these with a clear message and the status 500; no operator can mend that. */
const blamedOnTriton: readonly string[] = ['broken JSON', 'a request without inputs'];

function told<Value>({ value, status, refusal }: Answer<Value>, what: string): Value {
  if (value !== undefined) return value;
  throw new PeerError({
    code: 'not-told',
    message: `the server does not tell ${what} (HTTP ${status})`,
    ...(refusal === undefined ? {} : { found: refusal }),
    fix: 'Check that it is Triton and that the extension is not switched off (--http-restricted-api).',
  });
}

function explained(
  readiness: Readiness & { readonly ready: false },
  entries: readonly RepositoryEntry[],
  name: string,
  version: string | undefined,
  shown: (text: string) => string,
): Readiness {
  const own = entries.filter((entry) => entry.name === name);
  const versions = own.filter(
    (entry) => version === undefined || entry.version === undefined || entry.version === version,
  );
  const { status = 400 } = readiness;
  if (versions.length === 0) {
    const others = own.length > 0 ? own.map((entry) => `version ${entry.version}`) : entries.map((entry) => entry.name);
    return {
      ready: false,
      status,
      problem: {
        code: 'unknown-model',
        message: `Triton's repository has no ${own.length > 0 ? `version ${version} of the model` : 'model'} ${JSON.stringify(name)}`,
        expected: others.length === 0 ? 'a repository with models' : `one of ${shown([...new Set(others)].join(', '))}`,
        fix: 'Correct the name or version, or put the model into the repository.',
      },
    };
  }
  const facts = versions.map((entry) =>
    shown(
      `${entry.version === undefined ? 'the model' : `version ${entry.version}`} is ${entry.state ?? 'not loaded'}${entry.reason === undefined ? '' : `: ${entry.reason}`}`,
    ),
  );
  const failed = versions.some(
    ({ state, reason }) => state === 'UNAVAILABLE' && reason !== undefined && reason !== 'unloaded',
  );
  return {
    ready: false,
    status,
    problem: {
      ...readiness.problem,
      found: facts.slice(0, 3).join('; '),
      fix: failed
        ? 'Mend what Triton says is wrong with the model or its config.pbtxt.'
        : 'Wait until it is loaded; with --model-control-mode=explicit it has to be asked for (--load-model, or the load call).',
    },
  };
}

const mostEntries = 10_000;

function entriesOf(value: unknown): readonly RepositoryEntry[] {
  if (!Array.isArray(value)) return [];
  return value.slice(0, mostEntries).flatMap((entry: unknown): readonly RepositoryEntry[] => {
    const name = memberOf(entry, 'name');
    if (typeof name !== 'string') return [];
    const optional = ['version', 'state', 'reason'].flatMap((key) => {
      const found = memberOf(entry, key);
      return typeof found === 'string' && found !== '' ? [[key, found] as const] : [];
    });
    return [{ name, ...Object.fromEntries(optional) }];
  });
}

function statisticsOf(value: unknown): readonly ModelStatistics[] {
  const list = memberOf(value, 'model_stats');
  if (!Array.isArray(list)) return [];
  return list.slice(0, mostEntries).map((entry: unknown): ModelStatistics => {
    const stats = memberOf(entry, 'inference_stats');
    const duration = (key: string): ModelStatistics['queue'] => ({
      count: numberOf(memberOf(memberOf(stats, key), 'count')),
      nanoseconds: numberOf(memberOf(memberOf(stats, key), 'ns')),
    });
    return {
      name: String(memberOf(entry, 'name') ?? ''),
      version: String(memberOf(entry, 'version') ?? ''),
      inferences: numberOf(memberOf(entry, 'inference_count')),
      executions: numberOf(memberOf(entry, 'execution_count')),
      success: duration('success'),
      failure: duration('fail'),
      queue: duration('queue'),
      compute: duration('compute_infer'),
    };
  });
}

/** 64-bit counts come as text where a server writes protobuf's JSON. */
function numberOf(value: unknown): number {
  const number = Number(value ?? 0);
  return Number.isFinite(number) ? number : 0;
}
