import { tensorOf } from '../../../core/evaluation/index.ts';
import {
  describeTensor,
  type Feeds,
  isRunnable,
  type Model,
  type Outputs,
  type RunnableType,
  type Tensor,
  type TensorSpec,
} from '../../../core/onnx/index.ts';
import { ModelError, type Place, type Problem } from '../../../core/problem/index.ts';
import { excerpt } from '../../../core/text/index.ts';
import type { Action, ActionSpace, Observation, Observed } from './environment-protocol.ts';

/** A model that acts: one of Python's agents, exported. */
export interface Acting {
  readonly model: Model;
  /** As reports call it. */
  readonly path: string;
  readonly place: Place;
  /** The output that is the action or scores the actions. */
  readonly output?: string | undefined;
}

/** What a model decided. */
export interface Decision {
  readonly action: Action;
  /** Why the action is not one of the environment's. */
  readonly violation?: string;
}

/**
 * Makes inputs of observations and actions of outputs. A discrete action is the index of the largest score (the first of equal ones, as
 * numpy.argmax has it), or the number that an output of whole numbers gives; a continuous one is the output as it is. Nothing is drawn:
 * the same observation gives the same action.
 */
export class Actor {
  readonly #of: Acting;
  readonly #space: ActionSpace;
  readonly #output: TensorSpec;

  /** Throws a `ModelError` where the policy does not say which output is the action, and several could be. */
  constructor(of: Acting, space: ActionSpace) {
    this.#of = of;
    this.#space = space;
    this.#output = actionOutput(of);
  }

  get output(): string {
    return this.#output.name;
  }

  /**
   * What to run the model on, for observations in their order: all of them in one batch where the model's inputs leave the number of rows
   * open, else one by one. Throws a `ModelError` where an observation is not what the model takes.
   */
  batches(observations: readonly Observation[]): readonly { readonly feeds: Feeds; readonly rows: number }[] {
    const { inputs } = this.#of.model;
    const seen = observations.map((observation) => inputs.map((input) => this.#seen(input, observation)));
    const together =
      seen.length > 1 &&
      inputs.every((input, at) =>
        joinable(
          input,
          seen.map((each) => each[at]?.dims ?? []),
        ),
      );
    const feedsOf = (rows: readonly (readonly Seen[])[]): Feeds =>
      Object.fromEntries(inputs.map(({ name }, at) => [name, joined(rows.flatMap((row) => row[at] ?? []))]));
    return together
      ? [{ feeds: feedsOf(seen), rows: seen.length }]
      : seen.map((each) => ({ feeds: feedsOf([each]), rows: 1 }));
  }

  #seen(input: TensorSpec, observation: Observation): Seen {
    const { inputs } = this.#of.model;
    const named = 'byName' in observation;
    const observed = named ? observation.byName.get(input.name) : observation;
    if (observed === undefined || (!named && inputs.length > 1)) {
      throw this.#misfit(input, named ? [...observation.byName.keys()].join(', ') : 'one array');
    }
    const { type } = input;
    const dims = dimsOf(input, observed);
    if (!isRunnable(type) || type === 'string' || dims === undefined) throw this.#misfit(input, describe(observed));
    return { type, dims, values: observed.values };
  }

  /** Throws a `ModelError` where the output is no action: NaN, or of another size. */
  decide(outputs: Outputs, rows: number): readonly Decision[] {
    const tensor = outputs[this.#output.name];
    if (tensor === undefined || tensor.type === 'string') throw this.#noAction('no numbers');
    const width = tensor.data.length / rows;
    if (!Number.isInteger(width)) throw this.#noAction(`${tensor.data.length} numbers for ${rows} observations`);
    const all = Array.from(tensor.data, Number);
    const whole = tensor.type !== 'float32' && tensor.type !== 'float64' && tensor.type !== 'float16';
    return Array.from({ length: rows }, (_, row) => this.#decide(all.slice(row * width, (row + 1) * width), whole));
  }

  #decide(values: readonly number[], whole: boolean): Decision {
    const space = this.#space;
    if (values.some((value) => !Number.isFinite(value))) throw this.#noAction('NaN or infinity');
    if (space.type === 'continuous') {
      const size = space.shape.reduce((product, dim) => product * dim, 1);
      if (values.length !== size) throw this.#noAction(`${values.length} numbers`);
      const outside = values.findIndex(
        (value, index) => value < (space.low?.[index] ?? value) || value > (space.high?.[index] ?? value),
      );
      const action = shaped(values, space.shape);
      return outside === -1
        ? { action }
        : {
            action,
            violation: `action ${outside} is ${values[outside]}, outside ${space.low?.[outside] ?? '−∞'} to ${space.high?.[outside] ?? '∞'}`,
          };
    }
    if (whole && values.length === 1) {
      const [action = 0] = values;
      if (action >= space.start && action < space.start + space.n) return { action };
      throw this.#noAction(`the action ${action}`);
    }
    if (values.length !== space.n)
      throw this.#noAction(`${values.length} ${values.length === 1 ? 'number' : 'numbers'}`);
    let best = 0;
    for (const [index, value] of values.entries()) if (value > (values[best] ?? 0)) best = index;
    return { action: space.start + best };
  }

  #noAction(found: string): ModelError {
    const space = this.#space;
    return new ModelError({
      code: 'no-action',
      message: `the output "${excerpt(this.output)}" of ${excerpt(this.#of.path)} is no action of the environment`,
      place: this.#of.place,
      found,
      expected:
        space.type === 'discrete'
          ? `a score for each of ${space.n} actions, or one whole number from ${space.start} to ${space.start + space.n - 1}`
          : `finite numbers [${space.shape.join(', ')}]`,
      fix: 'Export the policy so that it gives that, or name another output as episodes.output.',
    });
  }

  #misfit(input: TensorSpec, found: string): ModelError {
    return new ModelError({
      code: 'observation-shape',
      message: `the input "${excerpt(input.name)}" of ${excerpt(this.#of.path)} does not take what the environment gives`,
      place: this.#of.place,
      found: excerpt(found, 120),
      expected: describeTensor(input.type, input.shape, input.unranked),
      fix:
        this.#of.model.inputs.length > 1
          ? 'A model of several inputs takes an observation that is an object with an array for each of them.'
          : 'Export the policy for this observation, with one row a call.',
    });
  }
}

