import { resolve } from 'node:path';
import type { Host } from '../../core/host/index.ts';
import { type Model, type ModelFacts, openModel } from '../../core/onnx/index.ts';
import { ModelError, type Place, type Problem } from '../../core/problem/index.ts';
import type { ModelSummary } from '../../core/report/index.ts';
import { opsetOf } from './size-gate.ts';

/** A model file, and what the policy calls it. */
export interface ModelFile {
  /** Where it is on this machine. */
  readonly file: string;
  /** As the policy writes it; what messages and reports show. */
  readonly path: string;
  /** The policy line that names it. */
  readonly place: Place;
  /** The checkout: a link that leads out of it is refused. */
  readonly within?: string;
}

/** Scans and loads it. Problems call it by the policy's path: a report holds no path of the machine it was made on. */
export async function openModelFile({ file, path, place, within }: ModelFile, host: Host): Promise<Model> {
  try {
    return await openModel(file, { host, place, ...(within === undefined ? {} : { within }) });
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    const shown = (text: string) => text.replaceAll(resolve(file), path).replaceAll(file, path);
    const [first, ...rest] = error.problems.map((problem) => renamed(problem, shown));
    if (first === undefined) throw error;
    throw new ModelError([first, ...rest], { cause: error });
  }
}

export function summaryOf(path: string, facts: ModelFacts): ModelSummary {
  const opset = opsetOf(facts);
  return {
    path,
    sha256: facts.sha256,
    bytes: facts.bytes,
    parameters: facts.parameters,
    operators: facts.operators,
    ...(opset === undefined ? {} : { opset }),
    ...(facts.producer === '' ? {} : { producer: facts.producer }),
  };
}

function renamed(problem: Problem, shown: (text: string) => string): Problem {
  return {
    ...problem,
    message: shown(problem.message),
    ...(problem.found === undefined ? {} : { found: shown(problem.found) }),
    ...(problem.fix === undefined ? {} : { fix: shown(problem.fix) }),
  };
}
