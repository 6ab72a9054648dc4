import type { Place } from '../problem/index.ts';

/** Progress of long work; a host draws it or, in CI, stays quiet. */
export interface Progress {
  /** `done` of `total` units so far. */
  update(done: number, total: number): void;
  end(): void;
}

/**
 * What differs between GitHub Actions, a terminal and a library call. Every text given to a host may hold an attacker's
 * characters; the host, not the caller, makes it harmless for its medium.
 */
export interface Host {
  /** A foldable section of the log around `work`. */
  group<Result>(title: string, work: () => Promise<Result>): Promise<Result>;
  info(message: string): void;
  notice(message: string, place?: Place): void;
  warning(message: string, place?: Place): void;
  error(message: string, place?: Place): void;
  progress(title: string): Progress;
  /** Adds to the job summary (GitHub) or does nothing (terminal). Already rendered and escaped Markdown. */
  summary(markdown: string): Promise<void>;
  /** A step output (GitHub) or nothing (terminal). */
  output(name: string, value: string): void;
  /** From now on this value is masked in the log. */
  secret(value: string): void;
}
