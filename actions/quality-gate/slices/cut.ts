import type { ColumnValues } from '../../../core/data/index.ts';
import type { Subset } from '../subsets.ts';

/** Every row in one part of a few: a column by its values or edges, or the intersections of several. One small number a row. */
export interface Cut {
  /** In the order of the parts. Hold data's text: renderers escape them. */
  readonly names: readonly string[];
  /** Each row's part, from 0. */
  readonly parts: Int32Array;
}

/** One part for each distinct value, in the order of the values; empty values are the last part. */
export function cutByValue(column: string, { values }: Pick<ColumnValues, 'values'>): Cut {
  const found = new Map<string | number | null, number>();
  const first = new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = valueAt(values, row);
    let part = found.get(value);
    if (part === undefined) {
      part = found.size;
      found.set(value, part);
    }
    first[row] = part;
  }
  const sorted = [...found.keys()].sort(byValue);
  const places = new Int32Array(found.size);
  for (const [place, value] of sorted.entries()) places[found.get(value) ?? 0] = place;
  for (let row = 0; row < first.length; row++) first[row] = places[first[row] ?? 0] ?? 0;
  return { names: sorted.map((value) => `${column}=${value ?? 'empty'}`), parts: first };
}

/** The parts between edges: `(−∞, a)`, `[a, b)`, ..., `[z, ∞)`, and one of empty values; those without rows too. */
export function cutByEdges(column: string, { values }: Pick<ColumnValues, 'values'>, edges: readonly number[]): Cut {
  const ascending = [...new Set(edges)].sort((left, right) => left - right);
  const empty = ascending.length + 1;
  const parts = new Int32Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row];
    if (typeof value !== 'number' || Number.isNaN(value)) {
      parts[row] = empty;
      continue;
    }
    let part = 0;
    while (part < ascending.length && value >= (ascending[part] ?? 0)) part++;
    parts[row] = part;
  }
  const names = Array.from({ length: ascending.length + 1 }, (_, part) => {
    const from = ascending[part - 1];
    const to = ascending[part];
    return `${column}${from === undefined ? `<${to}` : to === undefined ? `≥${from}` : `=[${from}, ${to})`}`;
  });
  return { names: [...names, `${column}=empty`], parts };
}

/** Every combination of parts that has rows, in their order. */
export function intersectionOf(cuts: readonly Cut[]): Cut {
  const [first, ...others] = cuts;
  if (first === undefined) throw new RangeError('an intersection of nothing');
  return others.reduce(crossed, first);
}

function crossed(left: Cut, right: Cut): Cut {
  const width = right.names.length;
  const pairs = new Float64Array(left.parts.length);
  for (let row = 0; row < pairs.length; row++) {
    pairs[row] = (left.parts[row] ?? 0) * width + (right.parts[row] ?? 0);
  }
  const present = distinctOf(pairs, left.names.length * width);
  const places = placesOf(present, left.names.length * width);
  const parts = new Int32Array(pairs.length);
  for (let row = 0; row < pairs.length; row++) parts[row] = places(pairs[row] ?? 0);
  return {
    names: Array.from(present, (pair) => `${left.names[Math.floor(pair / width)]}, ${right.names[pair % width]}`),
    parts,
  };
}

/** Up to so many numbers are looked up in a table: many times faster than in a map, for every row. */
const mostInTable = 1_000_000;

/** The numbers from 0 to `below` that are there, in their order. */
function distinctOf(numbers: Float64Array, below: number): Float64Array {
  if (below > mostInTable) return Float64Array.from(new Set(numbers)).sort();
  const seen = new Uint8Array(below);
  for (let row = 0; row < numbers.length; row++) seen[numbers[row] ?? 0] = 1;
  return Float64Array.from([...seen.keys()].filter((number) => seen[number] === 1));
}

function placesOf(present: Float64Array, below: number): (number: number) => number {
  if (below > mostInTable) {
    const places = new Map(Array.from(present, (number, place) => [number, place] as const));
    return (number) => places.get(number) ?? 0;
  }
  const places = new Int32Array(below);
  for (const [place, number] of present.entries()) places[number] = place;
  return (number) => places[number] ?? 0;
}

/** The parts that have rows, each with its rows. */
export function subsetsOf({ names, parts }: Cut): readonly Subset[] {
  const counts = new Int32Array(names.length);
  for (let row = 0; row < parts.length; row++) counts[parts[row] ?? 0] = (counts[parts[row] ?? 0] ?? 0) + 1;
  const lists = Array.from(counts, (count) => new Int32Array(count));
  const filled = new Int32Array(names.length);
  for (let row = 0; row < parts.length; row++) {
    const part = parts[row] ?? 0;
    const at = filled[part] ?? 0;
    filled[part] = at + 1;
    const list = lists[part];
    if (list !== undefined) list[at] = row;
  }
  return names.flatMap((name, part) => {
    const rows = lists[part];
    return rows === undefined || rows.length === 0 ? [] : [{ name, rows }];
  });
}

function valueAt(values: ColumnValues['values'], row: number): string | number | null {
  const value = values[row] ?? null;
  return typeof value === 'number' && Number.isNaN(value) ? null : value;
}

function byValue(left: string | number | null, right: string | number | null): number {
  if (left === right) return 0;
  if (left === null) return 1;
  if (right === null) return -1;
  return left < right ? -1 : 1;
}
