/** A histogram as plain numbers: an observation is a search and three additions, whatever is made of it happens when it is read. */
export class HistogramCounts {
  /** Upper bounds, ascending; the last count is of what lies above them all. */
  readonly bounds: readonly number[];
  /** Observations of each bucket alone, not cumulative; one more than there are bounds. */
  readonly counts: Float64Array;
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  /** A value on a bound belongs to it (`le`). The caller keeps NaN out. */
  observe(value: number): void {
    const { bounds, counts } = this;
    let low = 0;
    let high = bounds.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((bounds[middle] ?? Number.POSITIVE_INFINITY) < value) low = middle + 1;
      else high = middle;
    }
    counts[low] = (counts[low] ?? 0) + 1;
    this.sum += value;
    this.count += 1;
  }
}
