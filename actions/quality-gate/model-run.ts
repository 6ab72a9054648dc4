import type { ColumnBatch } from '../../core/data/index.ts';
import {
  type Feeding,
  type FilledFeeding,
  feedingsOf,
  feedsOf,
  fixedBatch,
  requireFeedable,
} from '../../core/evaluation/index.ts';
import { disparities } from '../../core/metrics/index.ts';
import type { Model, Outputs, Tensor } from '../../core/onnx/index.ts';
import {
  classificationMetrics,
  type FairnessMetric,
  fairnessMetrics,
  type Policy,
  regressionMetrics,
} from '../../core/policy/index.ts';
import { ModelError, type Place } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { chooseOutputs, namesOf, type OutputChoice, taskOf } from './output-choice.ts';
import { rowsOfBatch } from './predictions.ts';
import type { PredictedRows, RowPredictor, Task } from './row-predictor.ts';

/** Something that takes tensors and gives tensors: a model that is run here, or one behind a server. */
export interface RunnableModel extends Pick<Model, 'inputs' | 'outputs' | 'run'> {
  readonly facts: Pick<Model['facts'], 'sha256' | 'externalFiles'>;
}

/** A model, and how the policy that came with it says to feed and read it. */
export interface ModelToRun {
  readonly model: RunnableModel;
  readonly path: string;
  readonly place: Place;
  readonly policy: NonNullable<Policy['model']>;
  readonly evaluation: NonNullable<Policy['evaluation']>;
  readonly task: Task;
}

/** A model wired to the evaluation rows. */
export interface WiredModel extends ModelToRun, RowPredictor {
  readonly feedings: readonly Feeding[];
  /** The outputs that are read. */
  readonly outputs: readonly string[];
}

/** Classification or regression: as the policy says, else as its metrics are, else by the model's outputs. */
export function taskFor(policy: Policy, model: Pick<Model, 'outputs'>): Task {
  return taskOfPolicy(policy) ?? taskOf(model.outputs);
}

/** The task as the policy says, else as its metrics are; undefined where neither tells. */
export function taskOfPolicy(policy: Policy): Task | undefined {
  if (policy.evaluation?.query !== undefined) return 'ranking';
  if (Array.isArray(policy.evaluation?.target)) return 'multilabel';
  if (policy.model?.task !== undefined) return policy.model.task;
  const gates = policy.gates ?? {};
  const fairness = fairnessMetrics.filter((name: FairnessMetric) => gates.fairness?.[name] !== undefined);
  if (classificationMetrics.some((name) => gates[name] !== undefined)) return 'classification';
  if (regressionMetrics.some((name) => gates[name] !== undefined)) return 'regression';
  const [first] = fairness;
  return first === undefined ? undefined : disparities[first].task;
}

/**
 * Finds the columns and outputs of a model, and looks whether every cell of them can be fed. Throws a `ModelError` where model and data do
 * not fit.
 */
export async function wire(of: ModelToRun, rows: EvaluationRows): Promise<WiredModel> {
  const { model, path, place, policy, evaluation, task } = of;
  const named = { model: path, place };
  if (model.inputs.length === 0) {
    throw new ModelError({
      code: 'no-inputs',
      message: `${excerpt(path)} has no inputs, so no row can reach it`,
      place,
      fix: 'Export it with its features as inputs of the graph.',
    });
  }
  const feedings = feedingsOf(model.inputs, rows.table, {
    ...named,
    evaluation,
    ...(policy.inputs === undefined ? {} : { inputs: policy.inputs }),
  });
  await requireFeedable(rows.engine, rows.table, feedings, named);
  const batch = fixedBatch(feedings, named);
  const choice = chooseOutputs(model.outputs, {
    ...named,
    task,
    ...(policy.outputs === undefined ? {} : { outputs: policy.outputs }),
  });
  const outputs = namesOf(choice);
  const { inputs, outputs: read, classes, threshold } = policy;
  const { sha256, externalFiles } = model.facts;
  const reader = new OutputReader(choice, named);
  return {
    ...of,
    feedings,
    outputs,
    columns: feedings.flatMap((feeding) => feeding.columns),
    ...(batch === undefined ? {} : { batch }),
    classes,
    threshold,
    identity: [
      ...[sha256, externalFiles, { inputs, outputs: read, classes, threshold }, outputs],
      feedings.map((feeding) => feeding.columns),
    ],
    predict: async (some) => {
      const calls = callsOf({ model, feedings, ...(batch === undefined ? {} : { batch }) }, some, outputs);
      return joined(
        await Promise.all(calls.map(async ({ said, count, given }) => reader.read(await said, count, given))),
      );
    },
  };
}

/** Some rows, and what a model gave for them. */
export interface OutputRows {
  /** The first row, from 0. */
  readonly from: number;
  readonly count: number;
  /** Rows that the model was given: more than `count` where it takes no fewer. */
  readonly given: number;
  readonly outputs: Outputs;
}

/** Runs a model on every row and gives these outputs of it as they are, batch by batch. */
export async function* outputsOf(
  of: WiredModel,
  rows: EvaluationRows,
  names: readonly string[],
): AsyncGenerator<OutputRows> {
  for await (const some of rows.batches(of.columns, rowsOfBatch(of))) {
    const calls = callsOf(of, some, names);
    for (const { from, count, given, said } of calls) yield { from, count, given, outputs: await said };
  }
}

