import type { ModelFacts } from '../../core/onnx/index.ts';
import { InputError } from '../../core/problem/index.ts';

// What people call the column that is predicted, most telling first.
export const usualTargets = [
  'target',
  'label',
  'labels',
  'y',
  'class',
  'outcome',
  'diagnosis',
  'y_true',
  'ground_truth',
  'response',
];

/**
 * The column the model predicts: the only one that is not an input of a model with one input a column, else one with a usual name, else the
 * only one too many for a model with one wide input (then the last, where such tables have it).
 * @throws InputError that asks for `--target` when none of these tells
 */
export function guessTarget(columns: readonly string[], inputs: ModelFacts['inputs'], file: string): string {
  const fed = new Set(inputs.map((input) => input.name));
  const perColumn = inputs.length > 1 || columns.includes(inputs[0]?.name ?? '');
  const left = perColumn ? columns.filter((column) => !fed.has(column)) : columns;
  if (perColumn && left.length === 1 && left[0] !== undefined) return left[0];
  for (const name of usualTargets) {
    const found = left.find((column) => column.toLowerCase() === name);
    if (found !== undefined) return found;
  }
  const width = inputs[0]?.shape.at(-1);
  const last = columns.at(-1);
  if (!perColumn && width === columns.length - 1 && last !== undefined) return last;
  throw new InputError({
    code: 'unknown-target',
    message: 'which column does the model predict?',
    place: { file },
    found: `${columns.slice(0, 12).join(', ')}${columns.length > 12 ? ', …' : ''}`,
    fix: 'Name it with --target COLUMN.',
  });
}
