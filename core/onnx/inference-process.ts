import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { withoutTelemetry } from '../native/index.ts';
import type { RawTensors } from './inference.ts';
import type { Answer, ColdStart, ProgramSettings, Request, Timetable, ToTime } from './inference-program.ts';

/** How much a model may take. */
export interface InferenceLimits {
  /** For loading it, and for each run, in milliseconds. @default 10 minutes */
  readonly milliseconds?: number;
  /** Memory of the process it runs in, ONNX Runtime included. @default three quarters of what this machine or container has */
  readonly memoryBytes?: number;
  /** Outputs of one run together. @default 1 GiB */
  readonly outputBytes?: number;
}

/**
 * Why a model could not be loaded or run:
 * - `runtime`: ONNX Runtime does not load on this machine.
 * - `refused`: ONNX Runtime said why.
 * - `too-large`, `time`, `memory`: it went beyond a limit.
 * - `ended`: the process is gone, by a crash or because someone ended it.
 */
export type FailureKind = 'runtime' | 'refused' | 'too-large' | 'time' | 'memory' | 'ended';

export class InferenceFailure extends Error {
  readonly kind: FailureKind;

  constructor(kind: FailureKind, message: string) {
    super(message);
    this.name = 'InferenceFailure';
    this.kind = kind;
  }
}

const gibibyte = 1024 ** 3;
const tenMinutes = 600_000;

/**
 * A process of its own that one model runs in. A few bytes of a hostile or mistaken model can ask for any amount of memory or never end
 * (`ConstantOfShape` with a huge shape, a `Loop` without an end), which no look at the file can tell, and ONNX Runtime blocks the
 * process it runs in: only another one can end it. So that a model that does so is an error of the model and not the end of the job,
 * every model runs here, trusted or not; that costs about as much time as loading ONNX Runtime, and nobody has to decide whom to trust.
 *
 * The process gets no secrets: its environment holds only what programs need to start.
 */
export class InferenceProcess {
  readonly #child: ChildProcess;
  readonly #limits: Required<InferenceLimits>;
  #pending: { resolve(answer: Answer): void; reject(failure: InferenceFailure): void } | undefined;
  #gone: InferenceFailure | undefined;
  /** One request at a time. */
  #queue: Promise<unknown> = Promise.resolve();

  /** `runtime` is the folder of ONNX Runtime's package. */
  constructor(runtime: string, limits: InferenceLimits = {}) {
    this.#limits = {
      milliseconds: limits.milliseconds ?? tenMinutes,
      memoryBytes: limits.memoryBytes ?? Math.floor(0.75 * memoryOfThisMachine()),
      outputBytes: limits.outputBytes ?? gibibyte,
    };
    const { memoryBytes, outputBytes } = this.#limits;
    const settings: ProgramSettings = { runtime, memoryBytes, outputBytes, parent: process.pid };
    this.#child = spawn(process.execPath, [programFile(), JSON.stringify(settings)], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      windowsHide: true,
      env: { ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])), ...withoutTelemetry },
    });
    this.#child.on('message', (answer: Answer) => this.#pending?.resolve(answer));
    this.#child.on('error', (error) => this.#end(new InferenceFailure('ended', error.message)));
    this.#child.on('exit', (code, signal) => {
      const { memoryBytes } = this.#limits;
      // Its own watch ends it so, and the system when that is out of memory: the process asked to be the first to go.
      const exhausted = new InferenceFailure('memory', `more than ${Math.floor(memoryBytes / 1024 ** 2)} MiB`);
      this.#end(signal === 'SIGKILL' ? exhausted : new InferenceFailure('ended', signal ?? `exit code ${code}`));
    });
  }

  /** Throws an `InferenceFailure`. */
  async load(file: string): Promise<void> {
    await this.#ask({ kind: 'load', file }, 'done');
  }

  /** Throws an `InferenceFailure`; after one of a limit, every later call throws it too. */
  async run(feeds: RawTensors, names: readonly string[]): Promise<RawTensors> {
    return (await this.#ask({ kind: 'run', feeds, names }, 'done')).outputs;
  }

  /** Loads a model beside others, to be timed under the name of its seat. Throws an `InferenceFailure`, as the following do. */
  async open(seat: string, model: ToTime): Promise<void> {
    await this.#ask({ kind: 'open', seat, ...model }, 'done');
  }

  async release(seat: string): Promise<void> {
    await this.#ask({ kind: 'release', seat }, 'done');
  }

  /** Milliseconds of every call, in the order of the timetable, as far as its time went. */
  async time(timetable: Timetable): Promise<Float64Array> {
    return (await this.#ask({ kind: 'time', ...timetable }, 'timed')).times;
  }

  /** Loads and runs a model once; of a process that held none before. */
  async start(model: ToTime): Promise<ColdStart> {
    return this.#ask({ kind: 'start', ...model }, 'started');
  }

  async close(): Promise<void> {
    this.#end(new InferenceFailure('ended', 'it was closed'));
    if (this.#child.exitCode !== null || this.#child.signalCode !== null || this.#child.pid === undefined) return;
    await new Promise((resolve) => this.#child.once('exit', resolve));
  }

  #ask<Kind extends Answer['kind']>(request: Request, kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    const asked = this.#queue.then(() => this.#askNow(request, kind));
    this.#queue = asked.catch(() => {});
    return asked;
  }

  async #askNow<Kind extends Answer['kind']>(request: Request, kind: Kind): Promise<Extract<Answer, { kind: Kind }>> {
    if (this.#gone !== undefined) throw this.#gone;
    const { milliseconds } = this.#limits;
    const late = setTimeout(
      () => this.#end(new InferenceFailure('time', `more than ${milliseconds / 1000} s`)),
      milliseconds,
    );
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        this.#pending = { resolve, reject };
        // A process that is gone is told by `exit`, with the reason.
        this.#child.send(request, () => {});
      });
      if (isOf(answer, kind)) return answer;
      if ('message' in answer) throw new InferenceFailure(answer.kind, answer.message);
      throw new InferenceFailure('ended', `it answered ${answer.kind}, and ${kind} was asked for`);
    } finally {
      clearTimeout(late);
      this.#pending = undefined;
    }
  }

  #end(reason: InferenceFailure): void {
    this.#gone ??= reason;
    this.#pending?.reject(this.#gone);
    this.#child.kill('SIGKILL');
  }
}

function isOf<Kind extends Answer['kind']>(answer: Answer, kind: Kind): answer is Extract<Answer, { kind: Kind }> {
  return answer.kind === kind;
}

/** What programs need to start, on one system or another; everything else, tokens above all, stays here. */
const passedOn = ['PATH', 'LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH', 'SystemRoot', 'TEMP', 'TMP', 'TMPDIR'];

function memoryOfThisMachine(): number {
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
}

/** Beside this file, as source or compiled; in the bundle, the entry that `build/bundle.ts` makes of it. */
function programFile(): string {
  const own = import.meta.url;
  const beside = fileURLToPath(new URL(own.endsWith('.ts') ? './inference-program.ts' : './inference-program.js', own));
  return existsSync(beside) ? beside : fileURLToPath(new URL('../onnx/inference-program.js', own));
}
