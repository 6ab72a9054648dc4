import type { Host } from '../../core/host/index.ts';
import { type Model, type ModelFacts, openModel } from '../../core/onnx/index.ts';
import type { Place } from '../../core/problem/index.ts';
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
export function openModelFile({ file, path, place, within }: ModelFile, host: Host): Promise<Model> {
  return openModel(file, { host, place, name: path, ...(within === undefined ? {} : { within }) });
}

export function summaryOf(path: string, facts: ModelFacts): ModelSummary {
  const opset = opsetOf(facts);
  return {
    path,
    sha256: facts.sha256,
    bytes: facts.bytes,
    parameters: facts.parameters,
    operators: facts.operators,
    ...(facts.computation.unknown.length > 0 ? {} : { operations: facts.computation.operations }),
    ...(facts.elementTypes.length === 0
      ? {}
      : { weights: facts.elementTypes.slice(0, 10).map(({ type, bytes }) => ({ type, bytes })) }),
    ...(opset === undefined ? {} : { opset }),
    ...(facts.producer === '' ? {} : { producer: facts.producer }),
  };
}
