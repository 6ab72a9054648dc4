import type { TensorSpec } from '../../core/onnx/index.ts';
import type { Policy } from '../../core/policy/index.ts';
import { ModelError, type Place, type Problem } from '../../core/problem/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';
import type { Task } from './row-predictor.ts';

export interface OutputChoice {
  readonly label?: string;
  readonly scores?: string;
  readonly value?: string;
}

export interface PredictionPolicy {
  readonly task: Task;
  readonly outputs?: NonNullable<Policy['model']>['outputs'];
  readonly model: string;
  readonly place: Place;
}

const floats: ReadonlySet<string> = new Set(['float32', 'float64', 'float16']);
const labelTypes: ReadonlySet<string> = new Set([
  'int64',
  'int32',
  'string',
  'bool',
  'uint8',
  'int8',
  'int16',
  'uint16',
  'uint32',
  'uint64',
]);

/** Classification when an output holds labels or several columns of scores; else regression. */
export function taskOf(outputs: readonly TensorSpec[]): Task {
  const scores = outputs.some(({ type, shape }) => floats.has(type) && shape.length === 2 && shape[1] !== 1);
  return scores || outputs.some(({ type }) => labelTypes.has(type) || type.startsWith('sequence'))
    ? 'classification'
    : 'regression';
}

/** Which output is the label, the class probabilities, the value: as the policy says, else by type and shape. */
export function chooseOutputs(outputs: readonly TensorSpec[], policy: PredictionPolicy): OutputChoice {
  const declared = policy.outputs ?? {};
  for (const [role, name] of Object.entries(declared)) {
    if (name !== undefined && !outputs.some((output) => output.name === name))
      throw unknownOutput(role, name, outputs, policy);
  }
  const all = outputs.map(({ name, type, shape }) => `${excerpt(name, 40)}: ${type} [${shape.join(', ')}]`).join('; ');
  const refuse = (code: string, message: string, rest: Partial<Problem>) =>
    new ModelError({ code, message: `${excerpt(policy.model)} ${message}`, place: policy.place, found: all, ...rest });

  if (policy.task === 'regression' || policy.task === 'ranking') {
    const numeric = outputs.filter(({ type }) => floats.has(type) || (labelTypes.has(type) && type !== 'string'));
    const named = numeric.find(({ name }) => name === declared.value);
    const [only, ...others] = named === undefined ? numeric : [named];
    if (only === undefined)
      throw refuse('no-value-output', 'has no output of numbers', { expected: 'a tensor of predicted values' });
    if (others.length > 0) {
      throw refuse('ambiguous-output', 'has several outputs of numbers', {
        fix: `Say which is the prediction: "model: { outputs: { value: ${excerpt(only.name, 40)} } }".`,
      });
    }
    return { value: only.name };
  }

  if (policy.task === 'multilabel') {
    const wide = outputs.filter(({ type, shape }) => (floats.has(type) || labelTypes.has(type)) && shape[1] !== 1);
    const scores = declared.probabilities ?? (wide.find(({ type }) => floats.has(type)) ?? wide[0])?.name;
    if (scores !== undefined) return { scores };
    throw refuse('no-class-output', 'has no output of one score a label', {
      expected: 'a tensor [rows, labels]',
      fix: 'Export the scores of all labels as one output.',
    });
  }

  const label = declared.label ?? outputs.find(({ type }) => labelTypes.has(type))?.name;
  const candidates = outputs.filter(({ name, type }) => floats.has(type) && name !== label);
  const wide = candidates.filter(({ shape }) => shape[1] !== 1);
  const scores = declared.probabilities ?? (wide.length > 0 ? wide : candidates)[0]?.name;
  if (label === undefined && scores === undefined) {
    throw refuse('no-class-output', 'has no output of labels or class probabilities', {
      fix: outputs.some(({ type }) => type.startsWith('sequence'))
        ? "Export it without ZipMap: skl2onnx's options={'zipmap': False}."
        : 'Export the label or the probabilities as an output.',
    });
  }
  return { ...(label === undefined ? {} : { label }), ...(scores === undefined ? {} : { scores }) };
}

/** The outputs to ask for; others may be of a type that cannot be read. */
export function namesOf(choice: OutputChoice): readonly string[] {
  return Object.values(choice).filter((name) => name !== undefined);
}

function unknownOutput(
  role: string,
  name: string,
  outputs: readonly TensorSpec[],
  policy: PredictionPolicy,
): ModelError {
  const names = outputs.map((output) => output.name);
  const near = nearestName(name, names);
  return new ModelError({
    code: 'unknown-output',
    message: `${excerpt(policy.model)} has no output "${excerpt(name)}", which model.outputs.${role} names`,
    place: policy.place,
    expected: names.map((each) => excerpt(each, 40)).join(', '),
    ...(near === undefined ? {} : { fix: `Did you mean "${excerpt(near)}"?` }),
  });
}
