import { open } from 'node:fs/promises';
import { describeTensor, isRunnable, type RunnableType, type Tensor, type TensorSpec } from '../../core/onnx/index.ts';
import { DataError, type Place, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { GoldenCases } from './golden-case.ts';

const mostBytes = 64 * 1024 * 1024;

/**
 * Reads golden inputs from a JSON file: a list of mappings from input to its values, nested as its shape is (`[[1.5, 2], [0, 1]]`), or to
 * `{ "shape": [2, 2], "data": [1.5, 2, 0, 1] }` as the Open Inference Protocol writes a tensor. Types are the model's. `name` is what
 * problems call the file. Throws a `DataError` with every problem of the first case that has one.
 */
export async function casesOfFile(
  file: string,
  name: string,
  inputs: readonly TensorSpec[],
  place: Place,
): Promise<GoldenCases> {
  const list = await readJson(file, name, place);
  const refuse = (code: string, message: string, rest: Partial<Problem>) =>
    new DataError({ code, message: `${excerpt(name)} ${message}`, place, ...rest });
  if (!Array.isArray(list) || list.length === 0) {
    throw refuse('not-feeds', 'is no list of inputs', {
      found: Array.isArray(list) ? 'an empty list' : typeof list,
      expected: '[{ "input": [[1, 2]] }, ...]',
      fix: 'Write a JSON list with one mapping from inputs to values for each request.',
    });
  }
  const cases = list.map((entry: unknown, index) => {
    const problems: Problem[] = [];
    const given = isMapping(entry) ? entry : {};
    const feeds: Record<string, Tensor> = {};
    for (const spec of inputs) {
      const tensor = Object.hasOwn(given, spec.name) ? tensorOf(spec, given[spec.name]) : 'is not given';
      if (typeof tensor !== 'string') feeds[spec.name] = tensor;
      else {
        problems.push({
          code: 'bad-feed',
          message: `entry ${index + 1} of ${excerpt(name)}: the input "${excerpt(spec.name)}" ${tensor}`,
          place,
          expected: describeTensor(spec.type, spec.shape, spec.unranked),
          fix: 'Nest the values as the shape says, or write { "shape": [...], "data": [...] }.',
        });
      }
    }
    for (const key of Object.keys(given)) {
      if (inputs.some((spec) => spec.name === key)) continue;
      problems.push({
        code: 'unknown-input',
        message: `entry ${index + 1} of ${excerpt(name)} feeds "${excerpt(key)}", which is no input of the model`,
        place,
        expected: inputs.map((spec) => excerpt(spec.name, 40)).join(', '),
        fix: 'Name the inputs as the ONNX file does.',
      });
    }
    const [first, ...rest] = problems;
    if (first !== undefined) throw new DataError([first, ...rest]);
    return { row: index + 1, feeds };
  });
  return { cases, origin: `the ${cases.length === 1 ? 'input' : `${cases.length} inputs`} of ${excerpt(name)}` };
}

async function readJson(file: string, name: string, place: Place): Promise<unknown> {
  const problem = (code: string, message: string, fix: string, cause?: unknown) =>
    new DataError({ code, message: `${excerpt(name)} ${message}`, place, fix }, { cause });
  const handle = await open(file).catch((cause: unknown) => {
    throw problem(
      'missing-file',
      'cannot be opened',
      'Check the path; it is relative to the folder of the policy.',
      cause,
    );
  });
  try {
    const facts = await handle.stat();
    if (!facts.isFile() || facts.size > mostBytes) {
      throw problem(
        'unreadable-file',
        `is ${facts.isFile() ? 'larger than 64 MiB' : 'not a file'}`,
        'Name a JSON file with a few inputs.',
      );
    }
    const text = await handle.readFile('utf8');
    try {
      return JSON.parse(text);
    } catch (cause) {
      throw problem('not-json', 'is not JSON', 'Write it with json.dump; NaN is no JSON.', cause);
    }
  } finally {
    await handle.close();
  }
}

/** The tensor, or what is wrong, as the end of a sentence. */
function tensorOf(spec: TensorSpec, value: unknown): Tensor | string {
  if (!isRunnable(spec.type)) return `has a type that cannot be fed (${spec.type})`;
  const explicit = isMapping(value) && Array.isArray(value['data']) ? value : undefined;
  const flat: unknown[] = [];
  let dims: number[] = [];
  if (explicit !== undefined) {
    const shape = explicit['shape'];
    if (!Array.isArray(shape) || !shape.every((size) => Number.isSafeInteger(size) && size >= 0))
      return 'has no valid "shape"';
    dims = shape;
    flat.push(...(explicit['data'] as readonly unknown[]).flat(Number.POSITIVE_INFINITY));
  } else {
    for (let level: unknown = value; Array.isArray(level); level = level[0]) dims.push(level.length);
    if (!flatten(value, dims, 0, flat)) return 'has rows of different lengths';
  }
  const size = dims.reduce((product, dim) => product * dim, 1);
  if (size !== flat.length) return `has ${flat.length} values for the shape [${dims.join(', ')}]`;
  const fits =
    spec.unranked === true ||
    (spec.shape.length === dims.length &&
      spec.shape.every((its, index) => typeof its === 'string' || its === dims[index]));
  if (!fits) return `has the shape [${dims.join(', ')}]`;
  const wrong = flat.find((element) => !isElement(spec.type, element));
  if (wrong !== undefined)
    return `holds ${excerpt(JSON.stringify(wrong) ?? String(wrong), 40)}, which is no ${spec.type}`;
  return made(spec.type, dims, flat);
}

function flatten(value: unknown, dims: readonly number[], depth: number, into: unknown[]): boolean {
  if (depth === dims.length) {
    into.push(value);
    return !Array.isArray(value);
  }
  if (!Array.isArray(value) || value.length !== dims[depth]) return false;
  return value.every((inner) => flatten(inner, dims, depth + 1, into));
}

const ranges: Readonly<Partial<Record<string, readonly [number, number]>>> = {
  int8: [-(2 ** 7), 2 ** 7 - 1],
  uint8: [0, 2 ** 8 - 1],
  int16: [-(2 ** 15), 2 ** 15 - 1],
  uint16: [0, 2 ** 16 - 1],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  uint32: [0, 2 ** 32 - 1],
  int64: [Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER],
  uint64: [0, Number.MAX_SAFE_INTEGER],
};

function isElement(type: string, value: unknown): boolean {
  if (type === 'string') return typeof value === 'string';
  if (type === 'bool') return typeof value === 'boolean' || value === 0 || value === 1;
  if (typeof value !== 'number') return false;
  const range = ranges[type];
  return range === undefined || (Number.isInteger(value) && value >= range[0] && value <= range[1]);
}

function made(type: RunnableType, dims: readonly number[], values: readonly unknown[]): Tensor {
  const numbers = () => values.map(Number);
  switch (type) {
    case 'string':
      return { type, dims, data: values.map(String) };
    case 'float32':
    case 'float16':
      return { type, dims, data: Float32Array.from(numbers()) };
    case 'float64':
      return { type, dims, data: Float64Array.from(numbers()) };
    case 'int8':
      return { type, dims, data: Int8Array.from(numbers()) };
    case 'uint8':
    case 'bool':
      return { type, dims, data: Uint8Array.from(numbers()) };
    case 'int16':
      return { type, dims, data: Int16Array.from(numbers()) };
    case 'uint16':
      return { type, dims, data: Uint16Array.from(numbers()) };
    case 'int32':
      return { type, dims, data: Int32Array.from(numbers()) };
    case 'uint32':
      return { type, dims, data: Uint32Array.from(numbers()) };
    case 'int64':
      return { type, dims, data: BigInt64Array.from(numbers(), BigInt) };
    case 'uint64':
      return { type, dims, data: BigUint64Array.from(numbers(), BigInt) };
  }
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
