import type { SeriesCounts } from '../metrics-source.ts';

/** What happened in one minute. `within`: how many requests took no longer than each edge, in the order of the edges. */
export interface Minute {
  readonly requests: number;
  readonly errors: number;
  readonly within?: readonly number[];
  /** Of the requests whose time was measured. */
  readonly timed?: number;
}

/** Milliseconds. */
export const minute = 60_000;
/** Services that count by the minute have counts of a minute ready some minutes later: so many minutes are asked for again and again. */
const minutesThatGrow = 10;

/**
 * Makes counts that only grow out of counts by the minute, as such services give them: minutes are added up from the first look on, each with
 * the most it was ever seen to have. Data that comes late makes a minute of the past larger, and so counts at the look that sees it.
 *
 * A minute without data is one without requests, once the arm has been seen at all; before that the arm has no series. The series is named
 * after its first minute: another process begins with another, so that what both count is never taken for a restart.
 */
export class MinuteCounts {
  readonly #name: string;
  readonly #edges: readonly number[];
  readonly #minutes = new Map<number, Minute>();
  #sum: Minute = { requests: 0, errors: 0 };
  #first: number | undefined;
  #seen = false;

  /** `edges` in seconds, rising, without infinity; none: no latency is known. */
  constructor(name: string, edges: readonly number[]) {
    this.#name = name;
    this.#edges = edges;
  }

  /** From when to when to ask, in milliseconds of the epoch, both whole minutes. */
  span(now: number): { readonly from: number; readonly to: number } {
    const to = Math.floor(now / minute) * minute;
    this.#first ??= to - minutesThatGrow * minute;
    return { from: Math.max(this.#first, to - minutesThatGrow * minute), to };
  }

  /** What was found in such a span, by the minute's beginning; counts that are none (NaN, negative) are nothing. */
  add(found: ReadonlyMap<number, Minute>): void {
    for (const [at, counts] of found) {
      if (this.#first === undefined || at < this.#first || !Number.isFinite(at)) continue;
      this.#minutes.set(at, most(this.#minutes.get(at), counts));
      this.#seen ||= counts.requests > 0;
    }
    // What does not grow any more need not be kept apart.
    const newest = Math.max(...this.#minutes.keys());
    for (const [at, counts] of this.#minutes) {
      if (at >= newest - 2 * minutesThatGrow * minute) continue;
      this.#sum = sum(this.#sum, counts);
      this.#minutes.delete(at);
    }
  }

  /** All up to the end of the span; `undefined`: no request of the arm was ever seen. */
  counts(until: number): SeriesCounts | undefined {
    if (!this.#seen || this.#first === undefined) return undefined;
    const { requests, errors, within, timed } = [...this.#minutes.values()].reduce(sum, this.#sum);
    return {
      id: `${this.#name} since ${new Date(this.#first).toISOString().slice(0, 16)}Z`,
      requests,
      // Both are counted apart, and may come apart.
      errors: Math.min(errors, requests),
      ...(within === undefined || this.#edges.length === 0
        ? {}
        : { latency: this.#histogram(within, Math.min(timed ?? requests, requests)) }),
      at: until,
    };
  }

  /** Sums of buckets that were asked for one by one: none holds less than the one below, none more than all. */
  #histogram(within: readonly number[], all: number) {
    let below = 0;
    const cumulative = this.#edges.map((_, index) => {
      below = Math.min(all, Math.max(below, within[index] ?? 0));
      return below;
    });
    return { edges: [...this.#edges, Number.POSITIVE_INFINITY], cumulative: [...cumulative, all] };
  }
}

const count = (value: number | undefined): number =>
  value !== undefined && value > 0 && Number.isFinite(value) ? value : 0;

function combined(one: Minute, other: Minute, by: (one: number, other: number) => number): Minute {
  const both = (name: 'requests' | 'errors' | 'timed'): number => by(count(one[name]), count(other[name]));
  const edges = Math.max(one.within?.length ?? 0, other.within?.length ?? 0);
  return {
    requests: both('requests'),
    errors: both('errors'),
    ...(one.within === undefined && other.within === undefined
      ? {}
      : {
          timed: both('timed'),
          within: Array.from({ length: edges }, (_, index) =>
            by(count(one.within?.[index]), count(other.within?.[index])),
          ),
        }),
  };
}

function sum(one: Minute, other: Minute): Minute {
  return combined(one, other, (first, second) => first + second);
}

function most(before: Minute | undefined, now: Minute): Minute {
  return combined(before ?? { requests: 0, errors: 0 }, now, Math.max);
}
