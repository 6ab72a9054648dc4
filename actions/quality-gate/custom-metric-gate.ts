import { type ExpressionColumn, openExpressionSandbox } from '../../core/data/index.ts';
import type { Host } from '../../core/host/index.ts';
import { type LabelSample, rowsOf, type Sample, type ValueSample } from '../../core/metrics/index.ts';
import type { CustomMetric, EffectivePolicy } from '../../core/policy/index.ts';
import { type Place, PolicyError } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { type CustomMeasurement, measureCustom } from './custom-metric.ts';
import type { EvaluationRows } from './evaluation-rows.ts';
import { columnNamed, expressionColumns } from './expression-columns.ts';
import { checksOfMetric, type GatedMetric, unjudgedMetric } from './metric-gate.ts';
import { counted } from './number-text.ts';
import type { Subject } from './subject.ts';

/** The policy's own metrics, read and found harmless, ready to be evaluated. */
export interface CustomMetrics extends AsyncDisposable {
  readonly metrics: readonly OpenMetric[];
  evaluate(metric: OpenMetric, sample: Sample): Promise<RowValues>;
}

interface OpenMetric {
  readonly gated: GatedMetric;
  readonly policy: CustomMetric;
  /** The file's columns that the expression reads. */
  readonly columns: readonly ExpressionColumn[];
  /** Which of what the model says and what is true it reads. */
  readonly said: readonly Said[];
}

type RowValues = { readonly sample: ValueSample } | { readonly why: string };

const saidNames = ['prediction', 'score', 'actual'] as const;
type Said = (typeof saidNames)[number];

/**
 * Reads every expression of `gates.custom` and the columns it names. Throws a `PolicyError` with the policy's line for an expression that
 * is not one plain expression of a row, or that reads a name which the file and Sluice both give; a `DataError` for a column that is not there.
 */
export async function openCustomMetrics(
  effective: EffectivePolicy,
  rows: EvaluationRows,
  host: Host,
): Promise<CustomMetrics | undefined> {
  const custom = effective.policy.gates?.custom;
  if (custom === undefined) return undefined;
  const sandbox = await openExpressionSandbox({ host });
  try {
    const metrics: OpenMetric[] = [];
    for (const [index, policy] of custom.entries()) {
      const path = ['gates', 'custom', index];
      const place = effective.placeOf([...path, 'mean']);
      const read = await sandbox.read(policy.mean);
      if ('refused' in read) throw refused(policy, read.refused, place);
      const { columns, said } = await columnsOf(read.columns, policy, rows, place);
      const { name, better } = policy;
      const gated: GatedMetric = { name, id: `gate/custom/${name}`, path, better, unit: 'none' };
      metrics.push({ gated, policy, columns, said });
    }
    return {
      metrics,
      evaluate: async ({ policy, columns, said }, sample) => {
        const of = saidBy(sample, said);
        if ('why' in of) return of;
        const found = await sandbox.evaluate(policy.mean, [...columns, ...of.columns], rows.table.rows);
        if ('refused' in found) return { why: `its expression cannot be evaluated: ${found.refused}` };
        const why = notNumbers(found.values);
        return why === undefined
          ? { sample: { task: 'regression', actual: new Float64Array(found.values.length), predicted: found.values } }
          : { why };
      },
      [Symbol.asyncDispose]: () => sandbox[Symbol.asyncDispose](),
    };
  } catch (error) {
    await sandbox[Symbol.asyncDispose]();
    throw error;
  }
}

/** Evaluates the policy's own metrics of both models, row by row, and holds their means against their bounds. */
export async function judgeCustomMetrics(
  custom: CustomMetrics,
  subject: Subject,
): Promise<{ readonly checks: readonly Check[]; readonly measured: readonly CustomMeasurement[] }> {
  const checks: Check[] = [];
  const measurements: CustomMeasurement[] = [];
  for (const metric of custom.metrics) {
    const { gated, policy } = metric;
    const error = (why: string) => checks.push(...unjudgedMetric(gated, policy, subject, why));
    if (subject.broken !== undefined) {
      error(subject.broken);
      continue;
    }
    const mine = await custom.evaluate(metric, subject.pair.candidate);
    if ('why' in mine) {
      error(`${gated.name} cannot be measured: ${mine.why}`);
      continue;
    }
    const { baseline, sameModel } = subject.pair;
    const other = baseline === undefined ? undefined : await custom.evaluate(metric, baseline);
    const pair = {
      candidate: mine.sample,
      ...(other === undefined || 'why' in other ? {} : { baseline: other.sample, sameModel: sameModel === true }),
    };
    const measured = measureCustom(gated, pair, subject);
    if (measured === undefined) throw new TypeError(`${gated.name} was not measured`);
    const noBaseline =
      other !== undefined && 'why' in other
        ? { kind: 'unusable' as const, why: `${gated.name} of the baseline cannot be measured: ${other.why}` }
        : subject.noBaseline;
    checks.push(...checksOfMetric(gated, policy, measured, { ...subject, pair, noBaseline }));
    measurements.push({ metric: gated, bound: policy, candidate: mine.sample, measured });
  }
  return { checks, measured: measurements };
}

