import type { Check } from './check.ts';
import { intervalScaleOf } from './interval-scale.ts';

/**
 * An interval and its bound in `width` characters: ` ├──●──┤  ┃ `. The bound `┃` stands outside the brackets if and only if the
 * interval lies wholly on one side of it, whatever the rounding: that is what decides. `◆`: the bound at the estimate.
 * `►`: no upper end at all.
 * Empty where there is no interval.
 */
export function unicodeBar(check: Check, width = 20): string {
  const scale = intervalScaleOf(check);
  const evidence = check.evidence;
  if (scale === undefined || evidence === undefined) return '';
  // The outermost cells stay free, so that a bound just outside has somewhere to stand.
  const cellOf = (at: number) => 1 + Math.round(at * (width - 3));
  const lower = cellOf(scale.lower);
  const upper = Math.max(cellOf(scale.upper), lower);
  const estimate = Math.min(Math.max(cellOf(scale.estimate), lower), upper);
  const cells: string[] = Array.from({ length: width }, (_, cell) => (cell > lower && cell < upper ? '─' : ' '));
  cells[lower] = evidence.lower === -Infinity ? '◄' : '├';
  cells[upper] = evidence.upper === Infinity ? '►' : '┤';
  cells[estimate] = '●';
  if (scale.bound !== undefined) {
    const side = sideOf(evidence, scale.bound);
    const near = cellOf(scale.bound.at);
    const inside = side === 'inside';
    const cell = inside
      ? Math.min(Math.max(near, lower), upper)
      : side === 'left'
        ? Math.min(near, lower - 1)
        : Math.max(near, upper + 1);
    cells[cell] = cell === estimate ? '◆' : inside ? '╂' : '┃';
  }
  return cells.join('').replace(/ +$/, '');
}

// As `decide` has it, on the numbers themselves: an end that just touches the bound meets it.
function sideOf(
  { lower, upper }: { readonly lower: number; readonly upper: number },
  { value, kind }: { readonly value: number; readonly kind: 'min' | 'max' },
): 'left' | 'inside' | 'right' {
  if (kind === 'min') return value <= lower ? 'left' : value > upper ? 'right' : 'inside';
  return value >= upper ? 'right' : value < lower ? 'left' : 'inside';
}
