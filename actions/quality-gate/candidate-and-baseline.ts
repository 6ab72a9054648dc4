import { isDeepStrictEqual } from 'node:util';
import type { Host } from '../../core/host/index.ts';
import type { EffectivePolicy } from '../../core/policy/index.ts';
import { episodeGateNames, type Policy, policyDefaults } from '../../core/policy/index.ts';
import { describeProblem, ModelError, SluiceError } from '../../core/problem/index.ts';
import type { Notice } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { type Labelled, labelSamples } from './label-samples.ts';
import { labelsOf, multiLabelSample } from './multi-label-samples.ts';
import { counted } from './number-text.ts';
import { type CodedLabels, type Predictions, predictAll } from './predictions.ts';
import { queriesOf, rankingSample } from './ranking-samples.ts';
import type { RowPredictor } from './row-predictor.ts';
import type { NoBaseline, Subject } from './subject.ts';

/** Has both predict the same rows, in one pass over them, and brings them to one sample. A baseline that cannot be run leaves the candidate alone. */
export async function subjectOf(
  policy: EffectivePolicy,
  rows: EvaluationRows,
  candidate: RowPredictor,
  baseline: RowPredictor | undefined,
  absent: NoBaseline,
  host: Host,
): Promise<{ readonly subject: Subject; readonly notices: readonly Notice[] }> {
  const [first, second] = await predictAll(baseline === undefined ? [candidate] : [candidate, baseline], rows, host);
  const predictions = await settled(first);
  const broken = brokenWords(candidate.path, predictions);
  const other = baseline === undefined ? absent : await tried(() => settled(second));
  const unusable = 'kind' in other ? other : brokenBaseline(brokenWords(baseline?.path ?? 'The baseline', other));
  const usable = 'kind' in other || unusable !== undefined ? undefined : other;

  const level = policy.policy.evidence ?? policyDefaults.evidence;
  const frame = { policy, table: rows.table, level, seed: rows.table.sha256 };
  const same = sameModel(candidate, predictions, baseline, usable);
  const noBaseline: NoBaseline = unusable ?? { kind: 'absent', why: '' };
  if (candidate.task === 'regression') {
    const actual = requireNumbers(rows, policy);
    const sampleOf = (of: Predictions) => ({
      task: 'regression' as const,
      actual,
      predicted: of.values ?? new Float64Array(actual.length).fill(Number.NaN),
    });
    const pair = {
      candidate: sampleOf(predictions),
      ...(usable === undefined ? {} : { baseline: sampleOf(usable), sameModel: same }),
    };
    return { subject: { ...frame, pair, noBaseline, ...(broken === undefined ? {} : { broken }) }, notices: [] };
  }

  if (candidate.task === 'ranking') {
    const queries = await queriesOf(rows, rows.policy.query ?? '', {
      query: policy.placeOf(['evaluation', 'query']),
      target: policy.placeOf(['evaluation', 'target']),
    });
    const pair = {
      candidate: rankingSample(queries, predictions),
      ...(usable === undefined ? {} : { baseline: rankingSample(queries, usable), sameModel: same }),
    };
    return { subject: { ...frame, pair, noBaseline, ...(broken === undefined ? {} : { broken }) }, notices: [] };
  }
  if (candidate.task === 'multilabel') {
    const actual = labelsOf(rows, policy.placeOf(['evaluation', 'target']));
    const other =
      baseline === undefined || usable === undefined
        ? undefined
        : await tried(async () => multiLabelSample(rows, actual, usable, baseline));
    const base = other === undefined || 'kind' in other ? undefined : other;
    const pair = {
      candidate: multiLabelSample(rows, actual, predictions, candidate),
      ...(base === undefined ? {} : { baseline: base, sameModel: same }),
    };
    const none = other !== undefined && 'kind' in other ? other : noBaseline;
    return { subject: { ...frame, pair, noBaseline: none, ...(broken === undefined ? {} : { broken }) }, notices: [] };
  }

  const labelled = (of: RowPredictor, said: Predictions): Labelled => ({
    predictions: said,
    classes: of.classes,
    threshold: of.threshold,
    model: of.path,
    place: of.place,
  });
  const options = {
    positive: rows.policy.positive,
    target: targetOf(rows),
    positivePlace: policy.placeOf(['evaluation', 'positive']),
  };
  const mine = labelled(candidate, predictions);
  const {
    candidate: sample,
    baseline: base,
    notProbabilities,
    notices,
  } = labelSamples(
    rows.target,
    mine,
    baseline === undefined || usable === undefined ? undefined : labelled(baseline, usable),
    options,
  );
  return {
    subject: {
      ...frame,
      pair: {
        candidate: sample,
        ...(base === undefined ? {} : { baseline: base, sameModel: same }),
      },
      noBaseline,
      ...(broken === undefined ? {} : { broken }),
      ...(notProbabilities === undefined ? {} : { notProbabilities }),
    },
    notices: broken === undefined ? notices : [],
  };
}

