import { benjaminiHochberg, type Excess, excessRank, excessShare, midranks } from '../../../core/statistics/index.ts';
import type { Cut } from './cut.ts';

/** A row of no candidate: a value that too few rows have. */
export const noPart = -1;

/** What each row cost: 1 where the model is wrong (`share`), or by how much it is off (`size`). */
export interface Losses {
  readonly kind: 'share' | 'size';
  readonly values: Float64Array;
}

export interface WeakSliceSearch {
  /** One a column. `noPart` is in none. */
  readonly columns: readonly Cut[];
  readonly losses: Losses;
  /** The least rows of a slice, and of all that are not in it. */
  readonly minRows: number;
  /** How much more a row of the slice must cost on average than a row of all. */
  readonly minGap: number;
  /** The largest Benjamini-Hochberg q-value over all candidates. */
  readonly maxQ: number;
  /** The most slices to give. */
  readonly most: number;
  /** So many columns are crossed with each other. @default 30 */
  readonly crossed?: number;
}

export interface WeakSlice {
  /** `country=KR`, `age<25, country=KR`. */
  readonly name: string;
  readonly rows: Int32Array;
  readonly meanLoss: number;
  readonly p: number;
  readonly q: number;
}

export interface WeakSlices {
  /** The weakest first. */
  readonly found: readonly WeakSlice[];
  /** How many were tried, and so how many the q-values answer for. */
  readonly candidates: number;
}

/** Columns that are crossed with each other; with more, the search would take longer than it is worth. */
const mostCrossed = 30;

/**
 * Looks for slices that cost more than all rows do: every part of every column, and of every pair of the first 30. All that are large enough are one family:
 * a slice is weak where its q-value says that chance alone hardly made it, and its gap that it matters (as Slice Finder has it: Y. Chung et al.,
 * IEEE TKDE 32 (2020): effect size and significance under false-discovery control). The weakest is taken, its rows are put aside, and the search begins
 * anew: what is weak only for the rows it shares with a slice told of is not told again, and each search answers for its own candidates.
 *
 * The tests are of parts drawn at random without replacement (`excessShare`, `excessRank`), which hold whatever the losses are like.
 */
export function findWeakSlices(search: WeakSliceSearch): WeakSlices {
  const { columns, losses, minGap, maxQ, most } = search;
  const { length: rows } = losses.values;
  const mean = losses.values.reduce((total, value) => total + value, 0) / rows;
  const found: WeakSlice[] = [];
  let candidates = 0;
  let left = Int32Array.from({ length: rows }, (_, row) => row);
  while (found.length < most) {
    const tried = candidatesOf(found.length === 0 ? search : remaining(search, left));
    if (found.length === 0) candidates = tried.length;
    const q = benjaminiHochberg(tried.map(({ p }) => p));
    const [weakest] = tried
      .map((each, at) => ({ ...each, q: q[at] ?? 1 }))
      .filter((each) => each.q <= maxQ && each.meanLoss > mean && each.meanLoss - mean >= minGap)
      // Of two alike the simpler one.
      .sort((one, other) => other.z - one.z || one.of.length - other.of.length);
    if (weakest === undefined) break;
    const isIn = membership(weakest.of, columns);
    const own = rowsWhere(rows, isIn);
    let lost = 0;
    for (const row of own) lost += losses.values[row] ?? 0;
    const name = weakest.of.map(({ column, part }) => columns[column]?.names[part] ?? '').join(', ');
    found.push({ name, rows: own, meanLoss: lost / own.length, p: weakest.p, q: weakest.q });
    left = left.filter((row) => !isIn(row));
  }
  return { found, candidates };
}

type Candidate = readonly { readonly column: number; readonly part: number }[];

interface Tried extends Excess {
  readonly of: Candidate;
  readonly meanLoss: number;
}

