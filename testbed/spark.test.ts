/** The PySpark program of `SparkBatchInference` on a real Spark, on this machine: rows of Parquet, scored as onnxruntime scores them in Node. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type PythonEnvironment, pythonEnvironment } from './serving/python.ts';

const root = join(import.meta.dirname, '..');
const program = join(root, 'constructs/kubernetes/batch/score_parquet.py');
const model = join(root, 'examples/breast-cancer/models/good.onnx');

type Row = Readonly<Record<string, unknown>>;
interface Ended {
  readonly code: number;
  /** spark-submit writes what the program says there, also what it says on standard error. */
  readonly stdout: string;
  readonly stderr: string;
}

let spark: PythonEnvironment;
let folder = '';
let rows: readonly Row[] = [];
let features: readonly string[] = [];

beforeAll(async () => {
  spark = await pythonEnvironment('spark', [
    'pyspark==4.0.1',
    'pandas==3.1.1',
    'pyarrow==25.0.1',
    'numpy==2.4.6',
    'onnxruntime==1.31.1',
  ]);
  folder = mkdtempSync(join(tmpdir(), 'sluice-spark-'));
  const [header = '', ...lines] = readFileSync(join(root, 'examples/breast-cancer/data/test.csv'), 'utf8')
    .trim()
    .split('\n');
  features = header.split(',').slice(0, 30);
  rows = lines.map((line, id) => {
    const numbers = line.split(',').map(Number);
    return { id, ...Object.fromEntries(features.map((name, index) => [name, numbers[index] ?? null])) };
  });
  await run(spark.python, [parquet, 'write', at('rows.parquet')], JSON.stringify(rows));
}, 600_000);

afterAll(() => {
  if (folder !== '') rmSync(folder, { recursive: true, force: true });
});

const parquet = join(import.meta.dirname, 'constructs/parquet_rows.py');
const at = (name: string): string => join(folder, name);

function run(command: string, args: readonly string[], input = ''): Promise<Ended> {
  const { SPARK_HOME: _, PYTHONPATH: __, ...rest } = process.env;
  const env = { ...rest, PYSPARK_PYTHON: spark.python, SPARK_LOCAL_IP: '127.0.0.1', SPARK_LOCAL_DIRS: at('local') };
  return new Promise((resolve) => {
    const child = execFile(command, args, { env, cwd: folder, maxBuffer: 64 * 2 ** 20 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : -1, stdout, stderr }),
    );
    child.stdin?.end(input);
  });
}

/** As the driver of a SparkApplication runs it, with two tasks at a time. */
function score(input: string, output: string, ...args: readonly string[]): Promise<Ended> {
  const conf = [
    '--master',
    'local[2]',
    '--conf',
    'spark.ui.enabled=false',
    '--conf',
    'spark.sql.files.maxPartitionBytes=20000',
  ];
  const places = [`--model=${model}`, `--input=${at(input)}`, `--output=${at(output)}`];
  return run(join(spark.bin, 'spark-submit'), [...conf, program, ...places, ...args]);
}

async function written(output: string): Promise<readonly Row[]> {
  const { stdout, stderr } = await run(spark.python, [parquet, 'read', at(output)]);
  if (stdout === '') throw new Error(stderr);
  return (JSON.parse(stdout) as readonly (Row & { readonly id: number })[]).toSorted((a, b) => a.id - b.id);
}

describe('score_parquet.py on Spark', () => {
  const all = (): string => `--features=${features.join(',')}`;

  test('scores every row as the model does elsewhere, keeps what tells rows apart, and says the version', async () => {
    const { code, stdout } = await score(
      'rows.parquet',
      'scores',
      all(),
      '--keep=id',
      '--batch-rows=17',
      '--add=model_version=3',
    );
    expect({ code, tail: code === 0 ? '' : stdout.slice(-3000) }).toEqual({ code: 0, tail: '' });
    expect(JSON.parse(stdout.trim().split('\n').at(-1) ?? '')).toMatchObject({ rows: rows.length });
    const session = await InferenceSession.create(model);
    const numbers = Float32Array.from(rows.flatMap((row) => features.map((name) => Number(row[name]))));
    const { label, probabilities } = await session.run({ features: new Tensor('float32', numbers, [rows.length, 30]) });
    const scores = await written('scores');
    expect(scores.map(({ id }) => id)).toEqual(rows.map(({ id }) => id));
    expect(scores.map((row) => row['label'])).toEqual([...((label?.data ?? []) as readonly string[])]);
    expect(new Set(scores.map((row) => row['model_version']))).toEqual(new Set(['3']));
    const expected = [...((probabilities?.data ?? []) as Float64Array)];
    scores
      .flatMap((row) => row['probabilities'] as readonly number[])
      .forEach((probability, index) => {
        expect(probability).toBeCloseTo(expected[index] ?? Number.NaN, 6);
      });
  }, 300_000);

  test('replaces no output that is there, unless told to', async () => {
    mkdirSync(at('taken'), { recursive: true });
    writeFileSync(at('taken/part-0.parquet'), 'somebody else wrote this');
    const refused = await score('rows.parquet', 'taken', all());
    expect(refused.code).toBe(2);
    expect(refused.stdout).toContain('is there already, with part-0.parquet. Choose another output, or say --replace.');
    expect(readFileSync(at('taken/part-0.parquet'), 'utf8')).toBe('somebody else wrote this');
    const replaced = await score('rows.parquet', 'taken', all(), '--keep=id', '--outputs=label', '--replace');
    expect({ code: replaced.code, tail: replaced.code === 0 ? '' : replaced.stdout.slice(-3000) }).toEqual({
      code: 0,
      tail: '',
    });
    expect((await written('taken')).length).toBe(rows.length);
  }, 300_000);

  test('goes on where a broken run left something unfinished', async () => {
    mkdirSync(at('broken/_temporary/0'), { recursive: true });
    expect((await score('rows.parquet', 'broken', all(), '--keep=id', '--outputs=label')).code).toBe(0);
    expect((await written('broken')).length).toBe(rows.length);
  }, 300_000);

  test('says which column a task could not read, and writes no output', async () => {
    const [first = ''] = features;
    const words = rows.map((row) => ({ ...row, [first]: 'much' }));
    await run(spark.python, [parquet, 'write', at('words.parquet')], JSON.stringify(words));
    const { code, stdout } = await score('words.parquet', 'nothing', all());
    expect(code).toBe(2);
    expect(stdout).toContain(`score_parquet: column ${first} is string, which cannot be read as tensor(float)`);
    expect(existsSync(at('nothing/_SUCCESS'))).toBe(false);
  }, 300_000);

  test('says what the model asks for when the columns do not fit it', async () => {
    const { code, stdout } = await score('rows.parquet', 'nothing', '--features=mean radius,mean texture');
    expect(code).toBe(2);
    expect(stdout).toContain(
      "score_parquet: the model's input features takes 30 numbers a row and gets 2 columns. Name all of them, in the model's order, with --features.",
    );
  }, 300_000);
});
