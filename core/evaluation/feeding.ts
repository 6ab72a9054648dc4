import type { Table } from '../data/index.ts';
import { isRunnable, type RunnableType, type TensorSpec } from '../onnx/index.ts';
import type { Policy } from '../policy/index.ts';
import { ModelError, type Place, type Problem } from '../problem/index.ts';
import { counted, excerpt, nearestName, sameName } from '../text/index.ts';

/** Which columns go into which input of a model. */
export interface Feeding {
  readonly input: string;
  readonly type: RunnableType;
  readonly columns: readonly string[];
  /** Whether the input is one value a row (`[N]`) or a row of values (`[N, columns]`). */
  readonly flat: boolean;
  /** Rows a call where the model fixes it. */
  readonly batch?: number;
}

type Evaluation = NonNullable<Policy['evaluation']>;

/** How problems with what a model is fed name it: its file, and the policy line that brought it. */
export interface NamedModel {
  readonly model: string;
  readonly place: Place;
}

/** What decides how a model is fed. */
export interface FeedingPolicy extends NamedModel {
  readonly inputs?: NonNullable<Policy['model']>['inputs'];
  /** Where the rows come from, and which columns are features. Without a target every column may be one. */
  readonly evaluation: Pick<Evaluation, 'source' | 'features' | 'ignore'> &
    Partial<Pick<Evaluation, 'target' | 'query'>>;
}

/**
 * Maps columns to inputs: as `model.inputs` says; else a model with one input takes every feature column in file order, and a model with
 * several takes for each the column of its name. Features are `evaluation.features`, or every column but the target, the query and
 * `evaluation.ignore`; group and slice columns are features too unless ignored. Throws a `ModelError` with every input that does not
 * fit.
 */
