/** A stream of pseudo-random numbers; the same seed gives the same stream on every machine. */
export interface Random {
  /** An integer in [0, 2^32). */
  bits(): number;
  /** A number in [0, 1), in steps of 2^-32. */
  unit(): number;
}

/**
 * xoshiro128** (D. Blackman and S. Vigna, "Scrambled linear pseudorandom number generators", 2021), its state filled from the
 * seed's text by four runs of FNV-1a with splitmix32 finishing. Not for secrets.
 */
export function randomOf(seed: string): Random {
  const state: [number, number, number, number] = [
    hashOf(seed, 0x811c9dc5),
    hashOf(seed, 0x9e3779b9),
    hashOf(seed, 0x85ebca6b),
    hashOf(seed, 0xc2b2ae35),
  ];
  return xoshiro128(state);
}

/** xoshiro128** from a state of four 32-bit words, not all zero. */
export function xoshiro128(state: readonly [number, number, number, number]): Random {
  let [a, b, c, d] = state;
  if ((a | b | c | d) === 0) throw new RangeError('a state of zeros gives only zeros');
  const bits = (): number => {
    const scrambled = Math.imul(rotate(Math.imul(b, 5), 7), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = rotate(d, 11);
    return scrambled;
  };
  return { bits, unit: () => bits() / 0x1_0000_0000 };
}

function rotate(word: number, by: number): number {
  return (word << by) | (word >>> (32 - by));
}

function hashOf(text: string, offset: number): number {
  let hash = offset;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x21f0aaad);
  hash = Math.imul(hash ^ (hash >>> 15), 0x735a2d97);
  return (hash ^ (hash >>> 15)) >>> 0;
}
