import type { Interval } from './interval.ts';
import { normalCdf, normalQuantile } from './normal.ts';

/**
 * The p-value of "the bound holds", one-sided: small when the evidence says it is broken. Read off the interval by normal scaling of
 * the half-width on the bound's side; for many slices at once, where `benjaminiHochberg` needs p-values and not decisions.
 */
export function pValueOfBroken(
  bound: { readonly kind: 'min' | 'max'; readonly value: number },
  interval: Interval,
): number {
  const gap = bound.kind === 'min' ? bound.value - interval.estimate : interval.estimate - bound.value;
  // The truth would have to lie between the estimate and the bound: the half-width on that side is the one that matters.
  const towards = bound.kind === 'min' ? gap > 0 : gap <= 0;
  const half = towards ? interval.upper - interval.estimate : interval.estimate - interval.lower;
  if (half <= 0) return gap > 0 ? 0 : 1;
  return normalCdf((-gap / half) * normalQuantile(interval.level));
}
