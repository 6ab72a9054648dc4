/** Bodies smaller than this are not counted: their number is bounded by the connections. */
const counted = 64 * 1024;

/**
 * The memory that all bodies together may take. A limit for one body alone would let every connection take it at once.
 */
export class BodyBudget {
  readonly #limit: number;
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes taken now. */
  get taken(): number {
    return this.#taken;
  }

  /** False: there is no room; nothing was taken. */
  take(bytes: number): boolean {
    if (bytes < counted) return true;
    if (this.#taken + bytes > this.#limit) return false;
    this.#taken += bytes;
    return true;
  }

  /** Gives back what `take` was asked for with the same number. */
  give(bytes: number): void {
    if (bytes >= counted) this.#taken -= bytes;
  }
}
