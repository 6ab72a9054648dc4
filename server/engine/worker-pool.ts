import { existsSync } from 'node:fs';
import { lstat } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { NativeOptions } from '../../core/native/index.ts';
import type { Feeds, Outputs } from '../../core/onnx/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { buffersOf } from './batch.ts';
import type { RunEnded, Runner } from './runner.ts';

/** What a worker is started with. */
export interface WorkerTask {
  readonly path: string;
  readonly native: NativeOptions;
  readonly warmUp: { readonly feeds: Feeds; readonly names: readonly string[] } | undefined;
  readonly warmUpRuns: number;
}

export interface WorkerOrder {
  readonly feeds: Feeds;
  readonly names: readonly string[];
}

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unloadable'; readonly message: string }
  | { readonly kind: 'outputs'; readonly outputs: Outputs; readonly seconds: number }
  | { readonly kind: 'failed'; readonly message: string; readonly seconds: number };

export interface WorkerPoolOptions extends WorkerTask {
  readonly workers: number;
  /** Milliseconds after which a run is given up for good: its thread cannot be ended from outside. */
  readonly stuckAfterMs: number;
  /** JavaScript memory of one thread, where texts are held. @default Node's */
  readonly heapMegabytes?: number;
  readonly warn: (message: string) => void;
  /** No thread can run the model any more; every later run fails with this reason. */
  readonly onBroken: (reason: string) => void;
}

/** One after another without an answer in between: then the model itself is what ends them. */
const mostRestarts = 5;
const firstPauseMs = 50;
/** So long a pool that closes waits for runs that nobody waits for. */
const patienceMs = 5000;

/**
 * Runs a model on threads of its own, one run on each at a time. Rejects when a thread cannot load it at the start. A thread that dies
 * later (its memory ran out, an uncaught error) fails what it ran and is started again, unless the file is no longer the one that was
 * scanned. A crash of ONNX Runtime itself (a segmentation fault) ends the process with all its threads: that a thread cannot hold back.
 */
export async function openWorkerPool(options: WorkerPoolOptions): Promise<Runner> {
  const pool = new WorkerPool(options, await identityOf(options.path));
  await pool.start();
  return pool;
}

class Thread {
  readonly worker: Worker;
  /** Waits for the outcome; nobody once the run was given up. */
  ended: RunEnded | undefined;
  /** It has a run that it has not answered, wanted or not. */
  running = false;
  onIdle: () => void = () => {};
  began = 0;
  stuck: NodeJS.Timeout | undefined;

  constructor(worker: Worker) {
    this.worker = worker;
  }
}

class WorkerPool implements Runner {
  readonly keepsFeeds = true;
  onFree: () => void = () => {};
  readonly #options: WorkerPoolOptions;
  readonly #identity: string | undefined;
  readonly #all = new Set<Thread>();
  readonly #idle: Thread[] = [];
  #restarts = 0;
  #broken: string | undefined;
  #closed = false;

  constructor(options: WorkerPoolOptions, identity: string | undefined) {
    this.#options = options;
    this.#identity = identity;
  }

  get free(): number {
    // A broken pool takes what comes, to fail it at once.
    return this.#broken === undefined ? this.#idle.length : 1;
  }

