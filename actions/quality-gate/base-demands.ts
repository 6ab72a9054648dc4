import { isDeepStrictEqual } from 'node:util';
import { type EffectivePolicy, policyDefaults } from '../../core/policy/index.ts';
import type { DeclaredSlice } from './slices/declared-slices.ts';

/**
 * Whether the base's policy alone would have judged a slice by this bound. What it judges is a family of its own: with one
 * Benjamini-Hochberg family for both policies a pull request could hide a broken slice among many new ones that hold.
 */
export function isBasesSlice(
  { base }: EffectivePolicy,
  slice: DeclaredSlice,
  metric: { readonly name: string; readonly id: string },
  key: 'min' | 'max',
): boolean {
  if (base === undefined) return true;
  const { evaluation } = base;
  return (
    evaluation?.slices?.some((declared) => isDeepStrictEqual(declared, slice.declared)) === true &&
    slice.rows.length >= (evaluation.min_rows ?? policyDefaults.min_rows) &&
    basesBound(base, metric)?.[key] !== undefined
  );
}

/** The bounds that the base's policy sets on a metric, one that Sluice knows or one of its own. */
export function basesBound(
  { gates }: NonNullable<EffectivePolicy['base']>,
  { name, id }: { readonly name: string; readonly id: string },
): { readonly min?: number | undefined; readonly max?: number | undefined } | undefined {
  if (id.startsWith('gate/custom/')) return gates?.custom?.find((metric) => metric.name === name);
  const bounds: Readonly<Record<string, unknown>> = gates ?? {};
  return bounds[name] as { readonly min?: number; readonly max?: number } | undefined;
}
