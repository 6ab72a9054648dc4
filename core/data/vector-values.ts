/** A vector of DuckDB's, as far as it is asked here. */
export interface CellVector {
  getItem(index: number): unknown;
}

/** What a vector of doubles or floats holds inside. */
interface Inside {
  readonly items: Float64Array | Float32Array;
  /** A bit a row, 1 where there is a value; undefined where there is one everywhere. */
  readonly valid: Uint32Array | undefined;
}

/**
 * Copies cells `at` to `at + count` of a vector to `offset` and after; NaN where a cell is empty or no number. Asked one by one, ten cells
 * cost as much as a hundred copied together, so the arrays that DuckDB's vectors are made of are read where they are what they were in the
 * version that is pinned.
 */
export function copyNumbers(
  vector: CellVector,
  at: number,
  to: Float64Array | Float32Array,
  offset: number,
  count: number,
): void {
  const inside = insideOf(vector);
  if (inside === undefined) {
    for (let index = 0; index < count; index++) {
      const item = vector.getItem(at + index);
      to[offset + index] = typeof item === 'number' ? item : Number.NaN;
    }
    return;
  }
  const { items, valid } = inside;
  to.set(at === 0 && count === items.length ? items : items.subarray(at, at + count), offset);
  if (valid === undefined) return;
  for (let index = 0; index < count; index++) {
    const bit = at + index;
    if ((((valid[bit >>> 5] ?? 0) >>> (bit & 31)) & 1) === 0) to[offset + index] = Number.NaN;
  }
}

function insideOf(vector: CellVector): Inside | undefined {
  const items: unknown = Reflect.get(vector, 'items');
  const validity: unknown = Reflect.get(vector, 'validity');
  if (!(items instanceof Float64Array || items instanceof Float32Array)) return undefined;
  if (typeof validity !== 'object' || validity === null) return undefined;
  const data: unknown = Reflect.get(validity, 'data');
  if (data === null) return { items, valid: undefined };
  if (!(data instanceof BigUint64Array) || Reflect.get(validity, 'offset') !== 0) return undefined;
  return { items, valid: new Uint32Array(data.buffer, data.byteOffset, 2 * data.length) };
}
