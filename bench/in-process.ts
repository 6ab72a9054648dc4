import { InferenceSession, Tensor } from 'onnxruntime-node';
import { median } from './quantile.ts';

const repeats = 5;
const msEach = 800;

/** What ONNX Runtime gives without a server around it, in rows a second: calls one after the other, with so many rows each. */
export interface InProcess {
  rowsPerSecond(rows: number): Promise<number>;
  close(): Promise<void>;
}

/**
 * The model in this process, with one thread a run, as the servers have it.
 * @param data rows of `width` numbers, taken in turn
 */
export async function openInProcess(file: string, data: Float32Array, width: number): Promise<InProcess> {
  const session = await InferenceSession.create(file, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  const [input = ''] = session.inputNames;
  return {
    rowsPerSecond: async (rows) => {
      const values = Float32Array.from({ length: rows * width }, (_, index) => data[index % data.length] ?? 0);
      const rates: number[] = [];
      for (let repeat = -1; repeat < repeats; repeat++) {
        const began = performance.now();
        let calls = 0;
        while (performance.now() - began < msEach) {
          await session.run({ [input]: new Tensor('float32', values, [rows, width]) });
          calls++;
        }
        if (repeat >= 0) rates.push((calls * rows) / ((performance.now() - began) / 1e3));
      }
      return median(rates);
    },
    close: () => session.release(),
  };
}