async function columnsOf(
  names: readonly string[],
  policy: CustomMetric,
  rows: EvaluationRows,
  place: Place,
): Promise<Pick<OpenMetric, 'columns' | 'said'>> {
  // As SQL has it, whatever the case.
  const said = saidNames.filter((known) => names.some((name) => name.toLowerCase() === known));
  for (const known of said) {
    const column = columnNamed(known, rows);
    // A target of that name is what is true, under either reading.
    if (column === undefined || (known === 'actual' && column === rows.policy.target)) continue;
    throw new PolicyError({
      code: 'ambiguous-column',
      message: `"${known}" in the custom metric ${policy.name} is what Sluice says of a row, and ${excerpt(rows.policy.source)} has a column "${excerpt(column)}"`,
      place,
      fix: 'Rename the column.',
    });
  }
  const wanted = names.filter((name) => !said.some((known) => known === name.toLowerCase()));
  return { columns: await expressionColumns(wanted, rows, place), said };
}

function refused({ name }: CustomMetric, why: string, place: Place): PolicyError {
  return new PolicyError({
    code: 'custom-metric-expression',
    message: `the expression of the custom metric ${name} may not be evaluated: ${why}`,
    place,
    expected:
      'one SQL expression of a row: columns, numbers, text, arithmetic, comparisons, CASE, CAST and plain functions such as abs',
    fix: 'Write such an expression; what needs more belongs into a column of the evaluation file.',
  });
}

/** What the model says and what is true, under the names that expressions know them by. */
function saidBy(
  sample: Sample,
  names: readonly Said[],
): { readonly columns: readonly ExpressionColumn[] } | { readonly why: string } {
  if (sample.task === 'classification') return classesSaid(sample, names);
  if (sample.task !== 'regression') return { why: 'the model does not say one class or value a row' };
  if (names.includes('score')) return { why: 'score is the score of a class, and the model is one of regression' };
  const { predicted: prediction, actual } = sample;
  const of = { prediction, actual };
  return {
    columns: (['prediction', 'actual'] as const)
      .filter((name) => names.includes(name))
      .map((name) => [name, { kind: 'number', values: of[name] }]),
  };
}

function classesSaid(
  sample: LabelSample,
  names: readonly Said[],
): { readonly columns: readonly ExpressionColumn[] } | { readonly why: string } {
  const { classes, positive, probabilities } = sample;
  const columns: ExpressionColumn[] = [];
  // Classes that are numbers are compared as numbers: prediction = 1, whatever the column's type.
  const numbers = classes.every((name) => String(Number(name)) === name) ? classes.map(Number) : undefined;
  const classesOf = (indices: Int32Array): ExpressionColumn[1] =>
    numbers === undefined
      ? { kind: 'string', values: Array.from(indices, (index) => classes[index] ?? null) }
      : { kind: 'number', values: Float64Array.from(indices, (index) => numbers[index] ?? Number.NaN) };
  if (names.includes('prediction')) columns.push(['prediction', classesOf(sample.predicted)]);
  if (names.includes('actual')) columns.push(['actual', classesOf(sample.actual)]);
  if (names.includes('score')) {
    if (classes.length !== 2 || positive === undefined) {
      return {
        why: `score is the positive class's of two, and there are ${counted(classes.length, 'class', 'classes')}`,
      };
    }
    if (probabilities === undefined)
      return { why: 'score needs class probabilities, and the model has no output of them' };
    const values = Float64Array.from(
      { length: rowsOf(sample) },
      (_, row) => probabilities[row * 2 + positive] ?? Number.NaN,
    );
    columns.push(['score', { kind: 'number', values }]);
  }
  return { columns };
}

/** Why a mean of the values would be none: a row without a number is never left out in silence. */
function notNumbers(values: Float64Array): string | undefined {
  const rows: number[] = [];
  let count = 0;
  for (let row = 0; row < values.length; row++) {
    if (Number.isFinite(values[row])) continue;
    count++;
    if (rows.length < 3) rows.push(row + 1);
  }
  return count === 0
    ? undefined
    : `its expression gives NULL, NaN or infinity in ${counted(count, 'row')} (row ${rows.join(', ')}${count > rows.length ? ', ...' : ''})`;
}
