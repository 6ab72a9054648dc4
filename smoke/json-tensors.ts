import { FaultError, tensorOfJson } from '../core/inference/index.ts';
import {
  describeTensor,
  type Feeds,
  isRunnable,
  type Outputs,
  type RunnableType,
  type Tensor,
  type TensorSpec,
} from '../core/onnx/index.ts';
import { InputError, PeerError, type Problem } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import { isObject, type Json, memberOf, within } from './json-selection.ts';
import type { Specs } from './protocol.ts';

/**
 * How a request writes numbers that JSON does not have. `python`: NaN and Infinity bare, as `json.dumps` writes and `json.loads` reads
 * them. `strict`: null and 1e999, for parsers that keep to the standard (orjson in KServe); NumPy reads None as NaN.
 */
export type NonFinite = 'python' | 'strict';

/** Rows of the feeds: the first dimension, which all inputs share. Throws an InputError when they do not. */
export function rowsOf(feeds: Feeds): number {
  const sizes = Object.entries(feeds).map(([name, { dims }]) => ({ name, rows: dims[0] }));
  const rows = sizes[0]?.rows;
  const odd = sizes.find((each) => each.rows === undefined || each.rows !== rows);
  if (rows !== undefined && odd === undefined) return rows;
  throw new InputError({
    code: 'no-rows',
    message: 'this protocol sends rows, and the inputs do not have them',
    ...(odd === undefined ? {} : { place: { key: odd.name } }),
    found: odd?.rows === undefined ? 'an input without dimensions' : `${odd.rows} rows beside ${rows}`,
    expected: 'the same first dimension in every input',
    fix: 'Use columns instead of rows, or a protocol with tensors (v2).',
  });
}

/** `[[1,2],[3,4]]` for one input, `[{"a":1,"b":[2]},...]` for several: row format of TF Serving. */
export function rowsJson(feeds: Feeds, nonFinite: NonFinite): string {
  return `[${rowTexts(feeds, nonFinite).join(',')}]`;
}

/** One JSON text for each row of `rowsJson`. */
export function rowTexts(feeds: Feeds, nonFinite: NonFinite): readonly string[] {
  const rows = rowsOf(feeds);
  const columns = Object.entries(feeds).map(([name, tensor]) => ({ name, cells: cellTexts(tensor, nonFinite) }));
  const [only] = columns;
  if (only !== undefined && columns.length === 1) return only.cells;
  return Array.from(
    { length: rows },
    (_, row) => `{${columns.map(({ name, cells }) => `${JSON.stringify(name)}:${cells[row]}`).join(',')}}`,
  );
}

/** `{"a":[1,2],"b":[[3],[4]]}`: columnar format of TF Serving, always with names. */
export function columnsJson(feeds: Feeds, nonFinite: NonFinite): string {
  const members = Object.entries(feeds).map(
    ([name, tensor]) => `${JSON.stringify(name)}:${tensorJson(tensor, nonFinite)}`,
  );
  return `{${members.join(',')}}`;
}

/** The values of one tensor, nested as its shape. */
export function tensorJson(tensor: Tensor, nonFinite: NonFinite): string {
  return nested(valueTexts(tensor, nonFinite), tensor.dims);
}

/** Columns and rows of scalars, as data frames and CSV have them: an input [N] is one column, [N, k] is k of them. */
export interface Frame {
  readonly columns: readonly string[];
  /** JSON texts. */
  readonly rows: readonly (readonly string[])[];
}

/**
 * @param names the columns' names, in the order of the inputs; by default an input's own name, and `0`, `1`, ... for what comes from a
 * single input [N, k] (which has the names of none). Throws an InputError when their number is wrong or an input is no table.
 */
export function frameOf(feeds: Feeds, nonFinite: NonFinite, names?: readonly string[]): Frame {
  const rows = rowsOf(feeds);
  const inputs = Object.entries(feeds).map(([name, tensor]) => {
    const width = tensor.dims.slice(1).reduce((product, size) => product * size, 1);
    if (tensor.dims.length > 2) {
      throw new InputError({
        code: 'no-table',
        message: 'a data frame has rows and columns only',
        place: { key: name },
        found: describeTensor(tensor.type, tensor.dims),
        fix: 'Send this model its inputs as tensors (`inputs`).',
      });
    }
    return { name, width, texts: valueTexts(tensor, nonFinite) };
  });
  const own = inputs.flatMap(({ name, width }) =>
    width === 1
      ? [name]
      : Array.from({ length: width }, (_, index) => (inputs.length === 1 ? `${index}` : `${name}_${index}`)),
  );
  if (names !== undefined && names.length !== own.length) {
    throw new InputError({
      code: 'wrong-columns',
      message: 'the number of column names is not the number of columns',
      found: `${names.length} names`,
      expected: `${own.length}`,
      fix: 'Name every column once, in the order of the model’s inputs.',
    });
  }
  return {
    columns: names ?? own,
    rows: Array.from({ length: rows }, (_, row) =>
      inputs.flatMap(({ width, texts }) => texts.slice(row * width, (row + 1) * width)),
    ),
  };
}