/** The parts of every column and of every two, as far as they are large enough to be judged. */
function candidatesOf({ columns, losses, minRows, crossed: most = mostCrossed }: WeakSliceSearch): readonly Tried[] {
  const { length: rows } = losses.values;
  const all = allRows(losses);
  const tried: Tried[] = [];
  const consider = (of: Candidate, { rows: count, loss, score }: Totals) => {
    if (count < minRows || rows - count < minRows) return;
    tried.push({ of, meanLoss: loss / count, ...all.excess(count, score) });
  };
  for (const [column, cut] of columns.entries()) {
    for (const cell of totalsOf(cut.names.length, cut.parts, losses.values, all.scores)) {
      consider([{ column, part: cell.at }], cell);
    }
  }
  const crossed = columns.slice(0, most);
  const pair = new Int32Array(rows);
  for (const [one, left] of crossed.entries()) {
    for (let other = one + 1; other < crossed.length; other++) {
      const right = crossed[other];
      if (right === undefined) continue;
      const width = right.names.length;
      for (let row = 0; row < rows; row++) {
        const first = left.parts[row] ?? noPart;
        const second = right.parts[row] ?? noPart;
        pair[row] = first === noPart || second === noPart ? noPart : first * width + second;
      }
      for (const cell of totalsOf(left.names.length * width, pair, losses.values, all.scores)) {
        const parts = [
          { column: one, part: Math.floor(cell.at / width) },
          { column: other, part: cell.at % width },
        ];
        consider(parts, cell);
      }
    }
  }
  return tried;
}

/** The same search of some of the rows. */
function remaining(search: WeakSliceSearch, rows: Int32Array): WeakSliceSearch {
  const { columns, losses } = search;
  return {
    ...search,
    columns: columns.map(({ names, parts }) => ({ names, parts: rows.map((row) => parts[row] ?? noPart) })),
    losses: { kind: losses.kind, values: Float64Array.from(rows, (row) => losses.values[row] ?? 0) },
  };
}

interface AllRows {
  /** What the test adds up: the losses themselves, or their ranks. */
  readonly scores: Float64Array;
  excess(rows: number, score: number): Excess;
}

function allRows({ kind, values }: Losses): AllRows {
  const { length: rows } = values;
  if (kind === 'share') {
    const sum = values.reduce((total, value) => total + value, 0);
    return { scores: values, excess: (n, marked) => excessShare({ rows: n, marked }, { rows, marked: sum }) };
  }
  const { ranks, variance } = midranks(values);
  return {
    scores: ranks,
    excess: (n, rankSum) => excessRank({ rows: n, rankSum }, { rows, varianceOfRanks: variance }),
  };
}

interface Totals {
  readonly at: number;
  readonly rows: number;
  readonly loss: number;
  readonly score: number;
}

/** Rows and sums of every part that has rows. */
function totalsOf(parts: number, of: Int32Array, losses: Float64Array, scores: Float64Array): readonly Totals[] {
  const counts = new Float64Array(parts);
  const lost = new Float64Array(parts);
  const scored = scores === losses ? lost : new Float64Array(parts);
  for (let row = 0; row < of.length; row++) {
    const part = of[row] ?? noPart;
    if (part === noPart) continue;
    counts[part] = (counts[part] ?? 0) + 1;
    lost[part] = (lost[part] ?? 0) + (losses[row] ?? 0);
    if (scored !== lost) scored[part] = (scored[part] ?? 0) + (scores[row] ?? 0);
  }
  const totals: Totals[] = [];
  for (let at = 0; at < parts; at++) {
    const rows = counts[at] ?? 0;
    if (rows > 0) totals.push({ at, rows, loss: lost[at] ?? 0, score: scored[at] ?? 0 });
  }
  return totals;
}

function membership(of: Candidate, columns: readonly Cut[]): (row: number) => boolean {
  const cuts = of.map(({ column, part }) => ({ parts: columns[column]?.parts ?? new Int32Array(), part }));
  return (row) => cuts.every(({ parts, part }) => parts[row] === part);
}

function rowsWhere(rows: number, isIn: (row: number) => boolean): Int32Array {
  const list: number[] = [];
  for (let row = 0; row < rows; row++) if (isIn(row)) list.push(row);
  return Int32Array.from(list);
}
