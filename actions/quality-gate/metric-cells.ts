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
  const cells = new Map<number, { count: number; row: number }>();
  for (let row = 0; row < candidate.actual.length; row++) {
    const says = (candidate.predicted[row] ?? 0) * size + (baseline?.predicted[row] ?? 0);
    const key = ((groups?.[row] ?? 0) * size + (candidate.actual[row] ?? 0)) * size * size + says;
    const cell = cells.get(key);
    if (cell === undefined) cells.set(key, { count: 1, row });
    else cell.count++;
  }
  const list = [...cells.values()];
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
