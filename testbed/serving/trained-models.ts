import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';
import { pythonEnvironment } from './python.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'handlers', 'train_models.py');
const requirements = ['scikit-learn==1.9.1', 'skl2onnx==1.20.0', 'onnx==1.23.2', 'numpy==2.4.6'];

/** A scikit-learn model on the breast cancer data: 30 numbers in, an int64 label and two probabilities out. */
export interface TrainedModel {
  readonly onnx: string;
  readonly joblib: string;
}

/** Models to measure servers with. The input is `X`, float32 [rows, 30]; the outputs are `label` and `probabilities`. */
export interface TrainedModels {
  /** Gradient boosting: a run of microseconds. */
  readonly gb: TrainedModel;
  /** A neural network of 9.6 MB: a run of a tenth of a millisecond. */
  readonly bigmlp: TrainedModel;
  /** Rows the models were not trained on, one after the other. */
  readonly rows: Float32Array;
}

/** The models, trained once into the cache (about 10 s). */
export async function trainedModels(): Promise<TrainedModels> {
  const wanted = [readFileSync(program, 'utf8'), ...requirements].join('\n');
  const home = cacheDirectory('models');
  const folder = join(home, createHash('sha256').update(wanted).digest('hex').slice(0, 12));
  if (!existsSync(folder)) {
    const { python } = await pythonEnvironment('training', requirements);
    const partial = `${folder}.partial-${process.pid}`;
    mkdirSync(partial);
    try {
      await run(python, [program, partial]);
      if (!existsSync(folder)) renameSync(partial, folder);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const { buffer } = new Uint8Array(readFileSync(join(folder, 'rows.f32')));
  const model = (name: string) => ({ onnx: join(folder, `${name}.onnx`), joblib: join(folder, `${name}.joblib`) });
  return { gb: model('gb'), bigmlp: model('bigmlp'), rows: new Float32Array(buffer) };
}
