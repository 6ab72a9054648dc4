import { createHash } from 'node:crypto';
import type { Traffic } from '../traffic-provider.ts';

export type Arm = 'baseline' | 'canary';

export interface SplitOptions {
  /**
   * The header that names a user, whose requests all go to one arm: the canary's users stay its users while its weight grows. Small
   * letters. @default every request by itself
   */
  readonly userHeader?: string | undefined;
  /** Another seed, other users and another order; the same seed the same ones, also after a restart. @default 'sluice' */
  readonly seed?: string;
}

/**
 * Which arm a request goes to. Of every hundred requests exactly `canaryWeight` go to the canary, in an order that is shuffled anew for
 * each hundred: exact shares, and no beat with clients that take turns in what they ask. Users are split by a hash of their name, which
 * knows nothing of a process.
 *
 * With a header route the requests that carry it go to the canary, whatever the weight; the others are split by the weight.
 */
export class ArmSplit {
  readonly #userHeader: string | undefined;
  readonly #seed: string;
  #order: readonly boolean[] = [];
  #next = 0;
  #orderOf = -1;
  #mirrored: readonly boolean[] = [];
  #nextMirrored = 0;
  #mirroredOf = -1;
  readonly #random: () => number;

  constructor({ userHeader, seed = 'sluice' }: SplitOptions = {}) {
    this.#userHeader = userHeader?.toLowerCase();
    this.#seed = seed;
    this.#random = randomFrom(createHash('sha256').update(seed).digest().readUInt32LE(0));
  }

  arm(
    { canaryWeight, header }: Traffic,
    headers: Readonly<Record<string, string | readonly string[] | undefined>>,
  ): Arm {
    if (header !== undefined && headers[header.name.toLowerCase()] === header.value) return 'canary';
    if (canaryWeight <= 0) return 'baseline';
    if (canaryWeight >= 100) return 'canary';
    const user = this.#userHeader === undefined ? undefined : headers[this.#userHeader];
    if (typeof user === 'string' && user !== '') return this.share(user) * 100 < canaryWeight ? 'canary' : 'baseline';
    if (this.#orderOf !== canaryWeight || this.#next >= this.#order.length) {
      this.#order = shuffled(canaryWeight, this.#random);
      this.#orderOf = canaryWeight;
      this.#next = 0;
    }
    return this.#order[this.#next++] === true ? 'canary' : 'baseline';
  }

  /** Whether a request of the baseline's is copied to the canary. */
  mirrors({ mirrorPercent }: Traffic): boolean {
    if (mirrorPercent <= 0) return false;
    if (mirrorPercent >= 100) return true;
    if (this.#mirroredOf !== mirrorPercent || this.#nextMirrored >= this.#mirrored.length) {
      this.#mirrored = shuffled(mirrorPercent, this.#random);
      this.#mirroredOf = mirrorPercent;
      this.#nextMirrored = 0;
    }
    return this.#mirrored[this.#nextMirrored++] === true;
  }

  /** Where a user stands, from 0 to 1: uniform over users, and the same for ever. */
  share(user: string): number {
    return createHash('sha256').update(this.#seed).update('\0').update(user).digest().readUInt32BE(0) / 2 ** 32;
  }
}

function shuffled(chosen: number, random: () => number): readonly boolean[] {
  const order = Array.from({ length: 100 }, (_, index) => index < chosen);
  for (let last = order.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    const kept = order[last] === true;
    order[last] = order[other] === true;
    order[other] = kept;
  }
  return order;
}

/** mulberry32, by T. Ettinger: 32 bits of state are plenty for an order. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
