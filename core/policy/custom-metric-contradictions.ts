import { lacksBound, minAboveMax } from './bound-contradictions.ts';
import type { Contradiction } from './contradictions.ts';
import { isMapping, valueAt } from './policy-path.ts';

/** Rules over `gates.custom`: names told apart, something demanded, a baseline to compare with, one prediction a row. */
export function contradictionsOfCustomMetrics(policy: unknown, metrics: unknown): readonly Contradiction[] {
  if (!Array.isArray(metrics)) return [];
  const names = metrics.map((metric) => valueAt(metric, ['name']));
  const withoutBaseline = valueAt(policy, ['model', 'baseline']) === 'none';
  return [
    ...ofOneValueARow(policy),
    ...metrics.flatMap((metric: unknown, index): readonly Contradiction[] => {
      if (!isMapping(metric)) return [];
      const path = ['gates', 'custom', index];
      const comparisons = ['max_regression', 'min_improvement'].filter((key) => withoutBaseline && key in metric);
      return [
        ...lacksBound(metric, ['min', 'max', 'max_regression', 'min_improvement'], 'the custom metric', path),
        ...minAboveMax(metric, path),
        ...(names.indexOf(names[index]) === index
          ? []
          : [
              {
                code: 'duplicate-metric',
                message: 'two custom metrics have this name',
                path: [...path, 'name'],
                fix: 'Give each a name of its own; one metric takes min and max together.',
              },
            ]),
        ...comparisons.map((key) => ({
          code: 'no-baseline',
          message: `${key} compares with a baseline, and model.baseline is none`,
          path: [...path, key],
          fix: 'Remove it, or set model.baseline to "base" or to a file.',
        })),
      ];
    }),
  ];
}

function ofOneValueARow(policy: unknown): readonly Contradiction[] {
  const several = Array.isArray(valueAt(policy, ['evaluation', 'target']));
  if (!several && valueAt(policy, ['evaluation', 'query']) === undefined) return [];
  return [
    {
      code: 'mixed-tasks',
      message: `custom metrics are of one class or value a row, and the model is one of ${several ? 'several labels' : 'rankings'}`,
      path: ['gates', 'custom'],
      fix: 'Remove them, or judge such a model by a policy of its own.',
    },
  ];
}
