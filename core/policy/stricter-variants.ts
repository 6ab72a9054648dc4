import { baseWins, fields, headWins, larger, type Merge, oneSided, smaller } from './merge.ts';
import { pairUp } from './pair-up.ts';
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
  return (base, head, at) => {
    if (base === undefined || head === undefined) return oneSided(base, head, at);
    return pairUp(base, head, ({ name }) => name).flatMap((pair, effective) => {
      const [ofBase, ofHead] = [pair.base?.value, pair.head?.value];
      const suffix = `[${(ofBase ?? ofHead)?.name ?? ''}]`;
      const spot = at.entry({ suffix, effective, base: pair.base?.index, head: pair.head?.index });
      const merged = variant(ofBase, ofHead, spot);
      return merged === undefined ? [] : [merged];
    });
  };
}
