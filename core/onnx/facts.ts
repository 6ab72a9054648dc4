import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ModelError, type Problem } from '../problem/index.ts';
import { type Computation, computationOf } from './computation.ts';
import { type Inspection, inspectModel, notThere, type ScanOptions, sayerFor } from './inspection.ts';
import type { ElementUse, Opset } from './structure.ts';
import type { TensorSpec } from './tensor.ts';

/** What a model file says about itself, read without loading it. */
export interface ModelFacts {
  /** Hexadecimal SHA-256 of the model file, as `sha256sum` prints it. External data has its own digests. */
  readonly sha256: string;
  /** Bytes of the model file and its external data together. */
  readonly bytes: number;
  readonly irVersion: number;
  /** Operator sets by domain (`ai.onnx` is the standard one), sorted, each once. */
  readonly opsets: readonly Opset[];
  /** Name and version of the program that wrote it, such as `skl2onnx 1.20.0`; empty when it does not say. */
  readonly producer: string;
  readonly domain: string;
  readonly modelVersion: number;
  /**
   * Numbers that training chose: the elements of all initializers (subgraphs included; of sparse ones those stored), and for
   * classical models (domain ai.onnx.ml) the float attributes, which hold their weights, thresholds and leaves (`nodes_hitrates`
   * apart). Constants written as nodes do not count.
   */
  readonly parameters: number;
  /** Nodes, subgraphs and functions included. */
  readonly operators: number;
  /** Nodes by domain, sorted by domain. */
  readonly operatorsByDomain: Readonly<Record<string, number>>;
  /** Nodes by operator, sorted by name; operators of other domains than ONNX's own with theirs: `ai.onnx.ml.Scaler`. */
  readonly operatorsByType: Readonly<Record<string, number>>;
  /** What the initializers are made of, the largest first. */
  readonly elementTypes: readonly ElementUse[];
  /** What one row costs, estimated from the graph. */
  readonly computation: Computation;
  /** What a caller has to give: graph inputs without those that have an initializer. */
  readonly inputs: readonly TensorSpec[];
  readonly outputs: readonly TensorSpec[];
  /** Names of the files beside the model that hold weights, sorted. */
  readonly externalData: readonly string[];
  readonly externalFiles: readonly { readonly name: string; readonly bytes: number; readonly sha256: string }[];
}

/**
 * Facts of an ONNX file, in one pass that steps over its weights, and one that hashes it; memory does not grow with the weights. Throws a
 * ModelError when the file is no ONNX model or its external data cannot be read safely; operators are not judged (`scanModel` does).
 */
export async function readModelFacts(file: string, options: ScanOptions = {}): Promise<ModelFacts> {
  const inspection = await inspectModel(file, options);
  throwAll([...inspection.unreadable, ...inspection.unsafeFiles]);
  return factsOf(file, inspection, options);
}

/** What is scanned must be what runs. */
export const changed: Omit<Problem, 'place'> = {
  code: 'model-changed',
  message: 'the model or its external data changed while Sluice worked on it',
  expected: 'files that nobody writes meanwhile',
  fix: 'Run again once what writes them has ended.',
};

/** Throws one ModelError with all problems, if there are any. */
export function throwAll(problems: readonly Problem[]): void {
  const [first, ...rest] = problems;
  if (first !== undefined) throw new ModelError([first, ...rest]);
}

/** The facts of an inspection that found the model readable. */
export async function factsOf(file: string, inspection: Inspection, options: ScanOptions): Promise<ModelFacts> {
  const { path, structure, bytes, external } = inspection;
  if (path === undefined || structure === undefined) throw new TypeError('an unreadable model has no facts');
  const say = sayerFor(file, options);
  const digests = await Promise.all(
    [{ path, bytes }, ...external.map((each) => ({ path: join(dirname(path), each.name), bytes: each.bytes }))].map(
      async (each) => {
        const digest = await sha256Of(each.path).catch((cause: unknown) => {
          throw new ModelError(say(notThere(cause)), { cause });
        });
        if (digest.bytes === each.bytes) return digest.sha256;
        throw new ModelError(say(changed));
      },
    ),
  );
  const [sha256 = '', ...externalDigests] = digests;
  const operatorsByDomain = new Map<string, number>();
  for (const { domain, count } of structure.operators) {
    operatorsByDomain.set(domain, (operatorsByDomain.get(domain) ?? 0) + count);
  }
  return {
    sha256,
    bytes: bytes + external.reduce((sum, each) => sum + each.bytes, 0),
    irVersion: structure.irVersion,
    opsets: structure.opsets,
    producer: structure.producer,
    domain: structure.domain,
    modelVersion: structure.modelVersion,
    parameters: structure.parameters,
    operators: structure.operators.reduce((sum, { count }) => sum + count, 0),
    operatorsByDomain: Object.fromEntries(operatorsByDomain),
    operatorsByType: Object.fromEntries(
      structure.operators
        .map(
          ({ domain, operator, count }) => [domain === 'ai.onnx' ? operator : `${domain}.${operator}`, count] as const,
        )
        .sort(([one], [other]) => (one < other ? -1 : 1)),
    ),
    elementTypes: structure.elements,
    computation: computationOf(structure.graph, structure.inputs),
    inputs: structure.inputs,
    outputs: structure.outputs,
    externalData: external.map(({ name }) => name),
    externalFiles: external.map((each, index) => ({ ...each, sha256: externalDigests[index] ?? '' })),
  };
}

/** Through one buffer: a stream would allocate a new one for each piece and let the garbage grow with the file. */
async function sha256Of(path: string): Promise<{ readonly sha256: string; readonly bytes: number }> {
  const hash = createHash('sha256');
  const buffer = new Uint8Array(1024 * 1024);
  const file = await open(path, 'r');
  try {
    let bytes = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, bytes);
      if (bytesRead === 0) return { sha256: hash.digest('hex'), bytes };
      hash.update(buffer.subarray(0, bytesRead));
      bytes += bytesRead;
    }
  } finally {
    await file.close();
  }
}
