import { type CountedSamples, totalOf } from './counted-samples.ts';
import { kolmogorovTail } from './kolmogorov-tail.ts';

/** SciPy's limit, above which the exact p-value is not counted out. */
const mostExact = 10_000;

/**
 * The two-sample Kolmogorov-Smirnov statistic: the largest difference of the two distribution functions, from 0 to 1. Throws a
 * `RangeError` when one of the samples is empty.
 */
export function kolmogorovSmirnov({ reference, current }: Pick<CountedSamples, 'reference' | 'current'>): number {
  const [n, m] = [totalOf(reference), totalOf(current)];
  if (n === 0 || m === 0) throw new RangeError('a sample without values has no distribution function');
  let [below, belowCurrent, largest] = [0, 0, 0];
  for (let index = 0; index < reference.length; index++) {
    below += reference[index] ?? 0;
    belowCurrent += current[index] ?? 0;
    largest = Math.max(largest, Math.abs(below / n - belowCurrent / m));
  }
  return largest;
}

/**
 * The two-sided p-value of a statistic of samples of `n` and `m` values without ties (with ties it is too high), as SciPy's `ks_2samp`:
 * up to 10,000 values by counting lattice paths, above by the one-sample distribution at the effective size.
 * Source: J. L. Hodges, "The significance probability of the Smirnov two-sample test", Ark. Mat. 3 (1958).
 */
export function kolmogorovSmirnovPValue(statistic: number, n: number, m: number): number {
  const [more, less] = n > m ? [n, m] : [m, n];
  if (more > mostExact) return kolmogorovTail(Math.round((n * m) / (n + m)), statistic);
  const divisor = greatestCommonDivisor(more, less);
  const steps = Math.round(statistic * (more / divisor) * less);
  if (steps === 0) return 1;
  return Math.min(1, more === less ? outsideOfSquare(more, steps) : outside(more, less, divisor, steps));
}

/** The share of lattice paths from (0, 0) to (n, n) that come `h` off the diagonal: a sum of reflections, in a form without large numbers. */
function outsideOfSquare(n: number, h: number): number {
  let share = 0;
  for (let k = Math.floor(n / h); k >= 0; k--) {
    let ratio = 1;
    for (let j = 0; j < h; j++) ratio = ((n - k * h - j) * ratio) / (n + k * h + j + 1);
    share = ratio * (1 - share);
  }
  return 2 * share;
}

/**
 * The share of lattice paths from (0, 0) to (m, n) that leave the band |x n - y m| < h g: for each point inside, the share of the paths to it
 * that were outside before.
 */
function outside(m: number, n: number, g: number, h: number): number {
  const [mg, ng] = [m / g, n / g];
  const row = new Float64Array(n + 1).fill(1);
  row.fill(0, 0, Math.min(Math.ceil(h / mg), n + 1));
  for (let x = 1; x <= m; x++) {
    const first = Math.min(Math.max(Math.floor((ng * x - h) / mg) + 1, 0), n);
    const end = Math.min(Math.ceil((ng * x + h) / mg), n + 1);
    if (end <= first) return 1;
    let share = first === 0 ? 0 : 1;
    for (let y = first; y < end; y++) {
      share = ((row[y] ?? 1) * x + share * y) / (x + y);
      row[y] = share;
    }
  }
  return row[n] ?? 1;
}

function greatestCommonDivisor(one: number, other: number): number {
  return other === 0 ? one : greatestCommonDivisor(other, one % other);
}
