import type { Host } from '../../core/host/index.ts';
import type { NativeOptions } from '../../core/native/index.ts';
import type { Feeds, TensorSpec } from '../../core/onnx/index.ts';
import { InputError, ModelError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import {
  fileRepository,
  folderRepository,
  type Repository,
  type StoredModel,
  type StoredVersion,
} from '../repository/index.ts';
import type { Done, Engine, InferenceError, ServedVersion, ServingSettings, Timing } from './engine.ts';
import type { Lane } from './lane.ts';
import { loadVersion, reasonOf } from './load-version.ts';
import { checkSettings, settingsOf } from './settings.ts';

export type EngineOptions = (
  | {
      /** A folder in Triton's layout. */
      readonly repository: string;
      readonly file?: never;
    }
  | {
      /** One `.onnx` file: a model named by the file's stem, in version 1. */
      readonly file: string;
      readonly repository?: never;
    }
) & {
  /** Names of the models to load at the start. The others can be loaded later. @default all of the repository */
  readonly models?: readonly string[];
  /** @default see `defaultSettings` */
  readonly settings?: Partial<ServingSettings>;
  /** Settings of single models by name; they win over `config.pbtxt`, which wins over `settings`. */
  readonly perModel?: Readonly<Record<string, Partial<ServingSettings>>>;
  readonly host: Host;
  /** Milliseconds, never going back. @default performance.now */
  readonly now?: () => number;
  /** Where ONNX Runtime comes from. @default as `loadOnnxRuntime` finds it */
  readonly native?: NativeOptions;
  /**
   * Return as soon as the repository was read, with the models still `loading`: `ready` says when they are done. By default the engine
   * is returned when every model is ready or unavailable.
   */
  readonly background?: boolean;
};

/**
 * Opens a repository and loads its models. A model that cannot be served is `unavailable` with its reason, and the others are served.
 * Throws an InputError when the repository or file itself is not there, or `models` names one it does not have.
 */
export async function openEngine(options: EngineOptions): Promise<Engine> {
  checkSettings(options.settings, 'settings');
  for (const [name, own] of Object.entries(options.perModel ?? {})) checkSettings(own, `settings of ${excerpt(name)}`);
  const repository = options.file === undefined ? folderRepository(options.repository) : fileRepository(options.file);
  const present = await repository.names();
  const wanted = options.models ?? present;
  const missing = wanted.filter((name) => !present.includes(name));
  if (missing.length > 0) {
    throw new InputError({
      code: 'unknown-model',
      message: 'the repository does not have every model that is to be served',
      found: `no ${missing.map((name) => excerpt(name)).join(', ')}`,
      expected: present.length === 0 ? 'a repository with models' : `some of ${present.join(', ')}`,
      fix: 'Check the names.',
    });
  }
  if (wanted.length === 0) options.host.warning('The model repository has no models yet.');
  const engine = new RepositoryEngine(repository, wanted, options);
  const loaded = engine.loadAll();
  if (options.background !== true) await loaded;
  return engine;
}

/** One version as it is now; callers see it as a ServedVersion. */
class LiveVersion implements ServedVersion {
  readonly model: string;
  readonly version: string;
  state: ServedVersion['state'] = 'loading';
  error?: string;
  inputs: readonly TensorSpec[] = [];
  outputs: readonly TensorSpec[] = [];
  sha256 = '';
  md5 = '';
  loadSeconds?: number;
  batches?: boolean;
  threads?: number;
  /** Not a field like the others: callers may write a version out as JSON. */
  #lane: Lane | undefined;

  constructor(model: string, version: string) {
    this.model = model;
    this.version = version;
  }

  get lane(): Lane | undefined {
    return this.#lane;
  }

  set lane(lane: Lane | undefined) {
    this.#lane = lane;
  }
}

interface Slot {
  readonly versions: Map<string, LiveVersion>;
  /** Highest version that is ready. */
  latest: LiveVersion | undefined;
  /** Loading and unloading of one model, one after the other. */
  turn: Promise<void>;
  /** Those that no longer take requests and finish what they have. */
  readonly draining: Set<LiveVersion>;
}

const nothing: Timing = { queueSeconds: 0, inferenceSeconds: 0, batchRows: 0, cache: 'off' };

class RepositoryEngine implements Engine {
  readonly #repository: Repository;
  readonly #options: EngineOptions;
  readonly #now: () => number;
  readonly #slots = new Map<string, Slot>();
  /** Models that `ready` speaks for. */
  readonly #asked: Set<string>;
  #drained: Promise<void> | undefined;

  constructor(repository: Repository, wanted: readonly string[], options: EngineOptions) {
    this.#repository = repository;
    this.#options = options;
    this.#now = options.now ?? (() => performance.now());
    this.#asked = new Set(wanted);
    for (const name of wanted) this.#slot(name);
  }

  get ready(): boolean {
    if (this.#drained !== undefined) return false;
    for (const name of this.#asked) if (this.#slots.get(name)?.latest === undefined) return false;
    return true;
  }

  versions(): readonly ServedVersion[] {
    return [...this.#slots.entries()]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([, { versions }]) => [...versions.values()].toSorted((a, b) => Number(a.version) - Number(b.version)));
  }

  find(model: string, version?: string): ServedVersion | undefined {
    return this.#find(model, version);
  }

  infer(
    {
      model,
      version,
      feeds,
      outputs,
      timeoutMs,
    }: {
      readonly model: string;
      readonly version?: string;
      readonly feeds: Feeds;
      readonly outputs?: readonly string[];
      readonly timeoutMs?: number;
    },
    done: Done,
  ): void {
    const live = this.#find(model, version);
    if (live?.lane !== undefined && live.state === 'ready' && this.#drained === undefined) {
      live.lane.submit(feeds, outputs, timeoutMs, done);
      return;
    }
    const error = this.#drained === undefined ? this.#absence(model, version, live) : draining;
    setImmediate(() => {
      try {
        done(error, undefined, nothing);
      } catch (cause) {
        this.#options.host.warning(`a request's callback failed: ${excerpt(String(cause), 400)}`);
      }
    });
  }

  async loadAll(): Promise<void> {
    const names = [...this.#asked].values();
    // Two at a time: one that hangs in its trial must not hold up all others, and more would disturb each other's timing.
    const loadRest = async (): Promise<void> => {
      for (const name of names) {
        await this.load(name).catch(() => {
          // Told by the host and by the version's state.
        });
      }
    };
    await Promise.all([loadRest(), loadRest()]);
  }

  async load(model: string): Promise<void> {
    if (this.#drained !== undefined) throw drainingError();
    // Only a model of the repository gets a slot: names come from callers.
    const stored = this.#slots.has(model) ? undefined : await this.#repository.model(model);
    const slot = this.#slot(stored?.name ?? model);
    this.#asked.add(model);
    return this.#inTurn(slot, () => this.#load(model, slot));
  }

  async unload(model: string): Promise<void> {
    const slot = this.#slots.get(model);
    if (slot === undefined) {
      throw new ModelError({
        code: 'unknown-model',
        message: 'no such model is loaded',
        found: JSON.stringify(excerpt(model)),
        fix: 'Check the name.',
      });
    }
    this.#asked.delete(model);
    return this.#inTurn(slot, async () => {
      const versions = [...slot.versions.values()];
      slot.latest = undefined;
      await Promise.all(versions.map((live) => this.#retire(slot, live)));
      for (const live of versions) {
        live.state = 'unavailable';
        live.error = 'unloaded';
      }
    });
  }

  drain(): Promise<void> {
    this.#drained ??= this.#close();
    return this.#drained;
  }

  gauges(): ReturnType<Engine['gauges']> {
    const gauges: { model: string; version: string; inFlight: number; queued: number }[] = [];
    for (const { versions, draining: leaving } of this.#slots.values()) {
      for (const { model, version, lane } of versions.values()) {
        let [inFlight, queued] = [lane?.inFlight ?? 0, lane?.queued ?? 0];
        for (const old of leaving) {
          if (old.version !== version) continue;
          inFlight += old.lane?.inFlight ?? 0;
          queued += old.lane?.queued ?? 0;
        }
        gauges.push({ model, version, inFlight, queued });
      }
    }
    return gauges;
  }

  #slot(name: string): Slot {
    const slot = this.#slots.get(name) ?? {
      versions: new Map(),
      latest: undefined,
      turn: Promise.resolve(),
      draining: new Set(),
    };
    this.#slots.set(name, slot);
    return slot;
  }

  #find(model: string, version: string | undefined): LiveVersion | undefined {
    const slot = this.#slots.get(model);
    return version === undefined ? slot?.latest : slot?.versions.get(version);
  }

  #absence(model: string, version: string | undefined, live: LiveVersion | undefined): InferenceError {
    const named = `${JSON.stringify(excerpt(model))}${version === undefined ? '' : ` version ${JSON.stringify(excerpt(version))}`}`;
    const slot = this.#slots.get(model);
    if (slot === undefined || (version !== undefined && live === undefined && slot.versions.size > 0)) {
      return { kind: 'unknown-model', message: `there is no model ${named}` };
    }
    return { kind: 'not-ready', message: `the model ${named} is not ready` };
  }

  #inTurn(slot: Slot, work: () => Promise<void>): Promise<void> {
    const done = slot.turn.then(work);
    slot.turn = done.catch(() => {});
    return done;
  }

  async #load(name: string, slot: Slot): Promise<void> {
    let stored: StoredModel;
    try {
      stored = await this.#repository.model(name);
    } catch (cause) {
      this.#tellUnavailable(slot, name, undefined, reasonOf(cause, name, name));
      throw cause;
    }
    const problems: Problem[] = [];
    for (const each of stored.versions) {
      if (this.#drained !== undefined) throw drainingError();
      const problem = await this.#loadOne(slot, stored, each);
      if (problem !== undefined) problems.push(problem);
    }
    const [first, ...rest] = problems;
    // What was served before goes on where the new is not all there.
    if (first !== undefined) throw new ModelError([first, ...rest]);
    const wanted = new Set(stored.versions.map(({ version }) => version));
    const leaving = [...slot.versions.values()].filter(({ version }) => !wanted.has(version));
    for (const live of leaving) slot.versions.delete(live.version);
    for (const live of leaving) void this.#retire(slot, live);
  }

  async #loadOne(slot: Slot, stored: StoredModel, version: StoredVersion): Promise<Problem | undefined> {
    const { host, native = {}, settings = {}, perModel } = this.#options;
    const before = slot.versions.get(version.version);
    const live = new LiveVersion(stored.name, version.version);
    // One that serves stays in its place until the new one can take it.
    if (before?.state !== 'ready') slot.versions.set(version.version, live);
    const began = this.#now();
    try {
      const own = perModel !== undefined && Object.hasOwn(perModel, stored.name) ? perModel[stored.name] : undefined;
      const loaded = await loadVersion(version, {
        settings: settingsOf(stored.config, settings, own),
        config: stored.config,
        host,
        native,
        now: this.#now,
        onBroken: (reason) => {
          live.state = 'unavailable';
          live.error = reason;
          slot.latest = highestReady(slot);
          host.error(`${version.shownFile}: ${reason}`);
        },
      });
      Object.assign(live, loaded, { state: 'ready', loadSeconds: (this.#now() - began) / 1000 });
    } catch (cause) {
      const reason = reasonOf(cause, version.shownFile, version.file);
      this.#tellUnavailable(slot, stored.name, version.version, reason);
      return { code: 'model-unavailable', message: reason };
    }
    slot.versions.set(version.version, live);
    slot.latest = highestReady(slot);
    if (before !== undefined) void this.#retire(slot, before);
    return undefined;
  }

  #tellUnavailable(slot: Slot, name: string, version: string | undefined, reason: string): void {
    this.#options.host.warning(`The model ${excerpt(name)} is not served: ${reason}`);
    const place = version ?? [...slot.versions.keys()][0] ?? '1';
    const before = slot.versions.get(place);
    if (before?.state === 'ready') return;
    const live = new LiveVersion(name, place);
    live.state = 'unavailable';
    live.error = reason;
    slot.versions.set(place, live);
  }

  /** Lets a version finish what it took. It takes no more: it is out of its slot, or no longer ready. */
  async #retire(slot: Slot, live: LiveVersion): Promise<void> {
    const { lane } = live;
    if (live.state === 'ready') live.state = 'draining';
    slot.latest = highestReady(slot);
    if (lane === undefined) return;
    slot.draining.add(live);
    await lane.close();
    slot.draining.delete(live);
    live.lane = undefined;
  }

  async #close(): Promise<void> {
    await Promise.all(
      [...this.#slots.values()].map(async (slot) => {
        await slot.turn;
        const all = [...slot.versions.values(), ...slot.draining];
        await Promise.all(all.map((live) => this.#retire(slot, live)));
      }),
    );
  }
}

function highestReady({ versions }: Slot): LiveVersion | undefined {
  let highest: LiveVersion | undefined;
  for (const live of versions.values()) {
    if (live.state === 'ready' && (highest === undefined || Number(live.version) > Number(highest.version)))
      highest = live;
  }
  return highest;
}

const draining: InferenceError = { kind: 'draining', message: 'the server is shutting down' };

function drainingError(): ModelError {
  return new ModelError({ code: 'draining', message: 'the server is shutting down', fix: 'Ask another replica.' });
}
