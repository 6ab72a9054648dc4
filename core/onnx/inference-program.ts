/** The program of the process that a model runs in. Started by `inference-process.ts` only. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { OnnxRuntime } from '../native/index.ts';
import { type Inference, loadInference, type RawTensors } from './inference.ts';

export type Request =
  | { readonly kind: 'load'; readonly file: string }
  | { readonly kind: 'run'; readonly feeds: RawTensors; readonly names: readonly string[] }
  | ({ readonly kind: 'open'; readonly seat: string } & ToTime)
  | { readonly kind: 'release'; readonly seat: string }
  | ({ readonly kind: 'time' } & Timetable)
  | ({ readonly kind: 'start' } & ToTime);

/** A model and what to run it on, again and again. */
export interface ToTime {
  readonly file: string;
  readonly feeds: RawTensors;
  readonly names: readonly string[];
  /** The seat whose session is used, instead of loading the file once more. */
  readonly shares?: string;
}

/** What to call in which order. */
export interface Timetable {
  /** Seats in the order of their visits, round by round. */
  readonly rounds: readonly (readonly string[])[];
  /** Calls of one visit. */
  readonly calls: number;
  /** No round begins after this many, except the first. */
  readonly milliseconds: number;
}

/** A model's first moments in a process that held none. */
export interface ColdStart {
  /** Milliseconds to load it, and of the first run after. */
  readonly loadMs: number;
  readonly firstMs: number;
  /** Bytes of the process before the model was loaded, and the most that it had since. */
  readonly memoryBefore: number;
  readonly memoryPeak: number;
}

export type Answer =
  | { readonly kind: 'done'; readonly outputs: RawTensors }
  /** Milliseconds of every call, visit after visit, as far as the time went. */
  | { readonly kind: 'timed'; readonly times: Float64Array }
  | ({ readonly kind: 'started' } & ColdStart)
  | { readonly kind: 'runtime' | 'refused' | 'too-large'; readonly message: string };

/** What the program is started with, as JSON. */
export interface ProgramSettings {
  /** The folder of ONNX Runtime's package. */
  readonly runtime: string;
  readonly memoryBytes: number;
  readonly outputBytes: number;
  /** The process that asks. */
  readonly parent: number;
}

/**
 * A thread beside the one that ONNX Runtime blocks: it ends the process when that is too large, or when nobody waits for it any more. As
 * text, since it must be there before anything of the model is, and a thread starts three times as fast without a module to load.
 */
const watch = `
  const { memoryBytes, parent } = require('node:worker_threads').workerData;
  setInterval(() => {
    if (process.memoryUsage.rss() > memoryBytes || process.ppid !== parent) process.kill(process.pid, 'SIGKILL');
  }, 20);
`;

// Not named `require`: a bundler must leave this call alone.
const loadModule = createRequire(import.meta.url);

function serve(settings: ProgramSettings): void {
  process.on('disconnect', () => process.exit(0));
  beFirstToGo();
  new Worker(watch, { eval: true, workerData: settings }).on('error', () => process.exit(1));
  const runtime = loadRuntime(settings.runtime);
  const seats = new Seats();
  let inference: Inference | undefined;
  process.on('message', async (request: Request) => {
    try {
      if ('notLoaded' in runtime) {
        reply({ kind: 'runtime', message: runtime.notLoaded });
        return;
      }
      switch (request.kind) {
        case 'load':
          inference = await loadInference(runtime, request.file);
          return reply(done);
        case 'run':
          if (inference === undefined) throw new Error('no model is loaded');
          return reply(bounded(await inference.run(request.feeds, request.names), settings.outputBytes));
        case 'open':
          await seats.open(runtime, request.seat, request);
          return reply(done);
        case 'release':
          await seats.release(request.seat);
          return reply(done);
        case 'time':
          return reply({ kind: 'timed', times: await seats.time(request) });
        case 'start':
          return reply({ kind: 'started', ...(await coldStart(runtime, request)) });
      }
    } catch (error) {
      reply({ kind: 'refused', message: messageOf(error) });
    }
  });
}

