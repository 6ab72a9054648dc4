import { type FilledFeeding, feedsOf, fixedBatch } from '../../core/evaluation/index.ts';
import type { Host } from '../../core/host/index.ts';
import type { Model, Outputs, Tensor, TensorSpec } from '../../core/onnx/index.ts';
import type { Policy } from '../../core/policy/index.ts';
import { ModelError, type Place, type Problem } from '../../core/problem/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';

/** Rows a call: large enough that the call's own cost vanishes, small enough that wide rows fit into memory. */
const batchRows = 4096;

export type Task = 'classification' | 'regression' | 'multilabel' | 'ranking';

/** What a model said about every row. */
export interface Predictions {
  readonly rows: number;
  /** Predicted labels, as the model writes them. */
  readonly labels?: readonly (string | number)[];
  /** Class probabilities row by row, `width` each; one score a row when `width` is 1. */
  readonly scores?: { readonly values: Float64Array; readonly width: number };
  /** Regression. */
  readonly values?: Float64Array;
  /** Rows, from 1, with a NaN or infinite prediction. */
  readonly broken: readonly number[];
}

export interface OutputChoice {
  readonly label?: string;
  readonly scores?: string;
  readonly value?: string;
}

export interface PredictionPolicy {
  readonly task: Task;
  readonly outputs?: NonNullable<Policy['model']>['outputs'];
  readonly model: string;
  readonly place: Place;
}

const floats: ReadonlySet<string> = new Set(['float32', 'float64', 'float16']);
const labelTypes: ReadonlySet<string> = new Set([
  'int64',
  'int32',
  'string',
  'bool',
  'uint8',
  'int8',
  'int16',
  'uint16',
  'uint32',
  'uint64',
]);

/** Classification when an output holds labels or several columns of scores; else regression. */
export function taskOf(outputs: readonly TensorSpec[]): Task {
  const scores = outputs.some(({ type, shape }) => floats.has(type) && shape.length === 2 && shape[1] !== 1);
  return scores || outputs.some(({ type }) => labelTypes.has(type) || type.startsWith('sequence'))
    ? 'classification'
    : 'regression';
}

/** Which output is the label, the class probabilities, the value: as the policy says, else by type and shape. */
export function chooseOutputs(outputs: readonly TensorSpec[], policy: PredictionPolicy): OutputChoice {
  const declared = policy.outputs ?? {};
  for (const [role, name] of Object.entries(declared)) {
    if (name !== undefined && !outputs.some((output) => output.name === name))
      throw unknownOutput(role, name, outputs, policy);
  }
  const all = outputs.map(({ name, type, shape }) => `${excerpt(name, 40)}: ${type} [${shape.join(', ')}]`).join('; ');
  const refuse = (code: string, message: string, rest: Partial<Problem>) =>
    new ModelError({ code, message: `${excerpt(policy.model)} ${message}`, place: policy.place, found: all, ...rest });

  if (policy.task === 'regression' || policy.task === 'ranking') {
    const numeric = outputs.filter(({ type }) => floats.has(type) || (labelTypes.has(type) && type !== 'string'));
    const named = numeric.find(({ name }) => name === declared.value);
    const [only, ...others] = named === undefined ? numeric : [named];
    if (only === undefined)
      throw refuse('no-value-output', 'has no output of numbers', { expected: 'a tensor of predicted values' });
    if (others.length > 0) {
      throw refuse('ambiguous-output', 'has several outputs of numbers', {
        fix: `Say which is the prediction: "model: { outputs: { value: ${excerpt(only.name, 40)} } }".`,
      });
    }
    return { value: only.name };
  }

  if (policy.task === 'multilabel') {
    const wide = outputs.filter(({ type, shape }) => (floats.has(type) || labelTypes.has(type)) && shape[1] !== 1);
    const scores = declared.probabilities ?? (wide.find(({ type }) => floats.has(type)) ?? wide[0])?.name;
    if (scores !== undefined) return { scores };
    throw refuse('no-class-output', 'has no output of one score a label', {
      expected: 'a tensor [rows, labels]',
      fix: 'Export the scores of all labels as one output.',
    });
  }

  const label = declared.label ?? outputs.find(({ type }) => labelTypes.has(type))?.name;
  const candidates = outputs.filter(({ name, type }) => floats.has(type) && name !== label);
  const wide = candidates.filter(({ shape }) => shape[1] !== 1);
  const scores = declared.probabilities ?? (wide.length > 0 ? wide : candidates)[0]?.name;
  if (label === undefined && scores === undefined) {
    throw refuse('no-class-output', 'has no output of labels or class probabilities', {
      fix: outputs.some(({ type }) => type.startsWith('sequence'))
        ? "Export it without ZipMap: skl2onnx's options={'zipmap': False}."
        : 'Export the label or the probabilities as an output.',
    });
  }
  return { ...(label === undefined ? {} : { label }), ...(scores === undefined ? {} : { scores }) };
}

/** The outputs to ask for; others may be of a type that cannot be read. */
export function namesOf(choice: OutputChoice): readonly string[] {
  return Object.values(choice).filter((name) => name !== undefined);
}