export function feedingsOf(inputs: readonly TensorSpec[], table: Table, policy: FeedingPolicy): readonly Feeding[] {
  const problems: Problem[] = [];
  const features = featuresOf(table, policy.evaluation);
  const feedings: Feeding[] = [];
  for (const name of Object.keys(policy.inputs ?? {})) {
    if (!inputs.some((input) => input.name === name)) problems.push(unknownInput(name, inputs, policy));
  }
  for (const input of inputs) {
    const columns = columnsOf(input, inputs, features, table, policy);
    const fed = typeof columns === 'object' && 'code' in columns ? columns : feedingOf(input, columns, table, policy);
    if ('code' in fed) problems.push(fed);
    else feedings.push(fed);
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new ModelError([first, ...rest]);
  return feedings;
}

function featuresOf(table: Table, evaluation: FeedingPolicy['evaluation']): readonly string[] {
  if (evaluation.features !== undefined) return evaluation.features;
  const left = new Set<string | undefined>(
    [evaluation.target ?? [], evaluation.query ?? [], evaluation.ignore ?? []].flat(),
  );
  return table.columns.map((column) => column.name).filter((name) => !left.has(name));
}

function columnsOf(
  input: TensorSpec,
  inputs: readonly TensorSpec[],
  features: readonly string[],
  table: Table,
  policy: FeedingPolicy,
): readonly string[] | Problem {
  const declared = policy.inputs?.[input.name];
  if (declared !== undefined) return declared;
  const named = features.find((name) => name === input.name) ?? sameName(input.name, features);
  const single = input.shape.length < 2 || input.shape[1] === 1;
  if (inputs.length === 1 && !(named !== undefined && single)) return features;
  if (named !== undefined) return [named];
  const near = nearestName(input.name, features);
  const elsewhere = table.columns.some(({ name }) => name === input.name);
  return {
    code: 'missing-input',
    message: `${excerpt(policy.model)} wants the input "${excerpt(input.name)}", and ${excerpt(policy.evaluation.source)} has no feature column of that name`,
    place: policy.place,
    ...(elsewhere ? { found: 'a column that evaluation.target, ignore or features leaves out' } : {}),
    fix:
      near === undefined
        ? `Say which columns feed it: "model: { inputs: { ${excerpt(input.name, 40)}: [column, ...] } }".`
        : `Did you mean the column "${excerpt(near)}"? Rename one of them, or write "model: { inputs: { ${excerpt(input.name, 40)}: [${excerpt(near, 40)}] } }".`,
  };
}

function feedingOf(
  input: TensorSpec,
  columns: readonly string[],
  table: Table,
  policy: FeedingPolicy,
): Feeding | Problem {
  const of = (code: string, message: string, rest: Partial<Problem>): Problem => ({
    code,
    message: `the input "${excerpt(input.name)}" of ${excerpt(policy.model)} ${message}`,
    place: policy.place,
    ...rest,
  });
  if (!isRunnable(input.type)) {
    return of('input-type', 'is of a type that columns cannot feed', {
      found: input.type,
      expected: 'a tensor of numbers, booleans or strings',
      fix: 'Export the model with plain tensor inputs.',
    });
  }
  const [batch, width, ...deeper] = input.shape;
  if (deeper.some((size) => size !== 1) && !input.unranked) {
    return of('input-shape', 'has more than two dimensions', {
      found: `[${input.shape.join(', ')}]`,
      expected: '[rows, columns] or [rows]',
      fix: 'Export the model so that it takes a table: one row of values for each row of data.',
    });
  }
  for (const name of columns) {
    if (table.columns.some((column) => column.name === name)) continue;
    const near = nearestName(
      name,
      table.columns.map((column) => column.name),
    );
    return of(
      'missing-column',
      `is fed by the column "${excerpt(name)}", which is not in ${excerpt(policy.evaluation.source)}`,
      {
        ...(near === undefined ? {} : { fix: `Did you mean "${excerpt(near)}"?` }),
      },
    );
  }
  const flat = !input.unranked && input.shape.length === 1;
  const wanted = flat ? 1 : typeof width === 'number' ? width : undefined;
  const text = input.type === 'string';
  const misfits = columns.filter((name) => {
    const type = table.columns.find((column) => column.name === name)?.type;
    return text ? type !== 'string' : type === 'string' || type === 'date' || type === 'timestamp' || type === 'other';
  });
  if (wanted !== undefined && wanted !== columns.length) {
    const extra = columns.length - wanted;
    const suspects = (misfits.length > 0 ? misfits : columns.filter(looksLikeIdentifier)).slice(0, Math.max(0, extra));
    return of(
      'feature-count',
      `wants ${counted(wanted, 'feature')}, and ${excerpt(policy.evaluation.source)} gives ${columns.length}: ${listed(columns)}`,
      {
        fix:
          extra < 0
            ? 'Add the columns that the model was trained on, or name those of another input under model.inputs.'
            : suspects.length > 0
              ? `Is ${suspects.map((name) => `"${excerpt(name, 40)}"`).join(', ')} a feature? If not, add it to evaluation.ignore.`
              : 'List the columns the model was trained on, in order, under evaluation.features, or add the others to evaluation.ignore.',
      },
    );
  }
  const [misfit] = misfits;
  if (misfit !== undefined) {
    const type = table.columns.find((column) => column.name === misfit)?.type ?? 'other';
    return of('input-type', `takes ${input.type}, and the column "${excerpt(misfit)}" is of type ${type}`, {
      ...(misfits.length > 1 ? { found: `${misfits.length} such columns: ${listed(misfits)}` } : {}),
      fix: text
        ? 'Write the column as text, or export the model with a numeric input for it.'
        : 'Encode it as numbers the way training did, or, if it is no feature, add it to evaluation.ignore.',
    });
  }
  return {
    input: input.name,
    type: input.type,
    columns,
    flat,
    ...(typeof batch === 'number' && !input.unranked ? { batch } : {}),
  };
}

function unknownInput(name: string, inputs: readonly TensorSpec[], policy: FeedingPolicy): Problem {
  const names = inputs.map((input) => input.name);
  const near = nearestName(name, names);
  return {
    code: 'unknown-input',
    message: `${excerpt(policy.model)} has no input "${excerpt(name)}", which model.inputs names`,
    place: policy.place,
    expected: names
      .slice(0, 12)
      .map((each) => excerpt(each, 40))
      .join(', '),
    ...(near === undefined ? {} : { fix: `Did you mean "${excerpt(near)}"?` }),
  };
}

function looksLikeIdentifier(name: string): boolean {
  return /(^|[-_ ])(id|uuid|index|key|row)([-_ ]|$)|^unnamed/i.test(name);
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 12).map((name) => excerpt(name, 40));
  return `${shown.join(', ')}${names.length > shown.length ? `, and ${names.length - shown.length} more` : ''}`;
}