  async start(): Promise<void> {
    try {
      // The first alone: what it cannot load the others need not try.
      await this.#startOne();
      await Promise.all(Array.from({ length: this.#options.workers - 1 }, () => this.#startOne()));
    } catch (cause) {
      await this.close();
      throw cause;
    }
  }

  run(feeds: Feeds, names: readonly string[], ended: RunEnded): void {
    const thread = this.#idle.pop();
    if (thread === undefined || this.#broken !== undefined) {
      const message = this.#broken ?? 'no thread is free';
      setImmediate(() => ended({ message, died: true }, undefined, 0));
      return;
    }
    thread.ended = ended;
    thread.running = true;
    thread.began = performance.now();
    thread.stuck = setTimeout(() => this.#giveUp(thread), this.#options.stuckAfterMs).unref();
    const order: WorkerOrder = { feeds, names };
    thread.worker.postMessage(order, buffersOf(feeds));
  }

  async close(): Promise<void> {
    this.#closed = true;
    // Waiting for a native call that never ends would keep the server from closing.
    const ended = Promise.all([...this.#all].map(endOf));
    await Promise.race([ended, sleep(patienceMs, undefined, { ref: false })]);
    for (const { worker } of this.#all) worker.unref();
  }

  async #startOne(): Promise<void> {
    const { path, native, warmUp, warmUpRuns, heapMegabytes } = this.#options;
    const task: WorkerTask = { path, native, warmUp, warmUpRuns };
    const thread = new Thread(
      new Worker(workerFile(), {
        workerData: task,
        execArgv: [],
        ...(heapMegabytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: heapMegabytes } }),
      }),
    );
    this.#all.add(thread);
    await new Promise<void>((resolve, reject) => {
      const { worker } = thread;
      let ready = false;
      let reason = 'its thread ended';
      worker.on('message', (answer: WorkerAnswer) => {
        if (answer.kind === 'ready') {
          ready = true;
          resolve();
        } else if (answer.kind === 'unloadable') reject(new Error(answer.message));
        else this.#answered(thread, answer);
      });
      worker.on('error', (cause: unknown) => {
        reason = cause instanceof Error ? cause.message : String(cause);
      });
      worker.on('exit', () => {
        this.#all.delete(thread);
        if (ready) this.#died(thread, reason);
        else reject(new Error(`the thread of the model ended while it was loaded: ${excerpt(reason, 200)}`));
      });
    });
    if ((await identityOf(path)) !== this.#identity) {
      await thread.worker.terminate();
      throw new Error('the model file was changed since it was scanned');
    }
    if (this.#all.has(thread)) this.#idle.push(thread);
  }

  #answered(thread: Thread, answer: Extract<WorkerAnswer, { readonly seconds: number }>): void {
    const { ended } = thread;
    clearTimeout(thread.stuck);
    thread.ended = undefined;
    thread.running = false;
    thread.onIdle();
    this.#restarts = 0;
    this.#idle.push(thread);
    if (answer.kind === 'outputs') ended?.(undefined, answer.outputs, answer.seconds);
    else ended?.({ message: answer.message, died: false }, undefined, answer.seconds);
  }

  #died(thread: Thread, reason: string): void {
    clearTimeout(thread.stuck);
    thread.running = false;
    thread.onIdle();
    const at = this.#idle.indexOf(thread);
    if (at >= 0) this.#idle.splice(at, 1);
    const { ended } = thread;
    thread.ended = undefined;
    if (!this.#closed) {
      this.#options.warn(`a thread of the model ended and is started again: ${excerpt(reason, 200)}`);
      void this.#restart();
    }
    const message = `the model's thread ended while it ran: ${excerpt(reason, 200)}`;
    ended?.({ message, died: true }, undefined, (performance.now() - thread.began) / 1000);
  }

  async #restart(): Promise<void> {
    this.#restarts++;
    if (this.#restarts > mostRestarts) return this.#break('its threads ended again and again');
    await sleep(firstPauseMs * 2 ** (this.#restarts - 1), undefined, { ref: false });
    if (this.#closed || this.#broken !== undefined) return;
    try {
      await this.#startOne();
      this.onFree();
    } catch (cause) {
      this.#break(cause instanceof Error ? excerpt(cause.message, 300) : String(cause));
    }
  }

  /** A native call that does not end. Its thread stays until the process goes; whoever watches `ready` starts a new one. */
  #giveUp(thread: Thread): void {
    const { ended } = thread;
    if (ended === undefined) return;
    thread.ended = undefined;
    const seconds = (performance.now() - thread.began) / 1000;
    this.#break(`a run has not ended after ${Math.round(seconds)} s`);
    ended({ message: 'the run does not end', died: true }, undefined, seconds);
  }

  #break(why: string): void {
    if (this.#closed || this.#broken !== undefined) return;
    this.#broken = `the model can no longer be run: ${why}`;
    this.#options.onBroken(this.#broken);
    this.onFree();
  }
}

/**
 * Ends a thread when its run is over, never in the middle of one: ONNX Runtime's addon cannot tell a thread that is being ended about an
 * exception, and ends the whole process instead (`terminate called after throwing an instance of 'Napi::Error'`).
 */
async function endOf(thread: Thread): Promise<void> {
  if (thread.running) {
    await new Promise<void>((resolve) => {
      thread.onIdle = resolve;
    });
  }
  await thread.worker.terminate();
}

/** Beside this file, as source or compiled; in the bundle, the entry that `build/bundle.ts` makes of it. */
function workerFile(): URL {
  const own = import.meta.url;
  if (own.endsWith('.ts')) return new URL('./worker.ts', own);
  const beside = new URL('./worker.js', own);
  return existsSync(fileURLToPath(beside)) ? beside : new URL('../server/worker.js', own);
}

async function identityOf(path: string): Promise<string | undefined> {
  return lstat(path, { bigint: true }).then(
    ({ dev, ino, size, mtimeNs, ctimeNs }) => [dev, ino, size, mtimeNs, ctimeNs].join(' '),
    () => undefined,
  );
}
