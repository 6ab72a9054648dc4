import type { Bound } from '../../core/report/index.ts';
import type { Judgement } from './planned-check.ts';

/** What a number may be. Of times: seconds since 1970. */
export interface Range {
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** A number held against a range: the outcome, and the bound that decided (the broken one, else `min`). */
export function heldAgainst(
  observed: number,
  { min, max }: Range,
): Pick<Judgement, 'outcome'> & { readonly bound?: Bound; readonly side?: 'min' | 'max' } {
  const [below, above] = [min !== undefined && observed < min, max !== undefined && observed > max];
  const side = above || min === undefined ? 'max' : 'min';
  const value = side === 'max' ? max : min;
  return {
    outcome: below || above ? 'broken' : 'holds',
    ...(value === undefined ? {} : { bound: { kind: side, value }, side }),
  };
}

/** `≥ 1, ≤ 5`. */
export function rangeWords(min: unknown, max: unknown): string {
  return [...(min === undefined ? [] : [`≥ ${min}`]), ...(max === undefined ? [] : [`≤ ${max}`])].join(', ');
}
