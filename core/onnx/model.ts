import { loadOnnxRuntime, locateOnnxRuntime, type NativeOptions } from '../native/index.ts';
import { ModelError, type Problem } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { changed, factsOf, type ModelFacts, throwAll } from './facts.ts';
import { feedProblems, list } from './feeds.ts';
import type { RawTensors } from './inference.ts';
import { InferenceFailure, type InferenceLimits, InferenceProcess } from './inference-process.ts';
import { identityOf, inspectModel, type Sayer, type ScanOptions, type SeenFile, sayerFor } from './inspection.ts';
import { type UnsafeNeighbour, unsafeNeighbours } from './neighbours.ts';
import { fromRaw, toRaw } from './raw-tensor.ts';
import { describeTensor, type Feeds, isRunnable, type Outputs, type TensorSpec } from './tensor.ts';
import type { ModelToTime } from './timer.ts';

export interface OpenOptions extends ScanOptions {
  readonly host?: NonNullable<NativeOptions['host']>;
  /** Where ONNX Runtime comes from. @default as `loadOnnxRuntime` finds it */
  readonly native?: NativeOptions;
  /** How much time and memory the model may take. */
  readonly limits?: InferenceLimits;
}

/** A model that was scanned, loaded and can be run. */
export interface Model extends AsyncDisposable {
  readonly facts: ModelFacts;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Files beside it that are no data, so that loading one may run code. Looked for where somebody can be told of them, a `host`. */
  readonly unsafeNeighbours: readonly UnsafeNeighbour[];
  /**
   * Runs the model once. `names` picks outputs (all of them by default): one that is not a tensor can only be left out. Throws a
   * ModelError with every problem of the feeds, with what ONNX Runtime said, or with the limit of time or memory that the run went
   * beyond; after that the model cannot be run any more. Calls may overlap; they are run one after the other.
   */
  run(feeds: Feeds, names?: readonly string[]): Promise<Outputs>;
  /** What a `Timer` runs again and again. The feeds are run here first, once for each `feeds`. */
  forTiming(feeds: Feeds, names?: readonly string[]): Promise<ModelToTime>;
  close(): Promise<void>;
}

/**
 * Scans a model file and loads it into ONNX Runtime, in a process of its own (`InferenceProcess` says why), so that the same model and
 * data give the same numbers on every run. Throws a ModelError with everything the scan found, before anything is loaded.
 */
export async function openModel(file: string, options: OpenOptions = {}): Promise<Model> {
  const inspection = await inspectModel(file, options);
  throwAll([...inspection.unreadable, ...inspection.unsafeFiles, ...inspection.unsafeContent]);
  if (inspection.structure?.outputs.length === 0) throw new ModelError(sayerFor(file, options)(noOutputs));
  const say = sayerFor(file, options);
  const path = inspection.path ?? file;
  const { host, limits } = options;
  const native = { ...(host === undefined ? {} : { host }), ...options.native };
  // Started here: it loads ONNX Runtime while this process reads the model for its facts.
  const process = new InferenceProcess(await locateOnnxRuntime(native), limits);
  try {
    const facts = await factsOf(file, inspection, options);
    const neighbours = host === undefined ? [] : await unsafeNeighbours(path);
    warnOfNeighbours(neighbours, options);
    const model = new OpenedModel(facts, process, native, { path, seen: inspection.seen, say, neighbours });
    await model.load();
    return model;
  } catch (error) {
    await process.close();
    throw error;
  }
}

interface ScannedFile {
  readonly path: string;
  readonly seen: readonly SeenFile[];
  readonly say: Sayer;
  readonly neighbours: readonly UnsafeNeighbour[];
}

class OpenedModel implements Model {
  readonly facts: ModelFacts;
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  readonly unsafeNeighbours: readonly UnsafeNeighbour[];
  readonly #process: InferenceProcess;
  readonly #native: NativeOptions;
  readonly #file: ScannedFile;
  readonly #say: Sayer;
  /** Feeds and the outputs asked for that kept to the limits. */
  readonly #tried = new WeakMap<Feeds, string>();
  #closed = false;

  constructor(facts: ModelFacts, process: InferenceProcess, native: NativeOptions, file: ScannedFile) {
    this.facts = facts;
    this.inputs = facts.inputs;
    this.outputs = facts.outputs;
    this.unsafeNeighbours = file.neighbours;
    this.#process = process;
    this.#native = native;
    this.#file = file;
    this.#say = file.say;
  }

