import { arrayOf, type Feeds, feedProblems, type Tensor, type TensorSpec } from '../../core/onnx/index.ts';
import { describeProblem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';

const mostProblems = 3;
const longestMessage = 1000;

/** What a request to one model must look like. Made once, so that a check is a few comparisons. */
export class RequestCheck {
  readonly inputNames: readonly string[];
  readonly #inputs: readonly TensorSpec[];
  readonly #outputNames: readonly string[];
  /** Every request of this model that is right has the same dimensions, but for the rows. */
  readonly #oneShape: boolean;

  /** `inputs` and `outputs` of runnable types only. */
  constructor(inputs: readonly TensorSpec[], outputs: readonly TensorSpec[]) {
    this.#inputs = inputs;
    this.inputNames = inputs.map(({ name }) => name);
    this.#outputNames = outputs.map(({ name }) => name);
    this.#oneShape = inputs.every(
      ({ shape, unranked }) => unranked !== true && shape.slice(1).every((size) => typeof size === 'number'),
    );
  }

  /**
   * The rows of a request whose inputs all have the same first dimension; 0 when they differ, there is none, or it is empty: then it can
   * only run by itself. -1 for a request that is wrong; `problem` says how.
   */
  rows(feeds: Feeds): number {
    let rows = -1;
    for (const spec of this.#inputs) {
      if (!Object.hasOwn(feeds, spec.name)) return -1;
      const tensor = feeds[spec.name];
      if (tensor === undefined || !fits(spec, tensor)) return -1;
      const first = tensor.dims[0] ?? 0;
      if (rows === -1) rows = first;
      else if (rows !== first) rows = 0;
    }
    let given = 0;
    for (const _ in feeds) given++;
    if (given !== this.#inputs.length) return -1;
    return rows === -1 ? 0 : rows;
  }

  /** Requests of one key can be joined: all dimensions but the rows are equal, and so are the outputs asked for. */
  key(feeds: Feeds, outputs: readonly string[] | undefined): string {
    const asked = outputs === undefined ? '' : JSON.stringify(outputs);
    if (this.#oneShape) return asked;
    let key = asked;
    for (const name of this.inputNames) key += `;${feeds[name]?.dims.slice(1).join(',')}`;
    return key;
  }

  /** What is wrong with the outputs asked for, printable; undefined when nothing is. */
  outputProblem(outputs: readonly string[]): string | undefined {
    if (outputs.length === 0) return `no output was asked for: expected some of ${quoted(this.#outputNames)}`;
    if (new Set(outputs).size < outputs.length) return 'an output was asked for twice';
    const unknown = outputs.find((name) => !this.#outputNames.includes(name));
    return unknown === undefined
      ? undefined
      : excerpt(
          `the model has no output ${JSON.stringify(unknown.slice(0, 200))}: expected one of ${quoted(this.#outputNames)}`,
          longestMessage,
        );
  }

  /** What is wrong with the inputs, with what was found and expected, printable. */
  problem(feeds: Feeds): string {
    const problems = feedProblems(this.#inputs, feeds, (what) => what);
    const shown = problems.slice(0, mostProblems).map(describeProblem).join(' ');
    const more = problems.length > mostProblems ? ` And ${problems.length - mostProblems} more problems.` : '';
    return excerpt(`${shown}${more}`, longestMessage);
  }
}

function quoted(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}

function fits(spec: TensorSpec, tensor: Tensor): boolean {
  const { dims, data } = tensor;
  if (tensor.type !== spec.type || !(data instanceof arrayOf[tensor.type])) return false;
  const { shape } = spec;
  if (spec.unranked !== true && shape.length !== dims.length) return false;
  let elements = 1;
  for (let index = 0; index < dims.length; index++) {
    const size = dims[index] ?? -1;
    if (!(size >= 0) || !Number.isSafeInteger(size)) return false;
    const fixed = shape[index];
    if (typeof fixed === 'number' && fixed !== size) return false;
    elements *= size;
  }
  return elements === data.length;
}
