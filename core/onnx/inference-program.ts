/** The program of the process that a model runs in. Started by `inference-process.ts` only. */
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Worker } from 'node:worker_threads';
import type { OnnxRuntime } from '../native/index.ts';
import { type Inference, loadInference, type RawTensors } from './inference.ts';

export type Request =
  | { readonly kind: 'load'; readonly file: string }
  | { readonly kind: 'run'; readonly feeds: RawTensors; readonly names: readonly string[] };

export type Answer =
  | { readonly kind: 'done'; readonly outputs: RawTensors }
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

// Imported by anything but the process it is for, it does nothing.
const [, , given] = process.argv;
if (process.send !== undefined && given !== undefined && process.connected) serve(JSON.parse(given));

function serve(settings: ProgramSettings): void {
  process.on('disconnect', () => process.exit(0));
  beFirstToGo();
  new Worker(watch, { eval: true, workerData: settings }).on('error', () => process.exit(1));
  const runtime = loadRuntime(settings.runtime);
  let inference: Inference | undefined;
  process.on('message', async (request: Request) => {
    try {
      if (request.kind === 'run') {
        if (inference === undefined) throw new Error('no model is loaded');
        reply(bounded(await inference.run(request.feeds, request.names), settings.outputBytes));
      } else if ('notLoaded' in runtime) {
        reply({ kind: 'runtime', message: runtime.notLoaded });
      } else {
        inference = await loadInference(runtime, request.file);
        reply({ kind: 'done', outputs: {} });
      }
    } catch (error) {
      reply({ kind: 'refused', message: messageOf(error) });
    }
  });
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