/** Runs the model on every row and reads the chosen outputs. */
export async function predict(
  model: Model,
  feedings: readonly FilledFeeding[],
  rows: number,
  policy: PredictionPolicy,
  host: Host,
): Promise<Predictions> {
  const choice = chooseOutputs(model.outputs, policy);
  const fixed = fixedBatch(feedings, policy);
  const step = fixed ?? batchRows;
  const reader = new PredictionReader(choice, policy, rows);
  const progress = host.progress(`Run ${excerpt(policy.model, 60)}`);
  try {
    // While the model's process runs one batch, this one makes the next.
    let running: Running | undefined;
    for (let from = 0; from < rows; from += step) {
      const to = Math.min(rows, from + step);
      const given = fixed ?? to - from;
      const outputs = model.run(feedsOf(feedings, from, to, given), namesOf(choice));
      // A failure is thrown where it is waited for, which is after the batch before.
      outputs.catch(() => {});
      if (running !== undefined) reader.take(await running.outputs, running.from, running.to, running.given);
      running = { outputs, from, to, given };
      progress.update(from, rows);
    }
    if (running !== undefined) reader.take(await running.outputs, running.from, running.to, running.given);
    progress.update(rows, rows);
  } finally {
    progress.end();
  }
  return reader.finish();
}

/** A batch that the model was given. */
interface Running {
  readonly outputs: Promise<Outputs>;
  readonly from: number;
  readonly to: number;
  readonly given: number;
}

/** Collects the batches' outputs. */
class PredictionReader {
  readonly #choice: OutputChoice;
  readonly #policy: PredictionPolicy;
  readonly #rows: number;
  readonly #labels: (string | number)[] = [];
  #scores: { values: Float64Array; width: number } | undefined;
  readonly #values: Float64Array | undefined;
  readonly #broken = new Set<number>();

  constructor(choice: OutputChoice, policy: PredictionPolicy, rows: number) {
    this.#choice = choice;
    this.#policy = policy;
    this.#rows = rows;
    this.#values = choice.value === undefined ? undefined : new Float64Array(rows);
  }

  take(outputs: Outputs, from: number, to: number, given: number): void {
    const { label, scores, value } = this.#choice;
    if (label !== undefined) {
      const tensor = this.#tensor(outputs, label);
      this.#width(tensor, label, given, 1);
      for (let row = 0; row < to - from; row++) this.#labels.push(labelAt(tensor, row));
    }
    if (value !== undefined) {
      const tensor = this.#tensor(outputs, value);
      this.#width(tensor, value, given, 1);
      this.#fill(this.#values ?? new Float64Array(), tensor, from, to, 1);
    }
    if (scores !== undefined) {
      const tensor = this.#tensor(outputs, scores);
      const width = this.#width(tensor, scores, given, this.#scores?.width);
      this.#scores ??= { values: new Float64Array(this.#rows * width), width };
      this.#fill(this.#scores.values, tensor, from, to, width);
    }
  }

  finish(): Predictions {
    return {
      rows: this.#rows,
      ...(this.#choice.label === undefined ? {} : { labels: this.#labels }),
      ...(this.#scores === undefined ? {} : { scores: this.#scores }),
      ...(this.#values === undefined ? {} : { values: this.#values }),
      broken: [...this.#broken].map((row) => row + 1),
    };
  }

  #tensor(outputs: Outputs, name: string): Tensor {
    const tensor = outputs[name];
    if (tensor !== undefined) return tensor;
    throw new ModelError({
      code: 'missing-output',
      message: `${excerpt(this.#policy.model)} did not give the output "${excerpt(name)}"`,
      place: this.#policy.place,
      fix: 'Export the model so that it gives the output on every run.',
    });
  }

  #width(tensor: Tensor, name: string, rows: number, expected: number | undefined): number {
    const width = tensor.data.length / rows;
    const right = tensor.dims[0] === rows || (rows === 1 && tensor.data.length === (expected ?? 1));
    if (right && Number.isInteger(width) && width >= 1 && (expected === undefined || width === expected)) return width;
    throw new ModelError({
      code: 'output-shape',
      message: `the output "${excerpt(name)}" of ${excerpt(this.#policy.model)} does not have one entry a row`,
      place: this.#policy.place,
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

  #fill(to: Float64Array, tensor: Tensor, from: number, end: number, width: number): void {
    for (let index = 0; index < (end - from) * width; index++) {
      const cell = Number(tensor.data[index]);
      to[from * width + index] = cell;
      if (!Number.isFinite(cell)) this.#broken.add(from + Math.floor(index / width));
    }
  }
}

function labelAt(tensor: Tensor, row: number): string | number {
  const value = tensor.data[row];
  return typeof value === 'string' ? value : Number(value);
}

function unknownOutput(
  role: string,
  name: string,
  outputs: readonly TensorSpec[],
  policy: PredictionPolicy,
): ModelError {
  const names = outputs.map((output) => output.name);
  const near = nearestName(name, names);
  return new ModelError({
    code: 'unknown-output',
    message: `${excerpt(policy.model)} has no output "${excerpt(name)}", which model.outputs.${role} names`,
    place: policy.place,
    expected: names.map((each) => excerpt(each, 40)).join(', '),
    ...(near === undefined ? {} : { fix: `Did you mean "${excerpt(near)}"?` }),
  });
}
