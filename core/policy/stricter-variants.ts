import { baseWins, fields, headWins, larger, type Merge, smaller } from './merge.ts';
import { mergeByName } from './merge-by-name.ts';
import type { Variant } from './schema.ts';
import { reason, severity } from './stricter-data.ts';

type Metrics = NonNullable<Variant['metrics']>;

/** Variants by name: what the head leaves out stays, and of each bound the stricter counts. The files are the head's. */
export function variantsBy(metrics: Merge<Metrics>): Merge<Variant[]> {
  const variant = fields<Variant>({
    name: baseWins(),
    path: headWins(),
    metrics,
    min_agreement: larger(),
    max_size_ratio: smaller(),
    max_latency_ratio: smaller(),
    severity,
    reason,
  });
  return mergeByName(() => variant);
}
