import { readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { loadOnnxRuntime, type NativeOptions, type OnnxRuntime } from '../native/index.ts';
import { ModelError, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { factsOf, type ModelFacts, throwAll } from './facts.ts';
import { feedProblems, list } from './feeds.ts';
import { isPickle, kindBytes } from './file-kind.ts';
import { float16ToNumber, numberToFloat16 } from './float16.ts';
import { firstBytes, inspectModel, type Sayer, type ScanOptions, sayerFor } from './inspection.ts';
import { describeTensor, type Feeds, isRunnable, type Outputs, type Tensor, type TensorSpec } from './tensor.ts';

export interface OpenOptions extends ScanOptions {
  readonly host?: NonNullable<NativeOptions['host']>;
  /** Where ONNX Runtime comes from. @default as `loadOnnxRuntime` finds it */
  readonly native?: NativeOptions;
}

/** A model that was scanned, loaded and can be run. */
export interface Model extends AsyncDisposable {
  readonly facts: ModelFacts;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /**
   * Runs the model once. `names` picks outputs (all of them by default): one that is not a tensor can only be left out. Throws a
   * ModelError with every problem of the feeds, or with what ONNX Runtime said. Calls may overlap; they are run one after the other.
   */
  run(feeds: Feeds, names?: readonly string[]): Promise<Outputs>;
  close(): Promise<void>;
}

/** Only fatal errors: the others also come back as exceptions, and stderr is past every host. */
const silent = 4;

type Session = Awaited<ReturnType<OnnxRuntime['InferenceSession']['create']>>;

/**
 * Scans a model file and loads it into ONNX Runtime: on the CPU, on one thread and in order, so that the same model and data give the
 * same numbers on every run. Throws a ModelError with everything the scan found, before anything is loaded.
 */
export async function openModel(file: string, options: OpenOptions = {}): Promise<Model> {
  const inspection = await inspectModel(file, options);
  throwAll([...inspection.unreadable, ...inspection.unsafeFiles, ...inspection.unsafeContent]);
  const facts = await factsOf(file, inspection, options);
  const say = sayerFor(file, options.place);
  const path = inspection.path ?? file;
  await warnOfPickles(path, options);
  const { host } = options;
  const runtime = await loadOnnxRuntime({ ...(host === undefined ? {} : { host }), ...options.native });
  let session: Session;
  try {
    session = await runtime.InferenceSession.create(path, {
      executionProviders: ['cpu'],
      intraOpNumThreads: 1,
      interOpNumThreads: 1,
      executionMode: 'sequential',
      graphOptimizationLevel: 'all',
      logSeverityLevel: silent,
    });
  } catch (cause) {
    throw new ModelError(say(loadProblem(cause)), { cause });
  }
  return new LoadedModel(facts, runtime, session, say);
}

class LoadedModel implements Model {
  readonly facts: ModelFacts;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly #runtime: OnnxRuntime;
  readonly #say: Sayer;
  #session: Session | undefined;

  constructor(facts: ModelFacts, runtime: OnnxRuntime, session: Session, say: Sayer) {
    this.facts = facts;
    this.inputs = facts.inputs;
    this.outputs = facts.outputs;
    this.#runtime = runtime;
    this.#session = session;
    this.#say = say;
  }

  async run(feeds: Feeds, names: readonly string[] = this.outputs.map(({ name }) => name)): Promise<Outputs> {
    const session = this.#session;
    if (session === undefined)
      throw new ModelError(this.#say({ code: 'model-closed', message: 'the model was closed' }));
    throwAll([...feedProblems(this.inputs, feeds, this.#say), ...this.#outputProblems(names)]);
    let results: Awaited<ReturnType<Session['run']>>;
    try {
      const given = Object.entries(feeds).map(([name, tensor]) => [name, toRuntime(this.#runtime, tensor)] as const);
      results = await session.run(Object.fromEntries(given), [...names], { logSeverityLevel: silent });
    } catch (cause) {
      throw new ModelError(
        this.#say({
          code: 'run-failed',
          message: 'ONNX Runtime could not run the model',
          found: runtimeMessage(cause),
        }),
        { cause },
      );
    }
    return Object.fromEntries(names.map((name) => [name, fromRuntime(results[name])]));
  }

  async close(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    await session?.release();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #outputProblems(names: readonly string[]): readonly Problem[] {
    return names.flatMap((name) => {
      const output = this.outputs.find((candidate) => candidate.name === name);
      if (output === undefined) {
        return [
          this.#say({
            code: 'unknown-output',
            message: `the model has no output ${JSON.stringify(name)}`,
            expected: `one of ${list(this.outputs.map((candidate) => candidate.name))}`,
          }),
        ];
      }
      return isRunnable(output.type) ? [] : [this.#say(unsupportedOutput(output))];
    });
  }
}

function unsupportedOutput({ name, type, shape, unranked }: TensorSpec): Omit<Problem, 'place'> {
  const zipMap = type.startsWith('sequence(map(');
  return {
    code: 'unsupported-type',
    message: `the model's output ${JSON.stringify(name)} is not a tensor Sluice can read`,
    found: type.includes('(') ? type : describeTensor(type, shape, unranked),
    expected: zipMap ? 'a tensor such as float32 [?, 2]' : 'a tensor of a standard type',
    fix: zipMap
      ? "Export with options={'zipmap': False} (skl2onnx), so that probabilities come as one tensor."
      : 'Export the model with outputs of a standard type such as float32 or int64.',
  };
}

function toRuntime(runtime: OnnxRuntime, tensor: Tensor): InstanceType<OnnxRuntime['Tensor']> {
  const { dims } = tensor;
  if (tensor.type === 'string') return new runtime.Tensor('string', [...tensor.data], dims);
  if (tensor.type === 'float16') {
    const bits = Uint16Array.from(tensor.data, numberToFloat16);
    const wrapped = new runtime.Tensor('float16', bits, dims);
    // Where JavaScript has a Float16Array (Node 24), ONNX Runtime 1.30 wraps the bits in one that its own native half cannot read.
    Reflect.set(wrapped, 'cpuData', bits);
    return wrapped;
  }
  return new runtime.Tensor(tensor.type, tensor.data, dims);
}

function fromRuntime(value: unknown): Tensor {
  const { type, data, dims } = value as InstanceType<OnnxRuntime['Tensor']>;
  if (type === 'float16' && ArrayBuffer.isView(data)) {
    const bits = new Uint16Array(data.buffer, data.byteOffset, data.byteLength / 2);
    return { type, data: Float32Array.from(bits, float16ToNumber), dims };
  }
  // The type was found runnable above, and ONNX Runtime pairs each with the array that TensorData says.
  return { type, data, dims } as Tensor;
}

function loadProblem(cause: unknown): Omit<Problem, 'place'> {
  const found = runtimeMessage(cause);
  const tooNew = /opset|IR version/i.test(found);
  return {
    code: 'load-failed',
    message: 'ONNX Runtime does not load the model',
    found,
    fix: tooNew
      ? 'Export the model for an older operator set (target_opset) or IR version.'
      : 'Check the model with onnx.checker.check_model(path, full_check=True) where it was exported.',
  };
}

function runtimeMessage(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return excerpt(message.replaceAll(/\s*\n\s*/g, ' ').trim(), 400);
}

const mostNeighbours = 500;

/**
 * A pickle beside the model is not read, so it is no reason to refuse the model; but whoever deploys the directory may load it, and then
 * it runs code (T8).
 */
async function warnOfPickles(path: string, { host, place }: OpenOptions): Promise<void> {
  if (host === undefined) return;
  const directory = dirname(path);
  const neighbours = await readdir(directory, { withFileTypes: true }).catch(() => []);
  const pickles: string[] = [];
  for (const neighbour of neighbours.filter((entry) => entry.isFile()).slice(0, mostNeighbours)) {
    const start = await firstBytes(join(directory, neighbour.name), kindBytes).catch(() => new Uint8Array());
    if (isPickle(start)) pickles.push(neighbour.name);
  }
  if (pickles.length > 0) {
    host.warning(
      `Beside the model ${pickles.length === 1 ? 'is a Python pickle' : 'are Python pickles'} (${list(pickles.slice(0, 5))}): loading one runs code. Sluice did not.`,
      place,
    );
  }
}
