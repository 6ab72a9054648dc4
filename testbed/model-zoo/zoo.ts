import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheDirectory } from '../cache.ts';
import { pythonEnvironment } from '../serving/python.ts';

const run = promisify(execFile);
const program = join(import.meta.dirname, 'make_zoo.py');
const requirements = [
  'scikit-learn==1.9.1',
  'skl2onnx==1.20.0',
  'onnx==1.23.2',
  // The version that Sluice runs: other ones may round another way.
  'onnxruntime==1.30.0',
  'fairlearn==0.15.0',
  'pandas==3.1.1',
];

/** What Python makes of one model. */
export interface Expected {
  /** Its rows are in `<data>.csv`: features, `label`, and `team`, which is no feature. */
  readonly data: string;
  readonly task: 'classification' | 'regression';
  /** How scikit-learn averaged precision, recall, F1 and Jaccard; null: as the gate does by itself. */
  readonly average: 'macro' | 'micro' | 'weighted' | null;
  /** What ONNX Runtime in Python predicts, row by row. */
  readonly predictions: {
    readonly labels?: readonly (string | number)[];
    readonly scores?: readonly number[];
    readonly values?: readonly number[];
  };
  /** scikit-learn's numbers over those predictions, by the gate's names; null where there is none. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** Fairlearn's, between the teams. */
  readonly fairness: Readonly<Record<string, number | null>>;
}

export interface Zoo {
  /** With `<model>.onnx` and `<data>.csv`. */
  readonly folder: string;
  /** ONNX Runtime's version in Python. */
  readonly runtime: string;
  readonly models: Readonly<Record<string, Expected>>;
}

/** Some forty scikit-learn models over twelve data sets, trained, exported and measured once into the cache (about 30 s). */
export async function modelZoo(): Promise<Zoo> {
  const wanted = [readFileSync(program, 'utf8'), ...requirements].join('\n');
  const folder = join(
    cacheDirectory('models'),
    `zoo-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`,
  );
  if (!existsSync(folder)) {
    const { python } = await pythonEnvironment('model-zoo', requirements);
    const partial = `${folder}.partial-${process.pid}`;
    mkdirSync(partial, { recursive: true });
    try {
      await run(python, [program, partial], { maxBuffer: 16 * 1024 * 1024 });
      if (!existsSync(folder)) renameSync(partial, folder);
    } finally {
      rmSync(partial, { recursive: true, force: true });
    }
  }
  const { runtime, models } = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Omit<Zoo, 'folder'>;
  return { folder, runtime, models };
}
