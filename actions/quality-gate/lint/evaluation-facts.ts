import type { ColumnValues } from '../../../core/data/index.ts';
import { quantileOfSorted } from '../../../core/statistics/index.ts';
import { sortedLabels } from '../label-names.ts';
import type { Subset } from '../subsets.ts';

/** What the evaluation rows are like before any model has seen them. */
export interface EvaluationFacts {
  readonly rows: number;
  /** Rows of each class, the positive one of two first; empty for a regression. */
  readonly classes: readonly number[];
  /** Of a numeric target: what a model that always says the same number would score. */
  readonly spread?: TargetSpread;
}

export interface TargetSpread {
  /** Mean and median distance from the median, and the standard deviation. */
  readonly meanDistance: number;
  readonly medianDistance: number;
  readonly deviation: number;
}

/** A part of the rows with a name of its own. */
export interface PartFacts extends EvaluationFacts {
  readonly name: string;
}

/** Facts of the rows at `rows` (all when not given). `positive`: the text of the positive class; the larger label when not given. */
export function factsOf(
  target: ColumnValues,
  task: 'classification' | 'regression',
  options: { readonly positive?: string | undefined; readonly rows?: Int32Array } = {},
): EvaluationFacts {
  const count = options.rows?.length ?? target.values.length;
  const at = (index: number) => target.values[options.rows?.[index] ?? index] ?? null;
  if (task === 'regression') {
    const numbers = Float64Array.from({ length: count }, (_, index) => Number(at(index)));
    return { rows: count, classes: [], spread: spreadOf(numbers) };
  }
  const counts = new Map<string, number>();
  for (let index = 0; index < count; index++) {
    const label = String(at(index));
    counts.set(label, (counts.get(label) ?? 0) + 1);
  }
  const labels = sortedLabels(counts.keys());
  const positive = labels.find((label) => label === options.positive) ?? labels.at(-1);
  const ordered = [...labels.filter((label) => label === positive), ...labels.filter((label) => label !== positive)];
  return { rows: count, classes: ordered.map((label) => counts.get(label) ?? 0) };
}

/** Facts of a part, by its name. */
export function partFacts(
  part: Subset,
  target: ColumnValues,
  task: 'classification' | 'regression',
  positive: string | undefined,
): PartFacts {
  return { name: part.name, ...factsOf(target, task, { positive, rows: part.rows }) };
}

/** Every class against all others, as a metric of classes by themselves sees it: so many rows are of it. */
export function classFacts(target: ColumnValues): readonly PartFacts[] {
  const counts = new Map<string, number>();
  for (const value of target.values) counts.set(String(value), (counts.get(String(value)) ?? 0) + 1);
  const { length: rows } = target.values;
  return [...counts].map(([name, count]) => ({ name, rows, classes: [count, rows - count] }));
}

/** Every label of several a row: so many rows have it. */
export function labelFacts(
  targets: readonly { readonly name: string; readonly values: ColumnValues }[],
): readonly PartFacts[] {
  return targets.map(({ name, values }) => {
    const { length: rows } = values.values;
    const count = [...values.values].filter((value) => Number(value) === 1).length;
    return { name, rows, classes: [count, rows - count] };
  });
}

/** Where only the number of rows is known: two classes alike in size. */
export function assumedFacts(rows: number, task: 'classification' | 'regression'): EvaluationFacts {
  return { rows, classes: task === 'classification' ? [Math.floor(rows / 2), Math.ceil(rows / 2)] : [] };
}

function spreadOf(numbers: Float64Array): TargetSpread {
  const median = quantileOfSorted(numbers.toSorted(), 0.5);
  const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
  const distances = numbers.map((value) => Math.abs(value - median)).sort();
  return {
    meanDistance: distances.reduce((sum, value) => sum + value, 0) / numbers.length,
    medianDistance: quantileOfSorted(distances, 0.5),
    deviation: Math.sqrt(numbers.reduce((sum, value) => sum + (value - mean) ** 2, 0) / numbers.length),
  };
}
