import type { PredictionStatus } from '../../core/telemetry/index.ts';
import type { Done, Engine, InferenceError, ServedVersion } from '../engine/engine.ts';
import { VersionMeter } from './version-meter.ts';

type EngineRequest = Parameters<Engine['infer']>[0];

/** A request with the time its last byte came, in milliseconds of `performance.now()`; without it, it counts from the call. */
export type MeteredRequest = EngineRequest & { readonly receivedAt?: number };

const statusOf: Readonly<Record<InferenceError['kind'], Exclude<PredictionStatus, 'ok'>>> = {
  'unknown-model': 'unknown_model',
  'not-ready': 'not_ready',
  'invalid-input': 'invalid_input',
  'queue-full': 'queue_full',
  timeout: 'timeout',
  'model-failed': 'error',
  draining: 'draining',
};

/** An engine that counts what goes through it. Every front (HTTP, gRPC) talks to this one, so every front is counted alike. */
export class MeteredEngine implements Engine {
  readonly #engine: Engine;
  readonly #meters = new Map<string, Map<string, VersionMeter>>();
  /** What nobody serves has no labels of its own: callers choose those names, and would make series without end. */
  readonly #unknown = new VersionMeter('unknown', '');

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  get ready(): boolean {
    return this.#engine.ready;
  }

  infer(request: MeteredRequest, done: Done): void {
    const start = request.receivedAt ?? performance.now();
    this.#engine.infer(request, (error, outputs, timing) => {
      const seconds = (performance.now() - start) / 1000;
      const meter = this.#meterOf(request.model, request.version);
      if (outputs !== undefined) meter.answered(seconds, timing, outputs, Date.now());
      else meter.failed(statusOf[error?.kind ?? 'model-failed'], seconds);
      done(error, outputs, timing);
    });
  }

  /** A request that a front turned away before the engine saw it. `served` undefined: it named no model there is. */
  refused(served: ServedVersion | undefined, kind: InferenceError['kind']): void {
    const meter = served === undefined ? this.#unknown : this.#meter(served.model, served.version);
    meter.failed(statusOf[kind], 0);
  }

  /** Everything counted so far of models that are or were served; zeros where nothing happened yet. */
  meters(): readonly VersionMeter[] {
    for (const { model, version } of this.versions()) this.#meter(model, version);
    return [...this.#meters.values()].flatMap((versions) => [...versions.values()]);
  }

  /** Requests that named no model there is. */
  get unknownModels(): number {
    return this.#unknown.statuses.unknown_model;
  }

  versions(): readonly ServedVersion[] {
    return this.#engine.versions();
  }

  find(model: string, version?: string): ServedVersion | undefined {
    return this.#engine.find(model, version);
  }

  load(model: string): Promise<void> {
    return this.#engine.load(model);
  }

  unload(model: string): Promise<void> {
    return this.#engine.unload(model);
  }

  drain(): Promise<void> {
    return this.#engine.drain();
  }

  gauges(): ReturnType<Engine['gauges']> {
    return this.#engine.gauges();
  }

  #meterOf(model: string, version: string | undefined): VersionMeter {
    const known = version === undefined ? undefined : this.#meters.get(model)?.get(version);
    if (known !== undefined) return known;
    const served = this.find(model, version);
    if (served !== undefined) return this.#meter(served.model, served.version);
    // One that is not ready any more still has the meter it had.
    return this.#meters.get(model)?.values().next().value ?? this.#unknown;
  }

  #meter(model: string, version: string): VersionMeter {
    let versions = this.#meters.get(model);
    if (versions === undefined) {
      versions = new Map();
      this.#meters.set(model, versions);
    }
    let meter = versions.get(version);
    if (meter === undefined) {
      meter = new VersionMeter(model, version);
      versions.set(version, meter);
    }
    return meter;
  }
}
