import { randomOf } from '../../core/statistics/index.ts';

/**
 * Numbers kept in bounded memory: all of them up to a limit, from there a uniform sample of all that came (J. S. Vitter, "Random sampling
 * with a reservoir", 1985, algorithm R). What is inferred from the sample holds for all, with the sample's own size.
 */
export class Sample {
  /** How many came. */
  count = 0;
  #values: Float64Array;
  readonly #limit: number;
  readonly #random = randomOf('reservoir');

  constructor(limit: number) {
    this.#limit = limit;
    this.#values = new Float64Array(Math.min(limit, 1024));
  }

  add(value: number): void {
    const index = this.count++;
    if (index < this.#limit) {
      if (index === this.#values.length) this.#grow();
      this.#values[index] = value;
      return;
    }
    const place = Math.floor(this.#random.unit() * this.count);
    if (place < this.#limit) this.#values[place] = value;
  }

  /** Up to the limit in the order they came. */
  values(): Float64Array {
    return this.#values.subarray(0, Math.min(this.count, this.#limit));
  }

  #grow(): void {
    const larger = new Float64Array(Math.min(this.#limit, this.#values.length * 2));
    larger.set(this.#values);
    this.#values = larger;
  }
}
