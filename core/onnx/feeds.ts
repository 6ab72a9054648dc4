import type { Problem } from '../problem/index.ts';
import type { Sayer } from './inspection.ts';
import { arrayOf, describeTensor, type Feeds, isRunnable, type Tensor, type TensorSpec } from './tensor.ts';

/** Everything that is wrong with what a model is to be run on, before ONNX Runtime says so less clearly. */
export function feedProblems(inputs: readonly TensorSpec[], feeds: Feeds, say: Sayer): readonly Problem[] {
  const names = inputs.map(({ name }) => name);
  const extra = Object.keys(feeds).filter((name) => !names.includes(name));
  return [
    ...inputs.flatMap((input) => {
      const tensor = Object.hasOwn(feeds, input.name) ? feeds[input.name] : undefined;
      return tensor === undefined ? [missing(input, Object.keys(feeds), say)] : tensorProblems(input, tensor, say);
    }),
    ...extra.map((name) =>
      say({
        code: 'unknown-input',
        message: `the model has no input ${JSON.stringify(name)}`,
        expected: `one of ${list(names)}`,
      }),
    ),
  ];
}

function missing(input: TensorSpec, given: readonly string[], say: Sayer): Problem {
  return say({
    code: 'missing-input',
    message: `the model's input ${JSON.stringify(input.name)} was not given`,
    found: given.length === 0 ? 'no inputs' : list(given),
    expected: describeTensor(input.type, input.shape, input.unranked),
  });
}

function tensorProblems(input: TensorSpec, tensor: Tensor, say: Sayer): readonly Problem[] {
  const { name, shape } = input;
  const quoted = JSON.stringify(name);
  const expected = describeTensor(input.type, shape, input.unranked);
  if (!isRunnable(input.type)) {
    return [
      say({
        code: 'unsupported-type',
        message: `the model's input ${quoted} has a type Sluice cannot give`,
        found: expected,
        expected: `one of ${Object.keys(arrayOf).join(', ')}`,
        fix: 'Export the model with inputs of a standard type such as float32.',
      }),
    ];
  }
  if (tensor.type !== input.type) {
    return [
      say({
        code: 'wrong-input-type',
        message: `the model's input ${quoted} has another type`,
        found: describeTensor(tensor.type, tensor.dims),
        expected,
      }),
    ];
  }
  // Callers without a type checker (and casts) get the same clear answer.
  if (!(tensor.data instanceof arrayOf[tensor.type])) {
    return [
      say({
        code: 'wrong-input-type',
        message: `the values for the model's input ${quoted} are in the wrong kind of array`,
        found: tensor.data.constructor.name,
        expected: `${arrayOf[tensor.type].name} for ${tensor.type}`,
      }),
    ];
  }
  const elements = tensor.dims.reduce((product, size) => product * size, 1);
  if (tensor.dims.some((size) => !Number.isSafeInteger(size) || size < 0) || elements !== tensor.data.length) {
    return [
      say({
        code: 'wrong-input-shape',
        message: `the values for the model's input ${quoted} do not fill their shape`,
        found: `${tensor.data.length} values`,
        expected: `${elements} for [${tensor.dims.join(', ')}]`,
      }),
    ];
  }
  const fits =
    input.unranked === true ||
    (shape.length === tensor.dims.length &&
      shape.every((size, index) => typeof size === 'string' || size === tensor.dims[index]));
  return fits
    ? []
    : [
        say({
          code: 'wrong-input-shape',
          message: `the model's input ${quoted} has another shape`,
          found: describeTensor(tensor.type, tensor.dims),
          expected,
        }),
      ];
}

export function list(names: readonly string[]): string {
  return names.map((name) => JSON.stringify(name)).join(', ');
}
