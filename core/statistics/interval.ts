/**
 * An estimate with a lower and an upper bound, each one-sided at `level`: the truth is below `lower` with chance at most
 * `1 - level`, and above `upper` with chance at most `1 - level`.
 */
export interface Interval {
  readonly estimate: number;
  readonly lower: number;
  readonly upper: number;
  readonly level: number;
  /** `Wilson`, `paired bootstrap (2000 resamples)`, `exact` (no uncertainty: a file's size). */
  readonly method: string;
  readonly n: number;
}
