import { locateOnnxRuntime, type NativeOptions } from '../native/index.ts';
import type { ModelError } from '../problem/index.ts';
import { type InferenceLimits, InferenceProcess } from './inference-process.ts';
import type { ColdStart, Timetable, ToTime } from './inference-program.ts';

/** A model that was scanned and tried under the limits (`Model.forTiming`), and what to run it on. */
export interface ModelToTime extends Omit<ToTime, 'shares'> {
  /** Throws a ModelError where its files are not those that were scanned. */
  requireUnchanged(): Promise<void>;
  /** What a failure in the timing process says of this model. */
  failure(cause: unknown): ModelError;
}

export interface TimerOptions {
  readonly native?: NativeOptions;
  readonly limits?: InferenceLimits;
}

/**
 * A process in which models are timed side by side. The loop runs in there: the process that asks only waits, so that neither its
 * garbage nor the messages between the two are timed along, and a model that crashes ONNX Runtime only here ends nothing but this.
 */
export class Timer implements AsyncDisposable {
  readonly #process: InferenceProcess;
  readonly #seats = new Map<string, ModelToTime>();

  private constructor(process: InferenceProcess) {
    this.#process = process;
  }

  static async start(options: TimerOptions = {}): Promise<Timer> {
    return new Timer(new InferenceProcess(await locateOnnxRuntime(options.native ?? {}), options.limits));
  }

  /**
   * Loads a model under the name of a seat, anew unless it `shares` the session of another seat. Throws a ModelError when it does not
   * load or its files changed since they were scanned.
   */
  async open(seat: string, model: ModelToTime, shares?: string): Promise<void> {
    const { file, feeds, names } = model;
    this.#seats.set(seat, model);
    try {
      await this.#process.open(seat, { file, feeds, names, ...(shares === undefined ? {} : { shares }) });
    } catch (cause) {
      throw model.failure(cause);
    }
    await model.requireUnchanged();
  }

  /** Seats that are there. */
  get seats(): readonly string[] {
    return [...this.#seats.keys()];
  }

  async release(seat: string): Promise<void> {
    this.#seats.delete(seat);
    await this.#process.release(seat);
  }

  /**
   * Milliseconds of every call of every visit, in the order of the timetable, as far as its time went. Throws a ModelError of the first seat
   * that it names: which of several ended the process, nobody can tell.
   */
  async time(timetable: Timetable): Promise<readonly Float64Array[]> {
    try {
      const times = await this.#process.time(timetable);
      return Array.from({ length: times.length / timetable.calls }, (_, visit) =>
        times.subarray(visit * timetable.calls, (visit + 1) * timetable.calls),
      );
    } catch (cause) {
      const [[first = ''] = []] = timetable.rounds;
      throw this.#seats.get(first)?.failure(cause) ?? cause;
    }
  }

  async close(): Promise<void> {
    await this.#process.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Loads a model and runs it once, in a process of its own that held none before. Throws a ModelError when it cannot. */
export async function coldStartOf(model: ModelToTime, options: TimerOptions = {}): Promise<ColdStart> {
  const { file, feeds, names } = model;
  const process = new InferenceProcess(await locateOnnxRuntime(options.native ?? {}), options.limits);
  let began: ColdStart;
  try {
    began = await process.start({ file, feeds, names });
  } catch (cause) {
    throw model.failure(cause);
  } finally {
    await process.close();
  }
  await model.requireUnchanged();
  return began;
}
