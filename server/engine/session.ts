import { type BareSession, type NativeOptions, type OnnxRuntime, openBareSession } from '../../core/native/index.ts';
import {
  type Feeds,
  float16ToNumber,
  numberToFloat16,
  type Outputs,
  repeatableSession,
  silentRun,
  type Tensor,
} from '../../core/onnx/index.ts';
import { excerpt } from '../../core/text/index.ts';

/** A model in ONNX Runtime, in this thread. Nothing is checked at a run: feeds were, before they were queued. */
export interface Session {
  /** Throws what ONNX Runtime said, printable. Blocks the thread while the model runs. */
  run(feeds: Feeds, names: readonly string[]): Outputs;
  close(): Promise<void>;
}

type RuntimeTensor = InstanceType<OnnxRuntime['Tensor']>;

/**
 * Loads a model that was scanned: as the gate judged it (`openModel` in core/onnx). Throws an
 * error with what ONNX Runtime said, which may name the file's path.
 */
export async function openSession(path: string, native: NativeOptions): Promise<Session> {
  const { session, runtime } = await openBareSession(path, repeatableSession, native);
  return new RuntimeBackedSession(runtime, session);
}

class RuntimeBackedSession implements Session {
  readonly #runtime: OnnxRuntime;
  readonly #session: BareSession;
  readonly #inputNames: readonly string[];

  constructor(runtime: OnnxRuntime, session: BareSession) {
    this.#runtime = runtime;
    this.#session = session;
    this.#inputNames = session.inputMetadata.map(({ name }) => name);
  }

  run(feeds: Feeds, names: readonly string[]): Outputs {
    const given: Record<string, RuntimeTensor> = {};
    for (const name of this.#inputNames) {
      const tensor = feeds[name];
      if (tensor !== undefined) given[name] = this.#toRuntime(tensor);
    }
    const wanted: Record<string, null> = {};
    for (const name of names) wanted[name] = null;
    let results: Readonly<Record<string, unknown>>;
    try {
      results = this.#session.run(given, wanted, silentRun);
    } catch (cause) {
      throw new Error(runtimeMessage(cause), { cause });
    }
    const outputs: Record<string, Tensor> = {};
    for (const name of names) outputs[name] = fromRuntime(results[name]);
    return outputs;
  }

  async close(): Promise<void> {
    this.#session.dispose();
  }

  #toRuntime(tensor: Tensor): RuntimeTensor {
    const { dims } = tensor;
    if (tensor.type === 'string') return new this.#runtime.Tensor('string', [...tensor.data], dims);
    if (tensor.type === 'float16') {
      const bits = Uint16Array.from(tensor.data, numberToFloat16);
      const wrapped = new this.#runtime.Tensor('float16', bits, dims);
      // Where JavaScript has a Float16Array (Node 24), ONNX Runtime 1.30 wraps the bits in one that its own native half cannot read.
      Reflect.set(wrapped, 'cpuData', bits);
      return wrapped;
    }
    return new this.#runtime.Tensor(tensor.type, tensor.data, dims);
  }
}

function fromRuntime(value: unknown): Tensor {
  const { type, data, dims } = value as RuntimeTensor;
  if (type === 'float16' && ArrayBuffer.isView(data)) {
    const bits = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
    return { type, data: Float32Array.from(bits, float16ToNumber), dims };
  }
  // Only outputs of runnable types are asked for, and ONNX Runtime pairs each with the array that TensorData says.
  return { type, data, dims } as Tensor;
}

/** What ONNX Runtime said, on one line. */
export function runtimeMessage(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return excerpt(message.replaceAll(/\s*\n\s*/g, ' ').trim(), 400);
}
