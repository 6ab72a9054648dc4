import type { Model } from '../onnx/index.ts';
import type { Policy } from '../policy/index.ts';

/** Columns that the model takes as text, although a CSV's may look like numbers. */
export function textColumns(model: Pick<Model, 'inputs'>, policy: NonNullable<Policy['model']>): readonly string[] {
  return model.inputs.flatMap(({ name, type }) => (type === 'string' ? (policy.inputs?.[name] ?? [name]) : []));
}
