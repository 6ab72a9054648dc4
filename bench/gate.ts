import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { type ModelToTime, openModel, repeatableSession, silentRun, Timer } from '../core/onnx/index.ts';
import { pythonEnvironment } from '../testbed/serving/python.ts';
import type { Measurement } from './measurement.ts';
import { median } from './quantile.ts';

const run = promisify(execFile);

const rows = 1_000_000;
const rounds = 5;
const latencyRounds = 16;
const callsOfRound = 5000;

/** The packages of Python's side. */
export const requirements = [
  'numpy==2.4.6',
  'onnxruntime==1.31.1',
  'pyarrow==26.0.1',
  'scikit-learn==1.9.1',
  'skl2onnx==1.20.0',
];

/** The bounds of ten metrics that a model of two classes has. */
export const gates = [
  'accuracy: { min: 0.6 }',
  'balanced_accuracy: { min: 0.6 }',
  'precision: { min: 0.6 }',
  'recall: { min: 0.5 }',
  'f1: { min: 0.5 }',
  'matthews_corrcoef: { min: 0.3 }',
  'roc_auc: { min: 0.7 }',
  'average_precision: { min: 0.6 }',
  'log_loss: { max: 0.6 }',
  'brier: { max: 0.25 }',
];

interface Evaluated {
  readonly seconds: number;
  readonly metrics: Readonly<Record<string, number>>;
  readonly memoryMb: number;
}

interface PythonEvaluated {
  readonly seconds: { readonly read: number; readonly run: number; readonly measure: number; readonly all: number };
  readonly metrics: Readonly<Record<string, number>>;
}

/**
 * The gate on 1M rows of 30 numbers, from a Parquet file to every metric with its interval, beside Python's ONNX Runtime and scikit-learn from
 * the same file to the point metrics alone; and what the latency loop costs beside a bare loop over `session.run`.
 */
export async function gate(): Promise<Measurement> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-bench-gate-'));
  try {
    const { python } = await pythonEnvironment('bench-gate', requirements);
    const peer = join(import.meta.dirname, 'gate', 'peer.py');
    await run(python, [peer, 'make', folder, String(rows)]);
    await writeFile(join(folder, 'point.yaml'), policyText('none', gates));
    const compared = gates.map((line) => line.replace(' }', ', max_regression: 0.01 }'));
    await writeFile(join(folder, 'compared.yaml'), policyText('{ path: baseline.onnx }', compared));
    const sides: Sides = { ours: [], compared: [], python: [], pythonAlone: [] };
    for (let round = 0; round < rounds; round++) {
      const turns = [
        async () => sides.ours.push(await evaluate(folder, 'point.yaml')),
        async () => sides.python.push(await evaluatePython(python, peer, folder, 0)),
        async () => sides.pythonAlone.push(await evaluatePython(python, peer, folder, 1)),
        async () => sides.compared.push(await evaluate(folder, 'compared.yaml')),
      ];
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn();
    }
    requireEqual(sides.ours[0]?.metrics ?? {}, sides.python[0]?.metrics ?? {});
    const overhead = await latencyLoopOverhead(join(folder, 'candidate.onnx'));
    return measurementOf(sides, overhead);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

interface Sides {
  readonly ours: Evaluated[];
  /** With a baseline, and every metric held against it. */
  readonly compared: Evaluated[];
  /** With its default threads, and with one. */
  readonly python: PythonEvaluated[];
  readonly pythonAlone: PythonEvaluated[];
}

function measurementOf(sides: Sides, overhead: number): Measurement {
  const ours = median(sides.ours.map(({ seconds }) => seconds));
  const compared = median(sides.compared.map(({ seconds }) => seconds));
  const partOf = (runs: readonly PythonEvaluated[], part: keyof PythonEvaluated['seconds']) =>
    median(runs.map(({ seconds }) => seconds[part]));
  // Of each round, so that a machine that slows down slows both.
  const speed = median(
    sides.ours.map(({ seconds }, round) => (sides.python[round]?.seconds.all ?? Number.NaN) / seconds),
  );
  const text = (seconds: number) => Number(seconds.toFixed(2));
  const memory = Math.max(...sides.ours.map(({ memoryMb }) => memoryMb));
  const pythonRow = (what: string, runs: readonly PythonEvaluated[]) => ({
    what,
    'seconds, all': text(partOf(runs, 'all')),
    read: text(partOf(runs, 'read')),
    run: text(partOf(runs, 'run')),
    measure: text(partOf(runs, 'measure')),
  });
  return {
    json: { speedVsPython: Number(speed.toFixed(3)), latencyLoopOverhead: Number(overhead.toFixed(4)) },
    tables: [
      {
        title: `${rows.toLocaleString('en-US')} rows of 30 numbers from Parquet, medians of ${rounds} runs`,
        rows: [
          { what: 'sluice: ten metrics with intervals', 'seconds, all': text(ours), 'peak MB': Math.round(memory) },
          { what: 'sluice: and their change against a baseline', 'seconds, all': text(compared) },
          pythonRow('Python: point metrics, default threads', sides.python),
          pythonRow('Python: point metrics, one thread', sides.pythonAlone),
        ],
      },
    ],
    bounds: [
      { text: `${speed.toFixed(2)} >= 0.8 x the speed of Python with its default threads`, holds: speed >= 0.8 },
      { text: `latency loop ${(overhead * 100).toFixed(1)} % <= 5 % over bare session.run`, holds: overhead <= 0.05 },
    ],
  };
}

/** The policy that the rows of `peer.py` are judged by. */
export function policyText(baseline: string, lines: readonly string[]): string {
  return [
    'version: 1',
    `model: { path: candidate.onnx, baseline: ${baseline} }`,
    'evaluation: { source: rows.parquet, target: label, positive: 1 }',
    'gates:',
    ...lines.map((line) => `  ${line}`),
  ].join('\n');
}

async function evaluate(folder: string, policy: string): Promise<Evaluated> {
  const ours = join(import.meta.dirname, 'gate', 'ours.ts');
  const { stdout } = await run(process.execPath, [ours, folder, policy], { maxBuffer: 1e8 });
  return JSON.parse(stdout) as Evaluated;
}

async function evaluatePython(python: string, peer: string, folder: string, threads: number): Promise<PythonEvaluated> {
  const { stdout } = await run(python, [peer, 'evaluate', folder, 'candidate', String(threads)]);
  return JSON.parse(stdout) as PythonEvaluated;
}

/** A benchmark of wrong numbers measures nothing. */
function requireEqual(ours: Readonly<Record<string, number>>, theirs: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(theirs)) {
    const found = ours[name] ?? Number.NaN;
    if (!(Math.abs(found - value) <= 1e-9)) throw new Error(`${name} is ${found}, and ${value} in scikit-learn`);
  }
}

