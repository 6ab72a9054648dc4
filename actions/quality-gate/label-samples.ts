import type { ColumnValues } from '../../core/data/index.ts';
import type { LabelSample } from '../../core/metrics/index.ts';
import { ModelError, type Place, PolicyError } from '../../core/problem/index.ts';
import type { Notice } from '../../core/report/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';
import { LabelNames } from './label-names.ts';
import { counted } from './number-text.ts';
import type { Predictions } from './predictions.ts';

/** What one model said, and how the policy names its classes. */
export interface Labelled {
  readonly predictions: Predictions;
  readonly classes?: readonly (string | number)[] | undefined;
  /** Of two classes: the positive one is said where its probability is over this. */
  readonly threshold?: number | undefined;
  readonly model: string;
  readonly place: Place;
}

export interface LabelSamples {
  readonly candidate: LabelSample;
  readonly baseline?: LabelSample;
  /** Why scores are no probabilities, where they are none: then log loss, Brier score and calibration mean nothing. */
  readonly notProbabilities?: string;
  readonly notices: readonly Notice[];
}

/** Brings the truth and what both models say to one list of classes. Throws when the model's labels are not the data's. */
export function labelSamples(
  target: ColumnValues,
  candidate: Labelled,
  baseline: Labelled | undefined,
  options: {
    readonly positive?: string | number | boolean | undefined;
    readonly target: string;
    readonly positivePlace: Place;
  },
): LabelSamples {
  const models = baseline === undefined ? [candidate] : [candidate, baseline];
  const names = new LabelNames(
    target,
    models.map(({ predictions, classes }) => classes ?? predictions.labels ?? []),
  );
  const values: Iterable<string | number | null> = target.values;
  const actual = Array.from(values, (value) => names.of(value ?? ''));
  const known = names.sorted(actual);
  const read = models.map((model) => saidBy(model, known, names));
  const classes = names.sorted([
    ...known,
    ...read.flatMap(({ distinct, columns }) => [...distinct, ...(columns ?? [])]),
  ]);
  const index = new Map(classes.map((name, at) => [name, at]));
  const positive = positiveOf(classes, names, options);
  const said = read.map((of, at) => decidedBy(models[at] ?? candidate, of, classes, positive));
  const indices = (labels: readonly string[]) => {
    const found = new Int32Array(labels.length);
    for (let row = 0; row < found.length; row++) found[row] = index.get(labels[row] ?? '') ?? 0;
    return found;
  };
  const truth = indices(actual);
  const sampleOf = (of: Said): LabelSample => ({
    task: 'classification',
    classes,
    ...(positive === undefined ? {} : { positive }),
    actual: truth,
    predicted: indices(of.labels),
    ...(of.columns === undefined ? {} : { probabilities: probabilitiesOf(of, of.columns, classes) }),
  });
  const [of, ofBaseline] = said;
  if (of === undefined) throw new TypeError('no candidate');
  requireSharedLabels(of, known, candidate, options.target);
  const broken = of.columns === undefined ? undefined : notProbabilities(of, candidate.model);
  return {
    candidate: sampleOf(of),
    ...(ofBaseline === undefined ? {} : { baseline: sampleOf(ofBaseline) }),
    ...(broken === undefined ? {} : { notProbabilities: broken }),
    notices: noticesOf(of, known, candidate),
  };
}

/** One model's predictions in the common spelling. */
interface Said {
  /** Row by row. */
  readonly labels: readonly string[];
  readonly distinct: readonly string[];
  /** The class of each column of scores. */
  readonly columns?: readonly string[];
  readonly scores?: { readonly values: Float64Array; readonly width: number };
}

function saidBy(model: Labelled, known: readonly string[], names: LabelNames): Said {
  const { predictions } = model;
  const declared = model.classes?.map((name) => names.of(name));
  const labels = predictions.labels?.map((label) => {
    const name = names.of(label);
    // A model that numbers its classes, and a policy that says what the numbers mean.
    return declared !== undefined && !declared.includes(name) ? (declared[Number(label)] ?? name) : name;
  });
  const scores = predictions.scores;
  const said = (of: Omit<Said, 'distinct'>): Said => ({ ...of, distinct: [...new Set(of.labels)] });
  if (scores === undefined) return said({ labels: labels ?? [] });
  const columns = columnsOf(model, scores, labels, declared, known, names);
  if (scores.width === 1) return said({ ...oneScore(model, scores.values, columns, labels), columns });
  return said({ labels: labels ?? bestOf(scores, columns), columns, scores });
}

