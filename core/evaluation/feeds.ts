import type { BatchColumn } from '../data/index.ts';
import type { Feeds, RunnableType, Tensor } from '../onnx/index.ts';
import { ModelError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { Feeding, NamedModel } from './feeding.ts';

/** An input with the values of its columns, of all rows or of some. */
export interface FilledFeeding extends Feeding {
  readonly values: readonly BatchColumn[];
}

/** Rows a call that the model's inputs fix; undefined where they leave it open. */
export function fixedBatch(
  feedings: readonly { readonly batch?: number }[],
  { model, place }: NamedModel,
): number | undefined {
  const sizes = new Set(feedings.map(({ batch }) => batch).filter((batch) => batch !== undefined));
  const [size, ...others] = sizes;
  if (others.length > 0 || size === 0) {
    throw new ModelError({
      code: 'input-shape',
      message: `the inputs of ${excerpt(model)} fix different numbers of rows`,
      place,
      found: [...sizes].join(', '),
      fix: 'Export the model with a free first dimension.',
    });
  }
  return size;
}

/** The tensors of rows `from` to `to`; where the model fixes the batch, the last row is repeated to fill it. */
export function feedsOf(feedings: readonly FilledFeeding[], from: number, to: number, rows = to - from): Feeds {
  const feeds: Record<string, Tensor> = {};
  for (const feeding of feedings) {
    const width = feeding.columns.length;
    const dims = feeding.flat ? [rows] : [rows, width];
    if (feeding.type === 'float32') {
      const data = new Float32Array(rows * width);
      feeds[feeding.input] = { type: feeding.type, dims, data };
      fillColumns(data, feeding, from, to);
      continue;
    }
    if (feeding.type === 'float64') {
      const data = new Float64Array(rows * width);
      feeds[feeding.input] = { type: feeding.type, dims, data };
      fillColumns(data, feeding, from, to);
      continue;
    }
    const at = (row: number, column: number) => feeding.values[column]?.values[Math.min(from + row, to - 1)] ?? null;
    feeds[feeding.input] = tensorOf(feeding.type, dims, (index) => at(Math.floor(index / width), index % width));
  }
  return feeds;
}

/** Rows copied at a time: of thirty columns they fit into a processor's first cache. */
const blockRows = 256;

/** Most models take floats by the million: column by column, without a call for each cell. */
function fillColumns(
  data: Float32Array | Float64Array,
  { columns, values }: FilledFeeding,
  from: number,
  to: number,
): void {
  const width = columns.length;
  const count = to - from;
  const numbers = values.map((of) => (of.kind === 'number' ? of.values : undefined));
  for (let block = 0; block < count; block += blockRows) {
    const end = Math.min(count, block + blockRows);
    for (let column = 0; column < width; column++) {
      const of = numbers[column];
      if (of === undefined) {
        for (let row = block; row < end; row++) data[row * width + column] = Number.NaN;
      } else {
        for (let row = block; row < end; row++) data[row * width + column] = of[from + row] ?? Number.NaN;
      }
    }
  }
  const last = data.subarray((count - 1) * width, count * width);
  for (let at = count * width; count > 0 && at < data.length; at += width) data.set(last, at);
}

/** A tensor whose element at each position is made from a cell of data. */
export function tensorOf(
  type: RunnableType,
  dims: readonly number[],
  cell: (index: number) => number | string | null,
): Tensor {
  const size = dims.reduce((product, dim) => product * dim, 1);
  const number = (index: number) => {
    const value = cell(index);
    return typeof value === 'number' ? value : Number.NaN;
  };
  const filled = <Values extends { [index: number]: number }>(values: Values): Values => {
    for (let index = 0; index < size; index++) values[index] = number(index);
    return values;
  };
  const whole = <Values extends { [index: number]: bigint }>(values: Values): Values => {
    for (let index = 0; index < size; index++) values[index] = BigInt(number(index));
    return values;
  };
  switch (type) {
    case 'string':
      return { type, dims, data: Array.from({ length: size }, (_, index) => String(cell(index) ?? '')) };
    case 'int64':
      return { type, dims, data: whole(new BigInt64Array(size)) };
    case 'uint64':
      return { type, dims, data: whole(new BigUint64Array(size)) };
    case 'float32':
    case 'float16':
      return { type, dims, data: filled(new Float32Array(size)) };
    case 'float64':
      return { type, dims, data: filled(new Float64Array(size)) };
    case 'int8':
      return { type, dims, data: filled(new Int8Array(size)) };
    case 'uint8':
    case 'bool':
      return { type, dims, data: filled(new Uint8Array(size)) };
    case 'int16':
      return { type, dims, data: filled(new Int16Array(size)) };
    case 'uint16':
      return { type, dims, data: filled(new Uint16Array(size)) };
    case 'int32':
      return { type, dims, data: filled(new Int32Array(size)) };
    case 'uint32':
      return { type, dims, data: filled(new Uint32Array(size)) };
  }
}
