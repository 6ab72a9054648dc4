import type { Sample } from '../../core/telemetry/index.ts';
import type { SeriesCounts } from '../metrics-source.ts';

/**
 * A mean that somebody exports as two counters beside the model server: how often a shadow agreed, what a prediction was worth. No server has
 * words for them, so they are named here.
 */
export interface ExportedMean {
  /** What the analysis calls it: `agreement`, or a reward's name. */
  readonly name: string;
  /** The counter of the values' sum. */
  readonly sum: string;
  /** The counter of how many values there were. */
  readonly count: string;
  /** The labels of each arm's series, all of which have to match. An arm without has no such mean: agreement is the canary's alone. */
  readonly canary?: Readonly<Record<string, string>>;
  readonly baseline?: Readonly<Record<string, string>>;
}

/** The samples of one mean, by what they are of. */
export interface MeanSamples {
  readonly name: string;
  readonly sums: readonly Sample[];
  readonly counts: readonly Sample[];
  /** Seconds of the epoch, when each counter was scraped. */
  readonly scraped: readonly Sample[];
}

/**
 * Series that hold nothing but a mean, one for each target: who counts it need not be the server, and has no requests of its own. What has
 * no count is left out.
 */
export function seriesOfMeans(means: readonly MeanSamples[], now: number): readonly SeriesCounts[] {
  return means.flatMap(({ name, sums, counts, scraped }) =>
    counts.map(({ labels, value }): SeriesCounts => {
      const key = keyOf(labels);
      const sum = sums.find((each) => keyOf(each.labels) === key)?.value ?? 0;
      const at = scraped.find((each) => keyOf(each.labels) === key)?.value ?? now;
      return { id: `${name} ${key}`, requests: 0, errors: 0, means: { [name]: { sum, count: value } }, at: at * 1000 };
    }),
  );
}

/** The labels without their order. */
function keyOf(labels: Sample['labels']): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}=${value}`)
    .sort()
    .join(',');
}