/** What a model says with the threshold that the policy gives it, in place of its own labels. */
function decidedBy(
  { threshold, model, place }: Labelled,
  said: Said,
  classes: readonly string[],
  positive: number | undefined,
): Said {
  if (threshold === undefined) return said;
  const { scores, columns } = said;
  if (scores === undefined || columns === undefined || classes.length !== 2 || positive === undefined) {
    throw new ModelError({
      code: 'threshold',
      message: `model.threshold decides between two classes by their probabilities, and ${excerpt(model)} does not give those`,
      place,
      found: scores === undefined ? 'labels only' : counted(classes.length, 'class', 'classes'),
      fix: 'Remove model.threshold, or export the model with its probabilities.',
    });
  }
  const [yes = '', no = ''] = [classes[positive], classes[1 - positive]];
  const column = columns.indexOf(yes);
  const rows = scores.values.length / scores.width;
  const over = (row: number) => (scores.values[row * scores.width + column] ?? Number.NaN) > threshold;
  const labels = Array.from({ length: rows }, (_, row) => (over(row) ? yes : no));
  return { ...said, labels, distinct: [...new Set(labels)] };
}

/** The class of each score column. */
function columnsOf(
  model: Labelled,
  scores: { readonly values: Float64Array; readonly width: number },
  labels: readonly string[] | undefined,
  declared: readonly string[] | undefined,
  known: readonly string[],
  names: LabelNames,
): readonly string[] {
  const wanted = scores.width === 1 ? 2 : scores.width;
  const refuse = (message: string, found: string) =>
    new ModelError({
      code: 'class-count',
      message: `${excerpt(model.model)} ${message}`,
      place: model.place,
      found,
      fix: 'Name the class of each probability column, in order: "model: { classes: [no, yes] }".',
    });
  if (declared !== undefined) {
    if (declared.length === wanted) return declared;
    throw refuse(`gives scores for ${wanted} classes`, `${declared.length} names in model.classes`);
  }
  const seen = names.sorted([...known, ...new Set(labels)]);
  const whole = seen.every((name) => /^\d+$/.test(name) && Number(name) < wanted);
  const columns =
    seen.length === wanted ? seen : whole ? Array.from({ length: wanted }, (_, column) => String(column)) : undefined;
  if (columns === undefined) {
    throw refuse(
      `gives scores for ${wanted} classes, and which is which is not known`,
      `${counted(seen.length, 'label')}: ${listed(seen)}`,
    );
  }
  if (labels !== undefined && scores.width > 1) requireAgreement(model, scores, labels, columns);
  return columns;
}

/** The sorted order is a guess until the model's own labels bear it out. */
function requireAgreement(
  model: Labelled,
  scores: { readonly values: Float64Array; readonly width: number },
  labels: readonly string[],
  columns: readonly string[],
): void {
  const best = bestOf(scores, columns);
  const disagreeing = labels.filter((label, row) => label !== best[row]).length;
  if (disagreeing * 2 <= labels.length) return;
  throw new ModelError({
    code: 'class-order',
    message: `${excerpt(model.model)} labels ${counted(disagreeing, 'row')} of ${labels.length} otherwise than its largest probability does, so the order of its classes is not the sorted one`,
    place: model.place,
    found: `sorted order ${listed(columns)}`,
    fix: 'Name the class of each probability column, in order: "model: { classes: [no, yes] }".',
  });
}

/** One score a row is the probability of the second class. */
function oneScore(
  model: Labelled,
  values: Float64Array,
  columns: readonly string[],
  labels: readonly string[] | undefined,
): Pick<Said, 'labels' | 'scores'> {
  const [first = '', second = ''] = columns;
  const outside = values.findIndex((value) => value < 0 || value > 1);
  if (labels === undefined && outside !== -1) {
    throw new ModelError({
      code: 'not-a-probability',
      message: `${excerpt(model.model)} gives one score a row and no label, and the score is no probability`,
      place: model.place,
      found: `${values[outside]} in row ${outside + 1}`,
      expected: 'a number from 0 to 1',
      fix: 'Export the model with its sigmoid, or with a label output.',
    });
  }
  const both = new Float64Array(values.length * 2);
  for (const [row, value] of values.entries()) {
    both[2 * row] = 1 - value;
    both[2 * row + 1] = value;
  }
  return {
    labels: labels ?? Array.from(values, (value) => (value > 0.5 ? second : first)),
    scores: { values: both, width: 2 },
  };
}