  async load(): Promise<void> {
    try {
      await this.#process.load(this.#file.path);
    } catch (cause) {
      // The same library in this process says the same, as a NativeError.
      if (cause instanceof InferenceFailure && cause.kind === 'runtime') await loadOnnxRuntime(this.#native);
      throw this.#failure(loadRefused, cause);
    }
    await this.#requireUnchanged();
  }

  async run(feeds: Feeds, names: readonly string[] = this.outputs.map(({ name }) => name)): Promise<Outputs> {
    this.#check(feeds, names);
    try {
      const results = await this.#process.run(rawFeeds(feeds), names);
      return Object.fromEntries(Object.entries(results).map(([name, tensor]) => [name, fromRaw(tensor)]));
    } catch (cause) {
      throw this.#failure(runRefused, cause);
    }
  }

  async forTiming(feeds: Feeds, names: readonly string[] = this.outputs.map(({ name }) => name)): Promise<ModelToTime> {
    const outputs = JSON.stringify(names);
    if (this.#tried.get(feeds) !== outputs) {
      await this.run(feeds, names);
      this.#tried.set(feeds, outputs);
    } else this.#check(feeds, names);
    return {
      file: this.#file.path,
      feeds: rawFeeds(feeds),
      names: [...names],
      requireUnchanged: () => this.#requireUnchanged(),
      failure: (cause) => this.#failure(runRefused, cause),
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#process.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #check(feeds: Feeds, names: readonly string[]): void {
    if (this.#closed) {
      throw new ModelError(
        this.#say({ code: 'model-closed', message: 'the model was closed', fix: 'Run it before it is closed.' }),
      );
    }
    throwAll([...feedProblems(this.inputs, feeds, this.#say), ...this.#outputProblems(names)]);
  }

  async #requireUnchanged(): Promise<void> {
    for (const { path, identity } of this.#file.seen) {
      if ((await identityOf(path)) !== identity) throw new ModelError(this.#say(changed));
    }
  }

  #failure(refused: (said: string) => Omit<Problem, 'place'>, cause: unknown): ModelError {
    const message = cause instanceof Error ? cause.message : String(cause);
    const said = excerpt(saidByRuntime(message.replaceAll(this.#file.path, 'the model')), 400);
    // Also ONNX Runtime says so, of an allocation that is refused at once.
    const memory = /Failed to allocate memory|bad[_ ]alloc/.test(said);
    const kind = memory ? 'memory' : cause instanceof InferenceFailure ? cause.kind : 'refused';
    return new ModelError(this.#say(kind in failures ? failures[kind as keyof typeof failures](said) : refused(said)), {
      cause,
    });
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

/** Without the file, line and signature in its source that ONNX Runtime begins some reasons with. */
function saidByRuntime(message: string): string {
  return message
    .replaceAll(/\s*\n\s*/g, ' ')
    .replaceAll(/\/\S+\.(?:cc|cpp|h):\d+ [^(]*\(.*?\)(?: const)? /g, '')
    .trim();
}

function rawFeeds(feeds: Feeds): RawTensors {
  return Object.fromEntries(Object.entries(feeds).map(([name, tensor]) => [name, toRaw(tensor)]));
}

const noOutputs: Omit<Problem, 'place'> = {
  code: 'no-outputs',
  message: 'the model has no outputs',
  expected: 'an output such as the predicted label',
  fix: 'Export the prediction as an output of the graph.',
};

function loadRefused(found: string): Omit<Problem, 'place'> {
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

function runRefused(found: string): Omit<Problem, 'place'> {
  return {
    code: 'run-failed',
    message: 'ONNX Runtime could not run the model',
    found,
    fix: 'Run it on the first rows with onnxruntime where it was exported: the same message shows there.',
  };
}

const unbounded =
  'Look for operators whose sizes or rounds come from the data (ConstantOfShape, Expand, Tile, Resize, Loop), or run on a larger machine.';

/** What a model did that ended the process it was in. */
const failures = {
  time: (found: string): Omit<Problem, 'place'> => ({
    code: 'model-too-slow',
    message: 'the model did not end loading or a run in time',
    found,
    fix: unbounded,
  }),
  memory: (found: string): Omit<Problem, 'place'> => ({
    code: 'model-exhausts-memory',
    message: 'the model needs more memory than it may use',
    found,
    fix: unbounded,
  }),
  'too-large': (found: string): Omit<Problem, 'place'> => ({
    code: 'output-too-large',
    message: "the model's outputs are larger than Sluice reads",
    found,
    fix: unbounded,
  }),
  ended: (found: string): Omit<Problem, 'place'> => ({
    code: 'model-crashed',
    message: 'ONNX Runtime crashed on the model',
    found,
    fix: 'Check the model with onnx.checker.check_model(path, full_check=True) where it was exported.',
  }),
} as const;

/** Said in the log, since a model that is served has no report (T8). */
function warnOfNeighbours(found: readonly UnsafeNeighbour[], { host, place }: OpenOptions): void {
  if (found.length === 0) return;
  const names = list(found.slice(0, 5).map(({ name }) => name));
  host?.warning(
    `Beside the model ${found.length === 1 ? `is ${found[0]?.kind}` : 'are files that do more than hold data'} (${names}). Sluice loaded none of it.`,
    place,
  );
}
