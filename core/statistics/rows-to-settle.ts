import type { Interval } from './interval.ts';
import { normalQuantile } from './normal.ts';

/**
 * About how many more rows like these would turn an inconclusive decision into one, should the estimate stay where it is: half-widths
 * shrink with the square root of the rows. Rounded up to two digits. `level`: how sure the bound must be, where that is more than
 * the interval's own level (one slice among many). `undefined` where no number of rows would help within reason (the estimate sits on the
 * bound: more than a thousand times the rows).
 */
export function rowsToSettle(
  bound: { readonly kind: 'min' | 'max'; readonly value: number },
  interval: Interval,
  level = interval.level,
): number | undefined {
  const distance = Math.abs(interval.estimate - bound.value);
  const half =
    interval.estimate < bound.value ? interval.upper - interval.estimate : interval.estimate - interval.lower;
  if (!(distance > 0) || !Number.isFinite(half)) return undefined;
  const surer = level > interval.level ? normalQuantile(level) / normalQuantile(interval.level) : 1;
  const factor = ((half * surer) / distance) ** 2;
  if (!(factor > 1)) return 0;
  if (!(factor <= 1000)) return undefined;
  const more = interval.n * (factor - 1);
  const step = 10 ** Math.max(0, Math.floor(Math.log10(more)) - 1);
  return Math.ceil(more / step) * step;
}
