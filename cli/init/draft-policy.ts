import { existsSync, realpathSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';
import { judgeModel } from '../../actions/quality-gate/run.ts';
import { type Engine, openEngine } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import { type MetricName, metrics } from '../../core/metrics/index.ts';
import { type ModelFacts, readModelFacts } from '../../core/onnx/index.ts';
import { headOnly, parsePolicy } from '../../core/policy/index.ts';
import { InputError, SluiceError } from '../../core/problem/index.ts';
import { repositoryRoot } from '../../github/index.ts';
import { type ColumnFacts, readTableFacts, type TableFacts } from './column-facts.ts';
import { isIdentifier } from './data-draft.ts';
import type { MeasuredMetric, PolicyDraft } from './policy-draft.ts';
import { guessTarget } from './target-guess.ts';

export interface DraftQuestion {
  /** What the paths here are relative to. */
  readonly directory: string;
  /** The folder of the policy, absolute: what the paths in it will be relative to. */
  readonly folder: string;
  readonly data: string;
  readonly model: string;
  readonly evaluation?: string;
  readonly target?: string;
  readonly ignore: readonly string[];
}

const schemaUrl = 'https://raw.githubusercontent.com/sluice-ml/sluice/v1/core/policy/policy.schema.json';

/** Reads the files, runs the model once, and says what a policy would hold. */
export async function draftPolicy(question: DraftQuestion, host: Host): Promise<PolicyDraft> {
  const { directory, folder, data, model, evaluation = data } = question;
  refuseFilesOutside(question);
  const modelFacts = await readModelFacts(resolve(directory, model), { place: { file: model } });
  await using engine = await openEngine({ host });
  const table = await engine.open(resolve(directory, data), { place: { file: data } });
  const facts = await readTableFacts(engine, table);
  const rows =
    evaluation === data ? table : await engine.open(resolve(directory, evaluation), { place: { file: evaluation } });
  const columns = facts.columns.map(({ column }) => column.name);
  const target = question.target ?? guessTarget(columns, modelFacts.inputs, data);
  const targetFacts = facts.columns.find(({ column }) => column.name === target);
  if (targetFacts === undefined) throw noSuchColumn(target, columns, data);
  for (const name of question.ignore) if (!columns.includes(name)) throw noSuchColumn(name, columns, data);

  const task = taskOf(modelFacts, targetFacts);
  const inPolicy = (file: string) => relative(folder, resolve(directory, file)).replaceAll('\\', '/');
  const base = {
    schema: schemaUrl,
    model: { path: inPolicy(model), about: aboutModel(modelFacts) },
    data: { path: inPolicy(data), facts },
    evaluation: {
      path: inPolicy(evaluation),
      rows: rows.rows,
      target,
      ...(task === 'classification' ? { classes: classesOf(targetFacts) } : {}),
      ignore: question.ignore.length > 0 ? question.ignore : columnsToIgnore(facts, modelFacts, target, data),
      isTrainingData: evaluation === data,
    },
  };
  const measured = await measure({ ...base, metrics: [] }, namesFor(task, modelFacts), folder, engine, host);
  return { ...base, metrics: measured };
}

/** A gate reads nothing outside the repository its policy is in. */
function refuseFilesOutside({ directory, folder, data, model, evaluation }: DraftQuestion): void {
  const root = repositoryRoot(folder);
  const outside = [data, model, ...(evaluation === undefined ? [] : [evaluation])].find((file) => {
    const path = resolve(directory, file);
    if (!existsSync(path)) return false;
    const away = relative(root, realpathSync(path));
    return isAbsolute(away) || away.split(sep)[0] === '..';
  });
  if (outside === undefined) return;
  throw new InputError({
    code: 'outside-repository',
    message: 'the file lies outside the repository the policy would be in',
    place: { file: outside },
    expected: `a file under ${root}`,
    fix: 'Put the policy into the repository of the data and the model: --output FILE.',
  });
}

function taskOf(model: ModelFacts, { column, distinct }: ColumnFacts): 'classification' | 'regression' {
  if (column.type === 'string' || column.type === 'boolean') return 'classification';
  if (model.outputs.some(({ type }) => type !== 'float32' && type !== 'float64')) return 'classification';
  const width = model.outputs[0]?.shape.at(-1);
  return typeof width === 'number' && width > 1 && column.type === 'integer' && distinct <= width
    ? 'classification'
    : 'regression';
}

function namesFor(task: 'classification' | 'regression', model: ModelFacts): readonly MetricName[] {
  if (task === 'regression') return ['mae', 'rmse', 'r2'];
  const probabilities = model.outputs.some(({ type }) => type === 'float32' || type === 'float64');
  return probabilities
    ? ['accuracy', 'precision', 'recall', 'f1', 'roc_auc', 'log_loss']
    : ['accuracy', 'precision', 'recall', 'f1'];
}

/** In the order models have them: numbers by size, texts by code point. */
function classesOf({ values = [] }: ColumnFacts): readonly (string | number | boolean)[] {
  return values.map(({ value }) => value).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

/** With one wide input every column but the target is a feature; identifiers and texts are not, when there are too many. */
function columnsToIgnore(facts: TableFacts, model: ModelFacts, target: string, file: string): readonly string[] {
  const [input] = model.inputs;
  const width = input?.shape.at(-1);
  const candidates = facts.columns.filter(({ column }) => column.name !== target);
  if (model.inputs.length !== 1 || input === undefined || typeof width !== 'number') return [];
  if (candidates.some(({ column }) => column.name === input.name)) return [];
  if (candidates.length === width) return [];
  const numbersOnly = input.type !== 'string';
  const unfit = candidates.filter(
    (column) =>
      isIdentifier(column, facts.table.rows) ||
      (numbersOnly && !['integer', 'number', 'boolean'].includes(column.column.type)),
  );
  if (candidates.length - unfit.length === width) return unfit.map(({ column }) => column.name);
  throw new InputError({
    code: 'features-do-not-fit',
    message: `the model's input takes ${width} columns`,
    place: { file, key: input.name },
    found: `${candidates.length} columns beside the target ${target}`,
    fix:
      candidates.length > width
        ? 'Name with --ignore the columns that are not features.'
        : 'Give the table the model was made for, with its features as it takes them.',
  });
}

/** Runs the model on the evaluation rows with bounds that nothing breaks, and reads what came out. */
async function measure(
  draft: PolicyDraft,
  names: readonly MetricName[],
  folder: string,
  engine: Engine,
  host: Host,
): Promise<readonly MeasuredMetric[]> {
  const { path, target, classes, ignore } = draft.evaluation;
  const positive = classes?.length === 2 ? { positive: classes[1] } : {};
  const bounds = names.map((name) => {
    const { better, range } = metrics[name];
    return [name, better === 'higher' ? { min: Math.max(range[0], -1e300) } : { max: Math.min(range[1], 1e300) }];
  });
  const policy = {
    version: 1,
    model: { path: draft.model.path, baseline: 'none', task: classes === undefined ? 'regression' : 'classification' },
    evaluation: { source: path, target, ...positive, ...(ignore.length > 0 ? { ignore } : {}) },
    gates: Object.fromEntries(bounds),
  };
  // JSON is YAML: one way in for a policy, whoever wrote it.
  const effective = headOnly(parsePolicy(JSON.stringify(policy), 'sluice.yaml'));
  const { checks } = await host.group('Measure the model', () =>
    judgeModel({ policy: effective, directory: folder, engine, host }),
  );
  return names.flatMap((name) => {
    const check = checks.find(({ id }) => id.startsWith(`gate/${name}/`));
    if (check === undefined) return [];
    if (check.evidence === undefined) {
      throw new SluiceError({
        code: 'not-measured',
        message: `${name} could not be measured: ${check.message}`,
        place: { file: draft.model.path },
        fix: 'Write the policy by hand, without this metric.',
      });
    }
    const { better } = metrics[name];
    const { estimate, lower, upper } = check.evidence;
    return [{ name, better, estimate, pessimistic: better === 'higher' ? lower : upper }];
  });
}

function aboutModel({ inputs, opsets }: ModelFacts): string {
  const opset = opsets.find(({ domain }) => domain === '' || domain === 'ai.onnx')?.version;
  const named = inputs.length === 1 ? 'one input' : `${inputs.length} inputs`;
  return opset === undefined ? named : `${named}, opset ${opset}`;
}

function noSuchColumn(name: string, columns: readonly string[], file: string): InputError {
  return new InputError({
    code: 'missing-column',
    message: `there is no column "${name}"`,
    place: { file },
    found: `${columns.slice(0, 12).join(', ')}${columns.length > 12 ? ', …' : ''}`,
    fix: 'Write it as the file does; capitals count.',
  });
}
