/** Up to so many values a comparison sort is as fast. */
const few = 2048;
const bitsOfDigit = 16;
const digits = 64 / bitsOfDigit;
const sizeOfDigit = 2 ** bitsOfDigit;

/**
 * The indices of the values by rising value; equal ones (0 and −0 too) keep their order, NaN come last. A radix sort over the bits of the
 * numbers: of a million values about twenty times as fast as sorting indices by comparison.
 */
export function ascendingOrder(values: ArrayLike<number>): Int32Array {
  if (values.length <= few) return byComparison(values);
  return values instanceof Float32Array ? ofSingles(values) : ofDoubles(values);
}

/**
 * By bytes, the keys carried along: what is written goes on in 256 places, which a processor's caches hold, and what is read is read in
 * order; of ten million values three times as fast as by sixteen bits.
 */
function ofSingles(values: Float32Array): Int32Array {
  const n = values.length;
  let keys = new Uint32Array(n);
  const numbers = new Float32Array(keys.buffer);
  for (let index = 0; index < n; index++) {
    const value = values[index] ?? Number.NaN;
    numbers[index] = Number.isNaN(value) ? Number.NaN : value + 0;
  }
  for (let index = 0; index < n; index++) {
    const bits = keys[index] ?? 0;
    keys[index] = bits >>> 31 === 1 ? ~bits : bits | 0x8000_0000;
  }
  let order = new Int32Array(0);
  let next = new Int32Array(n);
  let nextKeys = new Uint32Array(n);
  const counts = new Int32Array(256);
  for (let shift = 0; shift < 32; shift += 8) {
    counts.fill(0);
    for (let at = 0; at < n; at++) {
      const of = ((keys[at] ?? 0) >>> shift) & 255;
      counts[of] = (counts[of] ?? 0) + 1;
    }
    if (counts[((keys[0] ?? 0) >>> shift) & 255] === n) continue;
    startsOf(counts);
    const first = order.length === 0;
    for (let at = 0; at < n; at++) {
      const key = keys[at] ?? 0;
      const of = (key >>> shift) & 255;
      const to = counts[of] ?? 0;
      counts[of] = to + 1;
      nextKeys[to] = key;
      next[to] = first ? at : (order[at] ?? 0);
    }
    [keys, nextKeys] = [nextKeys, keys];
    [order, next] = [next, first ? new Int32Array(n) : order];
  }
  return order.length === 0 ? byComparison(values) : order;
}

function ofDoubles(values: ArrayLike<number>): Int32Array {
  const n = values.length;
  // Adding 0 makes 0 of −0; one NaN is like another.
  const words = new Uint32Array(2 * n);
  const numbers = new Float64Array(words.buffer);
  for (let index = 0; index < n; index++) {
    const value = values[index] ?? Number.NaN;
    numbers[index] = Number.isNaN(value) ? Number.NaN : value + 0;
  }
  // So that the order of doubles is that of unsigned integers: the sign bit turned for positive numbers, every bit for negative ones.
  for (let at = 0; at < words.length; at += 2) {
    const high = words[at + 1] ?? 0;
    if (high >>> 31 === 1) {
      words[at] = ~(words[at] ?? 0);
      words[at + 1] = ~high;
    } else words[at + 1] = high | 0x8000_0000;
  }
  let order = new Int32Array(0);
  let next = new Int32Array(n);
  const counts = new Int32Array(sizeOfDigit);
  for (let digit = 0; digit < digits; digit++) {
    const word = digit >> 1;
    const shift = (digit & 1) * bitsOfDigit;
    counts.fill(0);
    for (let at = word; at < words.length; at += 2) {
      const of = ((words[at] ?? 0) >>> shift) & (sizeOfDigit - 1);
      counts[of] = (counts[of] ?? 0) + 1;
    }
    // Of numbers that were floats once, most low digits are all alike.
    const first = ((words[word] ?? 0) >>> shift) & (sizeOfDigit - 1);
    if (counts[first] === n) continue;
    startsOf(counts);
    for (let at = 0; at < n; at++) {
      const index = order.length === 0 ? at : (order[at] ?? 0);
      const of = ((words[2 * index + word] ?? 0) >>> shift) & (sizeOfDigit - 1);
      const to = counts[of] ?? 0;
      counts[of] = to + 1;
      next[to] = index;
    }
    [order, next] = [next, order.length === 0 ? new Int32Array(n) : order];
  }
  return order.length === 0 ? byComparison(values) : order;
}

/** How many there are of each, made into where the first of each goes. */
function startsOf(counts: Int32Array): void {
  let start = 0;
  for (let of = 0; of < counts.length; of++) {
    const count = counts[of] ?? 0;
    counts[of] = start;
    start += count;
  }
}

function byComparison(values: ArrayLike<number>): Int32Array {
  const order = new Int32Array(values.length);
  for (let index = 0; index < order.length; index++) order[index] = index;
  const key = (index: number) => values[index] ?? Number.NaN;
  return order.sort((left, right) => {
    const [one, other] = [key(left), key(right)];
    if (one < other) return -1;
    if (one > other) return 1;
    return Number(Number.isNaN(one)) - Number(Number.isNaN(other)) || left - right;
  });
}
