import type { MultiLabelSample } from '../../core/metrics/index.ts';
import { DataError, ModelError, type Place } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { counted } from './number-text.ts';
import type { Predictions } from './predictions.ts';

/** A label is predicted where its score is over this, as scikit-learn's classifiers do. */
const threshold = 0.5;

/** Which labels are true of each row. Throws a `DataError` where a target holds anything but 0 and 1. */
export function labelsOf({ targets, policy, table }: EvaluationRows, place: Place): Uint8Array {
  const bits = new Uint8Array(table.rows * targets.length);
  for (const [index, { name, values }] of targets.entries()) {
    for (let row = 0; row < table.rows; row++) {
      const value = values.values[row];
      if (value !== 0 && value !== 1) {
        throw new DataError({
          code: 'target-type',
          message: `column "${excerpt(name)}" of ${excerpt(policy.source)} does not say whether a label is true`,
          place,
          found: `${excerpt(String(value))} in row ${row + 1}`,
          expected: '0 or 1, or a boolean, in every row',
          fix: 'Write one column a label: 1 where it is true of the row, else 0.',
        });
      }
      bits[row * targets.length + index] = value;
    }
  }
  return bits;
}

/** What a model says of every label. Throws a `ModelError` where its outputs are not one score from 0 to 1 a label. */
export function multiLabelSample(
  { targets, table }: EvaluationRows,
  actual: Uint8Array,
  { scores }: Predictions,
  model: { readonly path: string; readonly place: Place },
): MultiLabelSample {
  const labels = targets.map(({ name }) => name);
  if (scores === undefined || scores.width !== labels.length) {
    throw new ModelError({
      code: 'label-count',
      message: `${excerpt(model.path)} does not give one score for each of ${counted(labels.length, 'label')}`,
      place: model.place,
      found: scores === undefined ? 'no scores' : `${counted(scores.width, 'score')} a row`,
      expected: `[rows, ${labels.length}], in the order of evaluation.target`,
      fix: 'Name the columns of all its labels under evaluation.target, in the order of its outputs.',
    });
  }
  const outside = scores.values.findIndex((value) => value < 0 || value > 1);
  if (outside !== -1) {
    throw new ModelError({
      code: 'not-a-probability',
      message: `${excerpt(model.path)} gives a label a score that is no probability`,
      place: model.place,
      found: `${scores.values[outside]} in row ${Math.floor(outside / labels.length) + 1}`,
      expected: 'a number from 0 to 1',
      fix: 'Export the model with its sigmoid.',
    });
  }
  const predicted = Uint8Array.from(scores.values, (score) => (score > threshold ? 1 : 0));
  const values = scores.values instanceof Float64Array ? scores.values : Float64Array.from(scores.values);
  return { task: 'multilabel', rows: table.rows, labels, actual, predicted, scores: values };
}
