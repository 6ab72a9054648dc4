import { baseWins, fields, larger, largerChange, type Merge, smaller, smallerChange } from './merge.ts';
import { mergeByName } from './merge-by-name.ts';
import type { CustomMetric } from './schema.ts';
import { reason, severity } from './stricter-data.ts';

const told = { name: baseWins<string>(), mean: baseWins<string>(), better: baseWins<CustomMetric['better']>() };

const sameMeaning = fields<CustomMetric>({
  ...told,
  min: larger(),
  max: smaller(),
  max_regression: smallerChange,
  min_improvement: largerChange,
  severity,
  reason,
});

/** Bounds of another expression are numbers of another unit: none of them can be held against the base's. */
const anotherMeaning = fields<CustomMetric>({
  ...told,
  min: baseWins(),
  max: baseWins(),
  max_regression: baseWins(),
  min_improvement: baseWins(),
  severity: baseWins(),
  reason: baseWins(),
});

/**
 * Metrics by name. What the head leaves out stays and what it adds is added; where it changes what is measured, the base's metric counts
 * as a whole until the merge. Every difference is told.
 */
export const mergeCustomMetrics: Merge<CustomMetric[]> = mergeByName((base, head) =>
  base?.mean === head?.mean && base?.better === head?.better ? sameMeaning : anotherMeaning,
);