/** Distinct scores from which on equal ones are no accident of rounding. */
const telling = 10;

/**
 * Whether no row whatever could tell the models apart: they are the same file, fed and read alike, or gave scores or values that are equal
 * to the last bit on every row (the same weights, written another way). Equal labels alone say no such thing.
 */
function sameModel(
  candidate: RowPredictor,
  said: Predictions,
  baseline: RowPredictor | undefined,
  baselineSaid: Predictions | undefined,
): boolean {
  if (baseline === undefined || baselineSaid === undefined) return false;
  if (candidate.identity !== undefined && isDeepStrictEqual(candidate.identity, baseline.identity)) return true;
  if (candidate.threshold !== baseline.threshold) return false;
  const numbers = said.scores?.values ?? said.values;
  const others = baselineSaid.scores?.values ?? baselineSaid.values;
  if (numbers === undefined || others === undefined || numbers.length !== others.length) return false;
  const distinct = new Set<number>();
  for (let at = 0; at < numbers.length; at++) {
    const number = numbers[at] ?? Number.NaN;
    if (number !== others[at]) return false;
    if (distinct.size < telling) distinct.add(number);
  }
  return distinct.size >= telling && equalLabels(said.labels, baselineSaid.labels);
}

function equalLabels(one: CodedLabels | undefined, other: CodedLabels | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  const { length } = one.codes;
  if (length !== other.codes.length) return false;
  for (let row = 0; row < length; row++) {
    if (one.names[one.codes[row] ?? 0] !== other.names[other.codes[row] ?? 0]) return false;
  }
  return true;
}

async function settled<Result>(result: PromiseSettledResult<Result> | undefined): Promise<Result> {
  if (result === undefined) throw new TypeError('nothing was predicted');
  if (result.status === 'rejected') throw result.reason;
  return result.value;
}

/** The result of `work`, or why the baseline cannot be used where it fails for a reason of the user's. */
export async function tried<Result extends object>(work: () => Promise<Result>): Promise<Result | NoBaseline> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    const [problem] = error.problems;
    return { kind: 'unusable', why: `The baseline cannot be judged: ${describeProblem(problem).replace(/\.$/, '')}` };
  }
}

function brokenBaseline(words: string | undefined): NoBaseline | undefined {
  return words === undefined ? undefined : { kind: 'unusable', why: `The baseline cannot be judged: ${words}` };
}

function brokenWords(model: string, { broken }: Predictions): string | undefined {
  if (broken.length === 0) return undefined;
  return `${excerpt(model)} predicts NaN or infinity in ${counted(broken.length, 'row')} (row ${broken.slice(0, 3).join(', ')}${broken.length > 3 ? ', ...' : ''})`;
}

/** The one column with the truth. */
function targetOf({ targets }: EvaluationRows): string {
  return targets[0]?.name ?? '';
}

function requireNumbers(rows: EvaluationRows, policy: EffectivePolicy): Float64Array {
  if (rows.target.kind === 'number') return rows.target.values;
  throw new ModelError({
    code: 'target-type',
    message: `the target "${excerpt(targetOf(rows))}" holds text, and the model is judged as a regression`,
    place: policy.placeOf(['evaluation', 'target']),
    fix: 'Name a numeric column, or set "model: { task: classification }".',
  });
}

/** Gates that take no truth to hold predictions against. */
const ofNoMetric: ReadonlySet<string> = new Set([
  'latency',
  'size',
  'signature',
  'variants',
  'guardrails',
  ...episodeGateNames,
]);

/** Whether the policy asks for anything that compares predictions with the truth. */
export function needsRows(gates: NonNullable<Policy['gates']>): boolean {
  return Object.keys(gates).some((gate) => !ofNoMetric.has(gate));
}
