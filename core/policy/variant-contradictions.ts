import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { isMapping, valueAt } from './policy-path.ts';

/** Rules over `gates.variants`: names told apart, something demanded, rows where they are needed. */
export function contradictionsOfVariants(policy: unknown, variants: unknown): readonly Contradiction[] {
  if (!Array.isArray(variants)) return [];
  const names = variants.map((variant) => valueAt(variant, ['name']));
  const rows = isMapping(policy) && 'evaluation' in policy;
  return variants.flatMap((variant: unknown, index): readonly Contradiction[] => {
    if (!isMapping(variant)) return [];
    const path = ['gates', 'variants', index];
    const metrics = variant['metrics'];
    return [
      ...lacksBound(variant, ['metrics', 'min_agreement', 'max_size_ratio', 'max_latency_ratio'], 'the variant', path),
      ...(names.indexOf(names[index]) === index
        ? []
        : [
            {
              code: 'duplicate-variant',
              message: 'two variants have this name',
              path: [...path, 'name'],
              fix: 'Give each a name of its own.',
            },
          ]),
      ...['metrics', 'min_agreement']
        .filter((key) => key in variant && !rows)
        .map((key) => ({
          code: 'gate-without-evaluation',
          message: `${key} of a variant needs rows to judge on, and the policy has no evaluation`,
          path: [...path, key],
          fix: 'Add "evaluation: { source: data/test.csv, target: label }".',
        })),
      ...(isMapping(metrics)
        ? Object.entries(metrics).flatMap(([metric, bound]) => [
            ...lacksBound(
              bound,
              ['min', 'max', 'max_regression', 'min_improvement'],
              `the metric "${metric}" of a variant`,
              [...path, 'metrics', metric],
            ),
            ...minAboveMax(bound, [...path, 'metrics', metric]),
          ])
        : []),
    ];
  });
}
