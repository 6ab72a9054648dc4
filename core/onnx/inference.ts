import type { OnnxRuntime } from '../native/index.ts';
import { repeatableSession, silentRun } from './session-options.ts';

/** A tensor as it goes to ONNX Runtime and comes from it: float16 as its bits, everything else as `TensorData` has it. */
export interface RawTensor {
  readonly type: string;
  readonly data: RawData;
  readonly dims: readonly number[];
}

export type RawData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[];

export type RawTensors = Readonly<Record<string, RawTensor>>;

/** A model in ONNX Runtime. */
export interface Inference {
  run(feeds: RawTensors, names: readonly string[]): Promise<RawTensors>;
  /** The same run again and again, with nothing around it that would be timed along. */
  repeated(feeds: RawTensors, names: readonly string[]): () => Promise<unknown>;
  release(): Promise<void>;
}

/** Loads a model into ONNX Runtime. */
export async function loadInference(runtime: OnnxRuntime, file: string): Promise<Inference> {
  const session = await runtime.InferenceSession.create(file, repeatableSession);
  const tensorsOf = (feeds: RawTensors) =>
    Object.fromEntries(
      Object.entries(feeds).map(([name, { type, data, dims }]) => {
        const tensor = new runtime.Tensor(type as 'float32', data as Float32Array, dims);
        // Where JavaScript has a Float16Array (Node 24), ONNX Runtime 1.30 wraps the bits in one that its own native half cannot read.
        if (type === 'float16') Reflect.set(tensor, 'cpuData', data);
        return [name, tensor] as const;
      }),
    );
  return {
    repeated(feeds, names) {
      const [given, wanted] = [tensorsOf(feeds), [...names]];
      return () => session.run(given, wanted, silentRun);
    },
    async run(feeds, names) {
      const results = await session.run(tensorsOf(feeds), [...names], silentRun);
      return Object.fromEntries(
        names.map((name) => {
          const { type, data, dims } = results[name] as InstanceType<OnnxRuntime['Tensor']>;
          const bits =
            type === 'float16' && ArrayBuffer.isView(data)
              ? new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2)
              : data;
          return [name, { type, data: bits as RawData, dims }] as const;
        }),
      );
    },
    release: () => session.release(),
  };
}
