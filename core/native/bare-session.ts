import { createRequire } from 'node:module';
import { join } from 'node:path';
import { loadOnnxRuntime, locateOnnxRuntime, type OnnxRuntime } from './load.ts';
import type { NativeOptions } from './options.ts';

type RuntimeTensor = InstanceType<OnnxRuntime['Tensor']>;
type SessionOptions = NonNullable<Parameters<OnnxRuntime['InferenceSession']['create']>[1]>;

/**
 * A session of ONNX Runtime's own native half. `onnxruntime-node` wraps it in promises and, for each run, waits a turn of the event loop
 * before it blocks the thread all the same: in a server that wait costs more than a small model.
 */
export interface BareSession {
  readonly inputMetadata: readonly { readonly name: string }[];
  /** Blocks the thread. `fetches` names the outputs wanted. Throws what ONNX Runtime said. */
  run(
    feeds: Readonly<Record<string, RuntimeTensor>>,
    fetches: Readonly<Record<string, null>>,
    options: { readonly logSeverityLevel?: 0 | 1 | 2 | 3 | 4 },
  ): Readonly<Record<string, RuntimeTensor>>;
  dispose(): void;
}

interface Binding {
  readonly initOrt: () => void;
  readonly binding: {
    readonly InferenceSession: new () => BareSession & { loadModel(path: string, options: SessionOptions): void };
  };
}

const loadModule = createRequire(import.meta.url);

/**
 * Loads a model file. The module this reaches into is no public part of its package; the package is pinned to one version and checked by
 * digest, and a test holds the form. Throws a NativeError as `loadOnnxRuntime` does, and an error with what ONNX Runtime said.
 */
export async function openBareSession(
  path: string,
  options: SessionOptions,
  native: NativeOptions = {},
): Promise<{ readonly session: BareSession; readonly runtime: OnnxRuntime }> {
  const runtime = await loadOnnxRuntime(native);
  const { binding, initOrt }: Binding = loadModule(join(await locateOnnxRuntime(native), 'dist', 'binding.js'));
  initOrt();
  const session = new binding.InferenceSession();
  session.loadModel(path, options);
  return { session, runtime };
}