const done: Answer = { kind: 'done', outputs: {} };

/** Sessions that are timed side by side. */
class Seats {
  readonly #seats = new Map<
    string,
    { readonly inference: Inference; readonly owns: boolean; call(): Promise<unknown> }
  >();

  async open(runtime: OnnxRuntime, seat: string, { file, feeds, names, shares }: ToTime): Promise<void> {
    const shared = shares === undefined ? undefined : this.#at(shares).inference;
    const inference = shared ?? (await loadInference(runtime, file));
    this.#seats.set(seat, { inference, owns: shared === undefined, call: inference.repeated(feeds, names) });
  }

  async release(seat: string): Promise<void> {
    const { inference, owns } = this.#at(seat);
    this.#seats.delete(seat);
    if (owns) await inference.release();
  }

  /** The loop that is timed: here, where nothing else of the gate runs. */
  async time({ rounds, calls, milliseconds }: Timetable): Promise<Float64Array> {
    const times = new Float64Array(calls * rounds.reduce((visits, seats) => visits + seats.length, 0));
    let done = 0;
    const start = performance.now();
    for (const [round, seats] of rounds.entries()) {
      if (round > 0 && performance.now() - start > milliseconds) break;
      for (const seat of seats) {
        const { call } = this.#at(seat);
        for (const end = done + calls; done < end; done++) {
          const began = performance.now();
          await call();
          times[done] = performance.now() - began;
        }
      }
    }
    return times.slice(0, done);
  }

  #at(seat: string) {
    const found = this.#seats.get(seat);
    if (found === undefined) throw new Error(`no model is at ${seat}`);
    return found;
  }
}

async function coldStart(runtime: OnnxRuntime, { file, feeds, names }: ToTime): Promise<ColdStart> {
  const peak = () => process.resourceUsage().maxRSS * 1024;
  const [before, peakBefore] = [process.memoryUsage.rss(), peak()];
  const began = performance.now();
  const inference = await loadInference(runtime, file);
  const loaded = performance.now();
  await inference.repeated(feeds, names)();
  const ended = performance.now();
  // Starting Node takes more for a moment than it keeps; a small model does not reach that again.
  const most = peak() > peakBefore ? peak() : process.memoryUsage.rss();
  return {
    loadMs: loaded - began,
    firstMs: ended - loaded,
    memoryBefore: before,
    memoryPeak: Math.max(most, process.memoryUsage.rss(), before),
  };
}

/** Where memory runs out all the same, Linux ends this process and not the one that asks. */
function beFirstToGo(): void {
  try {
    writeFileSync('/proc/self/oom_score_adj', '1000');
  } catch {
    // No Linux, or no right to: then only the watch stands.
  }
}

function loadRuntime(folder: string): OnnxRuntime | { readonly notLoaded: string } {
  try {
    const runtime: OnnxRuntime = loadModule(folder);
    runtime.env.logLevel = 'fatal';
    return runtime;
  } catch (error) {
    return { notLoaded: messageOf(error) };
  }
}

function bounded(outputs: RawTensors, most: number): Answer {
  const bytes = Object.values(outputs).reduce((sum, { data }) => sum + bytesOf(data), 0);
  return bytes > most ? { kind: 'too-large', message: `${bytes} bytes` } : { kind: 'done', outputs };
}

function bytesOf(data: RawTensors[string]['data']): number {
  return ArrayBuffer.isView(data) ? data.byteLength : data.reduce((sum, text) => sum + text.length, 0);
}

function reply(answer: Answer): void {
  process.send?.(answer);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

// Imported by anything but the process it is for, it does nothing.
const [, , given] = process.argv;
if (process.send !== undefined && given !== undefined && process.connected) serve(JSON.parse(given));
