import { drawBinomial } from './binomial-draw.ts';
import { type Random, randomOf } from './random.ts';

/**
 * How often each unit counts. A unit is a row, or rows that are alike in everything the statistic looks at, counted together.
 */
export type Weights = Float64Array;

/** A statistic of the units under the given weights; a weight of 0 means that the unit is not there. */
export type Statistic = (weights: Weights) => number;

export interface Resampling {
  /** How many rows each unit stands for in the data; whole numbers. */
  readonly weights: Weights;
  /** Rows are redrawn within their own stratum, so that every stratum keeps its size. One stratum when not given. */
  readonly strata?: Int32Array;
  /** 2000 when not given; of more than 20,000 units fewer, never below 200: 2000 would take minutes. See `influenceInterval`. */
  readonly resamples?: number;
  /** The digest of the data: the same data gives the same resamples. */
  readonly seed: string;
}

/** A budget of unit draws: about a second. The bounds of many rows are steady with fewer resamples. */
const drawBudget = 4e7;

export function resamplesFor(units: number): number {
  return Math.max(200, Math.min(2000, Math.floor(drawBudget / Math.max(1, units))));
}

/**
 * Draws as many rows as there are, with replacement, again and again, and measures every statistic on each draw. All
 * statistics see the same draws, so differences of them are paired. Result: for each statistic its value on each draw.
 * Source: B. Efron, R. Tibshirani, "An Introduction to the Bootstrap" (1993), chapters 6 and 8.
 */
export function resample(resampling: Resampling, statistics: readonly Statistic[]): Float64Array[] {
  const { weights } = resampling;
  const resamples = resampling.resamples ?? resamplesFor(weights.length);
  const random = randomOf(resampling.seed);
  const strata = strataOf(resampling);
  const drawn = new Float64Array(weights.length);
  const results = statistics.map(() => new Float64Array(resamples));
  for (let round = 0; round < resamples; round++) {
    drawn.fill(0);
    for (const stratum of strata) draw(random, stratum, weights, drawn);
    for (const [index, statistic] of statistics.entries()) {
      const result = results[index];
      if (result !== undefined) result[round] = statistic(drawn);
    }
  }
  return results;
}

interface Stratum {
  /** Units of several rows (or none). */
  readonly grouped: Int32Array;
  /** Units of one row. */
  readonly single: Int32Array;
  readonly rows: number;
}

function strataOf({ weights, strata }: Resampling): readonly Stratum[] {
  const members = new Map<number, number[]>();
  for (let unit = 0; unit < weights.length; unit++) {
    const key = strata?.[unit] ?? 0;
    const list = members.get(key);
    if (list === undefined) members.set(key, [unit]);
    else list.push(unit);
  }
  return [...members.values()].map((list) => {
    const grouped: number[] = [];
    const single: number[] = [];
    let rows = 0;
    for (const unit of list) {
      const weight = weights[unit] ?? 0;
      if (!Number.isInteger(weight) || weight < 0) throw new RangeError(`a unit cannot stand for ${weight} rows`);
      rows += weight;
      (weight === 1 ? single : grouped).push(unit);
    }
    return { grouped: Int32Array.from(grouped), single: Int32Array.from(single), rows };
  });
}

function draw(random: Random, { grouped, single, rows }: Stratum, weights: Weights, drawn: Float64Array): void {
  // Multinomial counts, unit by unit: each takes a binomial share of the draws that are left.
  let rowsLeft = rows;
  let drawsLeft = rows;
  for (const unit of grouped) {
    if (drawsLeft === 0) break;
    const weight = weights[unit] ?? 0;
    const taken = drawBinomial(random, drawsLeft, weight / rowsLeft);
    drawn[unit] = taken;
    drawsLeft -= taken;
    rowsLeft -= weight;
  }
  // What is left falls on the single rows, each as likely as the other.
  for (let row = 0; row < drawsLeft; row++) {
    const unit = single[(random.unit() * single.length) | 0] ?? 0;
    drawn[unit] = (drawn[unit] ?? 0) + 1;
  }
}
