import type { Interval } from './interval.ts';

export type Decision = 'pass' | 'fail' | 'inconclusive';

/**
 * The decision rule, used wherever a bound meets a measurement. For `min`: fail if even the upper bound is below it, pass
 * if the lower bound reaches it, else inconclusive; `max` mirrors it.
 * With a point interval (`lower = estimate = upper`, which is what `evidence: off` makes) it is the plain comparison.
 * NaN anywhere is the caller's error to report and throws a `RangeError`: it must never look like a pass.
 */
export function decide(bound: { readonly kind: 'min' | 'max'; readonly value: number }, interval: Interval): Decision {
  const { lower, upper } = interval;
  if ([bound.value, lower, upper].some(Number.isNaN)) throw new RangeError('a bound or an interval is not a number');
  if (bound.kind === 'min') {
    if (upper < bound.value) return 'fail';
    return lower >= bound.value ? 'pass' : 'inconclusive';
  }
  if (lower > bound.value) return 'fail';
  return upper <= bound.value ? 'pass' : 'inconclusive';
}
