import { baseWins, fields, larger, largerChange, type Merge, oneSided, smaller, smallerChange } from './merge.ts';
import { pairUp } from './pair-up.ts';
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
export const mergeCustomMetrics: Merge<CustomMetric[]> = (base, head, at) => {
  if (base === undefined || head === undefined) return oneSided(base, head, at);
  return pairUp(base, head, ({ name }) => name).flatMap((pair, effective) => {
    const [ofBase, ofHead] = [pair.base?.value, pair.head?.value];
    const suffix = `[${(ofBase ?? ofHead)?.name ?? ''}]`;
    const spot = at.entry({ suffix, effective, base: pair.base?.index, head: pair.head?.index });
    const same = ofBase?.mean === ofHead?.mean && ofBase?.better === ofHead?.better;
    const merged = (same ? sameMeaning : anotherMeaning)(ofBase, ofHead, spot);
    return merged === undefined ? [] : [merged];
  });
};
