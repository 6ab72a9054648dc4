import { servingMetrics } from '../../core/telemetry/index.ts';
import type { SeriesCounts } from '../metrics-source.ts';

/** Seconds; those of our server, so that both tell the same. */
const edges: readonly number[] = [...servingMetrics.latency.buckets, Number.POSITIVE_INFINITY];

/** What the proxy saw of one server since the proxy began. */
export class ArmCounts {
  readonly id: string;
  #requests = 0;
  #errors = 0;
  #sum = 0;
  readonly #buckets = edges.map(() => 0);
  #agreed = 0;
  #compared = 0;

  /** @param id tells the server from others, and this life of the proxy from the one before */
  constructor(id: string) {
    this.id = id;
  }

  /** @param seconds from the request's first byte to the last one of the answer; undefined if there was no whole answer */
  count(failed: boolean, seconds?: number): void {
    this.#requests++;
    if (failed) this.#errors++;
    if (seconds === undefined) return;
    this.#sum += seconds;
    const bucket = edges.findIndex((edge) => seconds <= edge);
    this.#buckets[bucket] = (this.#buckets[bucket] ?? 0) + 1;
  }

  compare(agreed: boolean): void {
    this.#compared++;
    if (agreed) this.#agreed++;
  }

  counts(at: number): SeriesCounts {
    let below = 0;
    const cumulative = this.#buckets.map((count) => {
      below += count;
      return below;
    });
    return {
      id: this.id,
      requests: this.#requests,
      errors: this.#errors,
      latency: { edges, cumulative, sum: this.#sum },
      ...(this.#compared === 0
        ? {}
        : { means: { agreement: { sum: this.#agreed, count: this.#compared, squares: this.#agreed } } }),
      at,
    };
  }
}
