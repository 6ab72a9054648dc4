import type { PairedCounts } from '../statistics/index.ts';
import { meanOf } from './mean.ts';
import type { Measure } from './metric.ts';

/** How a metric that is a share of rows is measured, counted and compared. */
export interface HitShare<Sample, Options> {
  on(sample: Sample, options?: Options): Measure;
  proportion(sample: Sample, options?: Options): { readonly successes: number; readonly trials: number };
  paired(candidate: Sample, baseline: Sample, options?: Options): PairedCounts;
}

/** `hitsOf`: 1 for each row that counts, 0 for the others. */
export function hitShare<Sample, Options>(
  hitsOf: (sample: Sample, options?: Options) => Float64Array,
): HitShare<Sample, Options> {
  return {
    on: (sample, options) => meanOf(hitsOf(sample, options)),
    proportion(sample, options) {
      const hits = hitsOf(sample, options);
      return { successes: hits.reduce((sum, hit) => sum + hit, 0), trials: hits.length };
    },
    paired(candidate, baseline, options) {
      const [one, other] = [hitsOf(candidate, options), hitsOf(baseline, options)];
      let [won, lost] = [0, 0];
      for (let row = 0; row < one.length; row++) {
        const by = (one[row] ?? 0) - (other[row] ?? 0);
        if (by > 0) won++;
        else if (by < 0) lost++;
      }
      return { won, lost, rows: one.length };
    },
  };
}