function cellTexts(tensor: Tensor, nonFinite: NonFinite): readonly string[] {
  const [rows = 0, ...rest] = tensor.dims;
  const size = rest.reduce((product, each) => product * each, 1);
  const texts = valueTexts(tensor, nonFinite);
  return Array.from({ length: rows }, (_, row) => nested(texts.slice(row * size, (row + 1) * size), rest));
}

function nested(texts: readonly string[], dims: readonly number[]): string {
  const [size, ...rest] = dims;
  if (size === undefined) return texts[0] ?? 'null';
  if (rest.length === 0) return `[${texts.join(',')}]`;
  const step = rest.reduce((product, each) => product * each, 1);
  const parts = Array.from({ length: size }, (_, index) => nested(texts.slice(index * step, (index + 1) * step), rest));
  return `[${parts.join(',')}]`;
}

/** Integers have all their digits; floating-point numbers those that give back the same number. */
function valueTexts(tensor: Tensor, nonFinite: NonFinite): readonly string[] {
  if (tensor.type === 'string') return tensor.data.map((value) => JSON.stringify(value));
  if (tensor.type === 'bool') return Array.from(tensor.data, (value) => (value === 0 ? 'false' : 'true'));
  const texts = Array.from<number | bigint, string>(tensor.data, String);
  const isFloat = tensor.type === 'float32' || tensor.type === 'float64' || tensor.type === 'float16';
  return isFloat && nonFinite === 'strict' ? texts.map((text) => strictNumbers.get(text) ?? text) : texts;
}

const strictNumbers: ReadonlyMap<string, string> = new Map([
  ['NaN', 'null'],
  ['Infinity', '1e999'],
  ['-Infinity', '-1e999'],
]);

/**
 * The outputs in a JSON answer, with the types that `specs` say. Four forms are known:
 * - an object with outputs by name (columns);
 * - an array of objects, one a row, with outputs by name;
 * - an array with one value for each output, in their order;
 * - an array that is one output alone. Servers of scikit-learn models give labels and no probabilities: it is the first output whose
 *   type and shape it fits.
 * Outputs that did not come are absent (`missingOutputs` names them), and so are those that are no tensors. Dimensions of size 1 may be
 * there or not ([N] where the model has [N, 1]): scikit-learn and pandas drop them. null is NaN.
 *
 * Throws a PeerError that says what came and what was expected when an output that came has another type or shape, or none came.
 */
export function readOutputs(json: Json, specs: Specs, feeds: Feeds): Outputs {
  const outputs = specs.outputs.filter(({ type }) => isRunnable(type));
  const batch = batchOf(specs, feeds);
  const { value } = json;
  if (isObject(value)) return named(json, outputs, batch, Object.keys(value), (name) => (from) => memberOf(from, name));
  if (!Array.isArray(value)) {
    // A single row's single value, bare.
    if (batch.rows === 1 && value !== undefined && value !== null) {
      return positional(
        within(json, (bare) => [bare]),
        outputs,
        batch,
      );
    }
    throw wrongAnswer([noOutputs(shape(value), outputs)]);
  }
  if (value.length > 0 && value.every(isObject)) {
    const keys = [...new Set(value.flatMap((row) => Object.keys(row)))];
    return named(
      json,
      outputs,
      batch,
      keys,
      (name) => (from) => (from as readonly unknown[]).map((row) => memberOf(row, name)),
    );
  }
  return positional(json, outputs, batch);
}

/** Where an answer of TensorFlow Serving's shape has its outputs; an answer without that envelope is taken whole. */
export function unwrapped(value: unknown): unknown {
  return memberOf(value, 'predictions') ?? memberOf(value, 'outputs') ?? value;
}

/** The outputs of the model that did not come in an answer. Those that are no tensors cannot be compared and are not counted. */
export function missingOutputs(specs: Specs, outputs: Outputs): readonly string[] {
  return specs.outputs
    .filter(({ name, type }) => isRunnable(type) && !Object.hasOwn(outputs, name))
    .map(({ name }) => name);
}

