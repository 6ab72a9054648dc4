/** Two samples as how often each holds each value; the values ascend, each once. */
export interface CountedSamples {
  readonly values: Float64Array;
  readonly reference: Float64Array;
  readonly current: Float64Array;
}

/**
 * Counts two samples together. Values need no order; NaN is refused with a `RangeError`, since it is no value.
 */
export function countSamples(reference: ArrayLike<number>, current: ArrayLike<number>): CountedSamples {
  const sorted = [reference, current].map((sample) => Float64Array.from(sample).sort());
  if (sorted.some((sample) => Number.isNaN(sample.at(-1) ?? 0))) throw new RangeError('NaN is no value to count');
  const [one = new Float64Array(), other = new Float64Array()] = sorted;
  const values: number[] = [];
  const counts: [number[], number[]] = [[], []];
  let [left, right] = [0, 0];
  while (left < one.length || right < other.length) {
    const value = Math.min(one[left] ?? Number.POSITIVE_INFINITY, other[right] ?? Number.POSITIVE_INFINITY);
    const [fromLeft, fromRight] = [left, right];
    while (left < one.length && one[left] === value) left++;
    while (right < other.length && other[right] === value) right++;
    values.push(value);
    counts[0].push(left - fromLeft);
    counts[1].push(right - fromRight);
  }
  return {
    values: Float64Array.from(values),
    reference: Float64Array.from(counts[0]),
    current: Float64Array.from(counts[1]),
  };
}

/** How many values there are on one side. */
export function totalOf(counts: ArrayLike<number>): number {
  let total = 0;
  for (let index = 0; index < counts.length; index++) total += counts[index] ?? 0;
  return total;
}
