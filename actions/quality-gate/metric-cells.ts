import type { LabelSample } from '../../core/metrics/index.ts';
import type { Weights } from '../../core/statistics/index.ts';
import type { Pair } from './measured-metric.ts';

/**
 * Distinct (group, actual, candidate's label, baseline's label), each with its count: for a metric of labels many times faster than
 * rows, and exactly the same. Probabilities are left behind.
 */
export function cellsOf(
  pair: Pair<LabelSample>,
  groups?: Int32Array,
): { readonly pair: Pair<LabelSample>; readonly weights: Weights; readonly groups: Int32Array } {
  const { candidate, baseline } = pair;
  const size = candidate.classes.length;
  const rows = candidate.actual.length;
  let most = 0;
  if (groups !== undefined) for (let row = 0; row < rows; row++) most = Math.max(most, groups[row] ?? 0);
  const cellOf = cellNumbers((most + 1) * size ** 3);
  const list: { count: number; readonly row: number }[] = [];
  for (let row = 0; row < rows; row++) {
    const says = (candidate.predicted[row] ?? 0) * size + (baseline?.predicted[row] ?? 0);
    const key = ((groups?.[row] ?? 0) * size + (candidate.actual[row] ?? 0)) * size * size + says;
    const cell = list[cellOf(key, list.length)];
    if (cell === undefined) list.push({ count: 1, row });
    else cell.count++;
  }
  const at = (values: Int32Array) => Int32Array.from(list, ({ row }) => values[row] ?? 0);
  const { probabilities: _, ...of } = candidate;
  const reduced: LabelSample = { ...of, actual: at(candidate.actual), predicted: at(candidate.predicted) };
  return {
    pair: {
      candidate: reduced,
      ...(baseline === undefined ? {} : { baseline: { ...reduced, predicted: at(baseline.predicted) } }),
    },
    weights: Float64Array.from(list, ({ count }) => count),
    groups: Int32Array.from(list, ({ row }) => groups?.[row] ?? 0),
  };
}

/** Keys up to which a number is kept for each, whether it comes or not. */
const mostNumbered = 2 ** 20;

/** The number of a key's cell: `next` where it has none yet. */
function cellNumbers(keys: number): (key: number, next: number) => number {
  if (keys <= mostNumbered) {
    // One more than the number; 0 where there is none.
    const numbers = new Int32Array(keys);
    return (key, next) => {
      const known = numbers[key] ?? 0;
      if (known > 0) return known - 1;
      numbers[key] = next + 1;
      return next;
    };
  }
  const numbers = new Map<number, number>();
  return (key, next) => {
    const known = numbers.get(key) ?? next;
    if (known === next) numbers.set(key, next);
    return known;
  };
}
