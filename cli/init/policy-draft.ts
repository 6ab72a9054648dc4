import { excerpt } from '../../core/text/index.ts';
import type { TableFacts } from './column-facts.ts';
import { renderDataDraft } from './data-draft.ts';
import { ceilTo, floorTo } from './roomy-bounds.ts';
import { yamlScalar } from './yaml-scalar.ts';

/** A gate of the draft: a metric, and what it came to when the model was run on the evaluation rows. */
export interface MeasuredMetric {
  readonly name: string;
  readonly better: 'higher' | 'lower';
  readonly estimate: number;
  /** The end of its interval a bound is held against: the lower one where higher is better. */
  readonly pessimistic: number;
}

export interface PolicyDraft {
  /** Where editors find the schema: a URL or a path. */
  readonly schema: string;
  readonly model: { readonly path: string; readonly about: string };
  readonly data: { readonly path: string; readonly facts: TableFacts };
  readonly evaluation: {
    readonly path: string;
    readonly rows: number;
    readonly target: string;
    /** The classes when it is a classification, in the order models have them. */
    readonly classes?: readonly (string | number | boolean)[];
    /** Columns that are neither features nor target. */
    readonly ignore: readonly string[];
    /** Whether these are the rows the data checks were set from, which the model was most likely trained on. */
    readonly isTrainingData: boolean;
  };
  readonly metrics: readonly MeasuredMetric[];
}

/**
 * The policy as commented YAML. Every name in it comes from somebody's file: names are quoted where YAML needs it, and what a comment
 * quotes goes through `excerpt`, which leaves no line break.
 */
export function renderPolicyDraft(draft: PolicyDraft): string {
  const { path, facts } = draft.data;
  const { target, classes } = draft.evaluation;
  const data = renderDataDraft({ path, facts, target, isClassification: classes !== undefined, rowsKept: 0.9 });
  return `${[...renderHead(draft), ...data, ...renderEvaluation(draft), ...renderGates(draft), ...rule].join('\n')}\n`;
}

function renderHead({ schema, model, data: { path, facts } }: PolicyDraft): readonly string[] {
  return [
    `# yaml-language-server: $schema=${schema}`,
    `# Written by sluice init from ${excerpt(path)} (${facts.table.rows} rows) and ${excerpt(model.path)} (${model.about}).`,
    '# Every bound holds for these files as they are today. Bounds are a start: tighten them to what a release needs.',
    '# Paths are relative to the folder of this file.',
    'version: 1',
    '',
    'model:',
    `  path: ${yamlScalar(model.path)}`,
    '  # base: held against the same file on the base branch of the pull request. none: judged by itself.',
    '  baseline: base',
    '',
  ];
}

function renderEvaluation({ evaluation }: PolicyDraft): readonly string[] {
  const { path, target, classes, ignore, isTrainingData, rows } = evaluation;
  const positive = classes?.length === 2 ? classes[1] : undefined;
  return [
    isTrainingData
      ? '# Better: rows the model has not seen. On its own training rows every model looks good.'
      : `# ${rows} rows the model has not seen.`,
    'evaluation:',
    `  source: ${yamlScalar(path)}`,
    `  target: ${yamlScalar(target)}`,
    ...(positive === undefined
      ? []
      : ['  # What precision, recall and F1 look for.', `  positive: ${yamlScalar(positive)}`]),
    ...(ignore.length === 0
      ? []
      : ['  # Not features of the model.', `  ignore: [${ignore.map((name) => yamlScalar(name)).join(', ')}]`]),
    '  # A model can be good on the whole and bad for some. Judge parts by themselves: a column, or a number cut at edges.',
    '  # slices: [country, { age: [25, 65] }]',
    '',
  ];
}

function renderGates({ metrics, evaluation: { rows } }: PolicyDraft): readonly string[] {
  return [
    'gates:',
    ...metrics.flatMap((metric, index) => renderGate(metric, rows, index === 0)),
    '  # One call with one row. It only warns until you name the machine: hardware: ubuntu-latest.',
    '  latency: { p95_ms: 100 }',
    '  # The file; what a deployment can carry.',
    '  size: { max_mb: 500 }',
    '  # Does it treat groups alike? The groups are the values of a column.',
    '  # fairness: { group: country, demographic_parity_ratio: { min: 0.8 } }',
    '',
  ];
}

/** One metric's bound; the main metric is also held against the baseline. */
function renderGate(
  { name, better, estimate, pessimistic }: MeasuredMetric,
  rows: number,
  isMain: boolean,
): readonly string[] {
  const higher = better === 'higher';
  const bound = higher ? `min: ${floorTo(pessimistic - 0.005, 0.01)}` : `max: ${looseMaximum(pessimistic)}`;
  const interval = `the ${higher ? 'lower' : 'upper'} end of its interval is ${figure(pessimistic)}`;
  return [
    `  # ${figure(estimate)} on these ${rows} rows; ${interval}.`,
    ...(isMain ? ['  # max_regression: how much worse than the baseline it may be, row by row.'] : []),
    `  ${name}: { ${bound}${isMain ? `, max_regression: ${higher ? 0.01 : '5%'}` : ''} }`,
  ];
}

const rule: readonly string[] = [
  '# How sure a bound must be, one-sided: 0.9 is wrong one time in ten. off compares bare numbers.',
  'evidence: 0.9',
  '# What happens when the rows are too few to tell: warn, error or pass.',
  'on_inconclusive: warn',
];

/** A twentieth above the value, rounded up to two digits. */
function looseMaximum(value: number): number {
  const room = value * 1.05 || 0.01;
  return ceilTo(room, 10 ** (Math.floor(Math.log10(Math.abs(room))) - 1));
}

function figure(value: number): string {
  return String(Number(value.toPrecision(4)));
}
