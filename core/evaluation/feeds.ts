import type { ColumnValues } from '../data/index.ts';
import type { Feeds, RunnableType, Tensor } from '../onnx/index.ts';
import { ModelError, type Place } from '../problem/index.ts';
import { counted, excerpt } from '../text/index.ts';
import type { Feeding } from './feeding.ts';

/** An input with the values of its columns. */
export interface FilledFeeding extends Feeding {
  readonly values: readonly ColumnValues[];
}

/** Where an empty value or one of the wrong kind is named. */
interface Named {
  readonly model: string;
  readonly place: Place;
}

/**
 * Throws where a value does not fit an input: empty in a type that has no NaN, a fraction in an integer input, out of the integer's range.
 * Empty values in float inputs become NaN, which is how NumPy and pandas hand them over.
 */
export function requireFeedable(feedings: readonly FilledFeeding[], { model, place }: Named): void {
  for (const feeding of feedings) {
    for (const [index, name] of feeding.columns.entries()) {
      const column = feeding.values[index];
      if (column === undefined) continue;
      const fits = fitOf(feeding.type);
      if (fits === undefined) continue;
      const rows: number[] = [];
      let count = 0;
      for (const [row, value] of column.values.entries()) {
        if (fits.test(value)) continue;
        count++;
        if (rows.length < 3) rows.push(row + 1);
      }
      if (count === 0) continue;
      throw new ModelError({
        code: 'input-value',
        message: `the input "${excerpt(feeding.input)}" of ${excerpt(model)} takes ${feeding.type}, and ${counted(count, 'value')} of the column "${excerpt(name)}" ${count === 1 ? 'does' : 'do'} not fit`,
        place,
        found: `row ${rows.join(', ')}${count > rows.length ? ', ...' : ''}`,
        expected: fits.expected,
        fix: 'Clean the column, or export the model with a float input for it.',
      });
    }
  }
}

/** Rows a call that the model's inputs fix; undefined where they leave it open. */
export function fixedBatch(
  feedings: readonly { readonly batch?: number }[],
  { model, place }: Named,
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

/** Most models take floats by the million: column by column, without a call for each cell. */
function fillColumns(
  data: Float32Array | Float64Array,
  { columns, values }: FilledFeeding,
  from: number,
  to: number,
): void {
  const width = columns.length;
  for (let column = 0; column < width; column++) {
    const of = values[column];
    const numbers = of?.kind === 'number' ? of.values : undefined;
    for (let at = column, row = from; at < data.length; at += width, row++) {
      data[at] = numbers?.[Math.min(row, to - 1)] ?? Number.NaN;
    }
  }
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

const bits = { int8: 8, uint8: 8, int16: 16, uint16: 16, int32: 32, uint32: 32, int64: 53, uint64: 53 } as const;

/** Which values an input of this type can take; undefined when every cell fits. */
function fitOf(
  type: RunnableType,
): { readonly test: (value: number | string | null) => boolean; readonly expected: string } | undefined {
  if (type === 'string') return { test: (value) => value !== null, expected: 'text in every row' };
  if (type === 'bool')
    return { test: (value) => value === 0 || value === 1, expected: '0, 1, true or false in every row' };
  if (!(type in bits)) return undefined;
  const size = bits[type as keyof typeof bits];
  const unsigned = type.startsWith('u');
  const lowest = unsigned ? 0 : size === 53 ? -(2 ** 53) : -(2 ** (size - 1));
  const highest = size === 53 ? 2 ** 53 : 2 ** (unsigned ? size : size - 1) - 1;
  return {
    test: (value) => typeof value === 'number' && Number.isInteger(value) && value >= lowest && value <= highest,
    expected: `a whole number${size === 53 ? '' : ` from ${lowest} to ${highest}`} in every row`,
  };
}