function named(
  json: Json,
  outputs: readonly TensorSpec[],
  batch: Batch,
  keys: readonly string[],
  walkTo: (name: string) => (value: unknown) => unknown,
): Outputs {
  const came = outputs.filter(({ name }) => keys.includes(name));
  const [only] = keys;
  if (came.length === 0 && only !== undefined && keys.length === 1) {
    // pandas calls a column without a name `0`: where there is one thing only, its name does not matter.
    const alone = within(json, walkTo(only));
    if (Array.isArray(alone.value) && !alone.value.some(isObject)) return positional(alone, outputs, batch);
  }
  if (came.length === 0) {
    const listed = keys.slice(0, 10).map((key) => `"${excerpt(key, 40)}"`);
    throw wrongAnswer([noOutputs(keys.length === 0 ? 'nothing' : listed.join(', '), outputs)]);
  }
  const read = came.map((spec) => ({ spec, ...readTensor(within(json, walkTo(spec.name)), spec, batch) }));
  const problems = read.flatMap(({ problem }) => (problem === undefined ? [] : [problem]));
  if (problems.length > 0) throw wrongAnswer(problems);
  return Object.fromEntries(read.flatMap(({ spec, tensor }) => (tensor === undefined ? [] : [[spec.name, tensor]])));
}

function positional(json: Json, outputs: readonly TensorSpec[], batch: Batch): Outputs {
  const items = json.value as readonly unknown[];
  if (outputs.length > 1 && items.length === outputs.length) {
    const each = outputs.map((spec, index) => ({
      spec,
      ...readTensor(
        within(json, (value) => (value as readonly unknown[])[index]),
        spec,
        batch,
      ),
    }));
    if (each.every(({ tensor }) => tensor !== undefined)) {
      return Object.fromEntries(
        each.flatMap(({ spec, tensor }) => (tensor === undefined ? [] : [[spec.name, tensor]])),
      );
    }
  }
  const problems: Problem[] = [];
  for (const spec of outputs) {
    const { tensor, problem } = readTensor(json, spec, batch);
    if (tensor !== undefined) return Object.fromEntries([[spec.name, tensor]]);
    problems.push(problem);
  }
  throw wrongAnswer(problems.length === 0 ? [noOutputs(shape(json.value), outputs)] : problems);
}

type Reading =
  | { readonly tensor: Tensor; readonly problem?: never }
  | { readonly problem: Problem; readonly tensor?: never };

function readTensor(json: Json, spec: TensorSpec, batch: Batch): Reading {
  const { name, type } = spec;
  const wrong = (code: string, message: string, found: string): Reading => ({
    problem: {
      code,
      message,
      place: { key: excerpt(name, 60) },
      found,
      expected: describeTensor(
        type,
        namesRows(spec, batch) ? [batch.rows, ...spec.shape.slice(1)] : spec.shape,
        spec.unranked,
      ),
      fix: 'See whether the server runs this model, and whether what it answers is named and ordered as its outputs.',
    },
  });
  if (!isRunnable(type)) return wrong('wrong-output-type', 'the output is no tensor', type);
  const counted = dimsOf(json.value);
  if (counted === undefined) return wrong('ragged-output', 'the output is nested unevenly', shape(json.value));
  const dims = fittedDims(counted, spec, batch);
  if (dims === undefined) {
    return wrong('wrong-output-shape', 'the output has another shape', `[${counted.join(', ')}]`);
  }
  const flatten = (value: unknown): readonly unknown[] =>
    (Array.isArray(value) ? value.flat(counted.length) : [value]).map((leaf) => leafOf(leaf, type));
  const flat = within(json, flatten);
  const elements = dims.reduce((product, size) => product * size, 1);
  try {
    // One dimension: the values are flat already.
    const { data } = tensorOfJson(type, [elements], elements, { data: flat.value, key: name, exact: flat.exact });
    return { tensor: { type, data, dims } as Tensor };
  } catch (cause) {
    if (!(cause instanceof FaultError)) throw cause;
    // A number that no int64 holds is told as the text it came as.
    const texts = Array.isArray(flat.value) && flat.value.some((leaf) => typeof leaf === 'string');
    const found = cause.problem.found ?? '';
    return wrong(
      'wrong-output-type',
      `the output has a value that is no ${type}`,
      texts ? found : found.replaceAll('"', ''),
    );
  }
}