function bestOf(
  scores: { readonly values: Float64Array; readonly width: number },
  columns: readonly string[],
): string[] {
  const rows = scores.values.length / scores.width;
  return Array.from({ length: rows }, (_, row) => {
    let best = 0;
    for (let column = 1; column < scores.width; column++) {
      const at = row * scores.width;
      if ((scores.values[at + column] ?? 0) > (scores.values[at + best] ?? 0)) best = column;
    }
    return columns[best] ?? '';
  });
}

/** Columns in the order of the common classes; a class the model does not know has probability 0. */
function probabilitiesOf(said: Said, columns: readonly string[], classes: readonly string[]): Float64Array {
  const scores = said.scores ?? { values: new Float64Array(), width: columns.length };
  const rows = scores.values.length / scores.width;
  const to = columns.map((name) => classes.indexOf(name));
  const values = new Float64Array(rows * classes.length);
  for (let row = 0; row < rows; row++) {
    for (const [column, place] of to.entries()) {
      values[row * classes.length + place] = scores.values[row * scores.width + column] ?? Number.NaN;
    }
  }
  return values;
}

/** What float32 rounding leaves of a sum of 1. */
const tolerance = 1e-3;

function notProbabilities({ scores }: Said, model: string): string | undefined {
  if (scores === undefined) return undefined;
  const rows = scores.values.length / scores.width;
  for (let row = 0; row < rows; row++) {
    let sum = 0;
    for (let column = 0; column < scores.width; column++) {
      const value = scores.values[row * scores.width + column] ?? Number.NaN;
      if (value < -tolerance || value > 1 + tolerance)
        return `${excerpt(model)} scores ${value} in row ${row + 1}, no probability`;
      sum += value;
    }
    if (Math.abs(sum - 1) > tolerance)
      return `the scores of ${excerpt(model)} in row ${row + 1} sum to ${sum}, not to 1`;
  }
  return undefined;
}

function positiveOf(
  classes: readonly string[],
  names: LabelNames,
  options: {
    readonly positive?: string | number | boolean | undefined;
    readonly target: string;
    readonly positivePlace: Place;
  },
): number | undefined {
  if (options.positive === undefined) return classes.length === 2 ? 1 : undefined;
  const name = names.of(options.positive);
  const at = classes.indexOf(name);
  if (at !== -1) return at;
  const near = nearestName(name, classes);
  throw new PolicyError({
    code: 'unknown-class',
    message: `evaluation.positive is no label of "${excerpt(options.target)}"`,
    place: options.positivePlace,
    found: excerpt(name),
    expected: `one of ${listed(classes)}`,
    ...(near === undefined ? {} : { fix: `Did you mean "${excerpt(near)}"?` }),
  });
}

function requireSharedLabels(said: Said, known: readonly string[], model: Labelled, target: string): void {
  const labels = new Set(said.distinct);
  if (known.some((label) => labels.has(label)) || known.some((label) => said.columns?.includes(label) === true)) return;
  throw new ModelError({
    code: 'other-labels',
    message: `${excerpt(model.model)} predicts labels that the column "${excerpt(target)}" does not have`,
    place: model.place,
    found: listed([...labels]),
    expected: listed(known),
    fix: 'Say which class each number of the model is, in order: "model: { classes: [no, yes] }".',
  });
}

function noticesOf(said: Said, known: readonly string[], model: Labelled): readonly Notice[] {
  const predicted = new Set(said.distinct);
  const never = known.filter((label) => !predicted.has(label));
  const foreign = [...predicted].filter((label) => !known.includes(label)).sort();
  const notice = (message: string): Notice => ({ level: 'warning', message, place: model.place });
  return [
    ...(never.length === 0 ? [] : [notice(`${excerpt(model.model)} never predicts ${listed(never)}.`)]),
    ...(foreign.length === 0
      ? []
      : [notice(`${excerpt(model.model)} predicts ${listed(foreign)}, which no evaluation row is.`)]),
  ];
}

function listed(names: readonly string[]): string {
  const shown = names.slice(0, 8).map((name) => `"${excerpt(name, 40)}"`);
  return `${shown.join(', ')}${names.length > shown.length ? `, and ${names.length - shown.length} more` : ''}`;
}