function actionOutput({ model, path, place, output }: Acting): TensorSpec {
  const numeric = model.outputs.filter(({ type }) => isRunnable(type) && type !== 'string');
  const problem = (code: string, message: string, fix: string): Problem => ({
    code,
    message: `${excerpt(path)} ${message}`,
    place,
    found: model.outputs
      .map(({ name, type, shape }) => `${excerpt(name, 40)}: ${describeTensor(type, shape)}`)
      .join('; '),
    fix,
  });
  if (output !== undefined) {
    const named = numeric.find(({ name }) => name === output);
    if (named !== undefined) return named;
    throw new ModelError(
      problem(
        'unknown-output',
        `has no output "${excerpt(output)}" of numbers`,
        'Name one of them as episodes.output.',
      ),
    );
  }
  const [only, ...others] = numeric;
  if (only !== undefined && others.length === 0) return only;
  throw new ModelError(
    problem(
      'ambiguous-output',
      only === undefined ? 'has no output of numbers' : 'has several outputs of numbers',
      'Say which is the action: "episodes: { output: action }".',
    ),
  );
}

/** One row: the observation's own shape, with a first dimension of 1 where the model has one for rows. */
function dimsOf({ shape, unranked }: TensorSpec, { shape: of, values }: Observed): readonly number[] | undefined {
  const fits = (dims: readonly number[]) =>
    dims.length === shape.length &&
    dims.every((dim, index) => typeof shape[index] !== 'number' || shape[index] === dim);
  const candidates = [[1, ...of], of, [1, values.length], [values.length], [1]];
  if (unranked === true) return candidates[0];
  return candidates.find((dims) => fits(dims) && dims.reduce((product, dim) => product * dim, 1) === values.length);
}

/** An observation as an input takes it. */
interface Seen {
  readonly type: Exclude<RunnableType, 'string'>;
  readonly dims: readonly number[];
  readonly values: readonly number[];
}

/** Whether rows of these shapes can be stacked: the model's first dimension is open, and the rest is alike. */
function joinable({ shape, unranked }: TensorSpec, dims: readonly (readonly number[])[]): boolean {
  const [first = []] = dims;
  if (unranked === true || shape.length === 0 || typeof shape[0] === 'number' || first[0] !== 1) return false;
  return dims.every((each) => each.length === first.length && each.every((dim, at) => dim === first[at]));
}

function joined(rows: readonly Seen[]): Tensor {
  const [first] = rows;
  if (first === undefined) throw new RangeError('no observation');
  const width = first.values.length;
  const dims = rows.length === 1 ? first.dims : [rows.length, ...first.dims.slice(1)];
  return tensorOf(first.type, dims, (index) => rows[Math.floor(index / width)]?.values[index % width] ?? null);
}

function describe({ shape }: Observed): string {
  return shape.length === 0 ? 'one number' : `numbers [${shape.join(', ')}]`;
}

/** Flat numbers as nested lists of a shape. */
function shaped(values: readonly number[], shape: readonly number[]): Action {
  const [first, ...inner] = shape;
  if (first === undefined) return values[0] ?? Number.NaN;
  if (inner.length === 0) return values;
  const size = inner.reduce((product, dim) => product * dim, 1);
  return Array.from({ length: values.length / size }, (_, row) =>
    shaped(values.slice(row * size, (row + 1) * size), inner),
  );
}
