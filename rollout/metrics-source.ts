/** One histogram, cumulative over `le` as Prometheus has it; the last edge is Infinity. Counts since the series began. */
export interface HistogramCounts {
  readonly edges: readonly number[];
  readonly cumulative: readonly number[];
  readonly sum?: number;
}

/** One series of counters: one pod (or fleet) of one arm. Counts only grow, until it restarts. */
export interface SeriesCounts {
  /** Tells series of one arm apart: pod, instance. */
  readonly id: string;
  readonly requests: number;
  /** Requests that failed by the server's fault (5xx, exceptions); what else counts is the source's setting. */
  readonly errors: number;
  /** Seconds. */
  readonly latency?: HistogramCounts;
  /** Predictions by class or score bucket. */
  readonly predictions?: Readonly<Record<string, number>>;
  /** Named sums and counts: agreement with the shadow, reward. `squares` where the source has them. */
  readonly means?: Readonly<
    Record<string, { readonly sum: number; readonly count: number; readonly squares?: number }>
  >;
  /** When the counts were taken (milliseconds of the epoch), by the source's clock where it tells. */
  readonly at: number;
}

/** Both arms at one look. An arm without series: nothing was seen of it, which is never "zero errors". */
export interface Reading {
  readonly canary: readonly SeriesCounts[];
  readonly baseline: readonly SeriesCounts[];
  /** What was odd: a series that vanished, a NaN, a scrape that was late. Printable. */
  readonly remarks: readonly string[];
}

/** Brings counters of both arms; knows nothing of traffic. Throws a `PeerError` when it cannot be asked. */
export interface MetricsSource extends AsyncDisposable {
  readonly name: string;
  readonly title: string;
  read(signal?: AbortSignal): Promise<Reading>;
  /**
   * What the source remembers of the baseline, oldest first: at most so many readings up to now, `everyMs` apart, without the canary. An
   * analysis learns from them how restless the baseline is by itself. Absent: it remembers nothing. Throws as `read` does.
   */
  history?(everyMs: number, readings: number, signal?: AbortSignal): Promise<readonly Reading[]>;
}
