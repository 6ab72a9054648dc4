import { chiSquareTail } from './chi-square-tail.ts';

/** Whether two samples have the same classes in the same shares. */
export interface Homogeneity {
  readonly statistic: number;
  readonly degrees: number;
  readonly pValue: number;
  /** Cramér's V, from 0 to 1: the size of the difference, whatever the number of rows. */
  readonly cramersV: number;
}

/**
 * Pearson's chi-square test of two samples by class. What is expected follows from both together, each sample at its own total, so unequal
 * totals need no rescaling and a class that only one sample has is neither lost nor divided by zero; classes that neither has do not count.
 * SciPy's `chi2_contingency` without correction. Throws a `RangeError` when a sample is empty.
 */
export function chiSquareTest(reference: ArrayLike<number>, current: ArrayLike<number>): Homogeneity {
  if (reference.length !== current.length) throw new RangeError('the samples are not counted by the same classes');
  let [n, m] = [0, 0];
  for (let index = 0; index < reference.length; index++) {
    n += reference[index] ?? 0;
    m += current[index] ?? 0;
  }
  if (!(n > 0 && m > 0)) throw new RangeError('a sample without rows has no classes');
  let [statistic, classes] = [0, 0];
  for (let index = 0; index < reference.length; index++) {
    const [observed, observedCurrent] = [reference[index] ?? 0, current[index] ?? 0];
    const both = observed + observedCurrent;
    if (both === 0) continue;
    classes++;
    const [expected, expectedCurrent] = [(both * n) / (n + m), (both * m) / (n + m)];
    statistic += (observed - expected) ** 2 / expected + (observedCurrent - expectedCurrent) ** 2 / expectedCurrent;
  }
  const degrees = classes - 1;
  return {
    statistic,
    degrees,
    pValue: degrees === 0 ? 1 : chiSquareTail(degrees, statistic),
    // Of two samples the smaller side of the table less one is 1.
    cramersV: degrees === 0 ? 0 : Math.sqrt(statistic / (n + m)),
  };
}
