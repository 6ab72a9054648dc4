import type { ColumnValues } from '../../core/data/index.ts';
import type { LabelSample } from '../../core/metrics/index.ts';
import { ModelError, type Place, PolicyError } from '../../core/problem/index.ts';
import type { Notice } from '../../core/report/index.ts';
import { excerpt, nearestName } from '../../core/text/index.ts';
import { LabelNames } from './label-names.ts';
import { counted } from './number-text.ts';
import type { CodedLabels, Predictions, Scores } from './predictions.ts';

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
  const truth = codedTarget(target);
  const names = new LabelNames(
    target,
    models.map(({ predictions, classes }) => classes ?? predictions.labels?.names ?? []),
  );
  const known = names.sorted(truth.names.map((name) => names.of(name)));
  const read = models.map((model) => saidBy(model, known, names));
  const classes = names.sorted([
    ...known,
    ...read.flatMap(({ distinct, columns }) => [...distinct, ...(columns ?? [])]),
  ]);
  const index = new Map(classes.map((name, at) => [name, at]));
  const positive = positiveOf(classes, names, options);
  const said = read.map((of, at) => decidedBy(models[at] ?? candidate, of, classes, positive));
  const actual = recoded(truth, (name) => index.get(names.of(name)) ?? 0);
  const sampleOf = (of: Said): LabelSample => ({
    task: 'classification',
    classes,
    ...(positive === undefined ? {} : { positive }),
    actual,
    predicted: recoded(of.labels, (name) => index.get(name) ?? 0),
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

/** The target as labels, each told once. */
function codedTarget({ values }: ColumnValues): CodedLabels {
  const names: (string | number)[] = [];
  const numbers = new Map<string | number, number>();
  const codes = new Int32Array(values.length);
  let last: string | number | null | undefined;
  let code = 0;
  for (let row = 0; row < codes.length; row++) {
    const value = values[row];
    if (value !== last || row === 0) {
      const name = value ?? '';
      const found = numbers.get(name);
      code = found ?? names.length;
      if (found === undefined) {
        numbers.set(name, code);
        names.push(name);
      }
      last = value;
    }
    codes[row] = code;
  }
  return { names, codes };
}

/** The label of each row as another number. */
function recoded<Name extends string | number>(
  { names, codes }: CodedLabels<Name>,
  of: (name: Name) => number,
): Int32Array {
  const to = Int32Array.from(names, of);
  const found = new Int32Array(codes.length);
  for (let row = 0; row < found.length; row++) found[row] = to[codes[row] ?? 0] ?? 0;
  return found;
}

/** One model's predictions in the common spelling. */
interface Said {
  readonly labels: CodedLabels<string>;
  /** The labels that some row has. */
  readonly distinct: readonly string[];
  /** The class of each column of scores. */
  readonly columns?: readonly string[];
  readonly scores?: Scores;
}

function saidBy(model: Labelled, known: readonly string[], names: LabelNames): Said {
  const { labels: own, scores } = model.predictions;
  const declared = model.classes?.map((name) => names.of(name));
  const nameOf = (label: string | number): string => {
    const name = names.of(label);
    // A model that numbers its classes, and a policy that says what the numbers mean.
    return declared !== undefined && !declared.includes(name) ? (declared[Number(label)] ?? name) : name;
  };
  const labels = own === undefined ? undefined : { names: own.names.map(nameOf), codes: own.codes };
  const said = (of: Omit<Said, 'distinct'>): Said => ({ ...of, distinct: distinctOf(of.labels) });
  if (scores === undefined) return said({ labels: labels ?? { names: [], codes: new Uint8Array() } });
  const columns = columnsOf(model, scores, labels, declared, known, names);
  if (scores.width === 1) return said({ ...oneScore(model, scores.values, columns, labels), columns });
  return said({ labels: labels ?? bestOf(scores, columns), columns, scores });
}

/** The labels that some row has, in the order of the rows that first have them. */
function distinctOf({ names, codes }: CodedLabels<string>): readonly string[] {
  const seen = new Uint8Array(names.length);
  const distinct = new Set<string>();
  for (let row = 0; row < codes.length; row++) {
    const code = codes[row] ?? 0;
    if (seen[code] === 1) continue;
    seen[code] = 1;
    distinct.add(names[code] ?? '');
  }
  return [...distinct];
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
  const codes = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    codes[row] = (scores.values[row * scores.width + column] ?? Number.NaN) > threshold ? 1 : 0;
  }
  const labels = { names: [no, yes], codes };
  return { ...said, labels, distinct: distinctOf(labels) };
}

/** The class of each score column. */
function columnsOf(
  model: Labelled,
  scores: Scores,
  labels: CodedLabels<string> | undefined,
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
  const seen = names.sorted([...known, ...(labels === undefined ? [] : distinctOf(labels))]);
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
  scores: Scores,
  { names, codes }: CodedLabels<string>,
  columns: readonly string[],
): void {
  const best = bestOf(scores, columns);
  const columnOf = Int32Array.from(names, (name) => columns.indexOf(name));
  let disagreeing = 0;
  for (let row = 0; row < codes.length; row++) if (columnOf[codes[row] ?? 0] !== best.codes[row]) disagreeing++;
  if (disagreeing * 2 <= codes.length) return;
  throw new ModelError({
    code: 'class-order',
    message: `${excerpt(model.model)} labels ${counted(disagreeing, 'row')} of ${codes.length} otherwise than its largest probability does, so the order of its classes is not the sorted one`,
    place: model.place,
    found: `sorted order ${listed(columns)}`,
    fix: 'Name the class of each probability column, in order: "model: { classes: [no, yes] }".',
  });
}

/** One score a row is the probability of the second class. */
function oneScore(
  model: Labelled,
  values: Scores['values'],
  columns: readonly string[],
  labels: CodedLabels<string> | undefined,
): Pick<Said, 'labels' | 'scores'> {
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
  // In double precision, whatever the score's: what is left to 1 is no single.
  const both = new Float64Array(values.length * 2);
  const codes = new Uint8Array(values.length);
  for (let row = 0; row < values.length; row++) {
    const value = values[row] ?? Number.NaN;
    both[2 * row] = 1 - value;
    both[2 * row + 1] = value;
    codes[row] = value > 0.5 ? 1 : 0;
  }
  return { labels: labels ?? { names: columns, codes }, scores: { values: both, width: 2 } };
}

/** The class of the first of the largest scores. */
function bestOf({ values, width }: Scores, columns: readonly string[]): CodedLabels<string> {
  const rows = values.length / width;
  const codes = width <= 256 ? new Uint8Array(rows) : new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    const at = row * width;
    let best = 0;
    for (let column = 1; column < width; column++) {
      if ((values[at + column] ?? 0) > (values[at + best] ?? 0)) best = column;
    }
    codes[row] = best;
  }
  return { names: columns, codes };
}

/** Columns in the order of the common classes; a class the model does not know has probability 0. */
function probabilitiesOf(said: Said, columns: readonly string[], classes: readonly string[]): Scores['values'] {
  const scores = said.scores ?? { values: new Float64Array(), width: columns.length };
  const to = columns.map((name) => classes.indexOf(name));
  if (columns.length === classes.length && to.every((place, column) => place === column)) return scores.values;
  const rows = scores.values.length / scores.width;
  const size = rows * classes.length;
  const values = scores.values instanceof Float32Array ? new Float32Array(size) : new Float64Array(size);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < to.length; column++) {
      values[row * classes.length + (to[column] ?? 0)] = scores.values[row * scores.width + column] ?? Number.NaN;
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