/** The calls that a batch takes: one, or several of a model that fixes its rows. All are asked at once; the model takes one after the other. */
function callsOf(
  { model, feedings, batch }: Pick<WiredModel, 'model' | 'feedings' | 'batch'>,
  some: ColumnBatch,
  names: readonly string[],
): readonly (Omit<OutputRows, 'outputs'> & { readonly said: Promise<Outputs> })[] {
  const filled = filledWith(feedings, some);
  const all = some.to - some.from;
  const given = batch ?? all;
  const calls = [];
  for (let at = 0; at < all; at += given) {
    const count = Math.min(given, all - at);
    const said = model.run(feedsOf(filled, at, at + count, given), names);
    // Waited for later, and possibly not at all after another has failed.
    said.catch(() => {});
    calls.push({ from: some.from + at, count, given, said });
  }
  return calls;
}

/** The tensors of the first rows: `rows` of them, or as many as there are, or as the model takes. */
export async function firstFeeds({ feedings, columns, batch }: WiredModel, rows: EvaluationRows, wanted: number) {
  const size = batch ?? wanted;
  for await (const first of rows.batches(columns, size)) {
    return feedsOf(filledWith(feedings, first), 0, first.to, size);
  }
  return {};
}

function filledWith(feedings: readonly Feeding[], { columns }: ColumnBatch): readonly FilledFeeding[] {
  return feedings.map((feeding) => ({
    ...feeding,
    values: feeding.columns.map((name) => {
      const values = columns.get(name);
      if (values === undefined) throw new TypeError(`column ${name} was not read`);
      return values;
    }),
  }));
}

/** What several calls said, as if it were one. */
function joined(parts: readonly PredictedRows[]): PredictedRows {
  const [first, ...others] = parts;
  if (first === undefined || others.length === 0) return first ?? {};
  const all = <Value>(of: (part: PredictedRows) => ArrayLike<Value> | undefined): Value[] =>
    parts.flatMap((part) => Array.from(of(part) ?? []));
  const single = first.scores?.values instanceof Float32Array;
  const scores = all((part) => part.scores?.values);
  return {
    ...(first.labels === undefined ? {} : { labels: all((part) => part.labels) }),
    ...(first.scores === undefined
      ? {}
      : { scores: { values: single ? Float32Array.from(scores, Number) : scores, width: first.scores.width } }),
    ...(first.values === undefined ? {} : { values: all((part) => part.values) }),
  };
}

/** Reads the chosen outputs of a call. */
class OutputReader {
  readonly #choice: OutputChoice;
  readonly #named: { readonly model: string; readonly place: Place };
  #width: number | undefined;

  constructor(choice: OutputChoice, named: { readonly model: string; readonly place: Place }) {
    this.#choice = choice;
    this.#named = named;
  }

  /** Of a call with `given` rows the first `count`. Throws a `ModelError` where an output is not one of those rows. */
  read(outputs: Outputs, count: number, given: number): PredictedRows {
    const { label, scores, value } = this.#choice;
    const ofLabel = label === undefined ? undefined : this.#tensor(outputs, label, given, 1);
    const ofValue = value === undefined ? undefined : this.#tensor(outputs, value, given, 1);
    const ofScores = scores === undefined ? undefined : this.#tensor(outputs, scores, given, this.#width);
    this.#width ??= ofScores?.width;
    return {
      ...(ofLabel === undefined ? {} : { labels: firstOf(ofLabel, count) }),
      ...(ofValue === undefined ? {} : { values: numbersOf(firstOf(ofValue, count)) }),
      ...(ofScores === undefined
        ? {}
        : { scores: { values: numbersOf(firstOf(ofScores, count)), width: ofScores.width } }),
    };
  }

  #tensor(outputs: Outputs, name: string, given: number, expected: number | undefined): Cells {
    const tensor = outputs[name];
    if (tensor !== undefined) return { data: tensor.data, width: this.#widthOf(tensor, name, given, expected) };
    throw new ModelError({
      code: 'missing-output',
      message: `${excerpt(this.#named.model)} did not give the output "${excerpt(name)}"`,
      place: this.#named.place,
      fix: 'Export the model so that it gives the output on every run.',
    });
  }

  #widthOf(tensor: Tensor, name: string, rows: number, expected: number | undefined): number {
    const width = tensor.data.length / rows;
    const right = tensor.dims[0] === rows || (rows === 1 && tensor.data.length === (expected ?? 1));
    if (right && Number.isInteger(width) && width >= 1 && (expected === undefined || width === expected)) return width;
    throw new ModelError({
      code: 'output-shape',
      message: `the output "${excerpt(name)}" of ${excerpt(this.#named.model)} does not have one entry a row`,
      place: this.#named.place,
      found: `${tensor.type} [${tensor.dims.join(', ')}] for ${rows} rows`,
      expected:
        expected === undefined
          ? `[${rows}, classes]`
          : expected === 1
            ? `[${rows}] or [${rows}, 1]`
            : `[${rows}, ${expected}]`,
      fix: 'Export the model so that its outputs have the rows of its inputs as their first dimension.',
    });
  }
}

/** An output, and how many of its values each row has. */
interface Cells {
  readonly data: Tensor['data'];
  readonly width: number;
}

/** Without what rows that only fill the batch gave. */
function firstOf({ data, width }: Cells, count: number): Tensor['data'] {
  return data.length === count * width ? data : data.slice(0, count * width);
}

function numbersOf(data: Tensor['data']): ArrayLike<number | bigint> {
  return ArrayBuffer.isView(data) ? data : Float64Array.from(data, Number);
}