/**
 * The time of the gate's measuring loop over that of a bare one, less 1: median over rounds in turned order, each with sessions of its own, since
 * two sessions of one model differ by memory layout.
 */
async function latencyLoopOverhead(file: string): Promise<number> {
  await using model = await openModel(file);
  const [input] = model.inputs;
  const name = input?.name ?? '';
  const values = Float32Array.from({ length: 30 * 64 }, (_, index) => Math.sin(index));
  const feeds = { [name]: { type: 'float32', data: values, dims: [64, 30] } } as const;
  const names = model.outputs.map((output) => output.name);
  const ratios: number[] = [];
  // One process for all rounds, as the bare loop has one: else a loop that V8 has not yet seen would be held against one that it has.
  await using timer = await Timer.start();
  for (let round = 0; round < latencyRounds; round++) {
    const ours = async () => oursMs(timer, await model.forTiming(feeds, names));
    const bare = () => bareMs(file, name, values, names);
    const [one, other] = round % 2 === 0 ? [await ours(), await bare()] : [await bare(), await ours()].toReversed();
    ratios.push((one ?? Number.NaN) / (other ?? Number.NaN));
  }
  return median(ratios) - 1;
}

const warmUp = 30;

/** Milliseconds of the loop that the gate times with, in its process, and of asking for it. */
async function oursMs(timer: Timer, model: ModelToTime): Promise<number> {
  await timer.open('candidate', model);
  // Visits of ten calls, in one message: as the gate asks for them.
  const loop = (calls: number) =>
    timer.time({ rounds: Array(calls / 10).fill(['candidate']), calls: 10, milliseconds: 60_000 });
  await loop(warmUp);
  const began = performance.now();
  await loop(callsOfRound);
  const spent = performance.now() - began;
  await timer.release('candidate');
  return spent;
}

async function bareMs(file: string, name: string, values: Float32Array, names: readonly string[]): Promise<number> {
  const session = await InferenceSession.create(file, repeatableSession);
  const feeds = { [name]: new Tensor('float32', values, [64, 30]) };
  const wanted = [...names];
  for (let call = 0; call < warmUp; call++) await session.run(feeds, wanted, silentRun);
  const began = performance.now();
  for (let call = 0; call < callsOfRound; call++) await session.run(feeds, wanted, silentRun);
  const ended = performance.now();
  await session.release();
  return ended - began;
}