/** `{"b64": ...}` is how TF Serving writes bytes; 0 and 1 are booleans to NumPy. */
function leafOf(leaf: unknown, type: RunnableType): unknown {
  if (type === 'string') {
    const encoded = memberOf(leaf, 'b64');
    return typeof encoded === 'string' ? Buffer.from(encoded, 'base64').toString('utf8') : leaf;
  }
  return type === 'bool' && (leaf === 0 || leaf === 1) ? leaf === 1 : leaf;
}

/** ONNX allows more, NumPy did until 2.0: deeper nesting is nobody's tensor. */
const deepest = 32;

/** Sizes of nested arrays; undefined when they are uneven. */
function dimsOf(value: unknown, depth = 0): readonly number[] | undefined {
  if (!Array.isArray(value)) return [];
  if (depth === deepest) return undefined;
  const first = value.length === 0 ? [] : dimsOf(value[0], depth + 1);
  if (first === undefined) return undefined;
  for (let index = 1; index < value.length; index++) {
    const other = dimsOf(value[index], depth + 1);
    if (other === undefined || other.length !== first.length || other.some((size, at) => size !== first[at]))
      return undefined;
  }
  return [value.length, ...first];
}

/** The dimensions of the output that hold what came, or undefined. */
function fittedDims(found: readonly number[], spec: TensorSpec, batch: Batch): readonly number[] | undefined {
  const { shape: wanted, unranked } = spec;
  if (unranked === true) return found;
  if (namesRows(spec, batch) && found.length === wanted.length && found[0] !== batch.rows) return undefined;
  const exactly =
    found.length === wanted.length && wanted.every((size, index) => typeof size === 'string' || size === found[index]);
  if (exactly) return found;
  // Dimensions of size 1 were dropped or added: what is open must follow from the number of values.
  const known = wanted.map((size, index) => (index === 0 && typeof size === 'string' ? (batch.rows ?? size) : size));
  const open = known.filter((size) => typeof size === 'string').length;
  const fixed = known.reduce<number>((product, size) => (typeof size === 'string' ? product : product * size), 1);
  const elements = found.reduce((product, size) => product * size, 1);
  const rest = fixed === 0 ? 0 : elements / fixed;
  if (open > 1 || (open === 0 && rest !== 1) || !Number.isInteger(rest)) return undefined;
  const dims = known.map((size) => (typeof size === 'string' ? rest : size));
  const [one, other] = [found, dims].map((each) => each.filter((size) => size !== 1).join());
  return one === other ? dims : undefined;
}

interface Batch {
  /** Rows of the request, if its inputs agree on them. */
  readonly rows: number | undefined;
  /** What the model's inputs call their first dimension. */
  readonly symbol: string | undefined;
}

/** Where input and output name their first dimension alike, as many rows come as went. `?` is no name. */
function namesRows({ shape }: TensorSpec, batch: Batch): batch is Batch & { readonly rows: number } {
  return batch.rows !== undefined && batch.symbol !== undefined && batch.symbol !== '?' && batch.symbol === shape[0];
}

function batchOf({ inputs }: Specs, feeds: Feeds): Batch {
  const [first, ...others] = Object.values(feeds).map(({ dims }) => dims[0]);
  const symbol = inputs[0]?.shape[0];
  return {
    rows: others.every((rows) => rows === first) ? first : undefined,
    symbol: typeof symbol === 'string' ? symbol : undefined,
  };
}

function noOutputs(found: string, outputs: readonly TensorSpec[]): Problem {
  return {
    code: 'no-outputs',
    message: "the answer has none of the model's outputs",
    found,
    expected: outputs.map(({ name }) => `"${excerpt(name, 60)}"`).join(', ') || 'an output that is a tensor',
    fix: 'See whether the server runs this model; where it gives outputs other names, map them with the protocol `rest`.',
  };
}

function wrongAnswer(problems: readonly Problem[]): PeerError {
  const [first, ...rest] = problems;
  if (first === undefined) throw new RangeError('no problem');
  return new PeerError([first, ...rest.slice(0, 9)]);
}

/** What a value is, in a few words. */
function shape(value: unknown): string {
  if (Array.isArray(value)) {
    const dims = dimsOf(value);
    return dims === undefined ? `an uneven array of ${value.length}` : `an array [${dims.join(', ')}]`;
  }
  if (isObject(value)) return 'an object';
  return excerpt(JSON.stringify(value) ?? 'nothing', 60);
}
